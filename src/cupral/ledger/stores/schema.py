"""Tables of the documents database: manifest, registers, documents, results, audit.

One SQLAlchemy Core schema for SQLite and PostgreSQL. Times are microseconds UTC. Whoever
changes a table adds a step to `migrations/` and raises `VERSION`; a test compares the two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

VERSION = 4
"""Number of the last step in `migrations/`."""

LOCK_SECONDS = 30
"""How long a writer waits for another."""

Connection = sa.Connection
"""A transaction, for those who only pass it on."""

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text in the order of its UTF-8 bytes, as SQLite and Python have it."""

metadata = sa.MetaData()


def _table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *columns, **options)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, **options)


def _integer(name: str, **options: Any) -> sa.Column[int]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger, **options)


def _number(name: str) -> sa.Column[int]:
    """Given by the database under the write lock: the order of commits, which no clock tells."""
    return sa.Column(name, sa.Integer, primary_key=True)


ledger = _table("ledger", _text("id", primary_key=True))
"""One row: which folder holds the files (see `database.bind`)."""

posting = _table(
    "posting",
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    _text("id", unique=True),
    _text("author"),
    _integer("recorded_at"),
    _integer("rows"),
    _text("content_sha"),
    _text("parts_sha"),
    _text("chain_sha"),
    _integer("form_version"),
    _text("note", server_default=""),
)

posting_part = _table(
    "posting_part",
    _integer("seq", primary_key=True),
    _text("table_name", primary_key=True),
    _integer("month", primary_key=True),
    _integer("rows"),
    _text("sha"),
)

file = _table(
    "file",
    _number("id"),
    _text("table_name"),
    _text("name", unique=True),
    _integer("month"),
    _integer("rows"),
    _integer("bytes"),
    _text("sha256"),
    _text("site_first"),
    _text("site_last"),
    _integer("added_seq"),
    _integer("removed_seq", nullable=True),
    _integer("removed_at", nullable=True),
    sa.Index("file_by_month", "table_name", "month", "removed_seq"),
)

file_posting = _table(
    "file_posting",
    _integer("file_id", primary_key=True),
    _integer("seq", primary_key=True, index=True),
)

register = _table(
    "register",
    _number("number"),
    _text("kind"),
    _text("id"),
    _integer("version"),
    _text("body"),
    _text("author"),
    _integer("recorded_at"),
    sa.UniqueConstraint("kind", "id", "version", name="register_version"),
)

document = _table(
    "document",
    _number("number"),
    _text("kind"),
    _text("id"),
    _integer("version"),
    _text("party", index=True),
    _text("state"),
    _text("body"),
    _text("posting"),
    _text("author"),
    sa.Column("demonstration", sa.Boolean, nullable=False),
    _integer("recorded_at"),
    sa.UniqueConstraint("kind", "id", "version", name="document_version"),
)

result = _table(
    "result",
    _number("id"),
    _text("key"),
    _integer("version"),
    _integer("seq"),
    _text("parameters"),
    _text("code"),
    _text("body"),
    _text("sha256"),
    _integer("recorded_at"),
    _integer("stale_since", nullable=True),
    sa.Index("ix_result_key", "key", postgresql_using="hash"),  # a key may be long
)

result_scope = _table(
    "result_scope",
    _integer("result_id", primary_key=True),
    _text("table_name", primary_key=True),
    _text("site", primary_key=True),
    _text("origin", primary_key=True),
    _integer("first", primary_key=True),
    _integer("last", primary_key=True),
    sa.Index("result_scope_by_table", "table_name", "result_id"),
)

audit = _table(
    "audit",
    _number("id"),
    _integer("at"),
    _text("author"),
    _text("action"),
    _text("arguments"),
    _text("outcome"),
    _text("address", server_default=""),
    _text("session", server_default=""),
    _text("sha", server_default=""),
)

audit_head = _table("audit_head", _text("sha", primary_key=True), _integer("number"))
"""One row: hash and number of the latest audit record, so that none is cut off the end."""

account = _table(
    "account",
    _text("name", primary_key=True),
    _text("roles"),
    _text("enterprises"),
    _text("state"),
    _text("password"),
    sa.Column("one_time", sa.Boolean, nullable=False),
    _text("secret"),
    _integer("last_step"),
    _text("subject"),
    _text("created_by"),
    _integer("created_at"),
    sa.Column("demonstration", sa.Boolean, nullable=False),
)

account_session = _table(
    "account_session",
    _text("sha", primary_key=True),
    _text("id", unique=True),
    _text("account", index=True),
    _integer("began_at"),
    _integer("seen_at"),
    _text("address"),
    _text("agent"),
)

api_token = _table(
    "api_token",
    _text("sha", primary_key=True),
    _text("prefix", unique=True),
    _text("account", index=True),
    _text("title"),
    _text("roles"),
    _integer("created_at"),
    _integer("expires_at"),
    _integer("revoked_at", nullable=True),
)

failed_sign_in = _table(
    "failed_sign_in", _text("name_sha", primary_key=True), _integer("count"), _integer("last_at")
)

APPENDED = {"posting": "seq", "document": "number", "register": "number", "result": "id",
            "attachment": "number", "comment": "number", "notice": "number"}  # fmt: skip
"""Tables that only grow (a Result can also become stale, a notice be read) -> the column that
tells how far."""
FOLLOWING = frozenset({"ledger", "posting_part", "file", "file_posting", "result_scope",
                       "docket", "docket_words"})  # fmt: skip
"""Tables that change what is read only together with those."""
QUIET = frozenset({"audit", "audit_head", "account", "account_session", "api_token",
                   "failed_sign_in"})  # fmt: skip
"""Tables whose change leaves every kept page as it is. A table in none of the three lists
makes each commit count as a change: slower, never wrong."""


docket = _table(
    "docket",
    _number("number"),
    _text("kind"),
    _text("id"),
    _integer("version"),
    _text("party", index=True),
    _text("state"),
    _text("title"),
    sa.Column("due", TEXT, index=True),
    _integer("recorded_at"),
    sa.UniqueConstraint("kind", "id", name="docket_document"),
)
"""The latest version of each document: what it is called, where it stands, when it is due."""

docket_words = _table(
    "docket_words",
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _text("words"),
    _text("grams"),
    sa.Index(
        "docket_by_gram", sa.text("string_to_array(grams, ' ')"), postgresql_using="gin"
    ).ddl_if("postgresql"),
)
"""What a document of the docket says, as words and as the grams by which they are found
(`docket.grams_of`); apart from the docket, so that its rows stay short."""

GRAMS = (
    "CREATE VIRTUAL TABLE docket_gram USING fts5"
    " (grams, content='docket_words', content_rowid='number', detail=none, tokenize='ascii')",
    "CREATE TRIGGER docket_gram_insert AFTER INSERT ON docket_words BEGIN"
    " INSERT INTO docket_gram (rowid, grams) VALUES (new.number, new.grams); END",
    "CREATE TRIGGER docket_gram_update AFTER UPDATE OF grams ON docket_words"
    " WHEN old.grams <> new.grams BEGIN"
    " INSERT INTO docket_gram (docket_gram, rowid, grams)"
    " VALUES ('delete', old.number, old.grams);"
    " INSERT INTO docket_gram (rowid, grams) VALUES (new.number, new.grams); END",
    "CREATE TRIGGER docket_gram_delete AFTER DELETE ON docket_words BEGIN"
    " INSERT INTO docket_gram (docket_gram, rowid, grams)"
    " VALUES ('delete', old.number, old.grams); END",
)
"""SQLite's index of the grams, kept by triggers; PostgreSQL has one on the column itself."""
for _moment, _statements in (("after_create", GRAMS), ("before_drop", ("DROP TABLE docket_gram",))):
    for _statement in _statements:
        _made = sa.DDL(_statement).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
        sa.event.listen(docket_words, _moment, _made)

attachment = _table(
    "attachment",
    _number("number"),
    _text("sha256", index=True),
    _text("name"),
    _text("media"),
    _integer("bytes"),
    _text("kind"),
    _text("document"),
    _text("author"),
    _integer("recorded_at"),
    sa.UniqueConstraint("kind", "document", "sha256", name="attachment_once"),
)

comment = _table(
    "comment",
    _number("number"),
    _text("kind"),
    _text("document"),
    _integer("version"),
    _text("action"),
    _text("text"),
    _text("author"),
    _integer("recorded_at"),
    sa.Index("comment_by_document", "kind", "document"),
)
"""What was said of a document; `action` names the move whose reason it is, '' a plain remark."""

notice = _table(
    "notice",
    _number("number"),
    _text("person"),
    _text("role"),
    _text("enterprise"),
    _text("kind"),
    _text("document"),
    _integer("version"),
    _text("action"),
    _text("author"),
    _integer("recorded_at"),
    _integer("read_at", nullable=True),
    _text("read_by"),
    sa.Index("notice_by_recipient", "person", "role", "enterprise"),
)
"""For one person, or for whoever has a role (of an enterprise): read by one is read by all."""


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the write lock from its first statement.

    Raises
    ------
    Conflict
        If another writer holds the lock for longer than `LOCK_SECONDS`.
    """
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        yield connection


def one_by_one(rows: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    """All rows as dictionaries."""
    return [dict(row) for row in rows.mappings()]
