"""From nouns or Arrow tables to the rows of a posting: units, header columns, counter-rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta, timezone
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

PLANT_TIME = timezone(timedelta(hours=8))
_SCALED = {"flows": ("amount", "sd"), "stocktakes": ("amount", "sd"), "assays": ()}
_NULLABLE = {"detection_limit"}
_NAMED = ("site", "stream", "process", "element")
"""Columns that may not be empty text."""


def given(table: str, nouns: Iterable[Any] | pa.Table, posting: str, first_row: int) -> pa.Table:
    """Rows as they will be posted, without recorded_at.

    Columns may be of any type that reads as the schema's (dictionaries, large text, whole
    numbers); times with a zone become plant time; an empty detection limit may be NaN.
    Amounts may be negative: a net correction of a period is, and so is a reconciled flow that
    ran against its stream.

    Raises
    ------
    InputError
        If a column is missing or a value is not allowed.
    """
    rows = nouns if isinstance(nouns, pa.Table) else _from_nouns(table, list(nouns))
    if not rows.num_rows:
        return SCHEMAS[table].empty_table()
    rows = _typed(table, rows)
    _check(table, rows)
    rows = _canonical_units(table, rows)
    return _with_header(table, rows, posting, first_row, np.ones(rows.num_rows), None)


def counter(table: str, current: pa.Table, posting: str, first_row: int) -> pa.Table:
    """Counter-rows that undo current rows: the same again with the sign turned."""
    signs = -current.column("sign").to_numpy().astype(np.int8)
    return _with_header(table, current, posting, first_row, signs, references(current))


def superseding(table: str, entered: pa.Table, current: pa.Table, posting: str) -> pa.Table:
    """Entered rows that name the row they replace, and the counter-rows of all replaced ones."""
    old = keyed(table, current, entered)
    if not old.num_rows:
        return entered
    replaced = dict(zip(_keys(table, old), references(old).to_pylist(), strict=True))
    corrects = pa.array([replaced.get(key, "") for key in _keys(table, entered)], pa.string())
    index = entered.schema.get_field_index("corrects")
    named = entered.set_column(index, entered.schema.field(index), corrects)
    return pa.concat_tables([named, counter(table, old, posting, entered.num_rows)])


def keyed(table: str, rows: pa.Table, wanted: pa.Table) -> pa.Table:
    """Those rows whose natural key occurs in the wanted rows."""
    keys = set(_keys(table, wanted))
    return rows.filter(pa.array([key in keys for key in _keys(table, rows)], pa.bool_()))


def references(rows: pa.Table) -> pa.ChunkedArray:
    """How other rows name these: posting/row."""
    numbers = rows.column("row").cast(pa.string())
    return pc.binary_join_element_wise(rows.column("posting"), numbers, "/")


def standing(rows: pa.Table) -> pa.ChunkedArray:
    """Whether each row stands: it is an entry, and no row among these undoes it."""
    entries = pc.equal(rows["sign"], 1)
    if pc.all(entries).as_py():
        return entries
    undone = rows["corrects"].filter(pc.invert(entries))
    postings = pc.unique(pc.replace_substring_regex(undone, "/[0-9]+$", ""))
    entries = entries.combine_chunks().to_numpy(zero_copy_only=False)
    doubtful = pc.is_in(rows["posting"], value_set=postings)  # few: naming each row takes long
    places = np.flatnonzero(doubtful.to_numpy())
    named = references(rows.select(["posting", "row"]).take(places))
    entries[places[pc.is_in(named, value_set=undone).to_numpy()]] = False
    return pa.chunked_array([entries])


def _keys(table: str, rows: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(rows.column(name).to_pylist() for name in KEYS[table]), strict=True))


def _from_nouns(table: str, nouns: Sequence[Any]) -> pa.Table:
    noun = NOUNS[table]
    if not nouns:
        return pa.table({})
    for item in nouns:
        if not isinstance(item, noun):
            raise InputError(f"{table} takes {noun.__name__} rows, not {type(item).__name__}")
    columns = {}
    for field in SCHEMAS[table]:
        if field.name in HEADER:
            continue
        values = [getattr(item, field.name) for item in nouns]
        if pa.types.is_timestamp(field.type):
            values = [_plant_time(value) for value in values]
        try:
            columns[field.name] = pa.array(values, field.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise _unreadable(table, field, error) from None
    return pa.table(columns)


def _plant_time(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(PLANT_TIME).replace(tzinfo=None)
    return value


def _typed(table: str, rows: pa.Table) -> pa.Table:
    wanted = [field for field in SCHEMAS[table] if field.name not in HEADER]
    missing = [field.name for field in wanted if field.name not in rows.schema.names]
    if missing:
        needed = [field.name for field in fields(NOUNS[table])]
        raise InputError(f"{table} rows lack the columns {missing}; needed are {needed}")
    columns = {}
    for field in wanted:
        try:
            columns[field.name] = _read_as(rows.column(field.name), field.type)
        except pa.ArrowException as error:
            raise _unreadable(table, field, error) from None
    return pa.table(columns)


def _read_as(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if column.type == wanted:
        return column
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column.cast(pa.timestamp(column.type.unit, "+08:00")))
    return column.cast(wanted)


def _unreadable(table: str, field: pa.Field, error: Exception) -> InputError:
    reason = str(error).splitlines()[0]
    return InputError(f"{table}.{field.name} cannot be read as {field.type}: {reason}")


def _canonical_units(table: str, rows: pa.Table) -> pa.Table:
    if not _SCALED[table]:
        return rows
    found = pc.unique(rows.column("unit"))
    kept = [canonical_unit(unit) for unit in found.to_pylist()]
    if kept == found.to_pylist():
        return rows
    scale = np.array([factor(*pair) for pair in zip(found.to_pylist(), kept, strict=True)])
    which = pc.index_in(rows.column("unit"), value_set=found)
    factors = scale[which.to_numpy()]
    for name in _SCALED[table]:
        scaled = pa.array(rows.column(name).to_numpy() * factors)
        rows = rows.set_column(rows.schema.get_field_index(name), name, scaled)
    names = pa.array(kept, pa.string()).take(which.combine_chunks())
    return rows.set_column(rows.schema.get_field_index("unit"), "unit", names)


def _check(table: str, rows: pa.Table) -> None:
    for name in rows.schema.names:
        column = rows.column(name)
        if column.null_count and name not in _NULLABLE:
            raise InputError(
                f"{table}.{name} has {column.null_count} empty values; none is allowed"
            )
        if pa.types.is_floating(column.type):
            _finite(table, name, column)
        if name in _NAMED:
            _refuse(table, name, pc.equal(column, ""), "is empty; give its id")
    origins = pc.unique(rows.column("origin")).to_pylist()
    if unknown := sorted(set(origins) - {str(origin) for origin in Origin}):
        raise InputError(f"{table}.origin {unknown} unknown; use {[str(o) for o in Origin]}")
    _refuse(table, "sd", pc.less(rows["sd"], 0), "is negative; a standard uncertainty is >= 0")
    share = rows["correlation"]
    outside = pc.or_(pc.less(share, 0), pc.greater(share, 1))
    _refuse(table, "correlation", outside, "lies outside 0..1")
    if table == "assays":
        share = rows["fraction"]
        beyond = pc.or_(pc.less(share, 0), pc.greater(share, 1))
        _refuse(table, "fraction", beyond, "lies outside 0..1; it is a mass fraction, not in %")
    if "end" in rows.schema.names:
        backwards = pc.less_equal(rows["end"], rows["start"])
        _refuse(table, "end", backwards, "is not after start; a row ends after it starts")


def _finite(table: str, name: str, column: pa.ChunkedArray) -> None:
    wrong = pc.invert(pc.is_finite(column))
    if name in _NULLABLE:
        wrong = pc.and_(wrong, pc.invert(pc.is_nan(column)))
    _refuse(table, name, wrong, "is not a finite number; only finite numbers are allowed")


def _refuse(table: str, name: str, wrong: pa.ChunkedArray, what: str) -> None:
    if pc.any(wrong).as_py():
        row = np.flatnonzero(wrong.to_numpy())[0]
        raise InputError(f"{table}.{name} row {row} {what}; nothing was posted")


def _with_header(
    table: str, rows: pa.Table, posting: str, first_row: int, signs: Any, corrects: Any
) -> pa.Table:
    count = rows.num_rows
    times = rows.column(TIME_COLUMN[table])
    header: Mapping[str, Any] = {
        "month": pc.add(pc.multiply(pc.year(times), 100), pc.month(times)),
        "posting": pa.repeat(posting, count),
        "row": pa.array(np.arange(first_row, first_row + count, dtype=np.int32)),
        "sign": pa.array(np.asarray(signs).astype(np.int8)),
        "corrects": corrects if corrects is not None else pa.repeat("", count),
        "recorded_at": pa.nulls(count, pa.timestamp("us")),
    }
    columns = [
        header[name] if name in HEADER else _no_nan(rows, name) for name in SCHEMAS[table].names
    ]
    return pa.table(columns, names=SCHEMAS[table].names).cast(SCHEMAS[table])


def _no_nan(rows: pa.Table, name: str) -> pa.ChunkedArray:
    column = rows.column(name)
    if name not in _NULLABLE:
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
