"""Postings: the write path of the general ledger, and its manifest.

Rows are written to files first; then one short transaction takes the number, the chain and
the files. Files that no manifest row names are invisible and are swept later.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cupral.ledger.errors import Conflict, NotFound
from cupral.ledger.stores import canonical, files, schema
from cupral.ledger.stores.files import DataFile

GENESIS = "0" * 64
"""What the first posting is chained to."""

Scope = tuple[str, str, str, int]
"""(table, site, origin, month): what a posting touches."""

Within = Callable[[sa.Connection, int, Sequence[Scope]], None]
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
class _Entry:
    id: str
    author: str
    note: str
    content_sha: str
    recorded_at: int

    def chained(self, before: str, parts_sha: str) -> str:
        content = canonical.combined_sha({"given": self.content_sha, "parts": parts_sha})
        return canonical.chain_sha(before, self.id, self.author, self.recorded_at, content)


class Postings:
    """Writes postings and answers what the manifest says."""

    def __init__(self, database: sa.Engine, root: Path) -> None:
        self.database = database
        self.root = root

    def commit(
        self,
        id: str,
        author: str,
        note: str,
        tables: Mapping[str, pa.Table],
        given_sha: str,
        within: Within,
    ) -> Receipt:
        """Write the rows and commit them; `within` runs in the same transaction."""
        while True:
            recorded_at = self._next_time()
            stamped = {name: _stamp(rows, recorded_at) for name, rows in tables.items()}
            written = [
                files.write(self.root, name, month, part)
                for name, rows in stamped.items()
                for month, part in _by_month(rows)
            ]
            entry = _Entry(id, author, note, given_sha, recorded_at)
            receipt = self._record(entry, stamped, written, within)
            if receipt is not None:
                return receipt
            for data in written:  # another writer recorded later than we stamped: stamp again
                (self.root / data.name).unlink(missing_ok=True)

    def _record(
        self, entry: "_Entry", tables: Mapping[str, pa.Table], written: Iterable[DataFile],
        within: Within,
    ) -> Receipt | None:  # fmt: skip
        parts = _parts(tables)
        parts_sha = canonical.combined_sha({f"{t}/{m}": sha for t, m, _, sha in parts})
        rows = sum(table.num_rows for table in tables.values())
        with schema.writing(self.database) as connection:
            already = self._same(connection, entry.id, entry.content_sha)
            if already is not None:
                return already
            last = _last(connection)
            if last["recorded_at"] >= entry.recorded_at:
                return None
            seq = last["seq"] + 1
            connection.execute(
                sa.insert(schema.posting).values(
                    seq=seq, rows=rows, parts_sha=parts_sha,
                    chain_sha=entry.chained(last["chain_sha"], parts_sha),
                    form_version=canonical.FORM_VERSION, **asdict(entry),
                )
            )  # fmt: skip
            _insert_parts(connection, seq, parts)
            for data in written:
                insert_file(connection, data, seq, [seq])
            within(connection, seq, _scopes(tables))
        return Receipt(entry.id, seq, "posted", rows, entry.content_sha)

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
                f"posting {id!r} exists (number {row['seq']}) with other content; give the new"
                " content an id of its own, or reverse the old posting first"
            )
        return Receipt(id, row["seq"], "already", row["rows"], given_sha)

    def _next_time(self) -> int:
        with self.database.connect() as connection:
            return int(max(time.time_ns() // 1000, _last(connection)["recorded_at"] + 1))

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

    def all(self) -> list[dict[str, Any]]:
        """Every posting in order."""
        with self.database.connect() as connection:
            query = sa.select(schema.posting).order_by(schema.posting.c.seq)
            return schema.one_by_one(connection.execute(query))

    def files(
        self,
        table: str,
        *,
        seq: int | None = None,
        months: tuple[int, int] | None = None,
        sites: Sequence[str] | None = None,
        posting_seq: int | None = None,
    ) -> list[Path]:
        """Files of one snapshot that can hold the rows asked for."""
        f = schema.file.c
        query = sa.select(f.name).where(f.table_name == table).order_by(f.name)
        if seq is None:
            query = query.where(f.removed_seq.is_(None))
        else:
            query = query.where(
                f.added_seq <= seq, sa.or_(f.removed_seq.is_(None), f.removed_seq > seq)
            )
        if months is not None:
            query = query.where(f.month >= months[0], f.month <= months[1])
        if sites:
            query = query.where(f.site_last >= min(sites), f.site_first <= max(sites))
        if posting_seq is not None:
            query = query.join(schema.file_posting, schema.file_posting.c.file_id == f.id).where(
                schema.file_posting.c.seq == posting_seq
            )
        with self.database.connect() as connection:
            return [self.root / name for (name,) in connection.execute(query)]


def insert_file(
    connection: sa.Connection, data: DataFile, added_seq: int, postings: Iterable[int]
) -> None:
    """Name a written file in the manifest."""
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


def _last(connection: sa.Connection) -> dict[str, Any]:
    query = sa.select(schema.posting).order_by(schema.posting.c.seq.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return dict(row) if row else {"seq": 0, "recorded_at": 0, "chain_sha": GENESIS}


def _stamp(rows: pa.Table, recorded_at: int) -> pa.Table:
    index = rows.schema.get_field_index("recorded_at")
    times = pa.array(np.full(rows.num_rows, recorded_at), pa.int64()).cast(pa.timestamp("us"))
    return rows.set_column(index, rows.schema.field(index), times)


def _by_month(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    for month in sorted(pc.unique(rows["month"]).to_pylist()):
        yield month, rows.filter(pc.equal(rows["month"], month))


def _parts(tables: Mapping[str, pa.Table]) -> list[tuple[str, int, int, str]]:
    return [
        (name, month, part.num_rows, canonical.content_sha(part))
        for name, rows in tables.items()
        for month, part in _by_month(rows)
    ]


def _insert_parts(
    connection: sa.Connection, seq: int, parts: Sequence[tuple[str, int, int, str]]
) -> None:
    values = [
        {"seq": seq, "table_name": table, "month": month, "rows": rows, "sha": sha}
        for table, month, rows, sha in parts
    ]
    if values:
        connection.execute(sa.insert(schema.posting_part), values)


def _scopes(tables: Mapping[str, pa.Table]) -> list[Scope]:
    found = set[Scope]()
    for name, rows in tables.items():
        groups = rows.group_by(["site", "origin", "month"]).aggregate([])
        found |= {(name, r["site"], r["origin"], r["month"]) for r in groups.to_pylist()}
    return sorted(found)
