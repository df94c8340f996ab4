"""Compaction: many small files of a month become one; every row stays exactly once.

The new file is written and checked first; the swap is one transaction that is rolled back if
any of the old files is gone. Replaced files stay readable for pinned readers until the sweep.
"""

import time
from typing import Any

import sqlalchemy as sa

from cupral.ledger.errors import Conflict, Damaged
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import files, schema
from cupral.ledger.stores.postings import insert_file
from cupral.ledger.stores.protocol import Filter

SMALL = 1_000_000
"""Files below this many bytes count as small."""
MOST_MERGED = 10_000
"""Files merged at once; a database names only so many in one statement."""
GRACE_SECONDS = 24 * 3600.0


def compact(ledger: Ledger, *, most_files: int = 8, small_share: float = 0.3) -> list[str]:
    """Merge the files of every month that has too many or too many small ones.

    Returns
    -------
    list of str
        Names of the new files.
    """
    made = []
    for table in SCHEMAS:
        for month, members in sorted(_months(ledger, table).items()):
            small = sum(row["rows"] for row in members if row["bytes"] < SMALL)
            share = small / sum(row["rows"] for row in members)
            if len(members) > 1 and (len(members) > most_files or share > small_share):
                name = _merge(ledger, table, month, members[:MOST_MERGED])
                made += [name] if name else []
    return made


def sweep(ledger: Ledger, *, grace_seconds: float = GRACE_SECONDS) -> list[str]:
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
    for name in removed:
        names[name].unlink(missing_ok=True)
    return removed


def _months(ledger: Ledger, table: str) -> dict[int, list[dict[str, Any]]]:
    query = sa.select(schema.file).where(
        schema.file.c.table_name == table, schema.file.c.removed_seq.is_(None)
    )
    with ledger.manifest.database.connect() as connection:
        rows = schema.one_by_one(connection.execute(query))
    months: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        months.setdefault(row["month"], []).append(row)
    return months


def _merge(ledger: Ledger, table: str, month: int, members: list[dict[str, Any]]) -> str | None:
    paths = [ledger.folder / row["name"] for row in members]
    for row, path in zip(members, paths, strict=True):
        if files.sha256(path) != row["sha256"]:
            raise Damaged(f"file {row['name']} changed since it was written; not compacted")
    rows = ledger.scan.every(table, paths, Filter({}))
    if rows.num_rows != sum(row["rows"] for row in members):
        raise Damaged(f"{table} {month}: files hold {rows.num_rows} rows, the manifest says more")
    data = files.write(ledger.folder, table, month, rows)
    ids = [row["id"] for row in members]
    try:
        with schema.writing(ledger.manifest.database) as connection:
            _swap(connection, ids, data)
    except Conflict:
        (ledger.folder / data.name).unlink(missing_ok=True)
        return None
    return data.name


def _swap(connection: sa.Connection, ids: list[int], data: files.DataFile) -> None:
    head = int(connection.execute(sa.select(sa.func.max(schema.posting.c.seq))).scalar() or 0)
    removed = connection.execute(
        sa.update(schema.file)
        .where(schema.file.c.id.in_(ids), schema.file.c.removed_seq.is_(None))
        .values(removed_seq=head, removed_at=int(time.time() * 1e6))
    )
    if removed.rowcount != len(ids):
        raise Conflict("another compaction took these files first; nothing changed")
    link = schema.file_posting
    query = sa.select(link.c.seq).where(link.c.file_id.in_(ids)).distinct()
    postings = [seq for (seq,) in connection.execute(query)]
    insert_file(connection, data, head, postings)
