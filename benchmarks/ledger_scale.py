"""The ledger at scale: posting, compaction, roll-ups, look-ups and audits over many million rows.

    python benchmarks/ledger_scale.py [ROWS [ROWS_A_POSTING [FOLDER]]]

ROWS 10_000_000 unless told; 101_000_000 takes a quarter of an hour and 12 GB of disk. Postings
are of one site and month up to 100,000 rows, of all sites beyond. The bare table beside it is a
DuckDB file with all columns of the ledger, rows in the order of month, site, material and start.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from ledger_speed import SITES, SMALL, flows, timed

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact, settle
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.protocol import Filter

MONTHS = 60
OF_ONE_SITE = 100_000
KEYS = "month, site, material, origin, unit"


def postings(rows: int, each: int) -> Iterator[tuple[str, pa.Table]]:
    """Postings of some rows each, over the months from 2021 on, site by site."""
    templates = [flows(each, seed) for seed in range(3)]
    count = -(-rows // each)
    months = min(MONTHS, count)
    for number in range(count):
        place = number % months
        year, month, site = 2021 + place // 12, place % 12 + 1, number // months % SITES
        template = templates[number % 3]
        shift = np.datetime64(datetime(year, month, 1), "us") - np.datetime64("2026-01-01", "us")
        moved = {name: template[name].to_numpy() + shift for name in ("start", "end")}
        if each <= OF_ONE_SITE:
            moved["site"] = pa.repeat(f"site-{site:03d}", each)
        for name, values in moved.items():
            template = template.set_column(template.schema.get_field_index(name), name, [values])
        yield f"p{number}", template


def post(ledger: Ledger, rows: int, each: int) -> None:
    """Post everything; print the rate."""
    spent, count, used = [], 0, time.process_time()
    for id, table in postings(rows, each):
        spent.append(timed(lambda id=id, table=table: ledger.post(id, author="b", flows=table)))
        count += each
    used, wait = time.process_time() - used, timed(settle)
    print(
        f"posted {count:,} rows in {len(spent):,} postings: {count / sum(spent) / 1e6:.2f} M"
        f" rows/s, CPU {used:.1f} s; the background went on for {wait:.1f} s"
    )
    files = len(ledger.manifest.files("flows"))
    made = timed(lambda: compact(ledger))
    print(f"{files} files before and {len(ledger.manifest.files('flows'))} after `compact`,"
          f" {made:.1f} s", flush=True)  # fmt: skip


def small_postings(ledger: Ledger) -> None:
    """100 rows at a time, after all the others; each into another month."""
    spent = [
        timed(lambda id=id, table=table: ledger.post(f"s{id}", author="b", flows=table))
        for id, table in postings(100 * SMALL, SMALL)
    ]
    told(f"post {SMALL} rows after {ledger.head - 100:,} postings", spent, "bar: 10 ms")


def told(what: str, spent: list[float], more: str = "") -> None:
    """Print median and 95th percentile."""
    median, late = np.percentile(spent, [50, 95]) * 1e3
    print(f"{what:58s}{median:9.1f} ms{late:9.1f} ms p95   {more}", flush=True)


def look_ups(ledger: Ledger, times: int) -> None:
    """A posting, a row, a site-material-month, on the open ledger."""
    chance = np.random.default_rng(1)
    rows = ledger.postings()
    asked = [rows[n] for n in chance.integers(0, len(rows), times)]

    def posting(row: dict[str, Any]) -> Callable[[], Any]:
        def read() -> pa.Table:
            files = ledger.manifest.files("flows", posting_seq=row["seq"])
            return ledger.scan.every("flows", files, Filter({"posting": (row["id"],)}))

        return read

    many = sum(row["rows"] for row in asked) // times
    told(f"all rows of a posting ({many:,})", [timed(posting(row)) for row in asked], "bar: 20 ms")
    told("a row, with what undoes it", [
        timed(lambda row=row: explain(ledger, f"flows:{row['id']}/{row['rows'] // 2}"))
        for row in asked], "bar: 20 ms")  # fmt: skip
    told("a site-material-month", [
        timed(lambda n=n: ledger.flows(
            site=f"site-{chance.integers(SITES):03d}", material=f"material-{n % 60:03d}",
            period=f"2021-{n % 4 + 1:02d}"))
        for n in range(times)], "bar: 20 ms")  # fmt: skip


def roll_up(ledger: Ledger, bare: Any, times: int) -> None:
    """The monthly roll-up by site and material beside the bare table."""
    sums = ("sum(sign * amount), sum(sign * sd * sd), sum(abs(amount)), sum(sign),"
            " bool_or(demonstration)")  # fmt: skip
    keys, few = ["month", "site", "material"], "month, site, material"
    head = ledger.head // 2
    same = f"SELECT {KEYS}, {sums} FROM flows GROUP BY ALL ORDER BY {KEYS}"  # noqa: S608
    lesser = (
        f"SELECT {few}, sum(amount), sum(sd * sd) FROM flows"  # noqa: S608
        f" GROUP BY ALL ORDER BY {few}"
    )
    asked: dict[str, Callable[[], Any]] = {
        "ledger": lambda: ledger.totals(by=keys),
        "ledger as of half": lambda: ledger.totals(by=keys, as_of=head),
        "bare, the same": lambda: bare.sql(same).to_arrow_table(),
        "bare, two sums by three keys": lambda: bare.sql(lesser).to_arrow_table(),
    }
    spent: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(times):
        for name, run in asked.items():
            spent[name].append(timed(run))
    for name, seconds in spent.items():
        told(f"roll-up: {name}", seconds)
    ours, _, full, part = (float(np.median(seconds)) for seconds in spent.values())
    print(f"ratio to the same question {ours / full:.2f} (bar: 1.25), to the lesser"
          f" {ours / part:.2f}; {ledger.totals(by=keys).num_rows:,} groups")  # fmt: skip


def bare_table(ledger: Ledger, path: Path) -> Any:
    """The same rows in a DuckDB file."""
    connection = duckdb.connect(str(path))
    names = [str(path) for path in ledger.manifest.files("flows")]
    connection.execute(
        "CREATE TABLE flows AS SELECT * FROM"  # noqa: S608
        f" read_parquet({names!r}, hive_partitioning=false) ORDER BY month, site, material, start"
    )
    return connection


def main() -> None:
    """Print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    each = int(sys.argv[2]) if len(sys.argv) > 2 else 8_400
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as name:
        folder = Path(name)
        ledger = Ledger.open(folder / "ledger")
        post(ledger, rows, each)
        size = sum(path.stat().st_size for path in ledger.manifest.files("flows"))
        print(f"{size / 1e9:.2f} GB, {size / rows:.0f} bytes a row")
        look_ups(ledger, 50)
        for level in (1, 2):
            used = time.process_time()
            spent = timed(lambda level=level: verify(ledger, level))
            used = time.process_time() - used
            print(
                f"audit level {level}: {spent:.1f} s, {rows / spent / 1e6:.2f} M rows/s,"
                f" CPU {used:.1f} s; bars at 101 M rows: 10 s and 60 s", flush=True,
            )  # fmt: skip
        small_postings(ledger)
        settle()
        bare = bare_table(ledger, folder / "bare.duckdb")
        roll_up(ledger, bare, 5)


if __name__ == "__main__":
    main()
