"""Audit: prove that nothing in the ledger has changed since it was posted.

Level 1: the chain of postings and the SHA-256 of every file. Level 2: also the content hash
of every part of every posting (rows and settled documents) and of every version of a Result,
recomputed from what is stored.
"""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cupral.ledger.errors import Damaged, InputError
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.ledger.stores import canonical, files, schema
from cupral.ledger.stores.postings import GENESIS, chained
from cupral.ledger.stores.protocol import Filter
from cupral.ledger.stores.records import document_sha


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an audit found."""

    level: int
    postings: int
    files: int
    parts: int
    head_sha: str
    damages: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.damages

    def __str__(self) -> str:
        state = "intact" if self.intact else f"{len(self.damages)} DAMAGES"
        head = (
            f"{state}: level {self.level}, {self.postings} postings, {self.files} files,"
            f" {self.parts} parts, chain head {self.head_sha[:16]}"
        )
        return "\n".join([head, *(f"  {damage}" for damage in self.damages[:50])])


def verify(ledger: Ledger, level: int = 1) -> Verdict:
    """Audit the ledger and name every damage found.

    What the chain cannot show is a whole ledger cut off after an earlier posting or written
    anew: for that, keep `head_sha` outside the database (print it, sign it, send it).
    """
    if level not in (1, 2):
        raise InputError(f"no audit level {level}; use 1 (chain, files) or 2 (contents too)")
    kept = _kept(ledger)
    damages = [*_chain(kept), *_files(ledger, kept.files), *_rows(kept)]
    if level > 1:
        damages += [*_contents(ledger, kept), *_documents(ledger, kept), *_results(ledger)]
    head = kept.postings[-1]["chain_sha"] if kept.postings else GENESIS
    checked = len(kept.parts) if level > 1 else 0
    return Verdict(level, len(kept.postings), len(kept.files), checked, head, tuple(damages))


@dataclass(frozen=True, slots=True)
class _Kept:
    """The manifest at one moment."""

    postings: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    files: list[dict[str, Any]]


def _kept(ledger: Ledger) -> _Kept:
    named = schema.file.c.removed_seq.is_(None)
    queries = (
        sa.select(schema.posting).order_by(schema.posting.c.seq),
        sa.select(schema.posting_part),
        sa.select(schema.file).where(named),
    )
    with ledger.manifest.database.connect() as connection:
        return _Kept(*(schema.one_by_one(connection.execute(query)) for query in queries))


def _chain(kept: _Kept) -> list[str]:
    damages, before = [], GENESIS
    parts: dict[int, list[dict[str, Any]]] = {}
    for part in kept.parts:
        parts.setdefault(part["seq"], []).append(part)
    for number, row in enumerate(kept.postings, start=1):
        if row["seq"] != number:
            damages.append(f"posting number {number} is missing from the chain")
        mine = parts.pop(row["seq"], [])
        shas = {f"{part['table_name']}/{part['month']}": part["sha"] for part in mine}
        counted = sum(part["rows"] for part in mine)
        if canonical.combined_sha(shas) != row["parts_sha"] or counted != row["rows"]:
            damages.append(f"posting {row['id']}: its parts do not match their hash")
        if chained(before, row) != row["chain_sha"]:
            damages.append(f"posting {row['id']} (number {row['seq']}): chain broken")
        before = row["chain_sha"]
    return damages + [f"posting number {seq} is missing, its parts are there" for seq in parts]


def _files(ledger: Ledger, named: list[dict[str, Any]]) -> list[str]:
    damages = []
    for row in named:
        try:
            if files.sha256(ledger.folder / row["name"]) != row["sha256"]:
                damages.append(f"file {row['name']}: bytes changed since it was written")
        except Damaged as error:
            damages.append(f"{error} ({row['name']})")
    return damages


def _rows(kept: _Kept) -> list[str]:
    counted: dict[tuple[str, int], int] = {}
    for row in kept.files:
        key = (row["table_name"], row["month"])
        counted[key] = counted.get(key, 0) + row["rows"]
    for part in kept.parts:
        key = (part["table_name"], part["month"])
        counted[key] = counted.get(key, 0) - part["rows"]
    return [
        f"{table} {month}: {abs(excess)} rows {'too many' if excess > 0 else 'missing'} in files"
        for (table, month), excess in sorted(counted.items())
        if excess
    ]


def _contents(ledger: Ledger, kept: _Kept) -> list[str]:
    ids = {row["seq"]: row["id"] for row in kept.postings}
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for part in kept.parts:
        if part["table_name"] in SCHEMAS:
            groups.setdefault((part["table_name"], part["month"]), []).append(part)
    damages = []
    for (table, month), members in sorted(groups.items()):
        try:
            held = _by_posting(ledger, table, month, kept.files)
        except Exception as error:  # whatever the engine raises on broken bytes is a damage
            damages.append(f"{table} {month}: cannot be read ({str(error).splitlines()[0]})")
            continue
        for part in members:
            id = ids.get(part["seq"], "")
            if id not in held or canonical.content_sha(held[id]) != part["sha"]:
                damages.append(f"posting {id}: {table} {month} content changed")
    return damages


def _by_posting(
    ledger: Ledger, table: str, month: int, named: list[dict[str, Any]]
) -> dict[str, pa.Table]:
    mine = [row for row in named if (row["table_name"], row["month"]) == (table, month)]
    for row in mine:
        described = files.described(ledger.folder / row["name"])
        if wrong := [name for name, value in described.items() if row[name] != value]:
            raise Damaged(f"file {row['name']} holds other {wrong} than its manifest row says")
    rows = ledger.scan.every(table, [ledger.folder / row["name"] for row in mine], Filter({}))
    runs = pc.run_end_encode(rows["posting"].combine_chunks())
    ends, starts = runs.run_ends.to_pylist(), [0, *runs.run_ends.to_pylist()[:-1]]
    return {
        id: rows.slice(start, end - start)
        for id, start, end in zip(runs.values.to_pylist(), starts, ends, strict=True)
    }


def _documents(ledger: Ledger, kept: _Kept) -> list[str]:
    ids = {row["seq"]: row["id"] for row in kept.postings}
    stored = ledger.documents(latest=False)
    shas = {(d.posting, f"document:{d.kind}/{d.id}", document_sha(d)) for d in stored}
    return [
        f"posting {ids.get(part['seq'])}: {part['table_name']} changed since it was settled"
        for part in kept.parts
        if part["table_name"] not in SCHEMAS
        and (ids.get(part["seq"]), part["table_name"], part["sha"]) not in shas
    ]


def _results(ledger: Ledger) -> list[str]:
    kept = schema.result.c
    query = sa.select(kept.key, kept.version, kept.body, kept.sha256).order_by(kept.id)
    with ledger.records.database.connect() as connection:
        return [
            f"result {row.key} (version {row.version}): content changed since it was kept"
            for row in connection.execute(query)
            if _result_sha(row.body) != row.sha256
        ]


def _result_sha(body: str) -> str:
    try:
        return Result.from_document(json.loads(body)).sha256
    except (ValueError, TypeError, KeyError, AttributeError):
        return "unreadable"
