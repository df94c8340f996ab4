"""DuckDB reads the Parquet files of one snapshot; the only file that knows DuckDB."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.errors import Damaged, InputError
from cupral.ledger.flow import SCHEMAS, TIME_COLUMN
from cupral.ledger.stores import sums
from cupral.ledger.stores.order import order, ordered, taken
from cupral.ledger.stores.protocol import Filter
from cupral.ledger.stores.rows import standing

_SUMMED = {
    "amount": pa.float64(), "variance": pa.float64(), "rows": pa.int64(),
    "demonstration": pa.bool_(),
}  # fmt: skip
_VALUES = {"amount": "sign * amount", "variance": "sign * sd * sd"}


def _added(name: str, value: str) -> str:
    """Sum of rows as two whole numbers: exact, whatever threads and compaction do to the order.

    An amount that is undone leaves exactly zero.
    """
    rest = f"({value} - trunc({value})) * {float(sums.GRID)}"
    return (
        f"sum(CAST(trunc({value}) AS BIGINT)) AS {name}_whole,"
        f" sum(CAST({rest} AS BIGINT)) AS {name}_rest"
    )


def _kept(name: str, _: str) -> str:
    """The same of the sums that files keep."""
    rest = f"sum({name}_upper) * {sums.HALF} + sum({name}_lower)"
    return f"sum({name}_whole) AS {name}_whole, {rest} AS {name}_rest"


def _joined(name: str, _: str) -> str:
    """One number of both parts."""
    exact = f"sum({name}_whole) * CAST({sums.GRID} AS HUGEINT) + sum({name}_rest)"
    return f"CAST({exact} AS DOUBLE) / {float(sums.GRID)} AS {name}"


def _decimal(name: str, value: str) -> str:
    """Sum of rows beyond 64 bits, in 15 places: exact too, and slower."""
    return f"CAST(sum(CAST({value} AS DECIMAL(38,15))) AS DOUBLE) AS {name}"


def _grouped(by: Sequence[str], scope: str, summed: Callable[[str, str], str], rows: str) -> str:
    """Sums by columns; `rows` is what adds up to the count."""
    both = ", ".join(summed(*pair) for pair in _VALUES.items())
    count = f"sum({rows}) AS rows, bool_or(demonstration) AS demonstration"
    keys = _named(by)
    return f"SELECT {keys}, {both}, {count} FROM {scope} GROUP BY {keys}"  # noqa: S608


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


class DuckScan:
    """Answers from an in-memory DuckDB over lists of files; any thread may ask."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET enable_progress_bar=false")
        self._connection.execute("SET parquet_metadata_cache=true")
        self._connection.execute("SET preserve_insertion_order=false")  # rows are ordered here
        self._lock = Lock()

    def current(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """Rows that stand: entered and not undone, by month, site, posting, row."""
        rows, by = self._rows(table, files, asked), ("month", "site", "posting", "row")
        places, stand = order(rows, by), standing(rows)
        if not pc.all(stand).as_py():
            places = places.filter(stand.combine_chunks().take(places))
        return taken(rows, places)

    def every(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """All rows, counter-entries included, in order of posting and row."""
        return ordered(self._rows(table, files, asked), ("posting", "row"))

    def totals(
        self, table: str, files: Sequence[Path], asked: Filter, by: Sequence[str]
    ) -> pa.Table:
        """Signed sums of amount and variance, net count and demonstration flag."""
        names = SCHEMAS[table].names
        unknown = [name for name in by if name not in names]
        if unknown or not by:
            raise InputError(f"{table} cannot be summed by {unknown}; use columns of {names}")
        fields = [SCHEMAS[table].field(name) for name in by]
        schema = pa.schema(fields + [pa.field(name, kind) for name, kind in _SUMMED.items()])
        if not files:
            return schema.empty_table()
        try:
            return self._exactly(table, files, asked, by, schema)
        except duckdb.DataError:  # beyond 64 bits
            scope, values = _scope(table, files, asked)
            sql = f"{_grouped(by, scope, _decimal, 'sign')} ORDER BY {_named(by)}"
            return self._fetch(sql, values, schema)

    def _exactly(
        self, table: str, files: Sequence[Path], asked: Filter, by: Sequence[str], schema: pa.Schema
    ) -> pa.Table:
        """Sums that files keep, and those of the rows of other files, in one query."""
        kept = dict[Path, pa.Table]()
        if asked.within is None and sums.answer(by, asked.equal):
            found = {path: sums.kept(path) for path in files}
            kept = {path: table for path, table in found.items() if table is not None}
        others = [path for path in files if path not in kept]
        where, values = _where(table, asked)
        parts = list[str]()
        if others:
            parts.append(_grouped(by, f"{_read(others)} WHERE {where}", _added, "sign"))
        if kept:
            parts.append(_grouped(by, f"sums WHERE {where}", _kept, "rows"))
        both = " UNION ALL ".join(f"(FROM ({part}))" for part in parts)
        sql = f"{_grouped(by, f'({both})', _joined, 'rows')} ORDER BY {_named(by)}"
        return self._fetch(sql, values * len(parts), schema, [*kept.values()])

    def _rows(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        if not files:
            return SCHEMAS[table].empty_table()
        scope, values = _scope(table, files, asked)
        sql = f"SELECT {_named(SCHEMAS[table].names)} FROM {scope}"  # noqa: S608
        return self._fetch(sql, values, SCHEMAS[table])

    def _fetch(
        self, sql: str, values: list[object], schema: pa.Schema, kept: Sequence[pa.Table] = ()
    ) -> pa.Table:
        with self._lock:
            cursor = self._connection.cursor()
        try:
            if kept:
                cursor.register("sums", pa.concat_tables(kept))
            return cursor.sql(sql, params=values).to_arrow_table().cast(schema)
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            reason = str(error).splitlines()[0]
            raise Damaged(f"{reason}; `cupral audit verify` names all damages") from None
        finally:
            cursor.close()


def _scope(table: str, files: Sequence[Path], asked: Filter) -> tuple[str, list[object]]:
    where, values = _where(table, asked)
    return f"{_read(files)} WHERE {where}", values


def _read(files: Sequence[Path]) -> str:
    names = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in files)
    return f"read_parquet([{names}], hive_partitioning=false)"


def _where(table: str, asked: Filter) -> tuple[str, list[object]]:
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
    return " AND ".join(where), values
