"""Account: who may sign in, with which roles, for which enterprises."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cupral.ledger.errors import InputError
from cupral.ledger.rights import ROLES, Rights

STATES = ("active", "locked", "disabled")
"""Locked: until the security administrator unlocks it. Disabled: for good."""
RESERVED = frozenset({"owner", "public", "web", "http", "cupral", "demonstration", "anonymous"})
"""Names under which Cupral itself acts."""
_NAME = re.compile(r"[\w](?:[\w.@+-]{0,62}\w)?")
GRANTED = tuple(role for role in ROLES if role != "public")
"""What can be granted: everybody is the public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's (or program's) account."""

    name: str
    roles: frozenset[str]
    enterprises: frozenset[str] = frozenset()
    state: str = "active"
    one_time: bool = False
    """The password was given by somebody else and opens nothing but the page to change it."""
    second_factor: bool = False
    subject: str = ""
    """`sub` of the identity provider; empty = signs in by password only."""
    created_by: str = ""
    created_at: int = 0
    demonstration: bool = False

    def rights(self, roles: Iterable[str] | None = None) -> Rights:
        """What the account may do, or may with some of its roles only."""
        mine = self.roles if roles is None else self.roles & frozenset(roles)
        if self.one_time or self.state != "active":
            mine = frozenset()
        if not mine:
            return Rights(name=self.name, roles=frozenset({"public"}))
        return Rights(name=self.name, roles=mine, enterprises=self.enterprises)


def checked(account: Account) -> Account:
    """The account, if it can be one.

    Raises
    ------
    InputError
        If its name or roles are not allowed.
    """
    if not _NAME.fullmatch(account.name) or account.name.lower() in RESERVED:
        raise InputError(
            f"{account.name!r} cannot be the name of an account; allowed are 1 to 64 letters,"
            f" digits and . _ @ + - (not {', '.join(sorted(RESERVED))}); choose another"
        )
    unknown = account.roles - set(GRANTED)
    if unknown:
        raise InputError(
            f"no role {', '.join(sorted(unknown))} can be granted; there are {', '.join(GRANTED)}"
        )
    account.rights()  # refuses two administrators in one person
    bound = account.roles & {"enterprise", "signer", "verifier"}
    if account.enterprises and not bound:
        raise InputError(
            f"{account.name} is given enterprises but no role that acts for any; allowed with"
            " enterprise, signer and verifier; grant one of these or leave the enterprises away"
        )
    return account
