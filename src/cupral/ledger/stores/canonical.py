"""The canonical form of rows and the chain of postings.

Hashes are over this form, not over Parquet or Arrow bytes, so that compaction and other
library versions keep them. Rows in order of their number; columns in the order of the
schema: name, type tag, validity if anything is null, then little-endian values; text as
int32 lengths and UTF-8 bytes. `recorded_at` is left out: it is known only at the commit and
enters the chain instead.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.stores.order import ordered

FORM_VERSION = 1
_LEFT_OUT = "recorded_at"


def content_sha(rows: pa.Table) -> str:
    """SHA-256 of rows of one table in canonical form."""
    plain = [_plain(column) for column in rows.columns]
    listed = _ordered(pa.table(plain, names=rows.schema.names))
    digest = hashlib.sha256(f"cupral rows v{FORM_VERSION} {listed.num_rows}".encode())
    for name in listed.schema.names:
        if name != _LEFT_OUT:
            column = listed.column(name)
            digest.update(f"|{name}:{_tag(column.type)}|".encode())
            if column.null_count:
                digest.update(np.packbits(column.is_valid().to_numpy()).tobytes())
            for block in _blocks(column):
                digest.update(block)
    return digest.hexdigest()


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
    numbers, postings = rows.column("row").to_numpy(), pc.min_max(rows.column("posting")).as_py()
    if postings["min"] == postings["max"] and bool(np.all(numbers[1:] > numbers[:-1])):
        return rows
    return ordered(rows, ("posting", "row"))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    return column.cast(pa.int64()) if pa.types.is_timestamp(kind) else column


def _tag(kind: pa.DataType) -> str:
    for tag, belongs in (("text", pa.types.is_string), ("f8", pa.types.is_floating)):
        if belongs(kind):
            return tag
    return "i8"


def _blocks(column: pa.ChunkedArray) -> Iterator[Any]:
    if pa.types.is_string(column.type):
        chunks = [chunk.fill_null("") if chunk.null_count else chunk for chunk in column.chunks]
        offsets = [_offsets(chunk) for chunk in chunks]
        yield from (np.diff(offset).astype("<i4") for offset in offsets)
        for chunk, offset in zip(chunks, offsets, strict=True):
            text = chunk.buffers()[2]
            yield memoryview(text)[offset[0] : offset[-1]] if text is not None else b""
        return
    for chunk in column.chunks:
        filled = chunk.fill_null(pa.scalar(0).cast(chunk.type)) if chunk.null_count else chunk
        values = filled.to_numpy(zero_copy_only=False)
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, no minus zero
        wide = np.dtype("<f8") if values.dtype.kind == "f" else np.dtype("<i8")
        yield np.ascontiguousarray(values, dtype=wide)


def _offsets(chunk: pa.StringArray) -> Any:
    if not len(chunk):
        return np.zeros(1, dtype="<i4")
    return np.frombuffer(chunk.buffers()[1], dtype="<i4")[chunk.offset :][: len(chunk) + 1]
