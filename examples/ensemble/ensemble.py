"""A reconciliation a thousand times over, on all partitions of a Spark.

Readings y of a site's month, with standard uncertainties s, do not balance. Reconciled flows are

    x = argmin sum(((y - x) / s)^2)   subject to   A x = 0,

with a row of A for each process: +1 for what enters, -1 for what leaves. Draw n asks what would
have been found had the meters erred otherwise: y + s e_n in the place of y, e_n standard normal.
The spread of x over the draws must be the sd that `reconcile` computes in one step; with limits
or products in the equations there is no such formula, and the draws are the answer.

A draw depends on its number alone (it seeds the generator), so it does not matter which partition
makes it: Spark and one process give the same digits, all of them.

    python examples/ensemble/ensemble.py [DRAWS]      # pip install cupral[scale]; Java
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupral.ledger.flow import OUTSIDE, Flow
from cupral.ledger.ledger import Ledger
from cupral.methods.reconcile import reconcile

SCHEMA = pa.schema([("draw", pa.int64()), ("stream", pa.string()), ("amount", pa.float64())])
SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
}  # fmt: skip
READINGS = {  # stream: from, to, t of copper in March, its standard uncertainty
    "concentrate": (OUTSIDE, "smelting", 24_300.0, 250.0),
    "matte": ("smelting", "converting", 24_900.0, 400.0),
    "slag": ("smelting", "slag-cleaning", 900.0, 60.0),
    "cleaned-matte": ("slag-cleaning", "converting", 640.0, 50.0),
    "discard": ("slag-cleaning", OUTSIDE, 180.0, 20.0),
    "blister": ("converting", "refining", 24_950.0, 200.0),
    "cathode": ("refining", OUTSIDE, 24_210.0, 60.0),
}


@dataclass(frozen=True, slots=True)
class Month:
    """One site's month as a problem: what every partition is sent."""

    streams: tuple[str, ...]
    incidence: NDArray[Any]
    measured: NDArray[Any]
    sd: NDArray[Any]


def month_of(rows: pa.Table) -> Month:
    """The problem that the rows of a month pose: each flow has two ends."""
    ends = {name: rows[name].to_pylist() for name in ("source", "target")}
    processes = sorted({*ends["source"], *ends["target"]} - {OUTSIDE})
    into, out_of = (
        np.array([[end == process for end in ends[name]] for process in processes], dtype=float)
        for name in ("target", "source")
    )
    readings = (rows[name].to_numpy() for name in ("amount", "sd"))
    return Month(tuple(rows["stream"].to_pylist()), into - out_of, *readings)


def drawn(month: Month, draws: Iterable[int]) -> pa.RecordBatch:
    """Reconciled flows of some draws."""
    numbers, found = list(draws), []
    for number in numbers:
        noise = np.random.default_rng([2026, number]).standard_normal(len(month.sd))
        readings = month.measured + month.sd * noise
        found.append(reconcile(month.incidence, readings, month.sd, uncertainty=False).value)
    columns = [
        np.repeat(np.array(numbers, dtype=np.int64), len(month.streams)),
        pa.array(month.streams * len(numbers), pa.string()),
        np.concatenate([np.empty(0), *found]),
    ]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=SCHEMA)


def on_spark(session: Any, month: Month, draws: int, partitions: int) -> pa.Table:
    """All draws, divided among the partitions of a Spark."""

    def some(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield drawn(month, batch["id"].to_pylist())

    numbers = session.range(0, draws, numPartitions=partitions)
    found = numbers.mapInArrow(some, "draw long, stream string, amount double")
    return found.orderBy("draw").toArrow()


def readings(folder: str) -> pa.Table:
    """Rows of March, posted to a ledger and read back from it."""
    span = {"start": datetime(2026, 3, 1), "end": datetime(2026, 4, 1)}
    ledger = Ledger.open(folder)
    ledger.post("march", author="example", flows=[
        Flow(site="S", stream=stream, source=source, target=target, material="Cu", amount=amount,
             unit="t", origin="measured", sd=sd, demonstration=True, **span)
        for stream, (source, target, amount, sd) in READINGS.items()
    ])  # fmt: skip
    return ledger.flows(site="S", period="2026-03", origin="measured")


def in_order(found: pa.Table) -> pa.Table:
    """By draw and stream."""
    return found.sort_by([("draw", "ascending"), ("stream", "ascending")]).combine_chunks()


def main() -> int:
    """Print the table; 0 if Spark and one process agree to the last digit."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 (only who runs it needs Spark)

    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        month = month_of(readings(folder))
    there = in_order(on_spark(session, month, draws, partitions=8))
    here = in_order(pa.Table.from_batches([drawn(month, range(draws))]))
    session.stop()
    once = reconcile(month.incidence, month.measured, month.sd)
    print(
        f"{'stream':16s}{'measured':>10s}{'reconciled':>12s}{'sd':>8s}{'sd of draws':>13s}  [t Cu]"
    )
    for place, stream in enumerate(month.streams):
        spread = here.filter(pc.field("stream") == stream)["amount"].to_numpy().std(ddof=1)
        print(f"{stream:16s}{month.measured[place]:10.0f}{once.value[place]:12.1f}"
              f"{once.sd[place]:8.1f}{spread:13.1f}")  # fmt: skip
    same = there.num_rows == len(month.streams) * draws and there.equals(here)
    print(f"{draws} draws on 8 partitions and in one process: {'equal' if same else 'DIFFERENT'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
