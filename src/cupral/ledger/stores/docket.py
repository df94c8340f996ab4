"""The docket: one row for each document, of its latest version, to find it by."""

from typing import Any

import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.stores import schema

TITLES = ("title", "title_zh", "name_zh", "name", "title_en", "name_en")
"""Where a body may say what the document is called, from the best on."""


def title_of(document: Document) -> str:
    """What a document is called: its title if its body has one, else its id."""
    found = (document.body.get(key) for key in TITLES)
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()),
                document.id)  # fmt: skip


def entered(connection: sa.Connection, document: Document, recorded_at: int) -> None:
    """Write the latest version of a document, within the transaction that keeps it.

    A deadline holds for a state: it goes with the state.
    """
    table = schema.docket
    mine = (table.c.kind == document.kind, table.c.id == document.id)
    values = {"version": document.version, "party": document.party, "state": document.state,
              "title": title_of(document), "recorded_at": recorded_at}  # fmt: skip
    due = sa.case((table.c.state == document.state, table.c.due), else_=None)
    changed = connection.execute(sa.update(table).where(*mine).values(**values, due=due))
    if not changed.rowcount:
        named = {"kind": document.kind, "id": document.id}
        connection.execute(sa.insert(table).values(**named, **values))


def set_due(connection: sa.Connection, document: Document, due: str | None) -> None:
    """Say until when (ISO date) something must happen to a document; None = no deadline."""
    table = schema.docket
    mine = (table.c.kind == document.kind, table.c.id == document.id)
    connection.execute(sa.update(table).where(*mine).values(due=due))


def standing(connection: sa.Connection, kind: str, id: str) -> dict[str, Any] | None:
    """The row of a document."""
    table = schema.docket
    query = sa.select(table).where(table.c.kind == kind, table.c.id == id)
    found = connection.execute(query).mappings().first()
    return None if found is None else dict(found)
