"""Immutable Parquet files: written to a temporary name, flushed, renamed, hashed."""

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupral.ledger.errors import Damaged
from cupral.ledger.flow import SCHEMAS, TIME_COLUMN
from cupral.ledger.stores import sums
from cupral.ledger.stores.order import order

NAME = re.compile(rf"(?:{'|'.join(SCHEMAS)})/month=[0-9]+/[0-9a-f]{{32}}\.parquet")
"""What a file of rows is called, from the ledger's folder on."""

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
    coded = _coded(rows, map)
    return _write_ordered(root, table, month, coded, _order(table, coded))


def write_all(root: Path, parts: Iterable[tuple[str, int, pa.Table]]) -> list[DataFile]:
    """Write the rows of several (table, month); many rows of a month become several files."""
    given = list(parts)
    if sum(rows.num_rows for _, _, rows in given) < _MANY:
        return [write(root, *part) for part in given]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pieces = [
            (table, month, coded, places)
            for table, month, rows in given
            for coded in [_coded(rows, pool.map)]
            for places in _split(_order(table, coded))
        ]
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


def _order(table: str, rows: pa.Table) -> pa.Array:
    return order(rows, ("site", "material", TIME_COLUMN[table]))


def _split(places: pa.Array) -> Iterator[pa.Array]:
    files = 1 if len(places) < _MANY else os.cpu_count() or 1
    size = -(-len(places) // files)
    for first in range(0, len(places), size):
        yield places.slice(first, size)


def _coded(rows: pa.Table, each: Callable[..., Iterable[Any]]) -> pa.Table:
    """The same rows; text that repeats is a dictionary, which is quick to order and to write."""
    return pa.table(list(each(_encoded, rows.columns)), names=rows.schema.names)


def _encoded(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.dictionary_encode() if _is_text(whole) and _repeats(whole) else whole


def _is_text(column: pa.Array | pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type))


def _repeats(column: pa.Array) -> bool:
    """Whether the same values come again and again, judged by the first rows."""
    if pa.types.is_dictionary(column.type):
        return True
    head = column.slice(0, 10_000 if _is_text(column) else 1_000)
    return bool(pc.count_distinct(head).as_py() * 2 <= len(head) + 2)


def _write_ordered(
    root: Path, table: str, month: int, rows: pa.Table, places: pa.Array
) -> DataFile:  # fmt: skip
    folder = _folder(root, table, month)
    final = folder / f"{uuid.uuid4().hex}.parquet"
    temporary = final.with_suffix(".tmp")
    ordered = rows.take(places)
    try:
        with pq.ParquetWriter(
            temporary, ordered.schema, compression="lz4", store_schema=False,
            write_page_checksum=True,
            use_dictionary=[name for name in rows.schema.names if _repeats(rows[name])],
        ) as writer:  # fmt: skip
            writer.write_table(ordered, ROW_GROUP)
            if told := sums.footer(ordered):
                writer.add_key_value_metadata(told)
        digest = _flush(temporary)
    except BaseException:  # a full disk is not left fuller than it was
        temporary.unlink(missing_ok=True)
        raise
    temporary.rename(final)
    flush_folder(folder)
    first, last = ordered["site"][0].as_py(), ordered["site"][-1].as_py()
    name, size = final.relative_to(root).as_posix(), final.stat().st_size
    return DataFile(table, name, month, ordered.num_rows, size, digest, first, last)


def _folder(root: Path, table: str, month: int) -> Path:
    folder = root / table / f"month={month}"
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for above in (folder.parent, root):  # else a power failure may lose the new folder
            flush_folder(above)
    return folder


def _flush(path: Path) -> str:
    with path.open("rb+") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return digest


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
