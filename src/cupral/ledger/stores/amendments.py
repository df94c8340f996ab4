"""Amendment: a confirmed document that adds a value to the shipped book of parameters.

It is a document of kind 'parameter' in state 'confirmed'. The later confirmation of one
parameter and day takes the place of the earlier one and of the shipped value. An amendment
whose parameter is no longer shipped, or is shipped in another unit, stays a document and
enters no book.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from cupral.ledger.parameter import CONFIRMED, KIND, Definition, Parameter, ParameterBook
from cupral.ledger.stores import schema
from cupral.ledger.stores.database import EMBEDDED, Commits

_LATEST = sa.select(sa.func.max(schema.document.c.number))


@dataclass(frozen=True, slots=True)
class _Seen:
    shipped: ParameterBook
    commits: int
    latest: int
    last: int
    book: ParameterBook


class Amendments:
    """What the parameter desk has confirmed, read anew when any process has confirmed more.

    Asking costs some microseconds while nobody has written anything (on PostgreSQL, one look-up
    of the latest document's number).
    """

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._commits: Commits | None = None
        self._seen: _Seen | None = None

    def over(self, shipped: ParameterBook) -> tuple[int, ParameterBook]:
        """The shipped book as amended, and the number of the latest document by then."""
        with self._lock:
            commits, seen = self._counted(), self._seen
            if seen is None or seen.shipped is not shipped or seen.commits != commits:
                seen = self._seen = self._look(shipped, commits)
        return seen.latest, seen.book

    def _counted(self) -> int:
        """A number that is another one after every commit that may have brought an amendment."""
        if self._database.dialect.name != EMBEDDED:
            with self._database.connect() as connection:
                return int(connection.scalar(_LATEST) or 0)
        if self._commits is None:
            self._commits = Commits(self._database)
        return self._commits.count

    def _look(self, shipped: ParameterBook, commits: int) -> _Seen:
        seen = self._seen
        with self._database.connect() as connection:
            latest = int(connection.scalar(_LATEST) or 0)
            last = int(connection.scalar(_LATEST.where(*_ours())) or 0)
            same = seen is not None and (seen.shipped is shipped and seen.last == last)
            book = seen.book if seen is not None and same else within(connection, shipped)
        return _Seen(shipped, commits, latest, last, book)


def within(connection: sa.Connection, shipped: ParameterBook) -> ParameterBook:
    """The shipped book as amended, by what a connection sees."""
    document = schema.document.c
    query = sa.select(document.id, document.body).where(*_ours()).order_by(document.number)
    found = [amendment(row.id, json.loads(row.body), shipped) for row in connection.execute(query)]
    valid = [parameter for parameter in found if parameter is not None]
    return shipped.amended(valid) if valid else shipped


def amendment(id: str, body: Mapping[str, Any], shipped: ParameterBook) -> Parameter | None:
    """The value that a document enters; None if the book has no place for it."""
    known = shipped.definitions.get(body["parameter"])
    if known is None or known.unit != body["unit"]:
        return None
    return entered(id, body, known)


def entered(id: str, body: Mapping[str, Any], known: Definition) -> Parameter:
    """The value that the body of a document says."""
    until = body["valid_to"]
    return Parameter(
        id=known.id, title_zh=known.title_zh, title_en=known.title_en, unit=known.unit,
        force=body["force"], value=body["value"], valid_from=date.fromisoformat(body["valid_from"]),
        valid_to=date.fromisoformat(until) if until else None, source=body["source"],
        status=body["status"], note=body["note"], document=f"{KIND}/{id}",
    )  # fmt: skip


def _ours() -> tuple[sa.ColumnElement[bool], ...]:
    return (schema.document.c.kind == KIND, schema.document.c.state == CONFIRMED)
