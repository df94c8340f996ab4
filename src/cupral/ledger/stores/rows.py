"""From nouns or Arrow tables to the rows of a posting: units, header columns, counter-rows."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.errors import InputError
from cupral.ledger.flow import HEADER, NOUNS, SCHEMAS, TIME_COLUMN, Origin
from cupral.ledger.quantity import canonical_unit, factor

KEYS = {
    "flows": ("site", "stream", "meter", "material", "origin", "start", "end"),
    "assays": ("site", "stream", "meter", "element", "origin", "start", "end"),
    "stocktakes": ("site", "process", "meter", "material", "origin", "instant"),
}
"""The natural key of a row: two current rows with one key say the same thing twice."""

_SCALED = {"flows": ("amount", "sd"), "stocktakes": ("amount", "sd"), "assays": ()}
_NULLABLE = {"detection_limit"}


def given(table: str, nouns: Iterable[Any] | pa.Table, posting: str, first_row: int) -> pa.Table:
    """Rows as they will be posted, without recorded_at.

    Raises
    ------
    InputError
        If a column is missing or a value is not allowed.
    """
    rows = nouns if isinstance(nouns, pa.Table) else _from_nouns(table, list(nouns))
    rows = _canonical_units(table, rows)
    _check(table, rows)
    return _with_header(table, rows, posting, first_row, np.ones(rows.num_rows), None)


def counter(table: str, current: pa.Table, posting: str, first_row: int) -> pa.Table:
    """Counter-rows that undo current rows: the same again with the sign turned."""
    references = _references(current)
    signs = -current.column("sign").to_numpy().astype(np.int8)
    return _with_header(table, current, posting, first_row, signs, references)


def keyed(table: str, rows: pa.Table, wanted: pa.Table) -> pa.Table:
    """Those rows whose natural key occurs in the wanted rows."""
    if rows.num_rows == 0 or wanted.num_rows == 0:
        return rows.slice(0, 0)
    keys = wanted.select(KEYS[table]).group_by(list(KEYS[table])).aggregate([])
    index = rows.append_column("_index", pa.array(np.arange(rows.num_rows)))
    joined = index.select([*KEYS[table], "_index"]).join(
        keys, keys=list(KEYS[table]), join_type="left semi"
    )
    return rows.take(pa.array(np.sort(joined.column("_index").to_numpy())))


def duplicates(table: str, rows: pa.Table) -> list[dict[str, Any]]:
    """Natural keys that occur more than once."""
    counted = rows.group_by(list(KEYS[table])).aggregate([([], "count_all")])
    return counted.filter(pc.greater(counted["count_all"], 1)).to_pylist()  # type: ignore[no-any-return]


def _from_nouns(table: str, nouns: Sequence[Any]) -> pa.Table:
    noun = NOUNS[table]
    for item in nouns:
        if not isinstance(item, noun):
            raise InputError(f"{table} takes {noun.__name__} rows, not {type(item).__name__}")
    columns = {
        field.name: pa.array(
            [getattr(item, field.name) for item in nouns], SCHEMAS[table].field(field.name).type
        )
        for field in fields(noun)
    }
    return pa.table(columns)


def _canonical_units(table: str, rows: pa.Table) -> pa.Table:
    if not _SCALED[table]:
        return rows
    units = rows.column("unit").to_pylist()
    scale = {unit: factor(unit, canonical_unit(unit)) for unit in set(units)}
    if all(value == 1.0 for value in scale.values()) and set(units) == {
        canonical_unit(unit) for unit in set(units)
    }:
        return rows
    factors = np.array([scale[unit] for unit in units])
    for name in _SCALED[table]:
        scaled = rows.column(name).to_numpy() * factors
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(scaled))
    names = pa.array([canonical_unit(unit) for unit in units], pa.string())
    return rows.set_column(rows.schema.get_field_index("unit"), "unit", names)


def _check(table: str, rows: pa.Table) -> None:
    noun_columns = [field.name for field in fields(NOUNS[table])]
    missing = [name for name in noun_columns if name not in rows.schema.names]
    if missing:
        raise InputError(f"{table} rows lack the columns {missing}; needed are {noun_columns}")
    for name in noun_columns:
        column = rows.column(name)
        if column.null_count and name not in _NULLABLE:
            raise InputError(
                f"{table}.{name} has {column.null_count} empty values; none is allowed"
            )
        if pa.types.is_floating(column.type) and name not in _NULLABLE:
            _finite(table, name, column)
    origins = set(rows.column("origin").to_pylist()) - {str(origin) for origin in Origin}
    if origins:
        raise InputError(
            f"{table}.origin {sorted(origins)} unknown; use {[str(o) for o in Origin]}"
        )
    if pc.any(pc.less(rows.column("sd"), 0)).as_py():
        raise InputError(f"{table}.sd is negative somewhere; a standard uncertainty is >= 0")
    if (
        "end" in noun_columns
        and pc.any(pc.less_equal(rows.column("end"), rows.column("start"))).as_py()
    ):
        raise InputError(f"{table}: a row ends before it starts; check start and end")


def _finite(table: str, name: str, column: pa.ChunkedArray) -> None:
    values = column.to_numpy()
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError(
            f"{table}.{name} row {int(bad[0])} is {values[bad[0]]}; only finite numbers are allowed"
        )


def _references(rows: pa.Table) -> pa.Array:
    numbers = rows.column("row").cast(pa.string())
    return pc.binary_join_element_wise(rows.column("posting"), numbers, "/")


def _with_header(
    table: str, rows: pa.Table, posting: str, first_row: int, signs: Any, corrects: Any
) -> pa.Table:
    count = rows.num_rows
    times = rows.column(TIME_COLUMN[table])
    month = pc.add(pc.multiply(pc.year(times), 100), pc.month(times))
    header = {
        "month": month,
        "posting": pa.array([posting] * count, pa.string()),
        "row": pa.array(np.arange(first_row, first_row + count)),
        "sign": pa.array(np.asarray(signs).astype(np.int8)),
        "corrects": corrects if corrects is not None else pa.array([""] * count, pa.string()),
        "recorded_at": pa.nulls(count, pa.timestamp("us")),
    }
    columns = [
        header[name] if name in HEADER else rows.column(name) for name in SCHEMAS[table].names
    ]
    return pa.table(columns, names=SCHEMAS[table].names).cast(SCHEMAS[table])
