"""Version 1: the tables of the first ledgers, kept on SQLite only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1"
down_revision = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    _manifest()
    _records()
    _results()
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        _integer("at"),
        *_texts("author", "action", "arguments", "outcome"),
    )


def downgrade() -> None:
    """Drop all tables."""
    for name in ("audit", "result_scope", "result", "document", "register", "file_posting",
                 "file", "posting_part", "posting"):  # fmt: skip
        op.drop_table(name)


def _manifest() -> None:
    op.create_table(
        "posting",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", TEXT, nullable=False, unique=True),
        *_texts("author"),
        _integer("recorded_at"),
        _integer("rows"),
        *_texts("content_sha", "parts_sha", "chain_sha"),
        _integer("form_version"),
        sa.Column("note", TEXT, nullable=False, server_default=""),
    )
    op.create_table(
        "posting_part",
        _integer("seq", primary_key=True),
        sa.Column("table_name", TEXT, primary_key=True),
        _integer("month", primary_key=True),
        _integer("rows"),
        *_texts("sha"),
    )
    _files()


def _files() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("table_name"),
        sa.Column("name", TEXT, nullable=False, unique=True),
        _integer("month"),
        _integer("rows"),
        _integer("bytes"),
        *_texts("sha256", "site_first", "site_last"),
        _integer("added_seq"),
        sa.Column("removed_seq", sa.BigInteger),
        sa.Column("removed_at", sa.BigInteger),
    )
    op.create_index("file_by_month", "file", ["table_name", "month", "removed_seq"])
    op.create_table(
        "file_posting", _integer("file_id", primary_key=True), _integer("seq", primary_key=True)
    )
    op.create_index("ix_file_posting_seq", "file_posting", ["seq"])


def _records() -> None:
    op.create_table(
        "register",
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("id", TEXT, primary_key=True),
        _integer("version", primary_key=True),
        *_texts("body", "author"),
        _integer("recorded_at"),
    )
    op.create_table(
        "document",
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("id", TEXT, primary_key=True),
        _integer("version", primary_key=True),
        *_texts("party", "state", "body", "posting", "author"),
        sa.Column("demonstration", sa.Boolean, nullable=False),
        _integer("recorded_at"),
    )
    op.create_index("ix_document_party", "document", ["party"])


def _results() -> None:
    op.create_table(
        "result",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("key"),
        _integer("version"),
        _integer("seq"),
        *_texts("parameters", "code", "body", "sha256"),
        _integer("recorded_at"),
        sa.Column("stale_since", sa.BigInteger),
    )
    op.create_index("ix_result_key", "result", ["key"], postgresql_using="hash")
    op.create_table(
        "result_scope",
        _integer("result_id", primary_key=True),
        *(sa.Column(name, TEXT, primary_key=True) for name in ("table_name", "site", "origin")),
        _integer("first", primary_key=True),
        _integer("last", primary_key=True),
    )
    op.create_index("result_scope_by_table", "result_scope", ["table_name", "result_id"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _integer(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, primary_key=primary_key)
