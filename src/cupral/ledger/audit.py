"""Audit: prove that nothing in the ledger has changed since it was posted.

Level 1: the chains of postings and of audit records, and the SHA-256 of every file, those
attached to documents included. Level 2: also the content hash of every part of every posting
(rows and settled documents), of every version of a Result, and of every version of a register
and of a document, recomputed from what is stored.
"""

import json
import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from cupral.ledger.errors import Damaged, InputError
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.ledger.rights import EVERYTHING
from cupral.ledger.stores import attachments, canonical, content, files, schema, seal, sums
from cupral.ledger.stores.postings import GENESIS, chained
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
    trail_sha: str = ""
    """Hash of the latest audit record: keep it outside too."""

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

    What the chains cannot show is a whole ledger cut off after an earlier posting or written
    anew: for that, keep `head_sha` and `trail_sha` outside the database (print, sign, send them).

    Raises
    ------
    NoRight
        If the person may neither audit nor read everything.
    """
    if ledger.rights.over("read", "posting") != "all":
        ledger.rights.demand("audit")
    ledger = ledger.seen_by(EVERYTHING)
    if level not in (1, 2):
        raise InputError(f"no audit level {level}; use 1 (chain, files) or 2 (contents too)")
    try:
        return _verdict(ledger, level)
    except (sa.exc.DatabaseError, ValueError, TypeError) as error:  # a row cannot be decoded
        reason = str(error).splitlines()[0]
        told = f"the documents database cannot be read ({reason}); restore it from a backup"
        return Verdict(level, 0, 0, 0, "", (told,))


def _verdict(ledger: Ledger, level: int) -> Verdict:
    damages, kept = [*_database(ledger), *ledger.records.trail.damages()], _kept(ledger)
    damaged = _files(ledger, kept.files)
    damages += [*_chain(kept), *damaged.values(), *_rows(kept)]
    damages += attachments.damages(ledger.folder, kept.attached)
    if level > 1:
        damages += [*_contents(ledger, kept, damaged), *_documents(ledger, kept), *_results(ledger)]
        damages += seal.damages(ledger.records.database)
    head = kept.postings[-1]["chain_sha"] if kept.postings else GENESIS
    checked = len(kept.parts) if level > 1 else 0
    count = len(kept.files) + len(kept.attached)
    return Verdict(level, len(kept.postings), count, checked, head, tuple(damages),
                   _trail_head(ledger))  # fmt: skip


def _trail_head(ledger: Ledger) -> str:
    latest = ledger.records.trail.latest(1)
    return str(latest[0]["sha"]) if latest else GENESIS


@dataclass(frozen=True, slots=True)
class _Kept:
    """The manifest at one moment."""

    postings: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    files: list[dict[str, Any]]
    links: dict[int, list[int]]
    """Numbers of the postings that each file holds rows of, by the file's own number."""
    ids: dict[int, str]
    """Posting ids by number."""
    attached: dict[str, list[str]]
    """Documents of each attached file, by its hash."""


class _Month(NamedTuple):
    """What the manifest says of one table and month."""

    files: list[dict[str, Any]]
    parts: list[dict[str, Any]]


def _database(ledger: Ledger) -> list[str]:
    """What SQLite itself finds wrong with its pages and indexes; other servers check their own."""
    if ledger.manifest.database.dialect.name != "sqlite":
        return []
    with ledger.manifest.database.connect() as connection:
        found = connection.execute(sa.text("PRAGMA integrity_check")).scalars().all()
    return [] if found == ["ok"] else [f"documents database: {what}" for what in found]


def _kept(ledger: Ledger) -> _Kept:
    present = schema.file.c.removed_seq.is_(None)
    queries = (
        sa.select(schema.posting).order_by(schema.posting.c.seq),
        sa.select(schema.posting_part),
        sa.select(schema.file).where(present),
    )
    links: dict[int, list[int]] = {}
    with ledger.manifest.database.connect() as connection:
        rows = [schema.one_by_one(connection.execute(query)) for query in queries]
        for file_id, seq in connection.execute(sa.select(*schema.file_posting.c)):
            links.setdefault(file_id, []).append(seq)
        attached = attachments.named(connection)
    postings, parts, named = rows
    ids = {row["seq"]: row["id"] for row in postings}
    return _Kept(postings, parts, named, links, ids, attached)


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


def _files(ledger: Ledger, named: list[dict[str, Any]]) -> dict[str, str]:
    """Damage of each file whose bytes are not those that were written."""

    def damage(row: dict[str, Any]) -> str:
        try:
            same = files.sha256(ledger.folder / row["name"]) == row["sha256"]
        except Damaged as error:
            return f"{error} ({row['name']})"
        return "" if same else f"file {row['name']}: bytes changed since it was written"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(damage, named)
        return {row["name"]: what for row, what in zip(named, found, strict=True) if what}


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


def _contents(ledger: Ledger, kept: _Kept, damaged: Collection[str]) -> list[str]:
    """Damages of the rows, month by month on all cores; damaged files are not decoded."""
    months: dict[tuple[str, int], _Month] = {}
    for row in kept.files:
        months.setdefault((row["table_name"], row["month"]), _Month([], [])).files.append(row)
    for part in kept.parts:
        if part["table_name"] in SCHEMAS:
            key = (part["table_name"], part["month"])
            months.setdefault(key, _Month([], [])).parts.append(part)

    def damages(item: tuple[tuple[str, int], _Month]) -> list[str]:
        (table, month), held = item
        try:
            if names := [row["name"] for row in held.files if row["name"] in damaged]:
                raise Damaged(f"{len(names)} damaged files")
            return _month(ledger, kept, table, month, held)
        except Exception as error:  # whatever the engine raises on broken bytes is a damage
            hurt = sorted({kept.ids.get(part["seq"], "") for part in held.parts})
            more = f" and {len(hurt) - 5} more" if len(hurt) > 5 else ""
            return [
                f"{table} {month}: cannot be read ({str(error).splitlines()[0]});"
                f" contents not checked of {', '.join(hurt[:5])}{more}"
            ]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [damage for found in pool.map(damages, sorted(months.items())) for damage in found]


def _month(ledger: Ledger, kept: _Kept, table: str, month: int, held: _Month) -> list[str]:
    readers = [content.reader(ledger.folder / row["name"]) for row in held.files]
    damages = [
        f"file {row['name']} holds other {wrong} than its manifest row says"
        for row, read in zip(held.files, readers, strict=True)
        if (wrong := _wrong(kept, row, content.described(read)))
    ]
    damages += [
        f"file {row['name']}: the sums in its footer are not those of its rows"
        for row, read in zip(held.files, readers, strict=True)
        if sums.belie(ledger.folder / row["name"], read)
    ]
    shas = content.content_shas(table, readers) if readers else {}
    stated = {kept.ids.get(part["seq"], ""): part["sha"] for part in held.parts}
    damages += [
        f"posting {id}: {table} {month} content changed"
        for id, sha in stated.items()
        if shas.get(id) != sha
    ]
    return damages + [
        f"posting {id}: {table} {month} has rows that were never posted"
        for id in sorted(shas.keys() - stated.keys())
    ]


def _wrong(kept: _Kept, row: dict[str, Any], described: dict[str, Any]) -> list[str]:
    linked = {kept.ids.get(seq, "") for seq in kept.links.get(row["id"], ())}
    stated = {**row, "postings": linked}
    return [name for name, value in described.items() if stated[name] != value]


def _documents(ledger: Ledger, kept: _Kept) -> list[str]:
    stored = ledger.documents(latest=False)
    shas = {(d.posting, f"document:{d.kind}/{d.id}", document_sha(d)) for d in stored}
    return [
        f"posting {kept.ids.get(part['seq'])}: {part['table_name']} changed since it was settled"
        for part in kept.parts
        if part["table_name"] not in SCHEMAS
        and (kept.ids.get(part["seq"]), part["table_name"], part["sha"]) not in shas
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
