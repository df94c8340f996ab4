"""The same Ibis expressions on DuckDB and on a local Spark: seconds, and how far they differ.

    python benchmarks/ledger_engines.py [ROWS [LEDGER_FOLDER]]      # make scale

A roll-up by month, site and material as of half the postings, with a moving sum of three months
and the month before. A ledger that is there already is read, not posted to.
"""

import sys
import tempfile
import time
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa
from ledger_scale import post

from cupral.ledger.ledger import Ledger

KEYS = ("month", "site", "material", "origin", "unit")
SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "4g",
}  # fmt: skip


def answered(expression: Any, engine: str) -> pa.Table:
    """The answer in order of its keys; prints the seconds of two runs."""
    spent = []
    for _ in range(2):
        begin = time.perf_counter()
        found = expression.to_pyarrow()
        spent.append(time.perf_counter() - begin)
    print(f"{engine:10s} first {spent[0]:6.2f} s, again {spent[1]:6.2f} s; {found.num_rows:,} rows")
    return found.sort_by([(name, "ascending") for name in KEYS])


def difference(one: pa.Table, other: pa.Table) -> float:
    """Largest relative difference of any number; keys and counts must be equal."""
    assert all(one[name].to_pylist() == other[name].to_pylist() for name in (*KEYS, "rows"))
    worst = 0.0
    for name in ("amount", "variance", "moving", "before"):
        ours, theirs = (table[name].fill_null(0.0).to_numpy() for table in (one, other))
        scale = np.maximum(np.abs(theirs), np.finfo(float).tiny)
        worst = max(worst, float((np.abs(ours - theirs) / scale).max()))
    return worst


def compare(ledger: Ledger) -> None:
    """Ask both engines."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 (absent but for make scale)

    from cupral.ledger.stores import ibis  # noqa: PLC0415

    files = ledger.manifest.files("flows")
    until = timedelta(microseconds=ledger.manifest.recorded_at(ledger.head // 2))

    def question(rows: Any) -> Any:
        return ibis.trend(ibis.roll_up(ibis.as_of(rows, datetime(1970, 1, 1) + until)))

    here = answered(question(ibis.on_duckdb(files)), "DuckDB")
    builder, begin = SparkSession.builder.master("local[2]"), time.perf_counter()
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    print(f"Spark {session.version} started in {time.perf_counter() - begin:.1f} s")
    there = answered(question(ibis.on_spark(session, files)), "Spark")
    session.stop()
    worst = difference(there, here)
    print(f"largest relative difference {worst:.1e}; bar: 1e-12")
    assert worst <= 1e-12


def main() -> None:
    """Print the figures."""
    if find_spec("ibis") is None or find_spec("pyspark") is None:
        print("no Ibis or no Spark here; `make scale` has an environment with both")
        return
    if len(sys.argv) > 2:
        compare(Ledger.open(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        ledger = Ledger.open(name)
        post(ledger, int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000)
        compare(ledger)


if __name__ == "__main__":
    main()
