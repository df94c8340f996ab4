"""Questions to DuckDB, Spark and others as Ibis expressions; the only file that knows Ibis.

For who computes beyond one machine: an expression that is tried here on DuckDB runs unchanged on
a cluster. Sums are in floating point, so that engines differ in the last digits (by less than
1e-12, tests say); `Ledger.totals` is exact. It needs `pip install cupral[scale]`, and Spark
needs Java.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
from ibis.expr.types import Table

APART = ("origin", "unit")
"""What is never added up together."""


def on_duckdb(files: Sequence[Path], table: str = "flows") -> Table:
    """Rows of files (`ledger.manifest.files(table)`) in a DuckDB of its own."""
    connection = ibis.duckdb.connect()
    names = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in files)
    source = f"read_parquet([{names}], hive_partitioning=false)"
    connection.raw_sql("SET TimeZone = 'UTC'")
    connection.raw_sql(f'CREATE VIEW "{table}" AS SELECT * FROM {source}')  # noqa: S608
    return connection.table(table)


def on_spark(session: Any, files: Sequence[Path], table: str = "flows") -> Table:
    """The same rows in a Spark session, which must be able to read the ledger's folder."""
    session.conf.set("spark.sql.session.timeZone", "UTC")
    rows = session.read.parquet(*(path.as_posix() for path in files))
    rows.createOrReplaceTempView(table)
    return ibis.pyspark.connect(session).table(table)


def as_of(rows: Table, recorded_at: datetime) -> Table:
    """Rows that the ledger knew at a time (UTC), counter-rows included."""
    return rows.filter(rows["recorded_at"] <= ibis.literal(recorded_at, type="timestamp"))


def roll_up(rows: Table, *, by: Sequence[str] = ("month", "site", "material")) -> Table:
    """Signed sums of amount and variance, and the net count, by columns."""
    sign = rows["sign"].cast("float64")
    return rows.group_by([*by, *(name for name in APART if name not in by)]).aggregate(
        amount=(sign * rows["amount"]).sum(),
        variance=(sign * rows["sd"] * rows["sd"]).sum(),
        rows=rows["sign"].cast("int64").sum(),
    )


def trend(totals: Table, *, months: int = 3) -> Table:
    """Monthly sums with their moving sum and the month before; months without rows do not count.

    `totals` is what `roll_up` gives by month and other columns.
    """
    others = [
        name for name in totals.columns if name not in ("month", "amount", "variance", "rows")
    ]
    series = ibis.window(group_by=others, order_by="month")
    moving = ibis.window(
        group_by=others, order_by="month", preceding=months - 1, following=0
    )  # fmt: skip
    return totals.mutate(
        moving=totals["amount"].sum().over(moving),
        before=totals["amount"].lag().over(series),
    )
