"""Live: one clock for all watching pages; each tick is written once and sent to everybody."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from cupral.surfaces.api.desk import Desk

SECONDS = 1.0
EVENT_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Clock:
    """Ticks once a second while somebody listens."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._next: asyncio.Future[bytes] | None = None
        self._task: asyncio.Task[None] | None = None
        self._head, self._stale, self._state, self._number = 0, 0, -1, 0
        self.listeners = 0

    async def events(self) -> AsyncIterator[bytes]:
        """The ticks, beginning with the present state."""
        self.listeners += 1
        try:
            self._start()
            yield await self._tick()
            while True:
                yield await asyncio.shield(self._coming())
        finally:
            self.listeners -= 1

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def _coming(self) -> asyncio.Future[bytes]:
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self.listeners:
            due = max(due + SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())
            self._number += 1
            tick, waiting = await self._tick(), self._next
            self._next = None
            if waiting is not None:
                waiting.set_result(tick)

    async def _tick(self) -> bytes:
        state = self._desk.pulse.state
        if state != self._state:
            self._state = state
            self._head, self._stale = await run_in_threadpool(self._read)
        content = {
            "head": self._head, "stale": self._stale, "tick": self._number,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }  # fmt: skip
        return f"event: ledger\ndata: {json.dumps(content)}\n\n".encode()

    def _read(self) -> tuple[int, int]:
        ledger = self._desk.ledger
        return ledger.head, len(ledger.results(stale=True))

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
