"""SQLite as the documents database: a file in the ledger's folder, nothing to install."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cupral.ledger.errors import Conflict
from cupral.ledger.stores import schema

FILE = "documents.sqlite"


def engine(folder: Path) -> sa.Engine:
    """Engine on the database in a folder, with write-ahead log, fully synchronous."""
    path = folder / FILE
    made = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": schema.LOCK_SECONDS})
    sa.event.listen(made, "connect", _configure)
    sa.event.listen(made, "begin", _begin)
    sa.event.listen(made, "handle_error", _translate)
    return made


def commits(connection: Any) -> int:
    """A number that changes with each commit of another connection than this (driver's) one."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` starts transactions
    _write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _translate(context: sa.engine.ExceptionContext) -> None:
    error = context.original_exception
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        raise Conflict(
            f"the ledger is held by another writer for over {schema.LOCK_SECONDS} s ({error});"
            " try again"
        ) from None


def _write_ahead(connection: Any) -> None:
    """Turn to the write-ahead log; SQLite itself does not wait if another opens at once."""
    until = time.monotonic() + schema.LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
