"""Compaction: many small files of a month become few; every row stays exactly once.

The new files are written and checked first: each posting has the same content hash in them as
in the old ones. The swap is one transaction that is rolled back if any of the old files is
gone. Replaced files stay readable for pinned readers until the sweep.

It runs when asked (`compact`) and by itself in the background (`tended`), never in a commit.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from cupral.ledger.errors import Conflict, Damaged
from cupral.ledger.stores import attachments, content, files, schema
from cupral.ledger.stores.postings import Postings, Receipt, insert_file

SMALL = 1_000_000
"""Files below this many bytes count as small."""
MOST_MERGED = 10_000
"""Files merged at once; a database names only so many in one statement."""
MOST_ROWS = 4_000_000
"""Rows held in memory at once; a larger month is merged site by site."""
GRACE_SECONDS = 24 * 3600.0
TEND_EVERY = 100
"""Postings after which the background looks for months with too many files."""
TENDED_FILES = 64
"""Files that a month may have before the background merges some."""

_BACKGROUND = ThreadPoolExecutor(1, "compaction")


class Kept(Protocol):
    """What compaction needs of a ledger."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""

    @property
    def manifest(self) -> Postings:
        """Which files there are."""

    def audited(
        self, *, author: str, action: str, arguments: dict[str, Any]
    ) -> AbstractContextManager[None]:
        """Leave an audit record of what is done inside."""


def compact(ledger: Kept, *, most_files: int = 8, small_share: float = 0.3) -> list[str]:
    """Merge the files of every month that has too many or too many small ones.

    Returns
    -------
    list of str
        Names of the new files.
    """
    made = []
    for table, month, members in _months(ledger):
        small = sum(row["rows"] for row in members if row["bytes"] < SMALL)
        share = small / sum(row["rows"] for row in members)
        if len(members) > 1 and (len(members) > most_files or share > small_share):
            made += _merge(ledger, table, month, members[:MOST_MERGED])
    return made


def tended(ledger: Kept, receipt: Receipt) -> Receipt:
    """The receipt; after every so many postings, files are merged and swept in the background.

    The number of a posting is given to one process only, so that of many writers one tends.
    """
    if receipt.status == "posted" and receipt.seq % TEND_EVERY == 0:
        _BACKGROUND.submit(_tend, ledger)
    return receipt


def settle() -> None:
    """Wait until the background has nothing left to do."""
    _BACKGROUND.submit(int).result()


def _tend(ledger: Kept) -> None:
    try:
        due = [months for months in _months(ledger) if len(months[2]) > TENDED_FILES]
        if due:
            with ledger.audited(author="cupral", action="ledger.tend", arguments={}):
                for table, month, members in due:
                    _merge(ledger, table, month, lesser(members)[:MOST_MERGED])
                sweep(ledger)
    except Exception:  # nobody waits for it; the next one tries again
        logging.getLogger(__name__).exception("compaction in the background of %s", ledger.folder)


def lesser(members: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files to merge: from the smallest on, each that is no larger than those before it.

    So a row moves to a file of at least twice the size, and is written again log2(n) times at
    most.

    Examples
    --------
    >>> [row["rows"] for row in lesser([{"rows": n} for n in (9, 100, 1, 2, 1, 4)])]
    [1, 1, 2, 4]
    """
    ordered = sorted(members, key=lambda row: int(row["rows"]))
    total, taken = 0, 0
    for place, row in enumerate(ordered):
        if row["rows"] <= total:
            taken = place + 1
        total += row["rows"]
    return ordered[:taken]


def sweep(ledger: Kept, *, grace_seconds: float = GRACE_SECONDS) -> list[str]:
    """Delete orphans and replaced files older than the grace period."""
    limit, file = time.time() - grace_seconds, schema.file
    unsure = list(files.candidates(ledger.folder, limit))
    old = file.c.removed_at < int(limit * 1e6)
    with schema.writing(ledger.manifest.database) as connection:
        gone = sa.select(file.c.id).where(old)
        link = schema.file_posting
        connection.execute(sa.delete(link).where(link.c.file_id.in_(gone)))
        connection.execute(sa.delete(file).where(old))
        known = {name for (name,) in connection.execute(sa.select(file.c.name))}
        names = {path.relative_to(ledger.folder).as_posix(): path for path in unsure}
        removed = sorted(set(names) - known)
        for name in removed:  # while no writer can name it
            names[name].unlink(missing_ok=True)
    database = ledger.manifest.database
    return [*removed, *attachments.sweep(ledger.folder, database, older_than=limit)]


def _months(ledger: Kept) -> list[tuple[str, int, list[dict[str, Any]]]]:
    file = schema.file
    query = sa.select(file).where(file.c.removed_seq.is_(None)).order_by(file.c.id)
    with ledger.manifest.database.connect() as connection:
        rows = schema.one_by_one(connection.execute(query))
    months: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        months.setdefault((row["table_name"], row["month"]), []).append(row)
    return [(table, month, members) for (table, month), members in sorted(months.items())]


def _merge(ledger: Kept, table: str, month: int, members: Sequence[dict[str, Any]]) -> list[str]:
    """Names of the new files; none if another compaction was quicker."""
    if len(members) < 2:
        return []
    readers = [_checked(ledger, row) for row in members]
    written: list[files.DataFile] = []
    try:
        for rows in _held(table, readers, sum(row["rows"] for row in members)):
            written += files.write_all(ledger.folder, [(table, month, rows)])
        made = [content.reader(ledger.folder / data.name) for data in written]
        if content.content_shas(table, readers) != content.content_shas(table, made):
            raise Damaged(f"{table} {month}: the merged files hold other rows; nothing changed")
        named = [
            (data, content.described(read)["postings"])
            for data, read in zip(written, made, strict=False)
        ]
        with schema.writing(ledger.manifest.database) as connection:
            _swap(connection, ledger.folder, members, named)
    except Conflict:
        files.discard(ledger.folder, written)
        return []
    except BaseException:
        ledger.manifest.discard_unnamed(written)
        raise
    return [data.name for data in written]


def _checked(ledger: Kept, row: dict[str, Any]) -> content.Reader:
    path = ledger.folder / row["name"]
    if files.sha256(path) != row["sha256"]:
        raise Damaged(f"file {row['name']} changed since it was written; not compacted")
    return content.reader(path)


def _held(table: str, readers: Sequence[content.Reader], count: int) -> Iterator[Any]:
    """All rows, in lots of some sites that fit into memory."""
    if count <= MOST_ROWS:
        yield content.rows(table, readers)
        return
    sites = content.counted(table, readers, "site")
    lots: list[list[str]] = [[]]
    size = 0
    for site, rows in sorted(sites.items()):
        if lots[-1] and size + rows > MOST_ROWS:
            lots, size = [*lots, []], 0
        lots[-1].append(site)
        size += rows
    for lot in lots:
        yield content.rows(table, readers, lot)


def _swap(
    connection: sa.Connection,
    root: Path,
    members: Sequence[dict[str, Any]],
    made: Sequence[tuple[files.DataFile, set[str]]],
) -> None:
    head = int(connection.execute(sa.select(sa.func.max(schema.posting.c.seq))).scalar() or 0)
    ids = [row["id"] for row in members]
    removed = connection.execute(
        sa.update(schema.file)
        .where(schema.file.c.id.in_(ids), schema.file.c.removed_seq.is_(None))
        .values(removed_seq=head, removed_at=int(time.time() * 1e6))
    )
    if removed.rowcount != len(ids):
        raise Conflict("another compaction took these files first; nothing changed")
    link, posting = schema.file_posting.c, schema.posting.c
    linked = sa.select(link.seq).where(link.file_id.in_(ids))
    query = sa.select(posting.id, posting.seq).where(posting.seq.in_(linked))
    numbers = {row.id: row.seq for row in connection.execute(query)}
    for data, postings in made:
        insert_file(connection, root, data, head, sorted(numbers[id] for id in postings))
