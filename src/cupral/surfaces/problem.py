"""Problem: an error as a surface tells it: what is wrong, where, what is allowed, what next."""

from dataclasses import asdict, dataclass
from typing import Any

from cupral.ledger.errors import (
    CannotDecide,
    Conflict,
    CupralError,
    Damaged,
    Fault,
    InputError,
    NoRight,
    NotFound,
    RowFaults,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """The four parts of an error, its kind and the HTTP status that goes with it."""

    kind: str
    status: int
    what: str
    where: str
    allowed: str
    next: str
    faults: tuple[Fault, ...] = ()

    def document(self) -> dict[str, Any]:
        """The body of an application/problem+json answer (RFC 9457)."""
        content = {name: value for name, value in asdict(self).items() if name != "kind"}
        kind = self.kind.replace(" ", "-")
        return {"type": f"urn:cupral:{kind}", "title": self.kind, "detail": self.what, **content}

    def __str__(self) -> str:
        parts = {"where": self.where, "allowed": self.allowed, "next": self.next}
        lines = [f"  {name:8}{text}" for name, text in parts.items() if text]
        return "\n".join([f"{self.kind}: {self.what}", *lines])


_KINDS: tuple[tuple[type[CupralError], str, int, str], ...] = (
    (RowFaults, "faulty rows", 422, "mend the rows named below and send the whole file again"),
    (InputError, "not allowed", 422, "change the value and try again"),
    (NoRight, "no right", 403, "sign in as somebody who has the right"),
    (NotFound, "not found", 404, "look at the list of what there is, then ask again"),
    (Conflict, "conflict", 409, "give the new content a posting id of its own"),
    (CannotDecide, "cannot decide", 409, "supply what is missing, then ask again"),
    (Damaged, "damaged", 500, "run `cupral audit verify --level 2` and restore the file it names"),
    (Unreachable, "unreachable", 503, "see that the database server runs, then try again"),
)


def problem(error: CupralError, where: str = "") -> Problem:
    """Tell an error in its four parts.

    Examples
    --------
    >>> print(problem(InputError("unit 'x' is not known; write for example t"), "row 3"))
    not allowed: unit 'x' is not known
      where   row 3
      next    write for example t
    """
    kind, status, usual = (
        next((name, code, cure) for cls, name, code, cure in _KINDS if isinstance(error, cls))
        if not _unnamed(error)
        else ("error", 500, "look at the ledger and try again")
    )
    what, allowed, cure = _divided(str(error))
    if isinstance(error, CannotDecide) and error.needs:
        allowed = f"needs {', '.join(error.needs)}"
    faults = error.faults if isinstance(error, RowFaults) else ()
    if faults:
        what, allowed, cure = str(error).splitlines()[0], "", ""
    return Problem(kind, status, what, where, allowed, cure or usual, faults)


def _unnamed(error: CupralError) -> bool:
    return not any(isinstance(error, cls) for cls, *_ in _KINDS)


_ALLOWED = ("it takes ", "there are ", "it has ", "that system has", "allowed ", "allowed: ",
            "registered: ")  # fmt: skip


def _divided(message: str) -> tuple[str, str, str]:
    """What is wrong, what is allowed, what to do: our messages part them by semicolons."""
    what, *rest = [part.strip() for part in message.split("; ")]
    allowed = [part for part in rest if part.startswith(_ALLOWED)]
    cures = [part for part in rest if not part.startswith(_ALLOWED)]
    return what, "; ".join(allowed), "; ".join(cures)
