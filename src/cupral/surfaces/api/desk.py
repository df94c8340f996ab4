"""Desk: what one serving process holds: the ledger, its jobs, its kept pages."""

import asyncio
import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.concurrency import run_in_threadpool

from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.database import Commits
from cupral.surfaces.jobs import Jobs

KEPT_PAGES = 2000
PATIENCE = 5.0
"""Seconds that a reader waits for a page to be made anew before the earlier one is sent."""
NOTICE_PLACE = b"<!--earlier-->"
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A rendered body, as it is and compressed, and the hash by which a browser keeps it."""

    body: bytes
    squeezed: bytes
    etag: str
    status: int
    media: str
    notice: bytes = b""
    """What an earlier page says at its top while the present one is made."""
    fresh: bool = True
    """False for an earlier page."""
    worded: bool = False
    """Whether it has forms that need the word of the session."""

    def earlier(self) -> "Kept":
        """The same page, saying that it is an earlier state."""
        body = self.body.replace(NOTICE_PLACE, self.notice, 1)
        squeezed = gzip.compress(body, 1, mtime=0)
        return replace(self, body=body, squeezed=squeezed, etag="", fresh=False)


@dataclass(slots=True)
class Pages:
    """Rendered bodies, each with the state of the ledger that it shows.

    A page is rendered once for a state, however many readers wait for it. If that takes
    longer than PATIENCE, they get the page of the earlier state, which says at its foot on
    which posting it stands.
    """

    _kept: OrderedDict[Key, tuple[int, Kept]] = field(default_factory=OrderedDict)
    _making: dict[tuple[Key, int], asyncio.Task[Kept]] = field(default_factory=dict)

    async def get(self, key: Key, state: int, make: Callable[[], Kept]) -> Kept:
        """The page of a key in a state of the ledger."""
        known = self._kept.get(key)
        if known is not None and known[0] == state:
            return known[1]
        task = self._making.get((key, state))
        if task is None:
            task = asyncio.create_task(self._make(key, state, make))
            self._making[key, state] = task
        if known is None:
            return await asyncio.shield(task)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        return task.result() if done else known[1].earlier()

    async def _make(self, key: Key, state: int, make: Callable[[], Kept]) -> Kept:
        try:
            kept = await run_in_threadpool(make)
        finally:
            del self._making[key, state]
        earlier = self._kept.get(key)
        if kept.status == 200 and (earlier is None or earlier[0] <= state):
            self._kept[key] = (state, kept)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT_PAGES:
                self._kept.popitem(last=False)
        return kept


class Pulse:
    """A number that changes when anything in the documents database changes.

    It costs some microseconds (a tenth of a millisecond on PostgreSQL), so every request can
    ask. It counts the commits of other connections; this one never writes.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._commits = Commits(ledger.manifest.database)
        self._lock = threading.Lock()
        self._records = ledger.records
        self._shown: tuple[int, object, int] = (-1, None, 0)
        """Count, content then, and how often the content has changed."""

    @property
    def state(self) -> int:
        """The present number; only its being equal or not means something."""
        with self._lock:
            return self._commits.count

    @property
    def content(self) -> int:
        """A number that changes when anything that pages show changes.

        Sign-ins, sessions and audit records change the database all the time, and no page that
        is kept: it need not be made anew for them.
        """
        count, (seen, before, changes) = self.state, self._shown
        if count != seen:
            content = self._records.content()
            changes += content is None or content != before
            self._shown = (count, content, changes)
        return changes

    def close(self) -> None:
        """End its connection."""
        self._commits.close()


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
