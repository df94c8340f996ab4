"""The canonical form of rows and the chain of postings.

Hashes are over this form, not over Parquet or Arrow bytes, so that compaction and other
library versions keep them. Rows in order of their number; columns in the order of the
schema: name, type tag, validity if anything is null, then little-endian values; text as
int32 lengths and UTF-8 bytes. `recorded_at` is left out: it is known only at the commit and
enters the chain instead.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.stores.order import ordered

FORM_VERSION = 1
_LEFT_OUT = "recorded_at"


def content_sha(rows: pa.Table) -> str:
    """SHA-256 of rows of one table in canonical form."""
    listed = _ordered(rows)
    columns = zip(listed.schema.names, listed.columns, strict=True)
    (sha,) = content_shas(columns, [0, listed.num_rows])
    return sha


def content_shas(
    columns: Iterable[tuple[str, pa.ChunkedArray]], bounds: Sequence[int]
) -> list[str]:
    """The same of several runs of rows at once, each in order, given column by column.

    Parameters
    ----------
    columns : iterable of (str, ChunkedArray)
        Names and values of all rows; only one column need be in memory.
    bounds : sequence of int
        Where each run begins, and where the last one ends.

    Examples
    --------
    >>> rows = pa.table({"posting": ["p", "q"], "row": [0, 0]})
    >>> shas = content_shas(zip(rows.schema.names, rows.columns), [0, 1, 2])
    >>> shas == [content_sha(rows.slice(0, 1)), content_sha(rows.slice(1))]
    True
    """
    runs = list(pairwise(bounds))
    digests = [hashlib.sha256(f"cupral rows v{FORM_VERSION} {b - a}".encode()) for a, b in runs]
    for name, column in columns:
        if name != _LEFT_OUT:
            for digest, blocks in zip(digests, _blocks(name, column, runs), strict=True):
                for block in blocks:
                    digest.update(block)
    return [digest.hexdigest() for digest in digests]


def combined_sha(parts: dict[str, str]) -> str:
    """One hash of several named hashes."""
    return _stated_sha(text for part in sorted(parts.items()) for text in part)


def chain_sha(before: str, *stated: str | int) -> str:
    """Hash that ties what is stated of a posting to the posting before it."""
    return _stated_sha([before, *(str(text) for text in stated)])


def _stated_sha(texts: Iterable[str]) -> str:
    """Each text goes in with its length, so that no two lists of texts read alike."""
    return hashlib.sha256("".join(f"{len(text)}:{text}" for text in texts).encode()).hexdigest()


def _ordered(rows: pa.Table) -> pa.Table:
    numbers, postings = rows.column("row").to_numpy(), rows.column("posting")
    if len(pc.unique(postings)) <= 1 and bool(np.all(numbers[1:] > numbers[:-1])):
        return rows
    return ordered(rows, ("posting", "row"))


def _blocks(
    name: str, column: pa.ChunkedArray, runs: Sequence[tuple[int, int]]
) -> Iterator[tuple[Any, ...]]:
    """The bytes of each run of a column: its head, validity if anything is null, values."""
    whole = _whole(column)
    head = f"|{name}:{_tag(whole.type)}|".encode()
    empty = whole.is_null().to_numpy(zero_copy_only=False) if whole.null_count else None
    values = _text if pa.types.is_large_string(whole.type) else _numbers
    for (first, last), blocks in zip(runs, values(whole, runs), strict=True):
        if empty is not None and empty[first:last].any():
            yield head, np.packbits(~empty[first:last]), *blocks
        else:
            yield head, *blocks


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece; text with 64-bit offsets, for there may be more than 2 GB of it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        whole = column.unify_dictionaries().combine_chunks()
        return whole.dictionary.cast(pa.large_string()).take(whole.indices)
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        column = column.cast(pa.large_string())
    return column.combine_chunks()


def _tag(kind: pa.DataType) -> str:
    for tag, belongs in (("text", pa.types.is_large_string), ("f8", pa.types.is_floating)):
        if belongs(kind):
            return tag
    return "i8"


def _text(whole: pa.Array, runs: Iterable[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
    filled = whole.fill_null("") if whole.null_count else whole
    _, places, text = filled.buffers()
    if not len(filled):
        yield from ((b"", b"") for _ in runs)
        return
    offsets = np.frombuffer(places, dtype="<i8")[filled.offset :][: len(filled) + 1]
    lengths, content = np.diff(offsets).astype("<i4"), memoryview(text or b"")
    for first, last in runs:
        yield lengths[first:last], content[offsets[first] : offsets[last]]


def _numbers(whole: pa.Array, runs: Iterable[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
    plain = whole.cast(pa.int64()) if pa.types.is_timestamp(whole.type) else whole
    filled = plain.fill_null(pa.scalar(0).cast(plain.type)) if plain.null_count else plain
    values = filled.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, no minus zero
    wide = np.dtype("<f8") if values.dtype.kind == "f" else np.dtype("<i8")
    plainly = np.ascontiguousarray(values, dtype=wide)
    for first, last in runs:
        yield (plainly[first:last],)
