"""Version 2: documents and registers carry the number that SQLite had kept to itself.

The number of a row tells the order of commits; until now it was SQLite's `rowid`, which
other databases do not have. `ledger` holds the id that ties a database to a folder.
"""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2"
down_revision = "1"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
COLUMNS = {
    "register": ("kind", "id", "version", "body", "author", "recorded_at"),
    "document": ("kind", "id", "version", "party", "state", "body", "posting", "author",
                 "demonstration", "recorded_at"),
}  # fmt: skip


def upgrade() -> None:
    """Number the rows and name the ledger."""
    named = op.create_table("ledger", sa.Column("id", TEXT, primary_key=True))
    op.execute(sa.insert(named).values(id=uuid.uuid4().hex))
    sqlite = op.get_bind().dialect.name == "sqlite"
    number = "rowid" if sqlite else "row_number() OVER (ORDER BY recorded_at, kind, id, version)"
    for table, names in COLUMNS.items():
        _set_aside(table, number)
        key = sa.UniqueConstraint("kind", "id", "version", name=f"{table}_version")
        column = sa.Column("number", sa.Integer, primary_key=True)
        op.create_table(table, column, *_columns(table), key)
        _bring_back(table, ("number", *names))
        if not sqlite:
            sequence = f"pg_get_serial_sequence('{table}', 'number')"
            op.execute(f"SELECT setval({sequence}, max(number)) FROM {table}")  # noqa: S608


def downgrade() -> None:
    """Leave the numbers to the order in which the rows lie."""
    for table, names in COLUMNS.items():
        _set_aside(table, "number")
        key = sa.PrimaryKeyConstraint("kind", "id", "version")
        op.create_table(table, *_columns(table), key)
        _bring_back(table, names)
    op.drop_table("ledger")


def _set_aside(table: str, number: str) -> None:
    names = ", ".join(COLUMNS[table])
    op.execute(f"CREATE TABLE kept AS SELECT {number} AS number, {names} FROM {table}")  # noqa: S608
    op.drop_table(table)


def _bring_back(table: str, columns: tuple[str, ...]) -> None:
    names = ", ".join(columns)
    op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM kept ORDER BY kept.number")  # noqa: S608
    op.drop_table("kept")
    if table == "document":
        op.create_index("ix_document_party", "document", ["party"])


def _columns(table: str) -> list[sa.Column[Any]]:
    types: dict[str, sa.types.TypeEngine[Any]] = {
        "version": sa.BigInteger(), "recorded_at": sa.BigInteger(), "demonstration": sa.Boolean(),
    }  # fmt: skip
    return [sa.Column(name, types.get(name, TEXT), nullable=False) for name in COLUMNS[table]]
