"""Commits of 100 rows, the first and those after 10,000, on SQLite and on PostgreSQL.

    python benchmarks/ledger_commits.py [COMMITS]

The background merges files meanwhile, as in service, and its CPU seconds are counted with the
commits'. PostgreSQL is a server of its own on this machine with its flushes on.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
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


def commits(ledger: Ledger, count: int) -> Spent:
    """What each commit took; one site and month each, by turns."""
    spent = list[tuple[float, float]]()
    for id, table in postings(count * SMALL, SMALL):
        spent.append(measured(lambda id=id, table=table: ledger.post(id, author="b", flows=table)))
    return spent


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name, databases() as urls:
        print(f"flush of the disk {fsync_seconds(Path(name)) * 1e3:.2f} ms")
        for kind, url in urls.items():
            ledger = Ledger.open(Path(name) / kind, database=url)
            spent = commits(ledger, count + LAST)
            told(f"{kind}: {SMALL} rows, the first {LAST} commits", spent[:LAST])
            told(f"{kind}: {SMALL} rows after {count:,} commits", spent[-LAST:], "bar: 10 ms")
            wall, cpu = np.sum(spent, axis=0)
            print(
                f"{kind}: {wall:.0f} s for all, CPU {cpu:.0f} s, then {timed(settle):.1f} s in the"
                f" background; {len(ledger.manifest.files('flows'))} files;"
                f" {str(verify(ledger, 2)).partition(':')[0]}; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            ledger.manifest.database.dispose()


if __name__ == "__main__":
    main()
