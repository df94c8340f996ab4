"""Every error of the ledger, and the tree they form.

CupralError
├── InputError          a value from outside is not allowed (what, where, allowed, next)
│   └── RowFaults       a file has faulty rows; each fault names its row and column
├── NotFound            something was asked for that is not in the ledger
├── Conflict            the same id was posted with other content, or two writers collided
├── CannotDecide        an answer needs something that nobody has given yet
├── NoRight             the person may not see or do this
├── Damaged             stored bytes do not match their hash
└── Unreachable         the database server does not answer
"""

from collections.abc import Iterable
from dataclasses import dataclass


class CupralError(Exception):
    """Root of all errors that Cupral raises on purpose."""


class InputError(CupralError):
    """A value from outside is not allowed."""


class NotFound(CupralError):
    """Something was asked for that is not in the ledger."""


class Conflict(CupralError):
    """The same id was posted with other content, or two writers collided."""


class CannotDecide(CupralError):
    """An answer needs something that nobody has given yet."""

    def __init__(self, message: str, *, needs: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.needs = tuple(needs)


class NoRight(CupralError):
    """The person may not see or do this."""


class Damaged(CupralError):
    """Stored bytes do not match their hash."""


class Unreachable(CupralError):
    """The database server does not answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one cell (or row, or file) that came from outside."""

    row: int | None
    """Line number in the file as a person counts it (1 = first line); None = the whole file."""
    column: str | None
    value: str
    what: str
    cure: str

    def __str__(self) -> str:
        where = "file" if self.row is None else f"row {self.row}"
        column = f", column {self.column}" if self.column else ""
        shown = f" ({self.value!r})" if self.value else ""
        return f"{where}{column}{shown}: {self.what}. {self.cure}"


class RowFaults(InputError):
    """A file has faulty rows; nothing of it was posted."""

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        shown = "\n".join(f"  {fault}" for fault in self.faults[:20])
        more = f"\n  and {len(self.faults) - 20} more" if len(self.faults) > 20 else ""
        super().__init__(f"{name}: {len(self.faults)} faults, nothing posted\n{shown}{more}")
