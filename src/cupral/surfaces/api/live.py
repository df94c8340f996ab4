"""Live: one clock for all watching pages; each tick is written once and sent to everybody."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from cupral.surfaces.api.desk import Desk

_LOG = logging.getLogger(__name__)
SECONDS = 1.0
KEPT_TICKS = 30
"""Ticks that a slow reader may lag behind before it loses one."""
EVENT_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Clock:
    """Ticks once a second while somebody listens; the last ticks are kept for slow readers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=KEPT_TICKS)
        self._wake: asyncio.Event = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._head, self._stale, self._state, self._number = 0, 0, -1, 0
        self.listeners = 0

    async def events(self) -> AsyncIterator[bytes]:
        """The ticks, beginning with the present state."""
        self.listeners += 1
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run())
            told = self._number
            yield await self._tick()
            while True:
                await self._wake.wait()
                for number, tick in [entry for entry in self._recent if entry[0] > told]:
                    told = number
                    yield tick
        finally:
            self.listeners -= 1

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self.listeners:
            due = max(due + SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())
            self._number += 1
            try:
                self._recent.append((self._number, await self._tick()))
            except Exception:  # one failed look at the ledger must not stop the clock for all
                _LOG.exception("tick %d failed", self._number)
                continue
            wake, self._wake = self._wake, asyncio.Event()
            wake.set()

    async def _tick(self) -> bytes:
        state = self._desk.pulse.state
        if state != self._state:
            self._head, self._stale = await run_in_threadpool(self._read)
            self._state = state
        content = {
            "head": self._head, "stale": self._stale, "tick": self._number,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }  # fmt: skip
        return f"event: ledger\ndata: {json.dumps(content)}\n\n".encode()

    def _read(self) -> tuple[int, int]:
        ledger = self._desk.ledger
        return ledger.head, ledger.records.stale_count()

    async def stop(self) -> None:
        """Stop ticking."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


def live(clock: Clock) -> Callable[[Request], Awaitable[StreamingResponse]]:
    """The route that streams the ticks."""

    async def stream(_request: Request) -> StreamingResponse:
        return StreamingResponse(
            clock.events(), media_type="text/event-stream", headers=EVENT_HEADERS
        )

    return stream
