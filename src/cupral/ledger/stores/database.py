"""The documents database of a ledger: SQLite in its folder, or PostgreSQL by URL.

A new ledger gets its tables at once; an older one is brought up to date by a command, never
in passing. A PostgreSQL database and a folder of files belong together: each carries the
same id, so that neither is ever used with a strange other half.
"""

import os
import uuid
from pathlib import Path

import sqlalchemy as sa

from cupral.ledger.errors import Conflict, InputError
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.stores import attachments, postgresql, schema, sqlite

EMBEDDED = "sqlite"
"""The database in the ledger's folder, as a URL."""

MARK = "database.id"
"""File in the folder of a ledger that is kept on PostgreSQL: the id that both carry."""

RESTORING = "restoring"
"""Version of a database while a backup is written into it."""

version_table = sa.Table(
    "cupral_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="cupral_version_pkc"),
)


def open_database(folder: Path, url: str = EMBEDDED) -> sa.Engine:
    """Open the documents database of the ledger in a folder; create it if there is none.

    Raises
    ------
    InputError
        If the URL is none, or the database is not that of this folder.
    Conflict
        If the database was made by another version of Cupral.
    Unreachable
        If there is no connection to PostgreSQL.
    """
    folder.mkdir(parents=True, exist_ok=True)
    engine = connected(folder, url)
    try:
        with engine.connect() as connection:
            new = version(connection) is None
        if new:
            with schema.writing(engine) as connection:  # two may open a new folder at once
                create(connection, folder)
        with engine.connect() as connection:
            _check(connection, folder)
    except BaseException:
        engine.dispose()
        raise
    return engine


def connected(folder: Path, url: str) -> sa.Engine:
    """Engine on the database that a URL means for a folder, whatever it holds."""
    if url == EMBEDDED:
        if (folder / MARK).exists():
            raise InputError(
                f"the ledger in {folder} is kept on PostgreSQL; give the URL of its database,"
                " for example in CUPRAL_DATABASE"
            )
        return sqlite.engine(folder)
    try:
        parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1))
    except (sa.exc.ArgumentError, ValueError):
        raise InputError(f"that is no URL of a database; {_URLS}") from None
    if parsed.get_backend_name() != "postgresql":
        raise InputError(f"a ledger cannot be kept on {parsed.get_backend_name()}; {_URLS}")
    if (folder / sqlite.FILE).exists():
        raise InputError(
            f"the ledger in {folder} is kept on SQLite, not on PostgreSQL; leave the URL"
            " (CUPRAL_DATABASE) away, or move the ledger by `cupral ledger backup` and `restore`"
        )
    return postgresql.engine(parsed)


_URLS = "it takes postgresql://USER@HOST/DATABASE, or sqlite for the one in the folder"


def version(connection: sa.Connection) -> str | None:
    """Version of the tables; None if there are none."""
    tables = sa.inspect(connection).get_table_names()
    if version_table.name in tables:
        found = connection.scalar(sa.select(version_table.c.version_num))
        return None if found is None else str(found)
    return "1" if schema.posting.name in tables else None  # the first one was not written down


def known_version(connection: sa.Connection, folder: Path) -> int:
    """Version of the tables, if this Cupral knows what it means.

    Raises
    ------
    Conflict
        If it does not, or a restoring of a backup has not come to its end.
    """
    found = version(connection) or "0"
    if found == RESTORING:
        raise Conflict(
            "a backup was being restored into this database and did not come to its end;"
            f" drop the database, delete the folder {folder}, and restore again"
        )
    if not found.isdigit() or int(found) > schema.VERSION:
        raise Conflict(
            f"the ledger in {folder} has version {found}, made by a newer Cupral than this one"
            f" (it knows {schema.VERSION}); update Cupral"
        )
    return int(found)


def write_version(connection: sa.Connection, to: str | None) -> None:
    """Write down the version of the tables; None = there are none."""
    version_table.create(connection, checkfirst=True)
    connection.execute(sa.delete(version_table))
    if to is not None:
        connection.execute(sa.insert(version_table).values(version_num=to))


def create(connection: sa.Connection, folder: Path) -> None:
    """Make the tables of a new ledger, unless another process has just made them."""
    if version(connection) is not None:
        return
    refuse_rows(connection, folder)
    schema.metadata.create_all(connection)
    write_version(connection, str(schema.VERSION))
    connection.execute(sa.insert(schema.ledger).values(id=_marked(folder) or uuid.uuid4().hex))
    bind(connection, folder)


def bind(connection: sa.Connection, folder: Path) -> None:
    """Write into the folder which PostgreSQL database it belongs to."""
    if connection.dialect.name == EMBEDDED:
        return
    mark = folder / MARK
    temporary = mark.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(_id(connection))
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(mark)


def refuse_rows(connection: sa.Connection, folder: Path) -> None:
    """Refuse an empty database for a folder that has rows: they would count as left over."""
    if any((folder / name).exists() for name in (*SCHEMAS, attachments.FOLDER)):
        name = connection.engine.url.render_as_string(hide_password=True)
        raise InputError(
            f"the folder {folder} holds rows or files, but the database {name} is empty; give the"
            " database of these rows, restore a backup, or choose another folder"
        )


def _check(connection: sa.Connection, folder: Path) -> None:
    found = known_version(connection, folder)
    if found != schema.VERSION:
        raise Conflict(
            f"the ledger in {folder} has version {found}, this Cupral needs {schema.VERSION};"
            f" stop what uses it and run `cupral --ledger {folder} ledger migrate`"
        )
    if connection.dialect.name != EMBEDDED and _marked(folder) != _id(connection):
        name = connection.engine.url.render_as_string(hide_password=True)
        raise InputError(
            f"the database {name} belongs to the rows of another folder than {folder};"
            " give that folder, or an empty database"
        )


def _id(connection: sa.Connection) -> str:
    return str(connection.scalar(sa.select(schema.ledger.c.id)))


def _marked(folder: Path) -> str | None:
    mark = folder / MARK
    return mark.read_text(encoding="utf-8") if mark.exists() else None


class Commits:
    """Counts the commits of others by a connection of its own, which any one thread may use."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._tell = sqlite.commits if engine.dialect.name == EMBEDDED else postgresql.commits
        self._connect()

    @property
    def count(self) -> int:
        """A number that grows; only its being equal or not means something."""
        try:
            return self._tell(self._connection.dbapi_connection)
        except self._engine.dialect.loaded_dbapi.OperationalError:  # the server had ended
            self.close()
            self._connect()
            return self._tell(self._connection.dbapi_connection)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _connect(self) -> None:
        self._connection = self._engine.raw_connection()
        self._connection.detach()
