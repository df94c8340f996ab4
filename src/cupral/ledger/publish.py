"""Publish the ledger's files as Delta tables, for engines that can read those and not our manifest.

Beside the files of each table lies a Delta log (`flows/_delta_log`): text that names the same
files, with the least and greatest values by which an engine leaves files out. It is an export,
never the truth: delete it and publish again. One commit brings it from what it names to what the
manifest names now; a merging of files is a removal and an addition without a change of data.
"""

import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from cupral.ledger.errors import Conflict, Damaged
from cupral.ledger.flow import DESCRIPTIONS, SCHEMAS, TIME_COLUMN
from cupral.ledger.stores.postings import Postings

LOG = "_delta_log"
ENGINE = "Cupral"
READ_ONLY = "cupralReadOnly"
"""A feature that no engine knows: whoever keeps to the protocol reads the table, nobody writes."""

_TYPES = {
    pa.string(): "string", pa.int8(): "byte", pa.int32(): "integer", pa.float64(): "double",
    pa.bool_(): "boolean", pa.timestamp("us"): "timestamp_ntz",
}  # fmt: skip
_BOUNDED = ("month", "posting", "recorded_at", "site", "material", "origin", *TIME_COLUMN.values())
"""Columns whose bounds are told of each file."""

Action = dict[str, Any]


class Kept(Protocol):
    """What publishing needs of a ledger."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""

    @property
    def manifest(self) -> Postings:
        """Which files there are."""


@dataclass(frozen=True, slots=True)
class Published:
    """One table as its Delta log names it now."""

    table: str
    version: int
    added: int
    removed: int

    def __str__(self) -> str:
        return f"{self.table}: version {self.version}, +{self.added} -{self.removed} files"


@dataclass(frozen=True, slots=True)
class _Log:
    """What a Delta log says."""

    version: int
    """-1: there is none yet."""
    seq: int
    """The last posting when it was written."""
    files: Mapping[str, int]
    """Paths and sizes."""


def publish(ledger: Kept) -> list[Published]:
    """Bring the Delta logs of all tables that have rows up to the manifest.

    Raises
    ------
    Conflict
        If another engine has written into a log, or others publish at the same time.
    Damaged
        If a log or a file cannot be read.
    """
    return [_published(ledger, table) for table in SCHEMAS if (ledger.folder / table).is_dir()]


def _published(ledger: Kept, table: str) -> Published:
    folder = ledger.folder / table / LOG
    folder.mkdir(exist_ok=True)
    log = _replayed(folder)
    seq, rows = ledger.manifest.present(table)
    present = {row["name"].removeprefix(f"{table}/"): row for row in rows}
    gone = sorted(log.files.keys() - present.keys())
    new = sorted(present.keys() - log.files.keys())
    if not gone and not new and log.version >= 0:
        return Published(table, log.version, 0, 0)
    actions = [_info(seq), {"txn": {"appId": ENGINE, "version": seq}}]
    if log.version < 0:
        actions += _head(table)
    actions += [_removal(path, log.files[path]) for path in gone]
    actions += [_addition(ledger.folder / table, path, present[path], log.seq) for path in new]
    _write(folder, log.version + 1, actions)
    return Published(table, log.version + 1, len(new), len(gone))


def _replayed(folder: Path) -> _Log:
    """The files that a log names, read from its beginning."""
    files, version, seq = dict[str, int](), -1, 0
    for path in sorted(folder.glob("[0-9]*.json")):
        actions = list(_read(path))
        version += 1
        engine = [
            action["commitInfo"].get("engineInfo") for action in actions if "commitInfo" in action
        ]
        if engine != [ENGINE] or int(path.stem) != version:
            raise Conflict(
                f"{path} was not written by `cupral ledger publish`, which alone may write here;"
                f" the log is an export: remove {folder} and publish again"
            )
        for action in actions:
            if "add" in action:
                files[action["add"]["path"]] = action["add"]["size"]
            elif "remove" in action:
                files.pop(action["remove"]["path"], None)
            seq = action.get("txn", {}).get("version", seq)
    return _Log(version, seq, files)


def _read(path: Path) -> Iterator[Action]:
    try:
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)
    except ValueError:
        raise Damaged(f"{path} cannot be read; remove {path.parent} and publish again") from None


def _write(folder: Path, version: int, actions: Iterable[Action]) -> None:
    """All of a commit or nothing; whoever is second with a version is refused."""
    temporary = folder / f"{uuid.uuid4().hex}.tmp"
    text = "".join(f"{json.dumps(action, ensure_ascii=False)}\n" for action in actions)
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, folder / f"{version:020d}.json")
    except FileExistsError:
        raise Conflict(f"{folder}: another publisher was quicker; publish again") from None
    finally:
        temporary.unlink(missing_ok=True)


def _info(seq: int) -> Action:
    stated = {"timestamp": _now(), "operation": "PUBLISH", "engineInfo": ENGINE, "posting": seq}
    return {"commitInfo": stated}


def _head(table: str) -> list[Action]:
    """Protocol and schema; times are without a zone, as in the files."""
    protocol = {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timestampNtz"],
        "writerFeatures": ["timestampNtz", READ_ONLY],
    }  # fmt: skip
    fields = [
        {"name": field.name, "type": _TYPES[field.type], "nullable": True,
         "metadata": {"comment": DESCRIPTIONS[field.name]}}
        for field in SCHEMAS[table]
    ]  # fmt: skip
    metadata = {
        "id": str(uuid.uuid4()), "name": table, "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": [], "configuration": {}, "createdTime": _now(),
    }  # fmt: skip
    return [{"protocol": protocol}, {"metaData": metadata}]


def _removal(path: str, size: int) -> Action:
    """Only merging removes files: their rows are added again in the same commit."""
    stated = {"path": path, "size": size, "deletionTimestamp": _now(), "dataChange": False}
    return {"remove": stated}


def _addition(root: Path, path: str, row: Mapping[str, Any], seq: int) -> Action:
    try:
        footer, changed = pq.read_metadata(root / path), (root / path).stat().st_mtime
    except (OSError, pa.ArrowException) as error:
        raise Damaged(f"file {path}: {error}; `cupral audit verify` names all damages") from None
    stats = {"numRecords": row["rows"], **_bounds(footer)}
    return {"add": {
        "path": path, "partitionValues": {}, "size": row["bytes"],
        "modificationTime": int(changed * 1e3), "dataChange": row["last_seq"] > seq,
        "stats": json.dumps(stats, ensure_ascii=False),
    }}  # fmt: skip


def _bounds(footer: pq.FileMetaData) -> dict[str, dict[str, Any]]:
    """Least and greatest values of the columns by which rows are asked for."""
    least, greatest = dict[str, Any](), dict[str, Any]()
    names = [footer.schema.column(place).name for place in range(footer.num_columns)]
    for place, name in enumerate(names):
        if name not in _BOUNDED:
            continue
        groups = [
            footer.row_group(n).column(place).statistics for n in range(footer.num_row_groups)
        ]
        if all(group is not None and group.has_min_max for group in groups):
            least[name] = _told(min(group.min for group in groups))
            greatest[name] = _told(max(group.max for group in groups))
    return {"minValues": least, "maxValues": greatest}


def _told(value: Any) -> Any:
    return value if isinstance(value, int | str) else value.isoformat(timespec="microseconds")


def _now() -> int:
    return time.time_ns() // 1_000_000
