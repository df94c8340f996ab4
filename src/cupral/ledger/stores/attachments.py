"""Attachments: files named by the hash of their content, and which document each belongs to.

A file is written whole before its row: under a temporary name, flushed, renamed, its folder
flushed. A file without a row is invisible and swept after a grace period; a row without its
file, or with other bytes in it, is named by the audit.
"""

import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, Damaged, NotFound
from cupral.ledger.media import recognised
from cupral.ledger.stores import files, schema
from cupral.ledger.stores.records import Records

FOLDER = "attachments"
NAME = re.compile(rf"{FOLDER}/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}")
"""What the file of an attachment is called, from the ledger's folder on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a document."""

    sha256: str
    name: str
    media: str
    bytes: int
    kind: str
    """Kind and id of the document."""
    document: str
    author: str
    recorded_at: int
    """Microseconds UTC."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in the folder, not yet named by a row."""

    sha256: str
    name: str
    media: str
    bytes: int


class Kept(Protocol):
    """What attachments need of a ledger."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""

    @property
    def records(self) -> Any:
        """Its database."""


def attach(
    ledger: Kept, document: Document, *, name: str, content: bytes, author: str
) -> Attachment:
    """Keep a file with a document; the same content again answers what is kept already.

    To name it in a transaction with other changes, use `store` before and `enter` within.

    Raises
    ------
    InputError
        If the file is not allowed (see `cupral.ledger.media`).
    NotFound
        If there is no such document.
    """
    stored = store(ledger.folder, name=name, content=content)
    with schema.writing(ledger.records.database) as connection:
        return enter(connection, ledger.folder, stored, document, author=author)


def store(folder: Path, *, name: str, content: bytes) -> Stored:
    """Check a file and write it so that it survives a power failure once this returns."""
    known = recognised(content, name)
    sha = hashlib.sha256(content).hexdigest()
    final = folder / path_of(sha)
    _made(folder, final.parent)
    temporary = final.with_name(f"{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:  # a full disk is not left fuller than it was
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(final)  # the same bytes, fresh again for the sweep, and whole
    files.flush_folder(final.parent)
    return Stored(sha, known.name, known.media, len(content))


def enter(
    connection: sa.Connection, folder: Path, stored: Stored, document: Document, *, author: str
) -> Attachment:
    """Name a stored file as a document's, within a transaction that holds the write lock."""
    table, docket = schema.attachment, schema.docket.c
    mine = (table.c.kind == document.kind, table.c.document == document.id)
    filed = sa.select(docket.number).where(docket.kind == document.kind, docket.id == document.id)
    if connection.execute(filed).first() is None:
        raise NotFound(f"no {document.kind} document {document.id!r}; open it, then attach")
    if not (folder / path_of(stored.sha256)).exists():  # swept while this waited for a day
        raise Conflict(f"file {stored.name!r} has been swept meanwhile; attach it again")
    found = connection.execute(
        sa.select(table).where(*mine, table.c.sha256 == stored.sha256)
    ).first()
    if found is None:
        values: dict[str, Any] = {
            **asdict(stored), "kind": document.kind, "document": document.id, "author": author,
            "recorded_at": time.time_ns() // 1000,
        }  # fmt: skip
        connection.execute(sa.insert(table).values(**values))
        Records.touched(connection, document.kind, {document.party})
        return Attachment(**values)
    return _attachment(found._asdict())


def attachments(ledger: Kept, kind: str, document: str) -> list[Attachment]:
    """Files of a document, in the order in which they were attached."""
    table = schema.attachment
    query = sa.select(table).where(table.c.kind == kind, table.c.document == document)
    with ledger.records.database.connect() as connection:
        rows = schema.one_by_one(connection.execute(query.order_by(table.c.number)))
    return [_attachment(row) for row in rows]


def content(folder: Path, attachment: Attachment) -> bytes:
    """Bytes of an attachment.

    Raises
    ------
    Damaged
        If they are missing or are not those that were attached.
    """
    path = folder / path_of(attachment.sha256)
    try:
        held = path.read_bytes()
    except OSError as error:
        raise Damaged(f"attachment {attachment.name!r} cannot be read: {error.strerror}") from None
    if hashlib.sha256(held).hexdigest() != attachment.sha256:
        raise Damaged(f"attachment {attachment.name!r} changed since it was written")
    return held


def path_of(sha256: str) -> str:
    """Where the file of a hash lies, from the ledger's folder on."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def named(connection: sa.Connection) -> dict[str, list[str]]:
    """Every hash that a row names, with the documents that it belongs to."""
    table = schema.attachment.c
    documents: dict[str, list[str]] = {}
    query = sa.select(table.sha256, table.kind, table.document).order_by(table.number)
    for sha, kind, id in connection.execute(query):
        documents.setdefault(sha, []).append(f"{kind}/{id}")
    return documents


def damages(folder: Path, documents: dict[str, list[str]]) -> Iterator[str]:
    """What is wrong with the files of these hashes."""
    for sha, owners in sorted(documents.items()):
        whose = f"of document {', '.join(owners[:3])}"
        try:
            if files.sha256(folder / path_of(sha)) != sha:
                yield f"file {path_of(sha)} {whose}: bytes changed since it was written"
        except Damaged as error:
            yield f"{error} ({path_of(sha)} {whose})"


def sweep(folder: Path, database: sa.Engine, *, older_than: float) -> list[str]:
    """Delete files that no row names and that were written before a time (epoch seconds)."""
    unsure = list(_older(sorted((folder / FOLDER).glob("*/*")), older_than))
    if not unsure:
        return []
    with schema.writing(database) as connection:
        known = named(connection)
        gone = list(_older((path for path in unsure if path.name not in known), older_than))
        for path in gone:  # while no writer can name it; one that was stored anew stays
            path.unlink(missing_ok=True)
    return [path.relative_to(folder).as_posix() for path in gone]


def _older(paths: Iterable[Path], limit: float) -> Iterator[Path]:
    for path in paths:
        try:
            changed = path.stat().st_mtime
        except FileNotFoundError:  # another sweep, or a writer that has just renamed it
            continue
        if changed < limit:
            yield path


def _made(root: Path, folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for above in (folder.parent, root):  # else a power failure may lose the new folder
            files.flush_folder(above)


def _attachment(row: dict[str, Any]) -> Attachment:
    return Attachment(**{name: value for name, value in row.items() if name != "number"})
