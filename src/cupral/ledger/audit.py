"""Audit: prove that nothing in the ledger has changed since it was posted.

Level 1: the chain of postings and the SHA-256 of every file. Level 2: also the content hash
of every part of every posting, recomputed from the rows.
"""

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import sqlalchemy as sa

from cupral.ledger.errors import Damaged
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import canonical, files, schema
from cupral.ledger.stores.postings import GENESIS
from cupral.ledger.stores.protocol import Filter


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
    """Audit the ledger and name every damage found."""
    with ledger.manifest.database.connect() as connection:
        named = schema.one_by_one(
            connection.execute(sa.select(schema.file).where(schema.file.c.removed_seq.is_(None)))
        )
        parts = schema.one_by_one(connection.execute(sa.select(schema.posting_part)))
    postings = ledger.postings()
    damages = [*_chain(postings, parts), *_files(ledger, named), *_rows(named, parts)]
    if level > 1:
        damages += _contents(ledger, postings, parts)
    head = postings[-1]["chain_sha"] if postings else GENESIS
    checked = len(parts) if level > 1 else 0
    return Verdict(level, len(postings), len(named), checked, head, tuple(damages))


def _chain(postings: list[dict[str, Any]], parts: list[dict[str, Any]]) -> list[str]:
    damages, before = [], GENESIS
    shas: dict[int, dict[str, str]] = {}
    for part in parts:
        shas.setdefault(part["seq"], {})[f"{part['table_name']}/{part['month']}"] = part["sha"]
    for number, row in enumerate(postings, start=1):
        if row["seq"] != number:
            damages.append(f"posting number {number} is missing from the chain")
        if canonical.combined_sha(shas.get(row["seq"], {})) != row["parts_sha"]:
            damages.append(f"posting {row['id']}: its parts do not match their hash")
        content = canonical.combined_sha({"given": row["content_sha"], "parts": row["parts_sha"]})
        chain = canonical.chain_sha(before, row["id"], row["author"], row["recorded_at"], content)
        if chain != row["chain_sha"]:
            damages.append(f"posting {row['id']} (number {row['seq']}): chain broken")
        before = row["chain_sha"]
    return damages


def _files(ledger: Ledger, named: list[dict[str, Any]]) -> list[str]:
    damages = []
    for row in named:
        try:
            if files.sha256(ledger.folder / row["name"]) != row["sha256"]:
                damages.append(f"file {row['name']}: bytes changed since it was written")
        except Damaged as error:
            damages.append(f"{error} ({row['name']})")
    return damages


def _rows(named: list[dict[str, Any]], parts: list[dict[str, Any]]) -> list[str]:
    counted: dict[tuple[str, int], int] = {}
    for row in named:
        key = (row["table_name"], row["month"])
        counted[key] = counted.get(key, 0) + row["rows"]
    for part in parts:
        key = (part["table_name"], part["month"])
        counted[key] = counted.get(key, 0) - part["rows"]
    return [
        f"{table} {month}: {abs(excess)} rows {'too many' if excess > 0 else 'missing'} in files"
        for (table, month), excess in sorted(counted.items())
        if excess
    ]


def _contents(
    ledger: Ledger, postings: list[dict[str, Any]], parts: list[dict[str, Any]]
) -> list[str]:
    ids = {row["seq"]: row["id"] for row in postings}
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for part in parts:
        groups.setdefault((part["table_name"], part["month"]), []).append(part)
    damages = []
    for (table, month), members in sorted(groups.items()):
        paths = ledger.manifest.files(table, months=(month, month))
        try:
            rows = ledger.scan.every(table, paths, Filter({}, month, month))
        except Exception as error:  # whatever the engine raises on broken bytes is a damage
            damages.append(f"{table} {month}: cannot be read ({str(error).splitlines()[0]})")
            continue
        for part in members:
            mine = rows.filter(pc.equal(rows["posting"], ids[part["seq"]]))
            if canonical.content_sha(mine) != part["sha"]:
                damages.append(f"posting {ids[part['seq']]}: {table} {month} content changed")
    return damages
