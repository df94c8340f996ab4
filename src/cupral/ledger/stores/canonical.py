"""The canonical form of rows and the chain of postings.

Hashes are over this form, not over Parquet or Arrow bytes, so that compaction and other
library versions keep them. Rows in order of their number; columns in the order of the
schema: name, type tag, count, validity if anything is null, then little-endian values;
text as its sorted distinct values and int32 codes. `recorded_at` is left out: it is known
only at the commit and enters the chain instead.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FORM_VERSION = 1
_LEFT_OUT = "recorded_at"


def content_sha(rows: pa.Table) -> str:
    """SHA-256 of rows of one table in canonical form."""
    ordered = rows.take(pc.sort_indices(rows, [("posting", "ascending"), ("row", "ascending")]))
    digest = hashlib.sha256(f"cupral rows v{FORM_VERSION} {ordered.num_rows}".encode())
    for name in ordered.schema.names:
        if name != _LEFT_OUT:
            column = ordered.column(name).combine_chunks()
            digest.update(f"|{name}:{column.type}|".encode())
            for block in _blocks(column):
                digest.update(block)
    return digest.hexdigest()


def combined_sha(parts: dict[str, str]) -> str:
    """One hash of several named hashes."""
    text = "\n".join(f"{name} {sha}" for name, sha in sorted(parts.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def chain_sha(before: str, posting_id: str, author: str, recorded_at: int, content: str) -> str:
    """Hash that ties a posting to the one before it."""
    text = "\0".join((before, posting_id, author, str(recorded_at), content))
    return hashlib.sha256(text.encode()).hexdigest()


def _blocks(column: pa.Array) -> list[bytes]:
    blocks = []
    if column.null_count:
        blocks.append(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_string(column.type):
        return blocks + _text_blocks(column)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    filled = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    values = filled.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, no minus zero
    wide = np.dtype("<f8") if values.dtype.kind == "f" else np.dtype("<i8")
    blocks.append(np.ascontiguousarray(values, dtype=wide).tobytes())
    return blocks


def _text_blocks(column: pa.Array) -> list[bytes]:
    encoded = column.fill_null("").dictionary_encode()
    words = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(words, kind="stable") if len(words) else np.array([], dtype=np.int64)
    rank = np.empty(len(words), dtype="<i4")
    rank[order] = np.arange(len(words), dtype="<i4")
    listed = "\0".join(words[order]).encode()
    return [listed, rank[encoded.indices.to_numpy()].astype("<i4").tobytes()]
