"""The live stream: one clock, every tick to everybody."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.surfaces.api import live
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.live import Clock
from cupral.system import order
from tests.surfaces.workshop import SITE, meter_file


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks twenty times a second."""
    monkeypatch.setattr(live, "SECONDS", 0.05)


@pytest.fixture
def clock(workshop: Ledger) -> Iterator[Clock]:
    """A clock of the workshop."""
    desk = Desk.of(workshop)
    yield Clock(desk)
    desk.pulse.close()


def content(event: bytes) -> dict:
    """What an event says."""
    name, data = event.decode().strip().split("\n")
    assert name == "event: ledger"
    return dict(json.loads(data.removeprefix("data: ")))


async def heard(events: AsyncIterator[bytes], count: int) -> list[dict]:
    """The next events of a stream."""
    return [content(await asyncio.wait_for(anext(events), 5)) for _ in range(count)]


def test_the_first_event_comes_at_once_and_names_the_head(clock: Clock) -> None:
    async def run() -> list[dict]:
        events = clock.events()
        try:
            return await heard(events, 1)
        finally:
            await events.aclose()
            await clock.stop()

    (first,) = asyncio.run(run())
    assert (first["head"], first["stale"]) == (1, 0)


def test_no_listener_loses_a_tick(clock: Clock) -> None:
    async def listen(delay: float) -> list[int]:
        events = clock.events()
        numbers = []
        for _ in range(8):
            numbers.append(content(await asyncio.wait_for(anext(events), 5))["tick"])
            await asyncio.sleep(delay)
        await events.aclose()
        return numbers

    async def run() -> list[list[int]]:
        told = await asyncio.gather(*(listen(0.0) for _ in range(50)), listen(0.12))
        await clock.stop()
        return told

    for numbers in asyncio.run(run()):
        later = numbers[1:]
        assert later == list(range(later[0], later[0] + len(later)))


def test_a_posting_is_told(clock: Clock, workshop: Ledger) -> None:
    async def run() -> dict:
        events = clock.events()
        await heard(events, 1)
        await asyncio.to_thread(
            order, workshop, "balance.import_meters", author="a", site=SITE,
            content=meter_file(("2026-04",)), filename="april.csv",
        )  # fmt: skip
        # ticks from before the posting may still be waiting to be read
        ticks = await heard(events, live.KEPT_TICKS + 10)
        told = next((tick for tick in ticks if tick["head"] > 1), {})
        await events.aclose()
        await clock.stop()
        return told

    assert asyncio.run(run()).get("head") == 2


def test_the_clock_stands_still_when_nobody_listens(clock: Clock) -> None:
    async def run() -> bool:
        events = clock.events()
        await heard(events, 2)
        await events.aclose()
        await asyncio.sleep(0.2)
        return clock.listeners == 0 and clock._task is not None and clock._task.done()

    assert asyncio.run(run())


def test_one_failed_look_at_the_ledger_does_not_end_the_clock(
    workshop: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> list[dict]:
        events = clock.events()
        try:
            first = await heard(events, 2)
            read = Clock._read
            failed = asyncio.Event()

            def broken(self: Clock) -> tuple[int, int]:
                monkeypatch.setattr(Clock, "_read", read)
                failed.set()
                raise OSError("the disk is away for a moment")

            monkeypatch.setattr(Clock, "_read", broken)
            workshop.put(Document(kind="note", id="n", party="p"), author="me")
            await asyncio.wait_for(failed.wait(), 5)
            return [*first, *await heard(events, 2)]
        finally:
            await events.aclose()
            await clock.stop()

    ticks = [event["tick"] for event in asyncio.run(run())]
    assert ticks == sorted(set(ticks))
    assert len(ticks) == 4
