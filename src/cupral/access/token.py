"""Token: how a program shows that it acts for an account, with some of its roles, for a time."""

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from cupral.access import store
from cupral.access.session import SECOND, hash_of
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import schema

DAYS, MOST_DAYS = 90, 366
MOST = 50
"""Living tokens of one account."""
_FORM = re.compile(r"cupral_([0-9a-f]{8})_[\w-]{43}")
table = schema.api_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One key of a program."""

    sha: str
    prefix: str
    """By which pages and audit records name it."""
    account: str
    title: str
    roles: frozenset[str]
    created_at: int
    expires_at: int
    revoked_at: int | None

    def ended(self, now: int) -> bool:
        """Whether it has expired or was revoked."""
        return self.revoked_at is not None or now >= self.expires_at


def make(
    ledger: Ledger, *, author: str, account: str, roles: Iterable[str] = (), title: str = "",
    days: int = DAYS,
) -> str:  # fmt: skip
    """Make a token of an account with some of its roles (none named = all); returns its word.

    Raises
    ------
    InputError
        If the account has not these roles, or the time is not allowed.
    """
    ledger.rights.demand_name(account)
    holder, wanted = store.account(ledger, account), frozenset(roles)
    if holder.one_time or holder.state != "active":
        raise InputError(f"{account} cannot act yet; change the one-time password first")
    if wanted - holder.roles:
        raise InputError(
            f"{account} has no role {', '.join(sorted(wanted - holder.roles))}; there are"
            f" {', '.join(sorted(holder.roles))}"
        )
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"a token for {days} days is not allowed; it takes 1 to {MOST_DAYS}")
    if sum(not token.ended(store.now()) for token in of_account(ledger, account)) >= MOST:
        raise InputError(f"{account} has {MOST} tokens; revoke one that is not used any more")
    prefix, at = secrets.token_hex(4), store.now()
    word = f"cupral_{prefix}_{secrets.token_urlsafe(32)}"
    said = sorted(wanted or holder.roles)
    with schema.writing(ledger.records.database) as connection:
        connection.execute(sa.insert(table).values(
            sha=hash_of(word), prefix=prefix, account=account, title=title[:100],
            roles=json.dumps(said), created_at=at, expires_at=at + days * 86_400 * SECOND,
        ))  # fmt: skip
        told = {"account": account, "prefix": prefix, "roles": said, "days": days}
        store.record(connection, author, "token.make", told)
    return word


def found(ledger: Ledger, word: str) -> Token | None:
    """The token of a word, if it has not ended."""
    if not _FORM.fullmatch(word):
        return None
    with ledger.records.database.connect() as connection:
        row = connection.execute(sa.select(table).where(table.c.sha == hash_of(word))).first()
    token = _token(row) if row else None
    return token if token and not token.ended(store.now()) else None


def of_account(ledger: Ledger, account: str) -> list[Token]:
    """All tokens of an account, latest first."""
    query = sa.select(table).where(table.c.account == account).order_by(table.c.created_at.desc())
    with ledger.records.database.connect() as connection:
        return [_token(row) for row in connection.execute(query)]


def revoke(ledger: Ledger, *, author: str, account: str, prefix: str) -> None:
    """End a token.

    Raises
    ------
    NotFound
        If the account has no living one of that prefix.
    """
    ledger.rights.demand_name(account)
    with schema.writing(ledger.records.database) as connection:
        mine = (table.c.account == account, table.c.prefix == prefix, table.c.revoked_at.is_(None))
        done = connection.execute(sa.update(table).where(*mine).values(revoked_at=store.now()))
        if not done.rowcount:
            raise NotFound(f"no living token {prefix!r} of {account}; its page lists them")
        store.record(connection, author, "token.revoke", {"account": account, "prefix": prefix})


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    values = dict(row._mapping)
    return Token(**{**values, "roles": frozenset(json.loads(values["roles"]))})
