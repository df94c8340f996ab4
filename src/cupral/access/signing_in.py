"""Signing in: by password and second factor, or by what an identity provider says.

What is refused says the same whatever was wrong, takes as long, and slows down whoever goes
on guessing: after FREE failures a name has to wait, twice as long after each, at most LONGEST.
"""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from cupral.access import one_time_code, session, store
from cupral.access import password as passwords
from cupral.access.account import Account
from cupral.access.refusal import NotSignedIn, TooOften
from cupral.access.session import SECOND, Session
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import schema

FREE, FIRST, LONGEST = 5, 15, 900
"""Failures without waiting; seconds after the next one; seconds at most."""
FORGOTTEN = 86_400
"""Seconds after which failures are forgotten."""
_REFUSED = "name, password or code is wrong, or the account is locked"
_failed = schema.failed_sign_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """From where somebody signs in, and the word of the session that he had until now."""

    address: str = ""
    agent: str = ""
    word: str = ""


def by_password(
    ledger: Ledger, *, name: str, password: str, code: str = "", place: Place
) -> tuple[str, Session]:
    """Sign in by password, and by code if the account has a second factor.

    Raises
    ------
    NotSignedIn
        If any of them is wrong, or the account locked; which one is not told.
    TooOften
        If the name has failed too often lately.
    """
    _demand_patience(ledger, name)
    found = store.credentials(ledger, name)
    fits = passwords.fits(found.password if found else "", password)
    if found is None or not fits or found.account.state != "active" or not found.account.roles:
        raise _refused(ledger, name)
    step = found.last_step
    if found.secret:
        step = one_time_code.step_of(
            found.secret, code, seconds=store.now() / SECOND, last=found.last_step
        ) or 0  # fmt: skip
        if not step:
            raise _refused(ledger, name)
    with schema.writing(ledger.records.database) as connection:
        if found.secret and not _spent(connection, name, step):
            raise NotSignedIn(f"{_REFUSED}; wait for the next code")
        return _begun(connection, found.account, place, "password")


def by_provider(ledger: Ledger, *, subject: str, place: Place) -> tuple[str, Session]:
    """Sign in as the account that has this subject of the identity provider.

    Raises
    ------
    NotSignedIn
        If there is none, or it is locked.
    """
    account = store.by_subject(ledger, subject)
    if account is None or account.state != "active":
        _record(ledger, subject, "session.begin", "NotSignedIn: no account of that subject")
        raise NotSignedIn(
            f"the provider knows you as {subject!r}, but no active account here has that subject;"
            " ask the security administrator for one"
        )
    with schema.writing(ledger.records.database) as connection:
        return _begun(connection, account, place, "provider")


def change_password(
    ledger: Ledger, *, author: str, old: str, new: str, place: Place
) -> tuple[str, Session]:
    """Change one's own password: all sessions end, a new one begins.

    Raises
    ------
    InputError
        If the new one is too weak.
    NotSignedIn
        If the old one is wrong.
    """
    _demand_patience(ledger, author)
    found = store.credentials(ledger, author)
    if found is None or not passwords.fits(found.password, old):
        raise _refused(ledger, author)
    if old == new:
        raise InputError("the new password is the old one; choose another")
    passwords.demand_strength(new, name=author)
    kept = passwords.hashed(new)
    with schema.writing(ledger.records.database) as connection:
        store.change(connection, author, password=kept, one_time=False)
        store.end_sessions(connection, author)
        store.record(connection, author, "password.change", {})
        return _begun(connection, found.account, place, "new password")


def must_change(ledger: Ledger, name: str) -> bool:
    """Whether the account's password was given by somebody else."""
    return store.account(ledger, name).one_time


def set_second_factor(
    ledger: Ledger, *, author: str, password: str, secret: str, code: str
) -> None:
    """Ask for codes of this secret from now on; with an empty secret, no longer.

    Raises
    ------
    NotSignedIn
        If the password is wrong.
    InputError
        If the code is not one of the secret.
    """
    _demand_patience(ledger, author)
    found = store.credentials(ledger, author)
    if found is None or not passwords.fits(found.password, password):
        raise _refused(ledger, author)
    checked = secret or found.secret
    try:
        step = one_time_code.step_of(
            checked, code, seconds=store.now() / SECOND, last=0 if secret else found.last_step
        )
    except ValueError:
        step = None
    if not step:
        raise InputError("the code is not the present one of this secret; type the one shown now")
    with schema.writing(ledger.records.database) as connection:
        store.change(connection, author, secret=secret, last_step=step if secret else 0)
        store.record(connection, author, "second_factor", {"on": bool(secret)})


def sign_out(ledger: Ledger, *, author: str, word: str) -> None:
    """End the session of a word."""
    with schema.writing(ledger.records.database) as connection:
        mine = schema.account_session.c.sha == session.hash_of(word)
        connection.execute(sa.delete(schema.account_session).where(mine))
        store.record(connection, author, "session.end", {})


def _begun(
    connection: sa.Connection, account: Account, place: Place, how: str
) -> tuple[str, Session]:
    connection.execute(sa.delete(_failed).where(_failed.c.name_sha == _key(account.name)))
    word, begun = session.begin(connection, account, address=place.address, agent=place.agent,
                                instead_of=place.word)  # fmt: skip
    store.record(connection, account.name, "session.begin", {"by": how, "id": begun.id})
    return word, begun


def _spent(connection: sa.Connection, name: str, step: int) -> bool:
    """Whether a code was still unused; two sign-ins at once do not share one."""
    table = schema.account
    mine = (table.c.name == name, table.c.last_step < step)
    return connection.execute(sa.update(table).where(*mine).values(last_step=step)).rowcount > 0


def _demand_patience(ledger: Ledger, name: str) -> None:
    with ledger.records.database.connect() as connection:
        columns = (_failed.c["count"], _failed.c.last_at)
        row = connection.execute(
            sa.select(*columns).where(_failed.c.name_sha == _key(name))
        ).first()
    failures, last = row or (0, 0)
    if failures < FREE:
        return
    seconds = min(LONGEST, FIRST * 2 ** min(failures - FREE, 10))
    left = last / SECOND + seconds - store.now() / SECOND
    if left > 0:
        raise TooOften(left)


def _refused(ledger: Ledger, name: str) -> NotSignedIn:
    """Count the failure, also of names that are none: whoever guesses does not learn which."""
    at, key = store.now(), _key(name)
    with schema.writing(ledger.records.database) as connection:
        count = (
            connection.scalar(sa.select(_failed.c["count"]).where(_failed.c.name_sha == key)) or 0
        )
        old = (_failed.c.name_sha == key) | (_failed.c.last_at < at - FORGOTTEN * SECOND)
        connection.execute(sa.delete(_failed).where(old))
        connection.execute(sa.insert(_failed).values(name_sha=key, count=count + 1, last_at=at))
        store.record(connection, name[:64], "session.begin", {}, "NotSignedIn: refused")
    return NotSignedIn(f"{_REFUSED}; try again, or ask the security administrator for a reset")


def _record(ledger: Ledger, author: str, action: str, outcome: str) -> None:
    with schema.writing(ledger.records.database) as connection:
        store.record(connection, author[:64], action, {}, outcome)


def _key(name: str) -> str:
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()
