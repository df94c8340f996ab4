"""What is said of a document, and who is told of it: comments and notices."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NoRight, NotFound
from cupral.ledger.stores import docket, schema
from cupral.ledger.stores.records import Records

NOTICES = "notice"
"""Stands for the kind of a document in the scopes of a Result that read notices."""
_MOST_NUMBER = 2**31
MOST_TEXT = 10_000
"""Characters of a comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A remark, or the reason of a move."""

    version: int
    """Of the document, when it was written."""
    action: str
    """The move whose reason it is; '' for a plain remark."""
    text: str
    author: str
    recorded_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person by name, or whoever has a role (of an enterprise, if one is named)."""

    person: str = ""
    role: str = ""
    enterprise: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Tells a recipient of a step of a document."""

    number: int
    person: str
    role: str
    enterprise: str
    kind: str
    document: str
    version: int
    action: str
    """The move that was made, or 'comment'."""
    author: str
    recorded_at: int
    read_at: int | None
    read_by: str


class Kept(Protocol):
    """What correspondence needs of a ledger."""

    @property
    def records(self) -> Any:
        """Its database."""


def write_comment(
    connection: sa.Connection, document: Document, *, text: str, author: str, action: str = ""
) -> None:
    """Keep a comment, within a transaction.

    Raises
    ------
    InputError
        If it is empty or too long.
    """
    said = text.strip()
    if not said or len(said) > MOST_TEXT:
        raise InputError(f"a comment of {len(said)} characters; write 1 to {MOST_TEXT:,}")
    values = {"kind": document.kind, "document": document.id, "version": document.version,
              "action": action, "text": said, "author": author, "recorded_at": _now()}  # fmt: skip
    connection.execute(sa.insert(schema.comment).values(**values))
    docket.said(connection, document, said)
    Records.touched(connection, document.kind, {document.party})


def write_notices(
    connection: sa.Connection, document: Document, *, to: Collection[Recipient], action: str,
    author: str,
) -> None:  # fmt: skip
    """Tell recipients of a step, within a transaction; nobody is told of his own."""
    for recipient in sorted(set(to), key=str):
        if recipient.person == author:
            continue
        values = {"person": recipient.person, "role": recipient.role,
                  "enterprise": recipient.enterprise, "kind": document.kind,
                  "document": document.id, "version": document.version, "action": action,
                  "author": author, "recorded_at": _now(), "read_by": ""}  # fmt: skip
        connection.execute(sa.insert(schema.notice).values(**values))
        Records.touched(connection, NOTICES, {"*", recipient.enterprise, document.party})


def comments(ledger: Kept, kind: str, document: str) -> list[Comment]:
    """Comments of a document in the order in which they were written."""
    table = schema.comment
    query = sa.select(
        table.c.version, table.c.action, table.c.text, table.c.author, table.c.recorded_at
    ).where(table.c.kind == kind, table.c.document == document)
    with ledger.records.database.connect() as connection:
        rows = schema.one_by_one(connection.execute(query.order_by(table.c.number)))
    return [Comment(**row) for row in rows]


def inbox(
    ledger: Kept, *, person: str, roles: Collection[str] = (), enterprises: Collection[str] = (),
    unread: bool = False, limit: int = 200,
) -> list[Notice]:  # fmt: skip
    """Notices for a person and his roles, newest first."""
    table = schema.notice
    query = sa.select(table).where(_for(person, roles, enterprises))
    if unread:
        query = query.where(table.c.read_at.is_(None))
    with ledger.records.database.connect() as connection:
        query = query.order_by(table.c.number.desc()).limit(limit)
        return [Notice(**row) for row in schema.one_by_one(connection.execute(query))]


def read(
    ledger: Kept, number: int, *, person: str, roles: Collection[str] = (),
    enterprises: Collection[str] = (),
) -> Notice:  # fmt: skip
    """Mark a notice as read; it stays read by whoever read it first.

    Raises
    ------
    NotFound
        If there is no such notice.
    NoRight
        If it is for somebody else.
    """
    table = schema.notice
    with schema.writing(ledger.records.database) as connection:
        mine = sa.select(table).where(table.c.number == number)
        known = 0 < number < _MOST_NUMBER and connection.execute(mine).first() is not None
        if not known:
            raise NotFound(f"no notice {number}; look into the inbox")
        found = connection.execute(mine.where(_for(person, roles, enterprises))).mappings().first()
        if found is None:
            raise NoRight(f"notice {number} is not for {person}; look into your own inbox")
        row: Mapping[str, Any] = dict(found)
        if row["read_at"] is None:
            now = {"read_at": _now(), "read_by": person}
            Records.touched(connection, NOTICES, {"*", row["enterprise"]})
            connection.execute(sa.update(table).where(table.c.number == number).values(**now))
            row = {**row, **now}
    return Notice(**row)


def _for(
    person: str, roles: Collection[str], enterprises: Collection[str]
) -> sa.ColumnElement[bool]:
    table = schema.notice.c
    if "owner" in roles:  # holds the folder: stands for every role, not for other persons
        by_role = table.person == ""
    else:
        acting = {*roles, "enterprise"} if "signer" in roles else {*roles}
        of_mine = sa.or_(table.enterprise == "", table.enterprise.in_(list(enterprises)))
        by_role = sa.and_(table.person == "", table.role.in_(sorted(acting)), of_mine)
    return sa.or_(sa.and_(table.person == person, table.person != ""), by_role)


def _now() -> int:
    return time.time_ns() // 1000
