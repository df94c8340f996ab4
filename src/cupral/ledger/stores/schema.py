"""Tables of the documents database: manifest, registers, documents, results, audit.

One SQLAlchemy Core schema, on SQLite by default. Times are microseconds UTC.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cupral.ledger.errors import Conflict

LOCK_SECONDS = 30
"""How long a writer waits for another."""

metadata = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any] | sa.Index, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *columns, **options)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)


def _integer(name: str, **options: Any) -> sa.Column[int]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger, **options)


posting = _table(
    "posting",
    sa.Column("seq", sa.Integer, primary_key=True),
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
    sa.Column("id", sa.Integer, primary_key=True),
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
    _text("kind", primary_key=True),
    _text("id", primary_key=True),
    _integer("version", primary_key=True),
    _text("body"),
    _text("author"),
    _integer("recorded_at"),
)

document = _table(
    "document",
    _text("kind", primary_key=True),
    _text("id", primary_key=True),
    _integer("version", primary_key=True),
    _text("party", index=True),
    _text("state"),
    _text("body"),
    _text("posting"),
    _text("author"),
    sa.Column("demonstration", sa.Boolean, nullable=False),
    _integer("recorded_at"),
)

result = _table(
    "result",
    sa.Column("id", sa.Integer, primary_key=True),
    _text("key", index=True),
    _integer("version"),
    _integer("seq"),
    _text("parameters"),
    _text("code"),
    _text("body"),
    _text("sha256"),
    _integer("recorded_at"),
    _integer("stale_since", nullable=True),
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
    sa.Column("id", sa.Integer, primary_key=True),
    _integer("at"),
    _text("author"),
    _text("action"),
    _text("arguments"),
    _text("outcome"),
)


def open_database(path: Path) -> sa.Engine:
    """Open (or create) the SQLite documents database with write-ahead log, fully synchronous."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": LOCK_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin, below, starts transactions
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    with writing(engine) as connection:  # two processes may open a new folder at once
        metadata.create_all(connection)
    return engine


def _write_ahead(connection: Any) -> None:
    """Turn to the write-ahead log; SQLite itself does not wait if another opens at once."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the write lock from its first statement.

    Raises
    ------
    Conflict
        If another writer holds the lock for longer than `LOCK_SECONDS`.
    """
    with engine.connect().execution_options(immediate=True) as connection:
        try:
            transaction = connection.begin()
        except sa.exc.OperationalError as error:
            raise Conflict(
                f"the ledger is held by another writer for over {LOCK_SECONDS} s ({error.orig});"
                " try again"
            ) from None
        with transaction:
            yield connection


def one_by_one(rows: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    """All rows as dictionaries."""
    return [dict(row) for row in rows.mappings()]
