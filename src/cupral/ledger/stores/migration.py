"""Migration: bring the tables of a ledger from one version to another, in one transaction."""

from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from cupral.ledger.errors import InputError
from cupral.ledger.stores import database, schema

_STEPS = str(Path(__file__).with_name("versions"))


def migrate(folder: Path, url: str = database.EMBEDDED, to: int = schema.VERSION) -> int:
    """Bring the ledger in a folder to a version of the tables, up or down.

    Nothing else may use the ledger meanwhile. A step down loses what only later versions keep.

    Returns
    -------
    int
        The version that it had.

    Raises
    ------
    InputError
        If there is no such version.
    Conflict
        If a newer Cupral made the ledger, or a backup was being restored into it.
    """
    if not 1 <= to <= schema.VERSION:
        raise InputError(f"no version {to} of the tables; there are 1 to {schema.VERSION}")
    engine = database.connected(folder, url)
    try:
        with schema.writing(engine) as connection:
            found = database.known_version(connection, folder)
            steps(connection, found, to)
            if to == schema.VERSION:
                database.bind(connection, folder)
    finally:
        engine.dispose()
    return found


def steps(connection: sa.Connection, start: int, to: int) -> None:
    """Go from one version of the tables to another, within a transaction; 0 = no tables."""
    script = ScriptDirectory(_STEPS, version_locations=[_STEPS])
    low, high = sorted((start, to))
    between = script.iterate_revisions(str(high), str(low) if low else "base")
    with Operations.context(MigrationContext.configure(connection)):
        if to > start:
            for step in reversed(list(between)):
                step.module.upgrade()
        else:
            for step in between:
                step.module.downgrade()
    database.write_version(connection, str(to) if to else None)
