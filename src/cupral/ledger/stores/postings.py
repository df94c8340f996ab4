"""Postings: the write path of the general ledger, and its manifest.

Rows are written to files first; then one short transaction takes the number, the chain and
the files. Files that no manifest row names are invisible and are swept later.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cupral.ledger.errors import Conflict, Damaged, InputError, NotFound
from cupral.ledger.stores import canonical, files, schema
from cupral.ledger.stores.files import DataFile

GENESIS = "0" * 64
"""What the first posting is chained to."""

Scope = tuple[str, str, str, int]
"""(table, site, origin, month): what a posting touches."""

Within = Callable[[sa.Connection, "Batch", int, Sequence[Scope]], None]
"""What else happens in the transaction of a posting."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a posting."""

    id: str
    seq: int
    status: str
    """'posted', or 'already' when the same id and content had been posted before."""
    rows: int
    content_sha: str

    def __str__(self) -> str:
        return f"{self.status} {self.id}: number {self.seq}, {self.rows} rows"


@dataclass(frozen=True, slots=True)
class Part:
    """What a posting holds of one table and month (or of one document), and its hash."""

    table: str
    month: int
    rows: pa.Table
    sha: str

    @property
    def name(self) -> str:
        """Name under which the hash enters that of the posting."""
        return f"{self.table}/{self.month}"


@dataclass(frozen=True, slots=True)
class Batch:
    """One posting before it has a number."""

    id: str
    author: str
    note: str
    given_sha: str
    """Hash of what was given; the parts may hold counter-rows beside it."""
    parts: tuple[Part, ...]
    read_at: int | None = None
    """Posting number at which the rows to be undone were read; None = nothing is undone."""

    def __post_init__(self) -> None:
        for noun, text in (("id", self.id), ("author", self.author)):
            if not text or text != text.strip() or not text.isprintable():
                raise InputError(
                    f"a posting needs an {noun} of printable characters, not {text!r};"
                    " blanks at its ends, tabs and line breaks are not allowed"
                )

    @property
    def parts_sha(self) -> str:
        """One hash of all parts."""
        return combined(self.parts)

    @property
    def rows(self) -> int:
        """How many rows are written."""
        return sum(part.rows.num_rows for part in self.parts)


def parts_of(tables: Mapping[str, pa.Table]) -> tuple[Part, ...]:
    """Divide the rows of a posting by table and month, and hash each part."""
    return tuple(
        Part(name, month, rows, canonical.content_sha(rows))
        for name, table in tables.items()
        for month, rows in _by_month(table)
    )


def combined(parts: Iterable[Part]) -> str:
    """One hash of several parts."""
    return canonical.combined_sha({part.name: part.sha for part in parts})


def chained(before: str, row: Mapping[str, Any]) -> str:
    """Hash of a manifest row of a posting, tied to the posting before it."""
    names = ("seq", "id", "author", "note", "recorded_at", "rows", "content_sha", "parts_sha",
             "form_version")  # fmt: skip
    return canonical.chain_sha(before, *(row[name] for name in names))


class Postings:
    """Writes postings and answers what the manifest says."""

    def __init__(self, database: sa.Engine, root: Path) -> None:
        self.database = database
        self.root = root

    def commit(self, batch: Batch, within: Within) -> Receipt | None:
        """Write the rows and commit them; `within` runs in the same transaction.

        Returns None, and writes nothing, if the rows to be undone have changed since they
        were read.
        """
        recorded_at = time.time_ns() // 1000
        written = self._write(batch, recorded_at)
        receipt = None
        try:
            with schema.writing(self.database) as connection:
                receipt = self._same(connection, batch.id, batch.given_sha)
                if receipt is None and not self._moved(connection, batch, written):
                    last = _last(connection)
                    if last["recorded_at"] >= recorded_at:  # another writer was quicker
                        files.discard(self.root, written)
                        recorded_at = last["recorded_at"] + 1
                        written = self._write(batch, recorded_at)
                    receipt = _record(connection, self.root, batch, last, recorded_at, written)
                    within(connection, batch, receipt.seq, _scopes(batch.parts))
        except Conflict:  # nothing was committed
            files.discard(self.root, written)
            raise
        except BaseException:
            self.discard_unnamed(written)
            raise
        if receipt is None or receipt.status == "already":
            files.discard(self.root, written)
        return receipt

    def discard_unnamed(self, written: Sequence[DataFile]) -> None:
        """Delete what no manifest row names: an interrupt may come just after the commit.

        A server may still be committing when its client has lost it, so the look waits for the
        write lock; if that fails, the files are left to the sweep.
        """
        name = schema.file.c.name
        query = sa.select(name).where(name.in_([data.name for data in written]))
        with schema.writing(self.database) as connection:
            named = set(connection.scalars(query))
            connection.rollback()
        files.discard(self.root, [data for data in written if data.name not in named])

    def _write(self, batch: Batch, recorded_at: int) -> list[DataFile]:
        stamped = [
            (part.table, part.month, _stamp(part.rows, recorded_at))
            for part in batch.parts
            if part.rows.num_rows
        ]
        return files.write_all(self.root, stamped)

    def _moved(self, connection: sa.Connection, batch: Batch, written: Sequence[DataFile]) -> bool:
        if batch.read_at is None:
            return False
        f = schema.file.c
        for data in written:
            later = sa.select(f.id).where(
                f.table_name == data.table, f.month == data.month, f.added_seq > batch.read_at,
                f.site_last >= data.site_first, f.site_first <= data.site_last,
            )  # fmt: skip
            if connection.execute(later.limit(1)).first() is not None:
                return True
        return False

    def already(self, id: str, given_sha: str) -> Receipt | None:
        """The earlier receipt of the same id and content; other content is a conflict."""
        with self.database.connect() as connection:
            return self._same(connection, id, given_sha)

    def _same(self, connection: sa.Connection, id: str, given_sha: str) -> Receipt | None:
        query = sa.select(schema.posting).where(schema.posting.c.id == id)
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        if row["content_sha"] != given_sha:
            raise Conflict(
                f"posting {id!r} exists (number {row['seq']}) with other content;"
                " give the new content an id of its own"
            )
        return _already(row)

    def receipt(self, id: str) -> Receipt | None:
        """The receipt of an earlier posting, whatever its content; None if there is none."""
        with self.database.connect() as connection:
            query = sa.select(schema.posting).where(schema.posting.c.id == id)
            row = connection.execute(query).mappings().first()
        return None if row is None else _already(row)

    @property
    def head(self) -> int:
        """Number of the latest posting; 0 when there is none."""
        with self.database.connect() as connection:
            return int(_last(connection)["seq"])

    def get(self, id: str) -> dict[str, Any]:
        """The manifest row of a posting."""
        with self.database.connect() as connection:
            found = connection.execute(
                sa.select(schema.posting).where(schema.posting.c.id == id)
            ).mappings()
            row = found.first()
        if row is None:
            raise NotFound(f"no posting {id!r}; `cupral audit postings` lists them")
        return dict(row)

    def recorded_at(self, seq: int) -> int:
        """When the posting of a number was recorded; 0 for number 0."""
        if seq == 0:
            return 0
        with self.database.connect() as connection:
            query = sa.select(schema.posting.c.recorded_at).where(schema.posting.c.seq == seq)
            found = connection.execute(query).scalar()
        if found is None:
            raise InputError(f"no posting number {seq}; give one from 0 to {self.head}")
        return int(found)

    def all(self) -> list[dict[str, Any]]:
        """Every posting in order."""
        with self.database.connect() as connection:
            query = sa.select(schema.posting).order_by(schema.posting.c.seq)
            return schema.one_by_one(connection.execute(query))

    def present(self, table: str) -> tuple[int, list[dict[str, Any]]]:
        """The latest posting's number and the present files, each with its last posting's."""
        f, link = schema.file.c, schema.file_posting.c
        last = sa.select(sa.func.max(link.seq)).where(link.file_id == f.id).scalar_subquery()
        query = sa.select(f.name, f.rows, f.bytes, last.label("last_seq")).where(
            f.table_name == table, f.removed_seq.is_(None)
        )
        with self.database.connect() as connection:
            return int(_last(connection)["seq"]), schema.one_by_one(connection.execute(query))

    def files(
        self,
        table: str,
        *,
        seq: int | None = None,
        months: tuple[int, int] | None = None,
        sites: Sequence[str] | None = None,
        posting_seq: int | None = None,
    ) -> list[Path]:
        """Files that can hold the rows asked for (as of a posting number).

        Also as of an earlier posting these are the present files: compaction keeps every row
        with the time at which it was recorded.
        """
        f, link = schema.file.c, schema.file_posting.c
        query = sa.select(f.name).where(f.table_name == table, f.removed_seq.is_(None))
        if months is not None:
            query = query.where(f.month >= months[0], f.month <= months[1])
        if sites:
            query = query.where(f.site_last >= min(sites), f.site_first <= max(sites))
        if seq is not None:
            query = query.where(sa.exists().where(link.file_id == f.id, link.seq <= seq))
        if posting_seq is not None:
            query = query.where(sa.exists().where(link.file_id == f.id, link.seq == posting_seq))
        with self.database.connect() as connection:
            return [self.root / name for (name,) in connection.execute(query.order_by(f.name))]


def insert_file(
    connection: sa.Connection, root: Path, data: DataFile, added_seq: int, postings: Iterable[int]
) -> None:
    """Name a written file in the manifest.

    Raises
    ------
    Damaged
        If the file is gone: a sweep took it for an old orphan because the clock had jumped.
    """
    if not (root / data.name).exists():
        raise Damaged(f"file {data.name} vanished before it was named; post again")
    table, name, month, rows, size, digest, first, last = astuple(data)
    inserted = connection.execute(
        sa.insert(schema.file).values(
            table_name=table, name=name, month=month, rows=rows, bytes=size, sha256=digest,
            site_first=first, site_last=last, added_seq=added_seq,
        )
    )  # fmt: skip
    (file_id,) = inserted.inserted_primary_key or (None,)
    connection.execute(
        sa.insert(schema.file_posting), [{"file_id": file_id, "seq": seq} for seq in postings]
    )


def _record(
    connection: sa.Connection, root: Path, batch: Batch, last: Mapping[str, Any],
    recorded_at: int, written: Iterable[DataFile],
) -> Receipt:  # fmt: skip
    row = {
        "seq": last["seq"] + 1, "id": batch.id, "author": batch.author, "note": batch.note,
        "recorded_at": recorded_at, "rows": batch.rows, "content_sha": batch.given_sha,
        "parts_sha": batch.parts_sha, "form_version": canonical.FORM_VERSION,
    }  # fmt: skip
    row["chain_sha"] = chained(last["chain_sha"], row)
    connection.execute(sa.insert(schema.posting).values(**row))
    values = [
        {"seq": row["seq"], "table_name": part.table, "month": part.month,
         "rows": part.rows.num_rows, "sha": part.sha}
        for part in batch.parts
    ]  # fmt: skip
    connection.execute(sa.insert(schema.posting_part), values)
    for data in written:
        insert_file(connection, root, data, row["seq"], [row["seq"]])
    return Receipt(batch.id, row["seq"], "posted", batch.rows, batch.given_sha)


def _already(row: Mapping[Any, Any]) -> Receipt:
    return Receipt(row["id"], row["seq"], "already", row["rows"], row["content_sha"])


def _last(connection: sa.Connection) -> dict[str, Any]:
    query = sa.select(schema.posting).order_by(schema.posting.c.seq.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return dict(row) if row else {"seq": 0, "recorded_at": 0, "chain_sha": GENESIS}


def _stamp(rows: pa.Table, recorded_at: int) -> pa.Table:
    index = rows.schema.get_field_index("recorded_at")
    time_of_all = pa.repeat(pa.scalar(recorded_at, pa.timestamp("us")), rows.num_rows)
    return rows.set_column(index, rows.schema.field(index), time_of_all)


def _by_month(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    months = sorted(pc.unique(rows["month"]).to_pylist())
    for month in months:
        yield month, rows if len(months) == 1 else rows.filter(pc.equal(rows["month"], month))


def _scopes(parts: Iterable[Part]) -> list[Scope]:
    found = set[Scope]()
    for part in parts:
        if part.rows.num_rows:
            groups = part.rows.group_by(["site", "origin"], use_threads=False).aggregate([])
            found |= {(part.table, r["site"], r["origin"], part.month) for r in groups.to_pylist()}
    return sorted(found)
