"""Sums in the footer of a file: what its rows add up to, by month, site, material, origin, unit.

A roll-up of a province reads them in the place of the rows: 700,000 sums for 100 million rows.
They cannot grow old, for a file is never changed; they are hashed with it, and an audit of
level 2 adds the rows up again. Each time of record has its own sums, so that an earlier state
of the ledger is summed as fast as the present one. Sums are whole numbers on a grid of 2**-62:
exact, in any order, and the same whether they were added here or in a query.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

KEYS = ("month", "site", "material", "origin", "unit", "recorded_at")
"""What the rows of a file are summed by."""
GRID = 2**62
HALF = 2**31
"""Rests are kept in two numbers of 31 bits each, for sums of more would not fit into 64."""

_NAME = b"cupral.sums"
_FEW = 1_000
"""Fewer rows than this are read as quickly as their sums."""
_SPARED = 4
"""So many rows, at least, must lie behind a sum on average."""
_ADDED = ("sign", "amount", "sd", "demonstration")
_PARTS = ("whole", "upper", "lower")


def footer(rows: pa.Table) -> dict[bytes, bytes]:
    """What the footer of a file of these rows says of their sums; nothing if not worth it."""
    found = summed(rows)
    if found is None:
        return {}
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, found.schema, options=options) as stream:
        stream.write_table(found)
    return {_NAME: sink.getvalue().to_pybytes()}


def summed(rows: pa.Table) -> pa.Table | None:
    """Signed sums of amount and variance, net count and demonstration flag by `KEYS`.

    None for tables without amounts, for few rows or many sums, and beyond 64 bits.
    """
    if "amount" not in rows.schema.names or rows.num_rows < _FEW:
        return None
    sign, amount, sd = (rows[name].to_numpy() for name in ("sign", "amount", "sd"))
    values = {"amount": sign * amount, "variance": sign * sd * sd}
    if any(np.abs(value).sum() >= GRID for value in values.values()):
        return None
    columns: dict[str, Any] = {name: rows[name] for name in KEYS}
    for name, value in values.items():
        for part, numbers in zip(_PARTS, _divided(value), strict=True):
            columns[f"{name}_{part}"] = pa.array(numbers)
    columns["rows"] = rows["sign"].cast(pa.int64())
    names = [name for name in columns if name not in KEYS]
    columns["demonstration"] = rows["demonstration"]
    wanted = [*((name, "sum") for name in names), ("demonstration", "any")]
    groups = pa.table(columns).group_by(KEYS, use_threads=False).aggregate(wanted)
    if groups.num_rows * _SPARED > rows.num_rows:
        return None
    return groups.rename_columns(list(columns)).combine_chunks()


def stated(path: Path) -> pa.Table | None:
    """The sums in a file's footer, text as text; None if it has none or cannot be read."""
    try:
        kept = (pq.read_metadata(path).metadata or {}).get(_NAME)
        if kept is None:
            return None
        found = pa.ipc.open_stream(kept).read_all()
    except (OSError, pa.ArrowException):  # whoever reads the rows will say so
        return None
    return _plain(found)


def belie(path: Path, read: Callable[[str], pa.ChunkedArray]) -> bool:
    """Whether a file keeps other sums than its rows, read column by column, add up to."""
    kept = stated(path)
    if kept is None:
        return False
    found = summed(pa.table({name: read(name) for name in (*KEYS, *_ADDED)}))
    order = [(name, "ascending") for name in KEYS]
    return found is None or not _plain(found).sort_by(order).equals(kept.sort_by(order))


@lru_cache(maxsize=4096)
def kept(path: Path) -> pa.Table | None:
    """The same as `stated`, read once: the name of a file is never used again."""
    return stated(path)


def answer(by: Iterable[str], filtered: Iterable[str]) -> bool:
    """Whether sums by `KEYS` can be summed further by these columns, filtered by those."""
    return {*by, *filtered} <= set(KEYS)


def _plain(sums: pa.Table) -> pa.Table:
    """Text that is kept as a dictionary as text."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in sums.schema
    ]
    return sums.cast(pa.schema(fields))


def _divided(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Whole numbers and both halves of the rests on the grid.

    Examples
    --------
    >>> whole, upper, lower = _divided(np.array([2.75, -2.75]))
    >>> (whole + (upper * HALF + lower) / GRID).tolist()
    [2.75, -2.75]
    """
    whole = np.trunc(values)
    rest = np.rint((values - whole) * GRID).astype(np.int64)
    return whole.astype(np.int64), rest >> 31, rest & (HALF - 1)
