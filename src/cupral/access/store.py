"""Store: accounts in the documents database, changed only beside an audit record."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cupral.access.account import Account
from cupral.ledger.errors import NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import schema, trail
from cupral.ledger.stores.schema import account as table

SECRETS = frozenset({"password", "secret", "last_step"})
"""Columns that no record, page or answer shows."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an account is recognised by."""

    account: Account
    password: str
    secret: str
    last_step: int


def now() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1000


def any_account(ledger: Ledger) -> bool:
    """Whether the ledger has an account; without one it is one person's own."""
    with ledger.records.database.connect() as connection:
        return connection.execute(sa.select(table.c.name).limit(1)).first() is not None


def accounts(ledger: Ledger) -> list[Account]:
    """All accounts by name."""
    with ledger.records.database.connect() as connection:
        return [
            _account(row) for row in connection.execute(sa.select(table).order_by(table.c.name))
        ]


def account(ledger: Ledger, name: str) -> Account:
    """The account of that name.

    Raises
    ------
    NotFound
        If there is none.
    """
    found = credentials(ledger, name)
    if found is None:
        raise NotFound(f"no account {name!r}; `cupral accounts list` names all there are")
    return found.account


def credentials(ledger: Ledger, name: str) -> Credentials | None:
    """Account with its password's hash and second factor."""
    return _credentials(ledger, table.c.name == name)


def by_subject(ledger: Ledger, subject: str) -> Account | None:
    """The account that an identity provider knows by this name."""
    found = _credentials(ledger, table.c.subject == subject) if subject else None
    return found.account if found else None


def _credentials(ledger: Ledger, which: sa.ColumnElement[bool]) -> Credentials | None:
    with ledger.records.database.connect() as connection:
        row = connection.execute(sa.select(table).where(which)).first()
    return Credentials(_account(row), row.password, row.secret, row.last_step) if row else None


def insert(connection: sa.Connection, account: Account, password: str) -> None:
    """Write a new account; the password is a hash."""
    connection.execute(
        sa.insert(table).values(
            name=account.name, roles=_listed(account.roles),
            enterprises=_listed(account.enterprises), state=account.state,
            password=password, one_time=account.one_time, secret="", last_step=0,
            subject=account.subject, created_by=account.created_by, created_at=now(),
            demonstration=account.demonstration,
        )
    )  # fmt: skip


def change(connection: sa.Connection, name: str, **values: Any) -> None:
    """Change columns of an account."""
    plain = {n: _listed(v) if isinstance(v, frozenset) else v for n, v in values.items()}
    connection.execute(sa.update(table).where(table.c.name == name).values(**plain))


def end_sessions(connection: sa.Connection, name: str, *, besides: str = "") -> None:
    """End the sessions of an account, but for the one of this hash."""
    session = schema.account_session
    mine = (session.c.account == name, session.c.sha != besides)
    connection.execute(sa.delete(session).where(*mine))


def record(
    connection: sa.Connection, author: str, action: str, arguments: Mapping[str, Any],
    outcome: str = "done",
) -> None:  # fmt: skip
    """Write the audit record of a change in the same transaction; secrets are left out."""
    shown = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in arguments.items()
        if name not in SECRETS
    }
    trail.write(connection, [trail.entry(author, action, shown, outcome)])


def _account(row: Any) -> Account:
    return Account(
        name=row.name, roles=frozenset(json.loads(row.roles)),
        enterprises=frozenset(json.loads(row.enterprises)), state=row.state,
        one_time=row.one_time, second_factor=bool(row.secret), subject=row.subject,
        created_by=row.created_by, created_at=row.created_at, demonstration=row.demonstration,
    )  # fmt: skip


def _listed(names: frozenset[str]) -> str:
    return json.dumps(sorted(names), ensure_ascii=False)
