"""Version 4: the workflow of documents: where each stands, its files, remarks and notices.

The docket is worked out of the documents, so this step uses the functions that write it.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cupral.ledger.document import Document
from cupral.ledger.stores import docket, schema

revision = "4"
down_revision = "3"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
TABLES = {
    "docket": ("number!", "kind", "id", "version#", "party", "state", "title", "due?",
               "recorded_at#"),
    "docket_words": ("number!", "words", "grams"),
    "attachment": ("number!", "sha256", "name", "media", "bytes#", "kind", "document", "author",
                   "recorded_at#"),
    "comment": ("number!", "kind", "document", "version#", "action", "text", "author",
                "recorded_at#"),
    "notice": ("number!", "person", "role", "enterprise", "kind", "document", "version#",
               "action", "author", "recorded_at#", "read_at#?", "read_by"),
}  # fmt: skip
"""Columns: `!` the key, `#` a whole number, `?` may be empty."""
INDEXES = (
    ("ix_docket_party", "docket", ["party"]),
    ("ix_docket_due", "docket", ["due"]),
    ("ix_attachment_sha256", "attachment", ["sha256"]),
    ("comment_by_document", "comment", ["kind", "document"]),
    ("notice_by_recipient", "notice", ["person", "role", "enterprise"]),
)
ONCE = {
    "docket": (("kind", "id"), "docket_document"),
    "attachment": (("kind", "document", "sha256"), "attachment_once"),
}


def upgrade() -> None:
    """Make the tables and enter the documents that there are."""
    for table, columns in TABLES.items():
        once = [sa.UniqueConstraint(*ONCE[table][0], name=ONCE[table][1])] if table in ONCE else []
        own = table != "docket_words"  # whose numbers are those of the docket
        op.create_table(table, *(_column(said, own_number=own) for said in columns), *once)
    for name, table, indexed in INDEXES:
        op.create_index(name, table, indexed)
    if _embedded():
        for statement in schema.GRAMS:
            op.execute(statement)
    else:
        expression = sa.text("string_to_array(grams, ' ')")
        op.create_index("docket_by_gram", "docket_words", [expression], postgresql_using="gin")
    _fill()


def downgrade() -> None:
    """Remove them."""
    if _embedded():
        op.drop_table("docket_gram")
    for table in TABLES:
        op.drop_table(table)


def _embedded() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _fill() -> None:
    """The latest version of each document, in the order in which they were opened."""
    connection, latest = op.get_bind(), dict[tuple[str, str], dict[str, Any]]()
    words = dict[tuple[str, str], dict[str, str]]()
    rows = connection.execute(sa.text("SELECT * FROM document ORDER BY number")).mappings()
    for row in rows:
        kept = {name: row[name] for name in ("kind", "id", "version", "party", "state")}
        document, key = Document(**kept, body=json.loads(row["body"])), (row["kind"], row["id"])
        title, stamp = docket.title_of(document), row["recorded_at"]
        latest[key] = {**kept, "title": title, "recorded_at": stamp}
        words[key] = docket.said_by(document, [])
    for values, (key, text) in zip(latest.values(), words.items(), strict=True):
        connection.execute(sa.insert(_named("docket")).values(**values))
        number = sa.text("SELECT number FROM docket WHERE kind = :kind AND id = :id")
        found = connection.scalar(number, {"kind": key[0], "id": key[1]})
        connection.execute(sa.insert(_named("docket_words")).values(number=found, **text))


def _named(table: str) -> sa.TableClause:
    return sa.table(table, *(sa.column(said.rstrip("!#?")) for said in TABLES[table]))


def _column(said: str, *, own_number: bool) -> sa.Column[Any]:
    name = said.rstrip("!#?")
    if "!" in said:
        return sa.Column(name, sa.Integer, primary_key=True, autoincrement=own_number)
    return sa.Column(name, sa.BigInteger() if "#" in said else TEXT, nullable="?" in said)
