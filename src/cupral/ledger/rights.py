"""Rights: what one person may do with whose data; the one place that decides it.

A right is a row of the matrix: role x action x grade -> whose ('all', 'own' or nobody's).
A ledger carries the rights of the person who reads it (`Ledger.seen_by`) and asks them at
every read and write, so that no query, page or export can forget to.

Grades are those of 工信厅信发〔2020〕6号 (general 一般, important 重要, core 核心). Who is granted
what is our own design, but for the separation of the system's, the security's and the audit's
administrator (GB/T 22239-2019, 三权分立).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cupral.ledger.errors import InputError, NoRight

GRADES = ("general", "important", "core")
ACTIONS = ("read", "export", "post", "sign", "verify", "decide", "amend", "confirm", "release",
           "operate", "grant", "audit")  # fmt: skip
"""Read and take away; post rows and drafts; sign for the enterprise; verify for others; decide on
documents; amend and confirm parameters; release public figures; operate, grant roles, audit."""

OWNER = "owner"
"""Whoever holds the folder itself (the command line, Python): no ledger can refuse them."""
ADMINISTRATORS = ("system", "security", "audit")
ROLES = ("public", "enterprise", "signer", "verifier", "department", *ADMINISTRATORS)

_ALL, _OWN, _NOBODY = "all", "own", ""
_READS = {("read", "general"): _ALL, ("export", "general"): _ALL}
_ENTERPRISE = _READS | {
    (action, grade): _OWN
    for action in ("read", "export", "post")
    for grade in ("general", "important", "core")
    if (action, grade) not in _READS
}
_VERIFIER = _READS | {
    ("read", "important"): _OWN, ("read", "core"): _OWN, ("export", "important"): _OWN,
    **{("verify", grade): _OWN for grade in GRADES},
}  # fmt: skip
_DEPARTMENT = _READS | {
    ("read", "important"): _ALL, ("read", "core"): _ALL, ("export", "important"): _ALL,
    **{
        (action, grade): _ALL
        for action in ("post", "decide", "amend", "confirm", "release")
        for grade in ("general", "important")
    },
}  # fmt: skip
MATRIX: Mapping[str, Mapping[tuple[str, str], str]] = MappingProxyType({
    "public": _READS,
    "enterprise": _ENTERPRISE,
    "signer": _ENTERPRISE | {("sign", grade): _OWN for grade in GRADES},
    "verifier": _VERIFIER,
    "department": _DEPARTMENT,
    "system": _READS | {("operate", grade): _ALL for grade in GRADES},
    "security": _READS | {("grant", grade): _ALL for grade in GRADES},
    "audit": _READS | {("audit", grade): _ALL for grade in GRADES},
    OWNER: {(action, grade): _ALL for action in ACTIONS for grade in GRADES},
})  # fmt: skip
"""Whose data a role may treat so: 'all' or 'own' (its enterprises'); nobody's if left out."""

_TABLES = {"flows": "important", "assays": "core", "stocktakes": "important",
           "register:enterprise": "general", "register:site": "general",
           "document:plan": "general", "document:clause": "general",
           "document:release": "general"}  # fmt: skip


def grade_of(table: str) -> str:
    """Grade of what a table holds; what is not named is important.

    Examples
    --------
    >>> grade_of("assays"), grade_of("register:site"), grade_of("document:return")
    ('core', 'general', 'important')
    """
    if table.startswith("parameter:"):
        return "general"
    return _TABLES.get(table, "important")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one person may do.

    Examples
    --------
    >>> clerk = Rights(name="li", roles=frozenset({"enterprise"}), enterprises=frozenset({"E1"}))
    >>> clerk.over("read", "flows"), clerk.over("sign", "flows")
    ('own', '')
    >>> clerk.over("read", "document:plan")
    'all'
    """

    name: str
    roles: frozenset[str]
    enterprises: frozenset[str] = frozenset()
    """The person's own; of a verifier, those that are assigned."""

    def __post_init__(self) -> None:
        unknown = self.roles - MATRIX.keys()
        if unknown:
            raise InputError(f"no role {', '.join(sorted(unknown))}; there are {', '.join(ROLES)}")
        if len(self.roles) > 1 and self.roles & set(ADMINISTRATORS):
            raise InputError(
                f"{self.name} cannot be {' and '.join(sorted(self.roles))} at once; the"
                " administrators of system, security and audit are separate persons, and no"
                " administrator has another role"
            )

    def over(self, action: str, table: str) -> str:
        """Whose rows of a table the person may treat so: 'all', 'own' or '' (nobody's)."""
        scopes = {MATRIX[role].get((action, grade_of(table)), _NOBODY) for role in self.roles}
        return next((scope for scope in (_ALL, _OWN) if scope in scopes), _NOBODY)

    def may(self, action: str) -> bool:
        """Whether there is anything that the person may treat so."""
        return any(MATRIX[role].get((action, grade)) for role in self.roles for grade in GRADES)

    def demand(self, action: str) -> None:
        """Refuse who may not do this to anything.

        Raises
        ------
        NoRight
            Naming the roles that may.
        """
        if not self.may(action):
            able = [role for role in ROLES if any(a == action for a, _ in MATRIX[role])]
            raise NoRight(f"{self.name} may not {action}; allowed for {', '.join(able)}; {_ASK}")

    def demand_name(self, author: str) -> None:
        """Refuse who acts in the name of somebody else; whoever holds the folder may.

        Raises
        ------
        NoRight
            If the names differ.
        """
        if author != self.name and OWNER not in self.roles:
            raise NoRight(f"{self.name} may not act in the name of {author}; use your own")

    def demand_over(self, action: str, table: str, owners: Iterable[str] | None) -> None:
        """Refuse who may not treat rows of these owners (None = of everybody) so.

        Raises
        ------
        NoRight
            Which does not tell whether a foreign owner exists.
        """
        scope = self.over(action, table)
        if scope == _ALL:
            return
        if not scope:
            self._refuse(action, table)
        if owners is None or any(owner not in self.enterprises for owner in owners):
            self._refuse(action, table, of_others=True)

    def _refuse(self, action: str, table: str, *, of_others: bool = False) -> None:
        mine = ", ".join(sorted(self.enterprises)) or "no enterprise"
        able = [role for role in ROLES if MATRIX[role].get((action, grade_of(table)))]
        whose = (
            f" of others; allowed for {mine}" if of_others else f"; allowed for {', '.join(able)}"
        )
        raise NoRight(f"{self.name} may not {action} {table}{whose}; {_ASK}")


_ASK = "ask the security administrator for the role, or sign in as somebody who has it"

EVERYTHING = Rights(name=OWNER, roles=frozenset({OWNER}))
"""The rights of whoever holds the folder."""
PUBLIC = Rights(name="public", roles=frozenset({"public"}))
"""The rights of whoever has not signed in."""
