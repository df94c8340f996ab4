"""PostgreSQL as the documents database: one writer at a time, and plain errors.

What SQLite gives by its nature is asked for here. A writer holds an advisory lock from its
first statement to its commit, and sees what was committed before (READ COMMITTED, for a
snapshot taken while waiting would be old); if its computer is gone, the lock ends in time.
A reader sees one moment (REPEATABLE READ).
"""

import os
from typing import Any

import sqlalchemy as sa

from cupral.ledger.errors import Conflict, CupralError, InputError, Unreachable
from cupral.ledger.stores import schema

CONNECT_SECONDS = 10
_NEAR = ("", "localhost", "127.0.0.1", "::1")
_WRITE = """
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET LOCAL synchronous_commit = on;
SET LOCAL lock_timeout = {milliseconds};
SET LOCAL idle_in_transaction_session_timeout = '10min';
SELECT pg_advisory_xact_lock(hashtext('cupral ledger'), hashtext(current_schema()))
"""
_COMMITS = """
SELECT pg_snapshot_xmax(now)::text::bigint - (SELECT count(*) FROM pg_snapshot_xip(now))
FROM pg_current_snapshot() AS now
"""
"""How many transactions of the server have ended; only ones that write are counted."""
_CURES = {
    "54000": "is too long for an index; give a shorter one",  # program_limit_exceeded
    "22021": "is no text that PostgreSQL can hold; leave out the character NUL",
}


def engine(url: sa.URL) -> sa.Engine:
    """Engine on a database by URL; nothing is connected yet.

    Raises
    ------
    InputError
        If the driver is not installed.
    """
    try:
        made = sa.create_engine(
            _verified(url).set(drivername="postgresql+psycopg"), isolation_level="REPEATABLE READ",
            pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS},
        )  # fmt: skip
    except ModuleNotFoundError:
        raise InputError(
            "PostgreSQL needs a driver that is not installed; run `pip install cupral[postgres]`"
        ) from None
    sa.event.listen(made, "begin", _begin)
    sa.event.listen(made, "handle_error", _translate)
    return made


def _verified(url: sa.URL) -> sa.URL:
    """To another computer over TLS with a verified certificate, unless somebody says otherwise."""
    asked = url.query.get("host", url.host or "")
    hosts = asked if isinstance(asked, tuple) else asked.split(",")
    near = all(host in _NEAR or host.startswith(("/", "@")) for host in hosts)
    if near or "sslmode" in url.query or "PGSSLMODE" in os.environ:
        return url
    return url.update_query_dict({"sslmode": "verify-full"})


def commits(connection: Any) -> int:
    """A number that grows with each commit, told by a (driver's) connection."""
    if not connection.autocommit:
        connection.autocommit = True  # each question sees a later moment
    return int(connection.execute(_COMMITS).fetchone()[0])


def renumber(connection: sa.Connection) -> None:
    """Let every table count on from the highest number that was written into it."""
    for table in schema.metadata.sorted_tables:
        if (column := table.autoincrement_column) is not None:
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            highest = sa.select(sa.func.max(column)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, highest)))


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("immediate", False):
        milliseconds = int(schema.LOCK_SECONDS * 1000)
        connection.exec_driver_sql(_WRITE.format(milliseconds=milliseconds))


def _translate(context: sa.engine.ExceptionContext) -> None:
    found = _told(context)
    if found is not None:
        raise found from None


def _told(context: sa.engine.ExceptionContext) -> CupralError | None:
    error = context.original_exception
    state, reason = getattr(error, "sqlstate", None), str(error).strip().split("\n")[0]
    if state == "55P03":  # lock_not_available
        return Conflict(
            f"the ledger is held by another writer for over {schema.LOCK_SECONDS} s ({reason});"
            " try again"
        )
    if "NUL (0x00)" in reason:  # found by the driver, which gives no state
        state = "22021"
    if state in _CURES:
        return InputError(f"a text {_CURES[state]} ({reason})")
    lost = context.connection is None or context.is_disconnect
    if lost and isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        return Unreachable(
            f"the database does not answer ({reason}); see that the server runs and that the"
            " URL and the password are right, then try again"
        )
    return None
