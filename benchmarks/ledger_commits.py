"""Commits of 100 rows, the first and those after 10,000, on SQLite and on PostgreSQL.

    python benchmarks/ledger_commits.py [COMMITS [SQLite|PostgreSQL]]

The background merges files meanwhile, as in service, and its CPU seconds are counted with the
commits'. PostgreSQL is a server of its own on this machine with its flushes on.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_scale import Spent, measured, postings, told
from ledger_speed import SMALL, fsync_seconds, timed

sys.path.insert(0, str(Path(__file__).parents[1]))
from cupral.ledger.audit import verify
from cupral.ledger.compaction import settle
from cupral.ledger.ledger import Ledger
from tests.ledger.server import NoServer, server

LAST = 200
"""How many commits the medians are of."""


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """URLs of the databases there are."""
    try:
        with server() as started:
            options = f"-k {started.folder} -c listen_addresses=''"
            started.control("restart", "-m", "fast", "-o", options)
            yield {"SQLite": "sqlite", "PostgreSQL": started.create()}
    except NoServer as error:
        print(error)
        yield {"SQLite": "sqlite"}


def commits(ledger: Ledger, count: int) -> tuple[Spent, Spent]:
    """What the first and the last commits took; one site and month each, by turns."""
    first, last = list[tuple[float, float]](), list[tuple[float, float]]()
    for number, (id, table) in enumerate(postings((count + LAST) * SMALL, SMALL)):
        if LAST <= number < count:
            ledger.post(id, author="b", flows=table)
        else:
            spent = first if number < LAST else last
            spent.append(measured(lambda id=id, t=table: ledger.post(id, author="b", flows=t)))
    return first, last


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name, databases() as urls:
        print(f"flush of the disk {fsync_seconds(Path(name)) * 1e3:.2f} ms")
        for kind, url in urls.items():
            if kind not in (sys.argv[2:] or urls):
                continue
            ledger = Ledger.open(Path(name) / kind, database=url)
            first, last = commits(ledger, count)
            told(f"{kind}: {SMALL} rows, the first {LAST} commits", first)
            told(f"{kind}: {SMALL} rows after {count:,} commits", last, "bar: 10 ms")
            print(
                f"{kind}: the background went on for {timed(settle):.1f} s;"
                f" {len(ledger.manifest.files('flows'))} files;"
                f" {str(verify(ledger, 2)).partition(':')[0]}; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            ledger.manifest.database.dispose()


if __name__ == "__main__":
    main()
