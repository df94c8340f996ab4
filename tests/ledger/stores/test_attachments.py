"""Attachments: named by content, written before their row, whole after any fault."""

import os
import random
import time
from datetime import timedelta
from pathlib import Path

import pytest

from cupral.ledger.audit import verify
from cupral.ledger.compaction import sweep
from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, Damaged, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import schema
from cupral.ledger.stores.attachments import (
    FOLDER,
    NAME,
    Attachment,
    attach,
    attachments,
    content,
    enter,
    path_of,
    store,
)
from tests.ledger.processes import processes

TEXT = "化验单".encode()
DAY = timedelta(days=1).total_seconds()


def ticket(ledger: Ledger, id: str = "T") -> Document:
    """A document to attach to."""
    return ledger.put(Document(kind="ticket", id=id, party="E1"), author="li")


def lying(ledger: Ledger) -> list[str]:
    """Every file in the folder of attachments."""
    return sorted(path.name for path in (ledger.folder / FOLDER).rglob("*") if path.is_file())


def test_what_is_attached_is_read_again(ledger: Ledger) -> None:
    document = ticket(ledger)
    kept = attach(ledger, document, name="a/化验.txt", content=TEXT, author="li")
    assert attachments(ledger, "ticket", "T") == [kept]
    assert (kept.name, kept.media, kept.bytes, kept.author) == ("化验.txt", "text/plain", 9, "li")
    assert NAME.fullmatch(path_of(kept.sha256))
    assert content(ledger.folder, kept) == TEXT
    assert lying(ledger) == [kept.sha256]
    assert verify(ledger).files == 1


def test_the_same_content_is_kept_once(ledger: Ledger) -> None:
    """For one document it is one row; two documents share one file."""
    first = attach(ledger, ticket(ledger), name="a.txt", content=TEXT, author="li")
    assert attach(ledger, ticket(ledger), name="b.txt", content=TEXT, author="wang") == first
    other = attach(ledger, ticket(ledger, "U"), name="b.txt", content=TEXT, author="wang")
    assert (other.sha256, other.name) == (first.sha256, "b.txt")
    assert lying(ledger) == [first.sha256]


def test_there_must_be_a_document(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="no ticket document 'T'; open it, then attach"):
        attach(ledger, Document(kind="ticket", id="T", party="E"), name="a.txt", content=TEXT,
               author="li")  # fmt: skip
    assert attachments(ledger, "ticket", "T") == []


def test_what_is_refused_is_not_written(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="is empty"):
        attach(ledger, ticket(ledger), name="a.txt", content=b"", author="li")
    assert not (ledger.folder / FOLDER).exists()


def test_a_damaged_file_is_named(ledger: Ledger) -> None:
    kept = attach(ledger, ticket(ledger), name="a.txt", content=TEXT, author="li")
    path = ledger.folder / path_of(kept.sha256)
    path.write_bytes(TEXT[:-1])
    (damage,) = verify(ledger).damages
    assert damage == f"file {path_of(kept.sha256)} of document ticket/T: bytes changed since it " \
                     "was written"  # fmt: skip
    with pytest.raises(Damaged, match=r"attachment 'a\.txt' changed"):
        content(ledger.folder, kept)
    path.unlink()
    assert "cannot be read: No such file" in verify(ledger).damages[0]
    with pytest.raises(Damaged, match="cannot be read"):
        content(ledger.folder, kept)
    attach(ledger, ticket(ledger), name="a.txt", content=TEXT, author="li")
    assert verify(ledger).intact, "attaching it again mends it"


def old(path: Path, days: float = 2.0) -> None:
    """Let a file have been written some days ago."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def test_orphans_are_swept_after_a_day(ledger: Ledger) -> None:
    kept = attach(ledger, ticket(ledger), name="a.txt", content=TEXT, author="li")
    orphan = store(ledger.folder, name="b.txt", content=b"left over")
    half = ledger.folder / FOLDER / orphan.sha256[:2] / "0.tmp"
    half.write_bytes(b"half")
    assert sweep(ledger) == []
    for path in (ledger.folder / FOLDER).glob("*/*"):
        old(path)
    assert sorted(sweep(ledger)) == sorted(
        [path_of(orphan.sha256), half.relative_to(ledger.folder).as_posix()]
    )
    assert lying(ledger) == [kept.sha256]
    assert sweep(ledger) == []


def test_storing_anew_saves_an_orphan_from_the_sweep(ledger: Ledger) -> None:
    orphan = store(ledger.folder, name="b.txt", content=TEXT)
    old(ledger.folder / path_of(orphan.sha256))
    attach(ledger, ticket(ledger), name="b.txt", content=TEXT, author="li")
    assert sweep(ledger) == []
    assert verify(ledger).intact


def test_a_file_swept_while_its_writer_slept_is_not_named(ledger: Ledger) -> None:
    document = ticket(ledger)
    stored = store(ledger.folder, name="b.txt", content=TEXT)
    assert sweep(ledger, grace_seconds=-1.0) == [path_of(stored.sha256)]
    with (
        pytest.raises(Conflict, match="swept meanwhile; attach it again"),
        schema.writing(ledger.records.database) as connection,
    ):
        enter(connection, ledger.folder, stored, document, author="li")
    assert attachments(ledger, "ticket", "T") == []


def test_a_row_that_is_rolled_back_names_nothing(ledger: Ledger) -> None:
    document = ticket(ledger)
    stored = store(ledger.folder, name="b.txt", content=TEXT)
    with ledger.records.database.connect() as connection, connection.begin() as transaction:
        kept = enter(connection, ledger.folder, stored, document, author="li")
        transaction.rollback()
    assert isinstance(kept, Attachment)
    assert attachments(ledger, "ticket", "T") == []
    assert verify(ledger).intact


@pytest.mark.parametrize("place", [0, 1])
def test_killed_between_file_and_row_nothing_half_is_there(
    tmp_path: Path, database: str, place: int
) -> None:
    """kill -9 after the file is written, and after its row is entered but not committed."""
    folder = tmp_path / "ledger"
    ledger = Ledger.open(folder, database=database)
    document = ticket(ledger)
    with processes(folder, database) as running:
        assert running.wait(running.start("die storing", "half", place)) == -9
    assert attachments(ledger, "ticket", "T") == []
    assert verify(ledger).intact
    assert len(lying(ledger)) == 1
    assert len(sweep(ledger, grace_seconds=-1.0)) == 1
    kept = attach(ledger, document, name="t.txt", content=b"half", author="li")
    assert content(folder, kept) == b"half"
    ledger.records.database.dispose()


def test_killed_at_any_moment_what_was_acknowledged_is_whole(tmp_path: Path, database: str) -> None:
    folder, chance = tmp_path / "ledger", random.Random(7)
    ledger = Ledger.open(folder, database=database)
    ticket(ledger)
    killed = 0
    with processes(folder, database) as running:
        for name in ("a", "b", "c", "d"):
            pid = running.start("attach", name, 500)
            while not running.acknowledged(name):
                time.sleep(0.005)
            time.sleep(chance.random() * 0.1)
            killed += running.kill(pid) == -9
        told = {sha for name in ("a", "b", "c", "d") for sha in running.acknowledged(name)}
    assert killed == 4
    assert told
    kept = attachments(ledger, "ticket", "T")
    whole = {sha for sha in told if len(sha) == 64}  # the last line may be cut off
    assert whole <= {one.sha256 for one in kept}
    assert all(len(content(folder, one)) == one.bytes for one in kept)
    assert verify(ledger).intact
    sweep(ledger, grace_seconds=-1.0)
    assert lying(ledger) == sorted(one.sha256 for one in kept)
    ledger.records.database.dispose()
