"""The steps lead to the schema and back, on both databases, and keep every row."""

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from cupral.ledger.audit import verify
from cupral.ledger.errors import Conflict, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import database as documents
from cupral.ledger.stores import migration, schema
from tests.ledger.test_backup import content, fill


@pytest.fixture
def empty(tmp_path: Path, database: str) -> Iterator[sa.Connection]:
    """A transaction on an empty database."""
    engine = documents.connected(tmp_path, database)
    with schema.writing(engine) as connection:
        yield connection
    engine.dispose()


def described(connection: sa.Connection) -> dict[str, Any]:
    """Everything that the database says of its tables."""
    told = sa.inspect(connection)

    def plain(columns: Any) -> list[tuple[str, ...]]:
        names = ("name", "nullable", "default", "autoincrement")
        return [
            (str(column["type"]), str(getattr(column["type"], "collation", "")),
             *(str(column.get(name)) for name in names))
            for column in columns
        ]  # fmt: skip

    return {
        name: (plain(told.get_columns(name)), told.get_pk_constraint(name),
               sorted(told.get_unique_constraints(name), key=str),
               sorted(told.get_indexes(name), key=str))
        for name in told.get_table_names()
        if name != documents.version_table.name
    }  # fmt: skip


def not_shadow(name: str | None, type_: str, _parents: Any) -> bool:
    """SQLite's index of grams has tables of its own, which no schema names."""
    return type_ != "table" or not str(name).startswith("docket_gram")


def test_the_steps_make_the_schema(empty: sa.Connection, databases: Callable[[], str],
                                   tmp_path: Path) -> None:  # fmt: skip
    """A table that was changed without a step, or a step without the table, is seen here."""
    migration.steps(empty, 0, schema.VERSION)
    engine = documents.connected(tmp_path / "..", databases()) if (
        empty.dialect.name == "postgresql") else sa.create_engine("sqlite://")  # fmt: skip
    with engine.begin() as other:
        schema.metadata.create_all(other)
        assert described(empty) == described(other)
    engine.dispose()
    assert documents.version(empty) == str(schema.VERSION)
    options = {"version_table": "cupral_version", "include_name": not_shadow}
    context = MigrationContext.configure(empty, opts=options)
    with warnings.catch_warnings():  # of the index of grams, which is on PostgreSQL only
        warnings.filterwarnings("ignore", "autogenerate skipping", UserWarning)
        assert compare_metadata(context, schema.metadata) == []


def test_every_step_down_undoes_the_step_up(empty: sa.Connection) -> None:
    seen: list[dict[str, Any]] = [{}]
    for version in range(1, schema.VERSION + 1):
        migration.steps(empty, version - 1, version)
        seen.append(described(empty))
        assert documents.version(empty) == str(version)
    for version in range(schema.VERSION - 1, -1, -1):
        migration.steps(empty, version + 1, version)
        assert described(empty) == seen[version]
    assert documents.version(empty) is None
    migration.steps(empty, 0, schema.VERSION)
    migration.steps(empty, schema.VERSION, 0)
    assert described(empty) == {}


def test_rows_go_down_and_up_again(ledger: Ledger, database: str) -> None:
    before, state = content(fill(ledger)), ledger.state
    ledger.records.database.dispose()
    assert migration.migrate(ledger.folder, database, to=1) == schema.VERSION
    with pytest.raises(
        Conflict, match=rf"version 1, this Cupral needs {schema.VERSION}; stop .* migrate"
    ):
        Ledger.open(ledger.folder, database=database)
    assert migration.migrate(ledger.folder, database) == 1
    after = Ledger.open(ledger.folder, database=database)
    assert content(after) == before
    assert (after.state, verify(after, 2).intact) == (state, True)
    assert fill_more(after) == (state[0], state[1] + 1, state[2])


def fill_more(ledger: Ledger) -> tuple[int, int, int]:
    """Numbers go on where they were."""
    from cupral.ledger.document import Document

    ledger.put(Document(kind="k", id="i", party="p"), author="me")
    return ledger.state


def test_a_ledger_from_before_versions_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its rows are numbered as SQLite had numbered them, gaps and all."""
    ledger = fill(Ledger.open(tmp_path))
    before = content(ledger)
    ledger.records.database.dispose()
    migration.migrate(tmp_path, to=1)
    with sqlite3.connect(tmp_path / "documents.sqlite") as old:
        old.execute("DROP TABLE cupral_version")
        old.execute("UPDATE document SET rowid = 7 WHERE kind = 'note'")
    old.close()
    with pytest.raises(Conflict, match="has version 1"):
        Ledger.open(tmp_path)
    assert migration.migrate(tmp_path) == 1
    after = content(Ledger.open(tmp_path))
    assert [row[0] for row in after.pop("document")] == [1, 7]
    del before["document"]
    assert after == before


def test_a_step_that_fails_changes_nothing(
    ledger: Ledger, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(fill(ledger))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(documents, "write_version", full)
        with pytest.raises(OSError, match="No space left on device"):
            migration.migrate(ledger.folder, database, to=1)
    assert content(Ledger.open(ledger.folder, database=database)) == before


def test_unknown_versions_are_refused(ledger: Ledger, database: str) -> None:
    for version in (0, schema.VERSION + 1):
        with pytest.raises(InputError, match=f"no version {version} .*; there are 1 to"):
            migration.migrate(ledger.folder, database, to=version)
    with schema.writing(ledger.records.database) as connection:
        documents.write_version(connection, "99")
    with pytest.raises(Conflict, match="update Cupral"):
        migration.migrate(ledger.folder, database)
