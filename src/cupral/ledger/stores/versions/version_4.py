"""Version 4: the workflow of documents: where each stands, its files, remarks and notices."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4"
down_revision = "3"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
TABLES = {
    "docket": ("number!", "kind", "id", "version#", "party", "state", "title", "due?",
               "recorded_at#"),
    "attachment": ("number!", "sha256", "name", "media", "bytes#", "kind", "document", "author",
                   "recorded_at#"),
    "comment": ("number!", "kind", "document", "version#", "action", "text", "author",
                "recorded_at#"),
    "notice": ("number!", "person", "role", "enterprise", "kind", "document", "version#",
               "action", "author", "recorded_at#", "read_at#?", "read_by"),
}  # fmt: skip
"""Columns: `!` the key, `#` a whole number, `?` may be empty."""
TITLES = ("title", "title_zh", "name_zh", "name", "title_en", "name_en")
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
    """Make the tables."""
    for table, columns in TABLES.items():
        once = [sa.UniqueConstraint(*ONCE[table][0], name=ONCE[table][1])] if table in ONCE else []
        op.create_table(table, *(_column(said) for said in columns), *once)
    for name, table, indexed in INDEXES:
        op.create_index(name, table, indexed)
    _fill()


def _fill() -> None:
    """Enter the documents that there are, in the order in which they were opened."""
    connection, latest = op.get_bind(), dict[tuple[str, str], dict[str, Any]]()
    rows = connection.execute(sa.text("SELECT * FROM document ORDER BY number")).mappings()
    for row in rows:
        known = {name: row[name] for name in ("kind", "id", "version", "party", "state",
                                              "recorded_at")}  # fmt: skip
        latest[row["kind"], row["id"]] = {**known, "title": _title(row)}
    docket = sa.table("docket", *(sa.column(said.rstrip("!#?")) for said in TABLES["docket"]))
    if latest:
        connection.execute(sa.insert(docket), list(latest.values()))


def _title(row: Any) -> str:
    body = json.loads(row["body"])
    found = (str(body[key]).strip() for key in TITLES if isinstance(body.get(key), str))
    return next((text for text in found if text), row["id"])


def downgrade() -> None:
    """Remove them."""
    for table in TABLES:
        op.drop_table(table)


def _column(said: str) -> sa.Column[Any]:
    name = said.rstrip("!#?")
    if "!" in said:
        return sa.Column(name, sa.Integer, primary_key=True)
    return sa.Column(name, sa.BigInteger() if "#" in said else TEXT, nullable="?" in said)
