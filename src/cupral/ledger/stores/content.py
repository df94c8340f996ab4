"""What files hold of each posting, as content hashes: read column by column, never decoded twice.

The audit's own way of reading, beside DuckDB: text stays dictionary codes until it is hashed,
so that 100 million rows take half a minute, and only one column of large files is in memory.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cupral.ledger.flow import SCHEMAS
from cupral.ledger.stores import canonical

_SMALL = 200_000
"""Files of so many rows are read at once: opening one again for each column would cost more."""

Array = NDArray[Any]

Reader = Callable[[str], pa.ChunkedArray]
"""A column of one file by its name."""


def content_shas(table: str, readers: Sequence[Reader]) -> dict[str, str]:
    """Content hash of the rows of each posting in the files of one table and month.

    Returns
    -------
    dict of str to str
        Posting id to the same hash that `canonical.content_sha` gives its rows.
    """
    postings, places, bounds = _listed(_column(table, readers, "posting"), readers)

    def columns() -> Iterator[tuple[str, pa.ChunkedArray]]:
        for name in SCHEMAS[table].names:
            yield name, _column(table, readers, name).take(places)

    return dict(zip(postings, canonical.content_shas(columns(), bounds), strict=True))


def rows(
    table: str, readers: Sequence[Reader], sites: Sequence[str] | None = None
) -> pa.Table:  # fmt: skip
    """All rows of the files (of some sites), text that repeats as dictionaries."""
    wanted = None
    if sites is not None:
        wanted = pc.is_in(_column(table, readers, "site"), value_set=pa.array(sites))
    columns = {}
    for name in SCHEMAS[table].names:
        column = _column(table, readers, name)
        columns[name] = column if wanted is None else column.filter(wanted)
    return pa.table(columns)


def counted(table: str, readers: Sequence[Reader], name: str) -> dict[str, int]:
    """How many rows have each value of a column."""
    pairs = _column(table, readers, name).value_counts().to_pylist()
    return {pair["values"]: pair["counts"] for pair in pairs}


def reader(path: Path) -> Reader:
    """Columns of one file; text that the file keeps as a dictionary is read as one."""
    metadata = pq.read_metadata(path)
    source = pq.ParquetFile(path, metadata=metadata, read_dictionary=_coded(metadata))
    if metadata.num_rows <= _SMALL:
        with source:
            rows = source.read(use_threads=False)
        return lambda name: rows[name]
    return lambda name: source.read([name], use_threads=False)[name]


def described(read: Reader) -> dict[str, Any]:
    """What a file holds, in the words of its manifest row, and the postings that it holds."""
    sites, months = _values(read("site")), pc.min_max(read("month")).as_py()
    return {
        "rows": len(read("month")), "site_first": min(sites), "site_last": max(sites),
        "month": months["min"] if months["min"] == months["max"] else None,
        "postings": _values(read("posting")),
    }  # fmt: skip


def _values(column: pa.ChunkedArray) -> set[str]:
    return {value for chunk in column.chunks for value in pc.unique(chunk).to_pylist()}


def _coded(metadata: pq.FileMetaData) -> list[str]:
    """Text columns that are kept as a dictionary throughout the file."""
    names = []
    for place in range(metadata.num_columns):
        chunks = [metadata.row_group(n).column(place) for n in range(metadata.num_row_groups)]
        text = all(chunk.physical_type == "BYTE_ARRAY" for chunk in chunks)
        if text and all(chunk.has_dictionary_page for chunk in chunks):
            names.append(metadata.schema.column(place).name)
    return names


def _column(table: str, readers: Sequence[Reader], name: str) -> pa.ChunkedArray:
    pieces = [read(name) for read in readers]
    kind = SCHEMAS[table].field(name).type
    if pa.types.is_string(kind):
        coded = all(pa.types.is_dictionary(piece.type) for piece in pieces)
        kind = pa.dictionary(pa.int32(), pa.string()) if coded else pa.large_string()
    whole = pa.chunked_array([chunk for piece in pieces for chunk in piece.cast(kind).chunks], kind)
    return pa.chunked_array([whole.unify_dictionaries().combine_chunks()], kind)


def _listed(
    postings: pa.ChunkedArray, readers: Sequence[Reader]
) -> tuple[list[str], pa.Array, list[int]]:  # fmt: skip
    """Posting ids, the places of all rows by posting and row, and where each posting begins."""
    coded = postings.combine_chunks()
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    codes = coded.indices.to_numpy()
    numbers = np.concatenate([read("row").to_numpy() for read in readers])
    counts = np.bincount(codes, minlength=len(coded.dictionary))
    held = np.flatnonzero(counts)
    ids = coded.dictionary.take(pa.array(held)).to_pylist()
    return ids, pa.array(_places(codes, numbers, counts)), [0, *np.cumsum(counts[held]).tolist()]


def _places(codes: Array, numbers: Array, counts: Array) -> Array:
    """Places of rows by code and number: counted if numbers run without a gap, else sorted."""
    first = np.full(len(counts), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(first, codes, numbers)
    target = (np.cumsum(counts) - counts - first)[codes] + numbers
    ends = np.cumsum(counts)[codes]
    places = np.full(len(codes), -1, np.int64)
    if np.all(target < ends):
        places[target] = np.arange(len(codes))
    if np.all(places >= 0):
        return places
    return np.argsort(codes.astype(np.int64) << 32 | numbers, kind="stable")
