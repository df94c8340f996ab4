"""The ledger beside a bare DuckDB table that holds the same rows, in one run.

The bare table keeps no ids, hashes, corrections, units or earlier states; the ratio is what
these cost. Each operation is repeated, the two sides in turn, and the median is printed.
Run with ``python benchmarks/ledger_speed.py [--quick]`` on a quiet computer.
"""

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger

SITES, MATERIALS, SMALL = 200, 60, 100


def flows(count: int, seed: int, month: int = 1) -> pa.Table:
    """Hourly flows of a province in random order: as bad for sorting as can be."""
    rng = np.random.default_rng(seed)

    def one_of(name: str, kinds: int) -> pa.Array:
        names = pa.array([f"{name}-{kind:03d}" for kind in range(kinds)])
        return names.take(pa.array(rng.integers(0, kinds, count)))

    hours = rng.integers(0, 28 * 24, count).astype("timedelta64[h]")
    start = np.datetime64(datetime(2026, month, 1), "us") + hours
    return pa.table({
        "site": one_of("site", SITES), "stream": one_of("stream", 400),
        "source": one_of("process", 60), "target": one_of("process", 60),
        "material": one_of("material", MATERIALS), "amount": rng.random(count) * 1e4,
        "unit": pa.repeat("t", count), "start": start, "end": start + np.timedelta64(1, "h"),
        "origin": pa.repeat("measured", count), "sd": rng.random(count) * 100,
        "meter": one_of("meter", 800), "correlation_group": pa.repeat("", count),
        "correlation": np.zeros(count), "demonstration": pa.repeat(True, count),
        "lineage": pa.array([f"file-{n // 1000} line {n % 1000}" for n in range(count)]),
    })  # fmt: skip


class Bare:
    """A DuckDB file with one table of flows."""

    def __init__(self, path: Path) -> None:
        self.connection = duckdb.connect(str(path))
        rows = flows(1, 0)
        self.connection.register("given", rows)
        self.connection.execute("CREATE TABLE flows AS FROM given LIMIT 0")

    def post(self, rows: pa.Table) -> None:
        """Insert and commit."""
        self.connection.register("given", rows)
        self.connection.execute("INSERT INTO flows FROM given")

    def read(self, sql: str, *values: object) -> pa.Table:
        """Answer as an Arrow table."""
        return self.connection.sql(sql, params=list(values)).to_arrow_table()


def timed(run: Callable[[], Any]) -> float:
    """Seconds of one call."""
    gc.collect()
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def in_turn(ours: Callable[[int], Any], bare: Callable[[int], Any], times: int) -> list[float]:
    """Median seconds of both sides, run in turn."""
    pairs = [(timed(lambda n=n: ours(n)), timed(lambda n=n: bare(n))) for n in range(times)]
    return [float(np.median(side)) for side in zip(*pairs, strict=True)]


def line(what: str, pair: list[float], more: str = "") -> None:
    """Print one comparison."""
    ours, bare = pair
    print(f"{what:46s}{ours * 1e3:10.2f}{bare * 1e3:10.2f}{ours / bare:8.2f}   {more}", flush=True)


def fsync_seconds(folder: Path) -> float:
    """What the disk takes for one flush."""
    with (folder / "flush").open("wb") as stream:
        spent = []
        for _ in range(50):
            stream.write(b"x" * 4096)
            stream.flush()
            spent.append(timed(lambda: os.fsync(stream.fileno())))
    return float(np.median(spent))


def small_postings(ledger: Ledger, bare: Bare, postings: int) -> None:
    """100-row postings, the first and the last of many."""
    batches = [flows(SMALL, seed) for seed in range(20)]

    def ours(first: int) -> Callable[[int], Any]:
        return lambda n: ledger.post(f"s{first + n}", author="b", flows=batches[n % 20])

    for first, times, what in ((0, 100, "first 100"), (postings - 100, 100, f"after {postings}")):
        for n in range(ledger.head, first):
            ledger.post(f"s{n}", author="b", flows=batches[n % 20])
        pair = in_turn(ours(first), lambda n: bare.post(batches[n % 20]), times)
        line(f"post {SMALL} rows, {what} [ms]", pair, "bar: a few ms beyond 3 flushes")


def large_posting(ledger: Ledger, bare: Bare, count: int, times: int) -> None:
    """Postings of many rows in one month."""
    pair = in_turn(
        lambda n: ledger.post(f"l{n}", author="b", flows=flows_of[n]),
        lambda n: bare.post(flows_of[n]),
        times,
    ) if (flows_of := [flows(count, 50 + n, 2 + n) for n in range(times)]) else []  # fmt: skip
    line(f"post {count:,} rows [ms]", pair, f"{count / pair[0] / 1e6:.2f} M rows/s; bar: 1")


def reading(ledger: Ledger, bare: Bare, times: int) -> None:
    """One site and month; a roll-up; one explanation; on a compacted ledger."""
    sql = ("SELECT * FROM flows WHERE site = ? AND start >= ? AND start < ?"
           " ORDER BY site, stream, start")  # fmt: skip
    begin, end = datetime(2026, 1, 1), datetime(2026, 2, 1)
    pair = in_turn(
        lambda n: ledger.flows(site=f"site-{n % SITES:03d}", period="2026-01"),
        lambda n: bare.read(sql, f"site-{n % SITES:03d}", begin, end),
        times,
    )
    line("flows(site=, period=) of small postings [ms]", pair, "bar: 5 ms")
    pair = in_turn(
        lambda n: ledger.flows(site=f"site-{n % SITES:03d}", period="2026-02"),
        lambda n: bare.read(sql, f"site-{n % SITES:03d}", end, datetime(2026, 3, 1)),
        times,
    )
    line("flows(site=, period=) of the large month [ms]", pair)
    summed = ("SELECT site, material, unit, origin, sum(amount), sum(sd * sd) FROM flows"
              " GROUP BY ALL ORDER BY ALL")  # fmt: skip
    pair = in_turn(lambda _: ledger.totals(by=["site", "material"]), lambda _: bare.read(summed), 5)
    line("totals(by site, material) of all rows [ms]", pair)
    pair = in_turn(
        lambda n: explain(ledger, f"flows:s{n}/7"),
        lambda n: bare.read("SELECT * FROM flows WHERE rowid = ?", n),
        times,
    )
    line("explain a row of a small posting [ms]", pair, "bar: 20 ms")
    pair = in_turn(
        lambda n: explain(ledger, f"flows:l0/{n}"),
        lambda n: bare.read("SELECT * FROM flows WHERE rowid = ?", n),
        times,
    )
    line("explain a row of the large posting [ms]", pair, "bar: 20 ms")


def main() -> None:
    """Print the table."""
    quick = "--quick" in sys.argv
    postings, count, times = (400, 200_000, 1) if quick else (2_000, 1_000_000, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger, bare = Ledger.open(folder / "ledger"), Bare(folder / "bare.duckdb")
        print(
            f"flush of the disk {fsync_seconds(folder) * 1e3:.2f} ms; load {os.getloadavg()[0]:.1f}"
        )
        print(f"{'':46s}{'ledger':>10s}{'bare':>10s}{'ratio':>8s}")
        small_postings(ledger, bare, postings)
        large_posting(ledger, bare, count, times)
        spent = timed(lambda: compact(ledger))
        print(f"compact {postings + times} files: {spent:.2f} s")
        reading(ledger, bare, 30)
        for level in (1, 2):
            spent = timed(lambda level=level: verify(ledger, level))
            print(f"audit level {level}: {spent:.2f} s; {verify(ledger, 1)}")


if __name__ == "__main__":
    main()
