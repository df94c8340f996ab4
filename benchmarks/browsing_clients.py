"""Load on the pages: browsing clients and live watchers, on the loopback of one computer.

    python benchmarks/browsing_clients.py --url http://127.0.0.1:8600 --clients 200 --seconds 15
    python benchmarks/browsing_clients.py --url http://127.0.0.1:8600 --watchers 1000 --seconds 15

A browsing client opens a page, reads for a while (0.5 to 1.5 s, drawn at random), opens the
next one. A watcher listens to the live stream, which ticks once a second; a lost tick is a
gap in its numbers. Raw asyncio streams, so that the generator costs less than the server.

With `--logins FILE` (the demonstration's `demonstration-logins.json`) every browsing client
first signs in as one of these accounts, in turn, and keeps a session of its own.
"""

import argparse
import asyncio
import json
import random
import resource
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

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
    signing_in: list[float] = field(default_factory=list)

    def percentile(self, share: float, of: list[float] | None = None) -> float:
        """A percentile of the response times (or of others) [ms]."""
        times = self.seconds if of is None else of
        if len(times) < 2:
            return float("nan")
        return 1000 * statistics.quantiles(times, n=1000)[int(share * 1000) - 1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens."""

    host: str
    port: int
    cookie: str = ""
    """Of a session."""


@dataclass(frozen=True, slots=True)
class Client:
    """Whose session a client has, and which pages he may open."""

    place: Place
    pages: list[str]


async def browse(client: Client, until: float, tally: Tally, seed: int) -> None:
    """One browsing client on one kept-alive connection."""
    chance, place, pages = random.Random(seed), client.place, client.pages
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
    lines = [f"GET {page} HTTP/1.1", f"host: {place.host}:{place.port}", "accept-encoding: gzip"]
    if place.cookie:
        lines.append(f"cookie: {place.cookie}")
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


async def sign_in(place: Place, login: dict[str, str], tally: Tally) -> Place:
    """The place with a session of an account."""
    body = urlencode({"name": login["name"], "password": login["password"]})
    begin = time.perf_counter()
    reader, writer = await asyncio.open_connection(place.host, place.port)
    writer.write((
        f"POST /login HTTP/1.1\r\nhost: {place.host}:{place.port}\r\nconnection: close\r\n"
        "content-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode())  # fmt: skip
    head = (await reader.read()).decode("latin-1")
    writer.close()
    if " 429 " in head.splitlines()[0]:  # one address may sign in a few times a second only
        await asyncio.sleep(1.0)
        return await sign_in(place, login, tally)
    tally.signing_in.append(time.perf_counter() - begin)
    if " 303 " not in head.splitlines()[0]:
        raise SystemExit(f"{login['name']} cannot sign in: {head.splitlines()[0]}")
    line = next(x for x in head.splitlines() if x.lower().startswith("set-cookie:"))
    return Place(place.host, place.port, line.split(":", 1)[1].split(";")[0].strip())


async def opened(place: Place, pages: list[str]) -> list[str]:
    """The pages that may be opened here; opening them once makes them."""
    reader, writer = await asyncio.open_connection(place.host, place.port)
    found = [page for page in pages if (await fetch(reader, writer, place, page))[0] == 200]
    writer.close()
    return found


async def run(
    place: Place, clients: int, watchers: int, seconds: float, logins: list[dict[str, str]]
) -> Tally:
    """All clients and watchers for a while; every page is opened once before the clock runs."""
    tally, pages = Tally(), [*PAGES, *await site_pages(place)]
    places = [place] * clients
    for number in range(clients if logins else 0):
        places[number] = await sign_in(place, logins[number % len(logins)], tally)
    kinds = len(logins) or 1
    may = [await opened(one, pages) for one in places[:kinds]]
    until = time.perf_counter() + RAMP + seconds
    browsing = [
        browse(Client(one, may[n % kinds]), until, tally, n) for n, one in enumerate(places)
    ]
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
    parser.add_argument("--logins", type=Path)
    given = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    url = urlsplit(given.url)
    place = Place(url.hostname or "127.0.0.1", url.port or 80)
    logins = json.loads(given.logins.read_text("utf-8")) if given.logins else []
    tally = asyncio.run(run(place, given.clients, given.watchers, given.seconds, logins))
    show(tally, given)


def show(tally: Tally, given: argparse.Namespace) -> None:
    """Print what was counted."""
    if tally.signing_in:
        print(
            f"{len(tally.signing_in)} sign-ins one after another:"
            f" p50 {tally.percentile(0.5, tally.signing_in):.0f} ms,"
            f" p95 {tally.percentile(0.95, tally.signing_in):.0f} ms"
        )
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
