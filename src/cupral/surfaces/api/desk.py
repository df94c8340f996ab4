"""Desk: what one serving process holds: the ledger, its jobs, its kept pages."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.surfaces.jobs import Jobs

KEPT_PAGES = 2000


@dataclass(frozen=True, slots=True)
class Kept:
    """A rendered body, as it is and compressed, and the hash by which a browser keeps it."""

    body: bytes
    squeezed: bytes
    etag: str
    status: int
    media: str


@dataclass(slots=True)
class Pages:
    """Rendered bodies that hold as long as nothing in the ledger changes."""

    _kept: OrderedDict[tuple[Any, ...], Kept] = field(default_factory=OrderedDict)
    _locks: dict[tuple[Any, ...], threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _state: int = -1

    def get(self, key: tuple[Any, ...], state: int) -> Kept | None:
        """The kept body of a page in this state of the ledger."""
        with self._guard:
            if state != self._state:
                self._kept.clear()
                self._locks.clear()
                self._state = state
            return self._kept.get(key)

    def put(self, key: tuple[Any, ...], state: int, kept: Kept) -> None:
        """Keep a body, unless the ledger has moved on meanwhile."""
        with self._guard:
            if state == self._state:
                self._kept[key] = kept
                if len(self._kept) > KEPT_PAGES:
                    self._kept.popitem(last=False)

    def lock(self, key: tuple[Any, ...]) -> threading.Lock:
        """One lock a page, so that many readers of a new page render it once."""
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())


class Pulse:
    """A number that changes when anything in the documents database changes.

    It costs a few microseconds, so every request can ask. (SQLite counts the commits of
    other connections; this one never writes.)
    """

    def __init__(self, ledger: Ledger) -> None:
        self._connection = ledger.manifest.database.raw_connection()
        self._lock = threading.Lock()

    @property
    def state(self) -> int:
        """The present number; only its being equal or not means something."""
        with self._lock:
            cursor = self._connection.cursor()
            cursor.execute("PRAGMA data_version")
            (version,) = cursor.fetchone()
            cursor.close()
            return int(version)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Desk:
    """The things that the routes of one process share."""

    ledger: Ledger
    pulse: Pulse
    jobs: Jobs = field(default_factory=Jobs)
    pages: Pages = field(default_factory=Pages)

    @staticmethod
    def of(ledger: Ledger) -> "Desk":
        """A desk on a ledger."""
        return Desk(ledger, Pulse(ledger))
