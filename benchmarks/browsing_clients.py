"""Load on the pages: browsing clients and live watchers, on the loopback of one computer.

    python benchmarks/browsing_clients.py --url http://127.0.0.1:8600 --clients 200 --seconds 15
    python benchmarks/browsing_clients.py --url http://127.0.0.1:8600 --watchers 1000 --seconds 15

A browsing client opens a page, reads for a while (0.5 to 1.5 s, drawn at random), opens the
next one. A watcher listens to the live stream, which ticks once a second; a lost tick is a
gap in its numbers. Raw asyncio streams, so that the generator costs less than the server.
"""

import argparse
import asyncio
import json
import random
import resource
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PAGES = ("/", "/?basis=declared", "/?target=T8", "/sites", "/systems", "/parameters", "/postings")
"""Pages that every ledger has; those of sites are added from the interface."""
RAMP = 2.0
"""Seconds over which clients come in."""


@dataclass(slots=True)
class Tally:
    """What all clients saw."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ticks: int = 0
    lost: int = 0
    bytes: int = 0

    def percentile(self, share: float) -> float:
        """A percentile of the response times [ms]."""
        if len(self.seconds) < 2:
            return float("nan")
        return 1000 * statistics.quantiles(self.seconds, n=1000)[int(share * 1000) - 1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens."""

    host: str
    port: int


async def browse(place: Place, pages: list[str], until: float, tally: Tally, seed: int) -> None:
    """One browsing client on one kept-alive connection."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, RAMP))
    reader, writer = await asyncio.open_connection(place.host, place.port)
    while time.perf_counter() < until:
        begin = time.perf_counter()
        status, size = await fetch(reader, writer, place, chance.choice(pages))
        tally.seconds.append(time.perf_counter() - begin)
        tally.bytes += size
        if status != 200:
            tally.failures.append(str(status))
        await asyncio.sleep(chance.uniform(0.5, 1.5))
    writer.close()


async def fetch(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: Place, page: str
) -> tuple[int, int]:
    """Status and size of one page."""
    lines = (f"GET {page} HTTP/1.1", f"host: {place.host}:{place.port}", "accept-encoding: gzip")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(int(x.split(":")[1]) for x in head.splitlines() if x.startswith("content-length"))
    await reader.readexactly(length)
    return int(head.split()[1]), length


async def watch(place: Place, until: float, tally: Tally, delay: float) -> None:
    """One watcher of the live stream."""
    await asyncio.sleep(delay)
    try:
        reader, writer = await asyncio.open_connection(place.host, place.port)
    except OSError as error:
        tally.failures.append(type(error).__name__)
        return
    writer.write(f"GET /api/live HTTP/1.1\r\nhost: {place.host}\r\n\r\n".encode())
    last = None
    while (left := until - time.perf_counter()) > 0:
        try:
            line = await asyncio.wait_for(reader.readline(), left)
        except TimeoutError:
            break
        if line.startswith(b"data: "):
            number = json.loads(line[6:])["tick"]
            tally.ticks += 1
            if last is not None and number > last + 1:
                tally.lost += number - last - 1
            last = number
    writer.close()


async def site_pages(place: Place) -> list[str]:
    """Pages of the sites that have a network."""
    reader, writer = await asyncio.open_connection(place.host, place.port)
    writer.write(f"GET /api/sites HTTP/1.1\r\nhost: {place.host}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(int(x.split(":")[1]) for x in head.splitlines() if x.startswith("content-length"))
    sites = json.loads(await reader.readexactly(length))
    writer.close()
    return [f"/sites/{site['id']}" for site in sites[:6]]


async def run(place: Place, clients: int, watchers: int, seconds: float) -> Tally:
    """All clients and watchers for a while; every page is opened once before the clock runs."""
    pages = [*PAGES, *await site_pages(place)]
    reader, writer = await asyncio.open_connection(place.host, place.port)
    for page in pages:
        await fetch(reader, writer, place, page)
    writer.close()
    tally, until = Tally(), time.perf_counter() + RAMP + seconds
    browsing = [browse(place, pages, until, tally, seed) for seed in range(clients)]
    watching = [watch(place, until, tally, RAMP * n / watchers) for n in range(watchers)]
    await asyncio.gather(*browsing, *watching)
    return tally


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8600")
    parser.add_argument("--clients", type=int, default=0)
    parser.add_argument("--watchers", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=15.0)
    given = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    url = urlsplit(given.url)
    place = Place(url.hostname or "127.0.0.1", url.port or 80)
    tally = asyncio.run(run(place, given.clients, given.watchers, given.seconds))
    if given.clients:
        rate = len(tally.seconds) / (given.seconds + RAMP)
        print(
            f"{given.clients} browsing clients: {len(tally.seconds)} pages, {rate:.0f} a second,"
            f" p50 {tally.percentile(0.5):.1f} ms, p95 {tally.percentile(0.95):.1f} ms,"
            f" p99 {tally.percentile(0.99):.1f} ms, {tally.bytes / 1e6:.1f} MB"
        )
    if given.watchers:
        print(f"{given.watchers} watchers: {tally.ticks} ticks, {tally.lost} lost")
    print(f"failures: {len(tally.failures)} {sorted(set(tally.failures))}")


if __name__ == "__main__":
    main()
