"""Trail: the audit records, each chained to the one before; nothing here deletes any.

Whoever acts is told by the one who calls; from which address and session it came stands in
`origin`, which the surface sets once for all that is done inside.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cupral.ledger.stores import schema
from cupral.ledger.stores.postings import GENESIS

FIELDS = ("id", "at", "author", "action", "arguments", "outcome", "address", "session")
"""What the hash of a record is over, after the hash of the record before."""
KEPT_MONTHS = 6
"""How long records are kept at least (网络安全法 第二十一条); in fact for ever."""


@dataclass(frozen=True, slots=True)
class Origin:
    """From where something is done."""

    address: str = ""
    session: str = ""


origin: ContextVar[Origin] = ContextVar("cupral_origin", default=Origin())  # noqa: B039


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One audit record before it is chained."""

    author: str
    action: str
    arguments: str
    outcome: str
    at: int
    origin: Origin


def entry(author: str, action: str, arguments: Mapping[str, Any], outcome: str) -> Entry:
    """A record of now, from here."""
    shown = {
        name: f"{len(value)} bytes" if isinstance(value, bytes) else value
        for name, value in arguments.items()
    }
    try:
        told = json.dumps(shown, ensure_ascii=False, sort_keys=True, default=str, allow_nan=False)
    except ValueError:  # a NaN among them: refused by the command, but told as it came
        told = json.dumps({"given": str(shown)}, ensure_ascii=False)
    return Entry(author=author, action=action, arguments=told, outcome=outcome.replace("\0", ""),
                 at=time.time_ns() // 1000, origin=origin.get())  # fmt: skip


def write(connection: sa.Connection, entries: Iterable[Entry]) -> None:
    """Chain records to the trail within a transaction that holds the write lock."""
    head = connection.execute(sa.select(schema.audit_head)).first()
    sha, number = (head.sha, head.number) if head else (GENESIS, 0)
    for said in entries:
        number += 1
        row = {"id": number, "at": said.at, "author": said.author, "action": said.action,
               "arguments": said.arguments, "outcome": said.outcome,
               "address": said.origin.address, "session": said.origin.session}  # fmt: skip
        sha = chained(sha, row)
        connection.execute(sa.insert(schema.audit).values(**row, sha=sha))
    connection.execute(sa.delete(schema.audit_head))
    connection.execute(sa.insert(schema.audit_head).values(sha=sha, number=number))


def chained(before: str, row: Mapping[str, Any]) -> str:
    """Hash of a record and of all before it."""
    said = json.dumps([before, *(row[name] for name in FIELDS)], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Trail:
    """The audit records of one documents database."""

    database: sa.Engine

    def record(self, entries: Iterable[Entry]) -> None:
        """Write records of their own, not beside a change."""
        with schema.writing(self.database) as connection:
            write(connection, entries)

    @contextmanager
    def audited(self, author: str, action: str, arguments: Mapping[str, Any]) -> Iterator[None]:
        """Leave a record of what is done inside, whether it succeeds or fails."""
        try:
            yield
        except Exception as error:
            outcome = f"{type(error).__name__}: {str(error)[:500]}"
            self.record([entry(author, action, arguments, outcome)])
            raise
        self.record([entry(author, action, arguments, "done")])

    def latest(self, limit: int, *, before: int = 0) -> list[dict[str, Any]]:
        """Latest records, newest first; those before a number if one is given."""
        query = sa.select(schema.audit).order_by(schema.audit.c.id.desc()).limit(limit)
        if before:
            query = query.where(schema.audit.c.id < before)
        with self.database.connect() as connection:
            return schema.one_by_one(connection.execute(query))

    def between(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        """Records of a time [microseconds UTC], oldest first."""
        at = schema.audit.c.at
        query = sa.select(schema.audit).where(at >= first, at < last).order_by(schema.audit.c.id)
        with self.database.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query).mappings():
                yield dict(row)

    def damages(self) -> list[str]:
        """Records that were changed, deleted, put elsewhere or cut off since they were written."""
        found, before, number = [], GENESIS, 0
        with self.database.connect() as connection:
            head = connection.execute(sa.select(schema.audit_head)).first()
            query = sa.select(schema.audit).order_by(schema.audit.c.id)
            rows = connection.execution_options(yield_per=1000).execute(query)
            for row in map(dict[str, Any], rows.mappings()):
                if chained(before, row) != row["sha"]:
                    found.append(f"audit record {row['id']}: changed, or one before it is missing")
                before, number = row["sha"], row["id"]
        if ((head.sha, head.number) if head else (GENESIS, 0)) != (before, number):
            found.append(f"audit records after number {number} are missing, or the head is changed")
        return found
