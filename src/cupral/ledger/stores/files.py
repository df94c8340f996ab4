"""Immutable Parquet files: written to a temporary name, flushed, renamed, hashed."""

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupral.ledger.errors import Damaged

ROW_GROUP = 122_880
_SORT = {
    "flows": ("site", "material", "start"),
    "assays": ("site", "material", "start"),
    "stocktakes": ("site", "material", "instant"),
}


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
    folder = root / table / f"month={month}"
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{uuid.uuid4().hex}.parquet"
    temporary = final.with_suffix(".tmp")
    ordered = rows.take(pc.sort_indices(rows, [(name, "ascending") for name in _SORT[table]]))
    pq.write_table(
        ordered,
        temporary,
        compression="lz4",
        row_group_size=ROW_GROUP,
        write_page_checksum=True,
        use_dictionary=True,
    )
    digest = _flush(temporary)
    temporary.rename(final)
    _flush_folder(folder)
    sites = pc.min_max(ordered.column("site")).as_py()
    return DataFile(
        table,
        final.relative_to(root).as_posix(),
        month,
        ordered.num_rows,
        final.stat().st_size,
        digest,
        sites["min"],
        sites["max"],
    )


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


def sweep(root: Path, known: set[str], older_than: float) -> list[str]:
    """Delete files that no manifest row names and that are older than a time (epoch seconds)."""
    removed = []
    for path in [*root.rglob("*.parquet"), *root.rglob("*.tmp")]:
        name = path.relative_to(root).as_posix()
        if name not in known and path.stat().st_mtime < older_than:
            path.unlink()
            removed.append(name)
    return removed


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
