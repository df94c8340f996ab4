"""DuckDB reads the Parquet files of one snapshot; the only file that knows DuckDB."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa

from cupral.ledger.flow import SCHEMAS
from cupral.ledger.stores.protocol import Filter

_GROSS_ZERO = 1e-12
"""An exactly undone group may leave this share of its gross sum; it is zero."""


class DuckScan:
    """Answers from an in-memory DuckDB over lists of files."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET TimeZone='UTC'")
        self._connection.execute("SET enable_progress_bar=false")
        self._lock = Lock()

    def current(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """Rows that stand: entered and not undone, ordered by month, site, posting, row."""
        scope, values = _scope(files, asked)
        names = ", ".join(f's."{name}"' for name in SCHEMAS[table].names)
        return self._fetch(
            f"WITH scope AS ({scope}) SELECT {names} FROM scope s WHERE s.sign = 1"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM scope c WHERE c.sign = -1"
            " AND c.corrects = s.posting || '/' || s.row)"
            " ORDER BY s.month, s.site, s.posting, s.row",
            values,
            table,
            files,
        )

    def every(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """All rows, counter-entries included, ordered by posting and row."""
        scope, values = _scope(files, asked)
        names = ", ".join(f'"{name}"' for name in SCHEMAS[table].names)
        return self._fetch(
            f"SELECT {names} FROM ({scope}) ORDER BY posting, row",  # noqa: S608
            values,
            table,
            files,
        )

    def totals(
        self, table: str, files: Sequence[Path], asked: Filter, by: Sequence[str]
    ) -> pa.Table:
        """Signed sums of amount and variance, gross amount and net count by columns."""
        if not files:
            return pa.table({name: pa.array([], pa.string()) for name in by})
        unknown = [name for name in by if name not in SCHEMAS[table].names]
        if unknown:
            raise ValueError(f"{table} has no columns {unknown}; it has {SCHEMAS[table].names}")
        scope, values = _scope(files, asked)
        keys = ", ".join(f'"{name}"' for name in by)
        return self._fetch(
            f"SELECT {keys}, CASE WHEN abs(net) <= {_GROSS_ZERO} * gross THEN 0 ELSE net END AS"  # noqa: S608
            " amount, greatest(variance, 0) AS variance, gross, rows FROM ("
            f"SELECT {keys}, sum(sign * amount) AS net, sum(sign * sd * sd) AS variance,"
            f" sum(abs(amount)) AS gross, sum(sign) AS rows FROM ({scope}) GROUP BY {keys})"
            f" ORDER BY {keys}",
            values,
            None,
            files,
        )

    def _fetch(
        self, sql: str, values: list[object], table: str | None, files: Sequence[Path]
    ) -> pa.Table:
        if not files and table is not None:
            return SCHEMAS[table].empty_table()
        with self._lock:
            cursor = self._connection.cursor()
        try:
            fetched = cursor.sql(sql, params=values).to_arrow_table()
        finally:
            cursor.close()
        return fetched if table is None else fetched.cast(SCHEMAS[table])


def _scope(files: Sequence[Path], asked: Filter) -> tuple[str, list[object]]:
    names = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in files)
    where, values = ["true"], list[object]()
    for column, allowed in asked.equal.items():
        where.append(f'"{column}" IN ({", ".join("?" * len(allowed))})')
        values.extend(allowed)
    for bound, operator, column in (
        (asked.first, ">=", "month"),
        (asked.last, "<=", "month"),
    ):
        if bound is not None:
            where.append(f"{column} {operator} ?")
            values.append(bound)
    if asked.recorded_until is not None:
        where.append("epoch_us(recorded_at) <= ?")
        values.append(asked.recorded_until)
    clause = " AND ".join(where)
    return (
        f"SELECT * FROM read_parquet([{names}], hive_partitioning=false) WHERE {clause}",  # noqa: S608
        values,
    )
