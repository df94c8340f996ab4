"""Demonstration logins: one account of each role, for two rival enterprises, known to all.

Their passwords stand in a file beside the ledger and on the page to sign in; a server that
others can reach refuses to start with them unless it is told to.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from cupral.access import administration, password, store
from cupral.demonstration.faults import KEY
from cupral.ledger.ledger import Ledger

FILE = "demonstration-logins.json"


@dataclass(frozen=True, slots=True)
class Login:
    """One account with its password."""

    name: str
    password: str
    roles: tuple[str, ...]
    enterprises: tuple[str, ...] = ()


def made(ledger: Ledger, *, author: str) -> tuple[Login, ...]:
    """The logins of a demonstration, made once; none of a ledger with accounts of its own."""
    if store.any_account(ledger):
        return read(ledger.folder)
    logins = tuple(
        Login(name, password.one_time(), (role,), tuple(enterprises))
        for name, role, enterprises in _wanted(ledger)
    )
    path = ledger.folder / FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps([asdict(one) for one in logins], ensure_ascii=False), "utf-8")
    for one in logins:
        administration.add(
            ledger, author=author, name=one.name, roles=one.roles, enterprises=one.enterprises,
            password=one.password, demonstration=True,
        )  # fmt: skip
    return logins


def read(folder: Path) -> tuple[Login, ...]:
    """The logins of a folder; none if it is no demonstration."""
    try:
        rows = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(
        Login(row["name"], row["password"], tuple(row["roles"]), tuple(row["enterprises"]))
        for row in rows
    )


def _wanted(ledger: Ledger) -> Iterable[tuple[str, str, list[str]]]:
    owner = ledger.site(KEY.site).enterprise
    own, rival = [owner], [next(e.id for e in ledger.enterprises() if e.id != owner)]
    yield "demo-enterprise", "enterprise", own
    yield "demo-signer", "signer", own
    yield "demo-rival", "enterprise", rival
    yield "demo-verifier", "verifier", own
    yield "demo-department", "department", []
    for role in ("system", "security", "audit"):
        yield f"demo-{role}", role, []
