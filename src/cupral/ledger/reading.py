"""Reading: what was read while a question was answered.

A kept Result names what it stood on; a later posting, document or register version that
touches it marks the Result as stale.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

Reading = tuple[str, str, str, int, int]
"""(table, site or '*', origin or '*', first month, last month): what a Result stands on.

Documents and registers are tables too: `document:KIND` by party, `register:KIND` by id."""

EVER = (0, 999912)
"""First and last month of everything."""


@dataclass(slots=True)
class Read:
    """What was read, and the state of the ledger when the reading began."""

    head: int = 0
    """Number of the latest posting then."""
    documents: int = 0
    """Number of the latest row of documents then."""
    registers: int = 0
    """Number of the latest row of the registers then."""
    scopes: set[Reading] = field(default_factory=set)
    demonstration: bool = False


_open: ContextVar[tuple[Read, ...]] = ContextVar("cupral_reading", default=())


@contextmanager
def noting(read: Read) -> Iterator[Read]:
    """Note in `read` everything that is read inside."""
    token = _open.set((*_open.get(), read))
    try:
        yield read
    finally:
        _open.reset(token)


def note(
    table: str, sites: Iterable[str] = ("*",), origins: Iterable[str] = ("*",),
    span: tuple[int, int] = EVER,
) -> None:  # fmt: skip
    """Note that rows of these sites and origins were read."""
    if _open.get():
        note_all({(table, site, origin, *span) for site in sites for origin in tuple(origins)})


def note_all(scopes: Iterable[Reading], *, demonstration: bool = False) -> None:
    """Note scopes, and whether demonstration rows were among what was read."""
    for read in _open.get():
        read.scopes.update(scopes)
        read.demonstration |= demonstration
