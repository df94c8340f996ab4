"""Backup: a ledger at one moment in one file; restoring it proves that it is the same.

The archive (tar) holds each table of the documents database as lines of JSON, the Parquet and
attached files that were named at that moment, and at its end what it holds: hashes, counts and
the head of the chain. It belongs to no kind of database: what was on SQLite can be restored to
PostgreSQL, and the reverse.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from cupral.ledger.audit import Verdict, verify
from cupral.ledger.errors import Conflict, Damaged, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import ParameterBook
from cupral.ledger.stores import attachments, database, files, migration, postgresql, schema
from cupral.ledger.stores.duckdb import DuckScan
from cupral.ledger.stores.postings import GENESIS, Postings
from cupral.ledger.stores.records import Records

FORM = 1
"""Form of the archive."""
SUMMARY = "backup.json"
_NAMES = (files.NAME, attachments.NAME)
_AT_ONCE = 1000
"""Rows written to a database at once."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup says of itself."""

    form: int
    version: int
    """Of the tables."""
    seq: int
    """Number of the latest posting."""
    head_sha: str
    """Head of the chain."""
    files: int
    tables: Mapping[str, str]
    """Name of each table and the SHA-256 of its rows."""

    def __str__(self) -> str:
        return f"{self.seq} postings, {self.files} files, chain head {self.head_sha[:16]}"


def backup(ledger: Ledger, file: Path) -> Summary:
    """Write the ledger as it stands at this moment into one file; others may go on writing.

    Raises
    ------
    Conflict
        If the file exists.
    Damaged
        If a file of rows is missing or is not what was written; nothing is left.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("xb") as stream:
            with tarfile.open(fileobj=stream, mode="w") as archive:
                summary = _write(ledger, archive)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError:
        raise Conflict(f"{file} exists and is not overwritten; choose another name") from None
    except BaseException:
        file.unlink()
        raise
    return summary


def restore(file: Path, folder: Path, url: str = database.EMBEDDED) -> tuple[Ledger, Verdict]:
    """Make the ledger of a backup in a folder, on the database of a URL, and audit it.

    A backup of earlier tables is brought up to date. Nothing is ever overwritten.

    Returns
    -------
    tuple of Ledger and Verdict
        The ledger and its audit of level 2, which found nothing.

    Raises
    ------
    Conflict
        If the folder or the database holds something already.
    Damaged
        If the backup is not whole, or the audit finds anything; nothing is left.
    """
    _refuse_taken(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        _opened(file) as archive,
        tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as place,
    ):
        root = Path(place) / "restored"
        root.mkdir()
        summary = _summary(archive)
        engine = database.connected(root, url)
        try:
            with _made_anew(engine):
                _read_tables(archive, summary, engine, root)
                _read_files(archive, summary, root)
                verdict = _audited(root, engine, summary)
                engine.dispose()
                os.sync()
                _refuse_taken(folder)
                root.rename(folder)
        finally:
            engine.dispose()
    _declare_whole(folder, url)
    return Ledger.open(folder, database=url), verdict


# -- writing -----------------------------------------------------------------------------------


def _write(ledger: Ledger, archive: tarfile.TarFile) -> Summary:
    named = sa.select(schema.file).where(schema.file.c.removed_seq.is_(None))
    last = sa.select(schema.posting).order_by(schema.posting.c.seq.desc()).limit(1)
    with ledger.manifest.database.connect() as connection:  # one moment for all tables
        head = connection.execute(last).first()
        kept = {row.name: row.sha256 for row in connection.execute(named)}
        kept |= {attachments.path_of(sha): sha for sha in attachments.named(connection)}
        tables = {table.name: _write_table(connection, archive, table) for table in _tables()}
    for name, sha in kept.items():
        if files.sha256(ledger.folder / name) != sha:
            raise Damaged(f"file {name} changed since it was written; no backup was made")
        archive.add(ledger.folder / name, name, recursive=False)
    seq, sha = (head.seq, head.chain_sha) if head else (0, GENESIS)
    summary = Summary(FORM, schema.VERSION, seq, sha, len(kept), tables)
    _add(archive, SUMMARY, io.BytesIO(json.dumps(asdict(summary), indent=1).encode()))
    return summary


def _tables() -> list[sa.Table]:
    """All but the one that names the ledger: what is restored is another ledger."""
    return [table for table in schema.metadata.sorted_tables if table is not schema.ledger]


def _write_table(connection: sa.Connection, archive: tarfile.TarFile, table: sa.Table) -> str:
    query = sa.select(table).order_by(*table.primary_key)
    file, link = schema.file.c, schema.file_posting.c
    if table is schema.file:
        query = query.where(file.removed_seq.is_(None))
    if table is schema.file_posting:
        named = sa.exists().where(file.id == link.file_id, file.removed_seq.is_(None))
        query = query.where(named)
    with tempfile.TemporaryFile() as lines:
        lines.write(_line(table.columns.keys()))
        for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
            lines.write(_line(list(row)))
        lines.seek(0)
        sha = hashlib.file_digest(lines, "sha256").hexdigest()
        _add(archive, _member(table.name), lines)
    return sha


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    archive.addfile(member, content)


# -- reading -----------------------------------------------------------------------------------


def _refuse_taken(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} holds something and is not overwritten; choose another folder")


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as archive:
            archive.getmembers()
            yield archive
    except tarfile.TarError as error:
        raise Damaged(f"{file} is no whole backup ({error}); take another one") from None
    except FileNotFoundError:
        raise InputError(f"no file {file}; check the name") from None


def _content(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = archive.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise Damaged(f"the backup lacks {name}: it is not whole; take another one")
    return found


def _summary(archive: tarfile.TarFile) -> Summary:
    try:
        summary = Summary(**json.load(_content(archive, SUMMARY)))
    except (ValueError, TypeError):
        raise Damaged(f"the backup's {SUMMARY} cannot be read; take another backup") from None
    if summary.form != FORM or summary.version > schema.VERSION:
        raise Conflict(
            f"the backup has form {summary.form} and tables of version {summary.version}, this"
            f" Cupral knows {FORM} and {schema.VERSION}; update Cupral"
        )
    return summary


@contextmanager
def _made_anew(engine: sa.Engine) -> Iterator[None]:
    """An empty database, empty again if what follows fails."""
    with schema.writing(engine) as connection:
        if database.version(connection) is not None:
            name = engine.url.render_as_string(hide_password=True)
            raise Conflict(f"the database {name} holds a ledger; give an empty database")
        database.write_version(connection, database.RESTORING)
    try:
        yield
    except BaseException:
        with schema.writing(engine) as connection:
            schema.metadata.drop_all(connection)
            database.write_version(connection, None)
        raise


def _read_tables(
    archive: tarfile.TarFile, summary: Summary, engine: sa.Engine, root: Path
) -> None:  # fmt: skip
    with schema.writing(engine) as connection:
        migration.steps(connection, 0, summary.version)
        held = sa.MetaData()
        held.reflect(connection)
        for name, sha in summary.tables.items():
            _read_table(archive, connection, held.tables[name], sha)
        migration.steps(connection, summary.version, schema.VERSION)
        if engine.dialect.name == "postgresql":
            postgresql.renumber(connection)
        connection.execute(sa.delete(schema.ledger))
        connection.execute(sa.insert(schema.ledger).values(id=uuid.uuid4().hex))
        database.bind(connection, root)
        database.write_version(connection, database.RESTORING)


def _read_table(
    archive: tarfile.TarFile, connection: sa.Connection, table: sa.Table, sha: str
) -> None:
    lines = _content(archive, _member(table.name))
    if hashlib.file_digest(lines, "sha256").hexdigest() != sha:  # type: ignore[arg-type]
        raise Damaged(f"the backup's rows of table {table.name} changed; take another backup")
    lines.seek(0)
    names = json.loads(next(lines))
    while some := list(islice(lines, _AT_ONCE)):
        rows = [dict(zip(names, json.loads(line), strict=True)) for line in some]
        connection.execute(sa.insert(table), rows)


def _read_files(archive: tarfile.TarFile, summary: Summary, root: Path) -> None:
    """Only what can be the name of a file of the ledger is written, and only below the folder."""
    count = 0
    for member in archive.getmembers():
        if member.isreg() and any(form.fullmatch(member.name) for form in _NAMES):
            path = root / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                shutil.copyfileobj(_content(archive, member.name), stream)
            count += 1
    if count != summary.files:
        raise Damaged(f"the backup holds {count} files, not {summary.files}")


def _declare_whole(folder: Path, url: str) -> None:
    """Until this last step the ledger cannot be opened."""
    engine = database.connected(folder, url)
    with schema.writing(engine) as connection:
        database.write_version(connection, str(schema.VERSION))
    engine.dispose()


def _audited(root: Path, engine: sa.Engine, summary: Summary) -> Verdict:
    book, manifest = ParameterBook({}, "none"), Postings(engine, root)
    verdict = verify(Ledger(root, book, "", manifest, Records(engine), DuckScan()), level=2)
    if not verdict.intact:
        raise Damaged(f"the backup is damaged, nothing was restored; {verdict}")
    if (verdict.postings, verdict.head_sha) != (summary.seq, summary.head_sha):
        raise Damaged("the backup holds other postings than it says; nothing was restored")
    return verdict
