"""Administration: who makes accounts and grants roles; never to himself (三权分立).

The security administrator acts on accounts, and on nothing else; whoever holds the folder
(the command line) makes the first three administrators.
"""

from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from cupral.access import password as passwords
from cupral.access import store
from cupral.access.account import STATES, Account, checked
from cupral.ledger.errors import Conflict, InputError, NoRight
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import ADMINISTRATORS, OWNER
from cupral.ledger.stores import schema


def begin(ledger: Ledger, *, author: str) -> dict[str, str]:
    """Make the three administrators of a ledger that has no account; their one-time passwords.

    Raises
    ------
    Conflict
        If there are accounts already.
    """
    ledger.rights.demand("grant")
    made = {f"{role}-administrator": passwords.one_time() for role in ADMINISTRATORS}
    hashes = {name: passwords.hashed(password) for name, password in made.items()}
    with schema.writing(ledger.records.database) as connection:
        if connection.execute(sa.select(schema.account.c.name).limit(1)).first() is not None:
            raise Conflict("the ledger has accounts already; `cupral accounts list` names them")
        for role, name in zip(ADMINISTRATORS, made, strict=True):
            account = Account(name=name, roles=frozenset({role}), one_time=True, created_by=author)
            store.insert(connection, account, hashes[name])
            store.record(connection, author, "accounts.init", {"name": name, "roles": [role]})
    return made


def add(
    ledger: Ledger, *, author: str, name: str, roles: Iterable[str],
    enterprises: Iterable[str] = (), subject: str = "", password: str = "",
    demonstration: bool = False,
) -> str:  # fmt: skip
    """Make an account; returns its one-time password (or the one given, which then stays).

    Raises
    ------
    InputError
        If the name, a role or an enterprise is not allowed.
    Conflict
        If there is an account of that name.
    """
    account = checked(Account(
        name=name.strip(), roles=_named(roles), enterprises=_named(enterprises),
        subject=subject.strip(), one_time=not password, created_by=author,
        demonstration=demonstration,
    ))  # fmt: skip
    told = {"name": account.name, "roles": account.roles, "enterprises": account.enterprises}
    with _refusals(ledger, author, "accounts.add", account.name):
        _demand(ledger, author, account.name)
        _demand_registered(ledger, account.enterprises)
    given = password or passwords.one_time()
    kept = passwords.hashed(given)
    try:
        with schema.writing(ledger.records.database) as connection:
            _demand_free(connection, account.subject)
            store.insert(connection, account, kept)
            store.record(connection, author, "accounts.add", told)
    except sa.exc.IntegrityError:
        raise Conflict(f"there is an account {account.name!r}; choose another name") from None
    return given


def grant(
    ledger: Ledger, *, author: str, name: str, roles: Iterable[str], enterprises: Iterable[str] = ()
) -> Account:
    """Give an account these roles and enterprises instead of those it had; its sessions end."""
    with _refusals(ledger, author, "accounts.grant", name):
        _demand(ledger, author, name)
        before = store.account(ledger, name)
        after = checked(replace(before, roles=_named(roles), enterprises=_named(enterprises)))
        _demand_registered(ledger, after.enterprises)
    told = {"name": name, "roles": after.roles, "enterprises": after.enterprises,
            "before": sorted(before.roles)}  # fmt: skip
    with schema.writing(ledger.records.database) as connection:
        store.change(connection, name, roles=after.roles, enterprises=after.enterprises)
        store.end_sessions(connection, name)
        store.record(connection, author, "accounts.grant", told)
    return after


def set_state(ledger: Ledger, *, author: str, name: str, state: str) -> Account:
    """Lock, unlock or disable an account; its sessions end."""
    with _refusals(ledger, author, f"accounts.{state}", name):
        _demand(ledger, author, name)
        before = store.account(ledger, name)
        if state not in STATES:
            raise InputError(f"no state {state!r}; there are {', '.join(STATES)}")
        if before.state == "disabled" and state != "disabled":
            raise Conflict(f"account {name} is disabled for good; make a new one")
    with schema.writing(ledger.records.database) as connection:
        store.change(connection, name, state=state)
        store.end_sessions(connection, name)
        store.record(connection, author, "accounts.state", {"name": name, "state": state})
    return replace(before, state=state)


def reset(ledger: Ledger, *, author: str, name: str) -> str:
    """Give an account a one-time password without second factor; sessions and tokens end."""
    with _refusals(ledger, author, "accounts.reset", name):
        _demand(ledger, author, name)
        store.account(ledger, name)
    given = passwords.one_time()
    values = {"password": passwords.hashed(given), "one_time": True, "secret": "", "last_step": 0}
    with schema.writing(ledger.records.database) as connection:
        store.change(connection, name, **values)
        store.end_sessions(connection, name)
        revoke = sa.update(schema.api_token).where(
            schema.api_token.c.account == name, schema.api_token.c.revoked_at.is_(None)
        )
        connection.execute(revoke.values(revoked_at=store.now()))
        store.record(connection, author, "accounts.reset", {"name": name})
    return given


class _refusals:
    """Leave an audit record if what is asked inside is refused."""

    def __init__(self, ledger: Ledger, author: str, action: str, name: str) -> None:
        self.told = (ledger, author, action, name)

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 _trace: object) -> None:  # fmt: skip
        if error is None:
            return
        ledger, author, action, name = self.told
        with schema.writing(ledger.records.database) as connection:
            outcome = f"{type(error).__name__}: {error}"
            store.record(connection, author, action, {"name": name}, outcome)


def _demand(ledger: Ledger, author: str, name: str) -> None:
    ledger.rights.demand("grant")
    ledger.rights.demand_name(author)
    if OWNER not in ledger.rights.roles and name == ledger.rights.name:
        raise NoRight(
            f"{name} may not change the account {name}; nobody grants anything to himself;"
            " ask another security administrator"
        )


def _demand_registered(ledger: Ledger, enterprises: Iterable[str]) -> None:
    known = {enterprise.id for enterprise in ledger.enterprises()}
    known |= {site.enterprise for site in ledger.sites()}
    unknown = sorted(set(enterprises) - known)
    if unknown:
        raise InputError(
            f"no enterprise {', '.join(unknown)} is registered; there are"
            f" {', '.join(sorted(known)) or 'none'}; register it first"
        )


def _demand_free(connection: sa.Connection, subject: str) -> None:
    column = schema.account.c.subject
    if subject and connection.execute(sa.select(column).where(column == subject)).first():
        raise Conflict("another account has that subject of the identity provider; ask there")


def _named(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.strip() for name in names if name.strip())
