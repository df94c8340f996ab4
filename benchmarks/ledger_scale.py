"""The ledger at scale: posting, compaction, roll-ups, look-ups and audits over many million rows.

    python benchmarks/ledger_scale.py [ROWS [FOLDER]]

ROWS 10_000_000 unless told; 101_000_000 takes half an hour and 12 GB of disk. A FOLDER is kept,
and what it holds already is not posted again. Nine tenths of the rows come in postings of a
million, of all sites in one month; the rest in postings of one site and month, of which every
tenth is reversed. All is merged before it is read. The bare table beside the ledger is a DuckDB
file with all its columns, rows in the order of month, site, material and start; its roll-up adds
the same things up by the same keys, in floating point. Medians of seconds on the wall and of CPU
seconds of all threads: on a busy computer compare the latter.
"""

import gc
import os
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
MILLION = 1_000_000
OF_A_SITE = 8_400
KEYS = "month, site, material, origin, unit"


def postings(rows: int, each: int, name: str = "p") -> Iterator[tuple[str, pa.Table]]:
    """Postings of some rows each, over the months from 2021 on; small ones site by site."""
    templates = [flows(each, seed) for seed in range(3)]
    count = -(-rows // each)
    months = min(MONTHS, count)
    for number in range(count):
        place = number % months
        year, month, site = 2021 + place // 12, place % 12 + 1, number // months % SITES
        template = templates[number % 3]
        shift = np.datetime64(datetime(year, month, 1), "us") - np.datetime64("2026-01-01", "us")
        moved = {name: template[name].to_numpy() + shift for name in ("start", "end")}
        if each < MILLION:
            moved["site"] = pa.repeat(f"site-{site:03d}", each)
        for column, values in moved.items():
            index = template.schema.get_field_index(column)
            template = template.set_column(index, column, [values])
        yield f"{name}{number}", template


def post(ledger: Ledger, rows: int) -> None:
    """Post everything, undo some, merge the files; print what it takes."""
    large = rows * 9 // 10 // MILLION
    for name, count, each in (("l", large * MILLION, MILLION), ("p", rows // 10, OF_A_SITE)):
        spent = [
            measured(lambda id=id, table=table: ledger.post(id, author="b", flows=table))
            for id, table in postings(count, each, name)
        ]
        if spent:
            wall, cpu = each / np.median(spent, axis=0) / 1e6
            more = f"{wall:.2f} M rows/s, bar: 1; {cpu:.2f} M a CPU second"
            told(f"post {each:,} rows ({len(spent):,} times)", spent, more)
    undone = range(0, len(spent), 10)
    told(f"reverse a posting of {OF_A_SITE:,} rows ({len(undone)} times)", [
        measured(lambda n=n: ledger.reverse(f"p{n}", author="b", reason="wrong")) for n in undone
    ])  # fmt: skip
    print(f"the background went on for {timed(settle):.1f} s; {_size(ledger)}")
    told("compact", [measured(lambda: compact(ledger))])


def _size(ledger: Ledger) -> str:
    files = ledger.manifest.files("flows")
    size, rows = (
        sum(path.stat().st_size for path in files),
        sum(r["rows"] for r in ledger.postings()),
    )
    return (
        f"{rows:,} rows, {len(files)} files, {size / 1e9:.2f} GB, {size / rows:.0f} bytes a row;"
        f" load {os.getloadavg()[0]:.1f}"
    )


def small_postings(ledger: Ledger) -> None:
    """100 rows at a time, after all the others; each into another month."""
    spent = [
        measured(lambda id=id, table=table: ledger.post(f"s{id}", author="b", flows=table))
        for id, table in postings(100 * SMALL, SMALL)
    ]
    told(f"post {SMALL} rows after {ledger.head - 100:,} postings", spent, "bar: 10 ms")


Spent = list[tuple[float, float]]
"""Seconds on the wall and of the CPU of some runs."""


def measured(run: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the wall and of the CPU."""
    gc.collect()
    used, begin = time.process_time(), time.perf_counter()
    run()
    return time.perf_counter() - begin, time.process_time() - used


def told(what: str, spent: Spent, more: str = "") -> None:
    """Print medians, and the 95th percentile on the wall."""
    (wall, cpu), late = np.median(spent, axis=0) * 1e3, np.percentile(spent, 95, axis=0)[0] * 1e3
    print(f"{what:52s}{wall:9.1f} ms{late:9.1f} p95{cpu:9.1f} CPU   {more}", flush=True)


def ratio(what: str, ours: Spent, theirs: Spent, bar: float) -> None:
    """Print by how much one takes longer than another."""
    wall, cpu = np.median(ours, axis=0) / np.median(theirs, axis=0)
    print(f"{what:52s}{wall:9.2f} x {'':12s}{cpu:9.2f} CPU   bar: {bar:g}", flush=True)


def in_turn(asked: dict[str, Callable[[], Any]], times: int) -> dict[str, Spent]:
    """Ask all in turn; print and return what each took."""
    spent: dict[str, Spent] = {name: [] for name in asked}
    for _ in range(times):
        for name, run in asked.items():
            spent[name].append(measured(run))
    for name, runs in spent.items():
        told(name, runs)
    return spent


def look_ups(ledger: Ledger, times: int) -> None:
    """A posting, a row, a site-material-month, on the open ledger."""
    chance = np.random.default_rng(1)
    rows = [row for row in ledger.postings() if row["rows"] <= OF_A_SITE]
    asked = [rows[n] for n in chance.integers(0, len(rows), times)]

    def posting(row: dict[str, Any]) -> Callable[[], Any]:
        def read() -> pa.Table:
            files = ledger.manifest.files("flows", posting_seq=row["seq"])
            return ledger.scan.every("flows", files, Filter({"posting": (row["id"],)}))

        return read

    many = sum(row["rows"] for row in asked) // times
    spent = [measured(posting(row)) for row in asked]
    told(f"all rows of a posting ({many:,})", spent, "bar: 20 ms")
    told("a row, with what undoes it", [
        measured(lambda row=row: explain(ledger, f"flows:{row['id']}/{row['rows'] // 2}"))
        for row in asked], "bar: 20 ms")  # fmt: skip
    told("a site-material-month", [
        measured(lambda n=n: ledger.flows(
            site=f"site-{chance.integers(SITES):03d}", material=f"material-{n % 60:03d}",
            period=f"2021-{n % 4 + 1:02d}"))
        for n in range(times)], "bar: 20 ms")  # fmt: skip


def months(ledger: Ledger, times: int) -> None:
    """All rows of a month: as they lie in the files, those that stand, and as of half."""
    bare = duckdb.connect()
    names = [str(path) for path in ledger.manifest.files("flows", months=(202101, 202101))]
    raw = f"FROM read_parquet({names!r}, hive_partitioning=false)"
    as_of = ledger.head // 2
    spent = in_turn({
        "rows of a month: raw": lambda: bare.sql(raw).to_arrow_table(),
        "rows of a month: current": lambda: ledger.flows(period="2021-01"),
        "rows of a month: as of half": lambda: ledger.flows(period="2021-01", as_of=as_of),
    }, times)  # fmt: skip
    raw_rows, current, earlier = spent.values()
    ratio("rows: current to raw", current, raw_rows, 2)
    ratio("rows: as of to current", earlier, current, 2)


def roll_up(ledger: Ledger, bare: Any, times: int) -> None:
    """The monthly roll-up by site and material: from sums, from rows, from the bare table."""
    names = [str(path) for path in ledger.manifest.files("flows")]
    sums = "sum(sign * amount), sum(sign * sd * sd), sum(sign), bool_or(demonstration)"
    same = f"SELECT {KEYS}, {sums} FROM {{}} GROUP BY ALL ORDER BY {KEYS}"  # noqa: S608
    raw = same.format(f"read_parquet({names!r}, hive_partitioning=false)")
    keys, by_stream = ["month", "site", "material"], ["month", "site", "stream"]
    told("roll-up: the first time", [measured(lambda: ledger.totals(by=keys))])
    spent = in_turn({
        "roll-up: current": lambda: ledger.totals(by=keys),
        "roll-up: as of half": lambda: ledger.totals(by=keys, as_of=ledger.head // 2),
        "roll-up: bare table": lambda: bare.sql(same.format("flows")).to_arrow_table(),
        "roll-up: raw, from the files in floating point": lambda: bare.sql(raw).to_arrow_table(),
        "roll-up by stream, for which no sums are kept": lambda: ledger.totals(by=by_stream),
    }, times)  # fmt: skip
    current, earlier, table, files, _ = spent.values()
    ratio("roll-up: current to bare table", current, table, 1.25)
    ratio("roll-up: current to raw", current, files, 2)
    ratio("roll-up: as of to current", earlier, current, 2)
    print(f"{ledger.totals(by=keys).num_rows:,} groups")


def bare_table(ledger: Ledger, path: Path) -> Any:
    """The same rows in a DuckDB file."""
    path.unlink(missing_ok=True)
    connection = duckdb.connect(str(path))
    months: dict[str, list[str]] = {}
    for file in ledger.manifest.files("flows"):
        months.setdefault(file.parent.name, []).append(str(file))
    for number, (_, names) in enumerate(sorted(months.items())):
        made = "INSERT INTO flows" if number else "CREATE TABLE flows AS"
        source = f"read_parquet({names!r}, hive_partitioning=false)"
        order = "ORDER BY site, material, start"
        connection.execute(f"{made} SELECT * FROM {source} {order}")  # noqa: S608
    connection.execute("CHECKPOINT")
    return connection


def audits(ledger: Ledger, rows: int) -> None:
    """Both levels."""
    for level in (1, 2):
        found = list[Any]()
        spent = measured(lambda level=level, found=found: found.append(verify(ledger, level)))
        more = f"{rows / spent[0] / 1e6:.1f} M rows/s; bar at 101 M rows: {10 if level < 2 else 60}"
        told(f"audit level {level}, {'intact' if found[0].intact else found[0]}", [spent], more)


def main() -> None:
    """Print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(sys.argv[2] if len(sys.argv) > 2 else name)
        ledger = Ledger.open(folder / "ledger")
        if not ledger.head:
            post(ledger, rows)
        print(_size(ledger))
        look_ups(ledger, 50)
        months(ledger, 5)
        roll_up(ledger, bare_table(ledger, folder / "bare.duckdb"), 5)
        audits(ledger, rows)
        small_postings(ledger)


if __name__ == "__main__":
    main()
