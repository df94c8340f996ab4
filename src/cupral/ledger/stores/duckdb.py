"""DuckDB reads the Parquet files of one snapshot; the only file that knows DuckDB."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.errors import Damaged, InputError
from cupral.ledger.flow import SCHEMAS, TIME_COLUMN
from cupral.ledger.stores.order import ordered
from cupral.ledger.stores.protocol import Filter
from cupral.ledger.stores.rows import references

_GRID = float(2**62)
_SUMMED = {
    "amount": pa.float64(), "variance": pa.float64(), "gross": pa.float64(), "rows": pa.int64(),
    "demonstration": pa.bool_(),
}  # fmt: skip


def _by_parts(value: str, where: str = "") -> str:
    """Sum of whole numbers and of the rest on a grid of 2**-62: integers, so exact and quick."""
    whole = f"sum(CAST(trunc({value}) AS BIGINT)){where}"
    rest = f"sum(CAST(({value} - trunc({value})) * {_GRID} AS BIGINT)){where}"
    return f"CAST(CAST({whole} AS HUGEINT) * CAST({_GRID} AS HUGEINT) + {rest} AS DOUBLE) / {_GRID}"


def _by_decimals(value: str, where: str = "") -> str:
    """The same for values beyond 1e18, as decimals of 15 places: exact, and slower."""
    return f"CAST(sum(CAST({value} AS DECIMAL(38,15))){where} AS DOUBLE)"


def _sums(exact: Callable[..., str]) -> str:
    """Sums that neither threads nor compaction change in the last bit.

    An amount that is undone leaves exactly zero.
    """
    amount, variance = exact("sign * amount"), exact("sign * sd * sd")
    negative = exact("sign * amount", " FILTER (sign * amount < 0)")
    return (
        f"{amount} AS amount, {variance} AS variance,"
        f" {amount} - 2 * coalesce({negative}, 0) AS gross,"
        " sum(sign) AS rows, bool_or(demonstration) AS demonstration"
    )


class DuckScan:
    """Answers from an in-memory DuckDB over lists of files; any thread may ask."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET enable_progress_bar=false")
        self._connection.execute("SET parquet_metadata_cache=true")
        self._lock = Lock()

    def current(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """Rows that stand: entered and not undone, by month, site, posting, row."""
        rows = self._rows(table, files, asked, ("month", "site", "posting", "row"))
        entries = pc.equal(rows["sign"], 1)
        if pc.all(entries).as_py():
            return rows
        undone = rows.filter(pc.invert(entries))["corrects"]
        standing = pc.invert(pc.is_in(references(rows), value_set=undone))
        return rows.filter(pc.and_(entries, standing))

    def every(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """All rows, counter-entries included, in order of posting and row."""
        return self._rows(table, files, asked, ("posting", "row"))

    def totals(
        self, table: str, files: Sequence[Path], asked: Filter, by: Sequence[str]
    ) -> pa.Table:
        """Signed sums of amount and variance, gross amount, net count and demonstration flag."""
        names = SCHEMAS[table].names
        unknown = [name for name in by if name not in names]
        if unknown or not by:
            raise InputError(f"{table} cannot be summed by {unknown}; use columns of {names}")
        fields = [SCHEMAS[table].field(name) for name in by]
        schema = pa.schema(fields + [pa.field(name, kind) for name, kind in _SUMMED.items()])
        if not files:
            return schema.empty_table()
        scope, values = _scope(table, files, asked)
        keys = ", ".join(f'"{name}"' for name in by)

        def summed(exact: Callable[..., str]) -> pa.Table:
            sums = _sums(exact)
            sql = f"SELECT {keys}, {sums} FROM {scope} GROUP BY {keys} ORDER BY {keys}"  # noqa: S608
            return self._fetch(sql, values, schema)

        try:
            return summed(_by_parts)
        except duckdb.DataError:  # beyond 64 bits
            return summed(_by_decimals)

    def _rows(
        self, table: str, files: Sequence[Path], asked: Filter, by: Sequence[str]
    ) -> pa.Table:
        if not files:
            return SCHEMAS[table].empty_table()
        scope, values = _scope(table, files, asked)
        names = ", ".join(f'"{name}"' for name in SCHEMAS[table].names)
        sql = f"SELECT {names} FROM {scope}"  # noqa: S608
        return ordered(self._fetch(sql, values, SCHEMAS[table]), by)

    def _fetch(self, sql: str, values: list[object], schema: pa.Schema) -> pa.Table:
        with self._lock:
            cursor = self._connection.cursor()
        try:
            return cursor.sql(sql, params=values).to_arrow_table().cast(schema)
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            reason = str(error).splitlines()[0]
            raise Damaged(f"{reason}; `cupral audit verify` names all damages") from None
        finally:
            cursor.close()


def _scope(table: str, files: Sequence[Path], asked: Filter) -> tuple[str, list[object]]:
    names = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in files)
    where, values = ["true"], list[object]()
    for column, allowed in asked.equal.items():
        where.append(f'"{column}" IN ({", ".join("?" * len(allowed))})')
        values.extend(allowed)
    begin, end = asked.within or (None, None)
    time = TIME_COLUMN[table]
    for bound, condition in (
        (asked.first, "month >= ?"),
        (asked.last, "month <= ?"),
        (begin, f'"{time}" >= ?'),
        (end, f'"{time}" < ?'),
        (asked.recorded_until, "epoch_us(recorded_at) <= ?"),
    ):
        if bound is not None:
            where.append(condition)
            values.append(bound)
    return f"read_parquet([{names}], hive_partitioning=false) WHERE {' AND '.join(where)}", values
