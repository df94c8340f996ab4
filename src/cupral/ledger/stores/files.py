"""Immutable Parquet files: written to a temporary name, flushed, renamed, hashed."""

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupral.ledger.errors import Damaged
from cupral.ledger.flow import SCHEMAS, TIME_COLUMN

ROW_GROUP = 122_880
_MANY = 2 * ROW_GROUP
"""From so many rows on, files are written side by side on all cores."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A written file, as the manifest will name it."""

    table: str
    name: str
    month: int
    rows: int
    bytes: int
    sha256: str
    site_first: str
    site_last: str


def write(root: Path, table: str, month: int, rows: pa.Table) -> DataFile:
    """Write rows of one month so that they survive a power failure once this returns."""
    return _write_ordered(root, table, month, rows, _order(table, rows))


def write_all(root: Path, parts: Iterable[tuple[str, int, pa.Table]]) -> list[DataFile]:
    """Write the rows of several (table, month); many rows of a month become several files."""
    pieces = [piece for part in parts for piece in _split(*part)]
    if sum(len(piece[3]) for piece in pieces) < _MANY:
        return [_write_ordered(root, *piece) for piece in pieces]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda piece: _write_ordered(root, *piece), pieces))


def discard(root: Path, written: Iterable[DataFile]) -> None:
    """Delete files that were written but will not be named."""
    for data in written:
        (root / data.name).unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Hash of a file's bytes.

    Raises
    ------
    Damaged
        If the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Damaged(f"file {path.name} cannot be read: {error.strerror}") from None


def described(path: Path) -> dict[str, Any]:
    """What a file holds, in the words of its manifest row: rows, months, first and last site."""
    held = pq.read_table(path, columns=["site", "month"], partitioning=None)
    sites, months = pc.min_max(held["site"]).as_py(), pc.min_max(held["month"]).as_py()
    return {
        "rows": held.num_rows, "site_first": sites["min"], "site_last": sites["max"],
        "month": months["min"] if months["min"] == months["max"] else None,
    }  # fmt: skip


def candidates(root: Path, older_than: float) -> Iterator[Path]:
    """Data files and unfinished files last changed before a time (epoch seconds)."""
    for table in SCHEMAS:
        for path in sorted((root / table).rglob("*")):
            if path.suffix in (".parquet", ".tmp") and _changed(path) < older_than:
                yield path


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # a writer has just given it its final name
        return float("inf")


def _split(table: str, month: int, rows: pa.Table) -> Iterator[tuple[str, int, pa.Table, pa.Array]]:
    order = _order(table, rows)
    files = 1 if len(order) < _MANY else os.cpu_count() or 1
    size = -(-len(order) // files)
    for first in range(0, len(order), size):
        yield table, month, rows, order.slice(first, size)


def _order(table: str, rows: pa.Table) -> pa.Array:
    keys = [_ranks(rows["site"]), _ranks(rows["material"]), rows[TIME_COLUMN[table]].to_numpy()]
    coded = pa.table(dict(zip("abc", keys, strict=True)))
    return pc.sort_indices(coded, [(name, "ascending") for name in "abc"])


def _ranks(column: pa.ChunkedArray) -> Any:
    encoded = column.combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[encoded.indices.to_numpy()]


def _write_ordered(root: Path, table: str, month: int, rows: pa.Table, order: pa.Array) -> DataFile:
    folder = _folder(root, table, month)
    final = folder / f"{uuid.uuid4().hex}.parquet"
    temporary = final.with_suffix(".tmp")
    ordered = pa.table([_taken(c, order) for c in rows.columns], names=rows.schema.names)
    pq.write_table(
        ordered, temporary, compression="lz4", row_group_size=ROW_GROUP,
        write_page_checksum=True, use_dictionary=_repeating(ordered),
    )  # fmt: skip
    digest = _flush(temporary)
    temporary.rename(final)
    _flush_folder(folder)
    sites = pc.min_max(ordered.column("site")).as_py()
    name, size = final.relative_to(root).as_posix(), final.stat().st_size
    return DataFile(table, name, month, ordered.num_rows, size, digest, sites["min"], sites["max"])


def _taken(column: pa.ChunkedArray, order: pa.Array) -> pa.ChunkedArray:
    """Rows in order; a column that says one thing needs no moving."""
    if len(column) and not column.null_count and pc.all(pc.equal(column, column[0])).as_py():
        return column.slice(0, len(order))
    return column.combine_chunks().take(order)


def _repeating(rows: pa.Table) -> Sequence[str]:
    """Columns worth a dictionary: not those whose first rows are nearly all different."""
    head = rows.slice(0, 1000)
    return [
        field.name for field in rows.schema
        if pc.count_distinct(head[field.name]).as_py() * 2 < head.num_rows + 2
    ]  # fmt: skip


def _folder(root: Path, table: str, month: int) -> Path:
    folder = root / table / f"month={month}"
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for above in (folder.parent, root):  # else a power failure may lose the new folder
            _flush_folder(above)
    return folder


def _flush(path: Path) -> str:
    with path.open("rb+") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return digest


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
