"""Version 3: accounts, sessions and tokens; the audit records are chained to each other."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3"
down_revision = "2"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
ADDED = ("address", "session", "sha")
FIELDS = ("id", "at", "author", "action", "arguments", "outcome", "address", "session")
TABLES = ("failed_sign_in", "api_token", "account_session", "account", "audit_head")


def upgrade() -> None:
    """Make the tables and chain what was recorded before."""
    for name in ADDED:
        op.add_column("audit", sa.Column(name, TEXT, nullable=False, server_default=""))
    op.create_table("audit_head", _text("sha", primary_key=True), _integer("number"))
    _chain()
    op.create_table(
        "account",
        _text("name", primary_key=True),
        *map(_text, ("roles", "enterprises", "state", "password")),
        sa.Column("one_time", sa.Boolean, nullable=False),
        _text("secret"),
        _integer("last_step"),
        *map(_text, ("subject", "created_by")),
        _integer("created_at"),
        sa.Column("demonstration", sa.Boolean, nullable=False),
    )
    _keys()
    op.create_table("failed_sign_in", _text("name_sha", primary_key=True),
                    _integer("count"), _integer("last_at"))  # fmt: skip


def downgrade() -> None:
    """Drop the tables; the chain of the audit is lost."""
    for name in TABLES:
        op.drop_table(name)
    for name in ADDED:
        op.drop_column("audit", name)


def _keys() -> None:
    op.create_table(
        "account_session",
        _text("sha", primary_key=True),
        sa.Column("id", TEXT, nullable=False, unique=True),
        _text("account"),
        _integer("began_at"),
        _integer("seen_at"),
        *map(_text, ("address", "agent")),
    )
    op.create_index("ix_account_session_account", "account_session", ["account"])
    op.create_table(
        "api_token",
        _text("sha", primary_key=True),
        sa.Column("prefix", TEXT, nullable=False, unique=True),
        *map(_text, ("account", "title", "roles")),
        _integer("created_at"),
        _integer("expires_at"),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index("ix_api_token_account", "api_token", ["account"])


def _chain() -> None:
    names = (*FIELDS, "sha")
    audit = sa.table("audit", *map(sa.column, names))
    head = sa.table("audit_head", sa.column("sha"), sa.column("number"))
    connection, sha, number = op.get_bind(), "0" * 64, 0
    query = sa.select(*(audit.c[name] for name in FIELDS)).order_by(audit.c.id)
    for row in connection.execute(query).mappings().all():
        said = json.dumps([sha, *(row[name] for name in FIELDS)], ensure_ascii=False)
        sha, number = hashlib.sha256(said.encode()).hexdigest(), row["id"]
        connection.execute(sa.update(audit).where(audit.c.id == number).values(sha=sha))
    if number:
        connection.execute(sa.insert(head).values(sha=sha, number=number))


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, primary_key=primary_key)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)
