"""The drill: what a backup holds is the ledger again, on any database, or nothing at all."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cupral.ledger.audit import verify
from cupral.ledger.backup import SUMMARY, backup, restore
from cupral.ledger.compaction import compact
from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, CupralError, Damaged, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Site
from cupral.ledger.result import Result
from cupral.ledger.stores import database as databases_of
from cupral.ledger.stores import migration, schema
from cupral.ledger.stores.attachments import attach, attachments
from cupral.ledger.stores.attachments import content as attached
from cupral.ledger.stores.correspondence import Recipient, write_comment, write_notices
from cupral.ledger.stores.docket import Wanted, find
from tests.ledger.processes import processes
from tests.ledger.rows import assay, flow, stocktake

LATER = ("docket", "docket_words", "attachment", "comment", "notice")
"""Tables that version 1 did not have."""
ATTACHED = "附件".encode()
TABLES = [table for table in schema.metadata.sorted_tables if table is not schema.ledger]


@pytest.fixture(params=["sqlite", "postgresql"])
def targets(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Where it is restored to, whatever it came from."""
    if request.param == "sqlite":
        return lambda: "sqlite"
    create: Callable[[], str] = request.getfixturevalue("postgresql")
    return create


def fill(ledger: Ledger) -> Ledger:
    """Put something into every table, merged files and a reversed posting included."""
    ledger.register(
        Site(id="A", enterprise="E", name_zh="厂", name_en="works", city="c"), author="me"
    )
    for number in range(10):
        flows = [flow(f"S{number}", amount=number + 1.0), flow("JF", 1.0 + number, 202602)]
        ledger.post(f"p{number}", author="me", flows=flows, supersede=True)
    compact(ledger)
    settled = Document(kind="return", id="r", party="E", body={"t": 1.5, "名": "铜"})
    ledger.post("more", author="me", assays=[assay()], stocktakes=[stocktake()],
                documents=[settled])  # fmt: skip
    ledger.reverse("p3", author="me", reason="wrong meter")
    ledger.put(Document(kind="note", id="n", party="E", demonstration=True), author="you")
    with ledger.reading() as read:
        amount = sum(ledger.flows(period="2026-01")["amount"].to_pylist())
    ledger.keep(Result(query="q.a", subject="A", value=amount), read)
    with ledger.audited(author="me", action="test", arguments={"a": 1}):
        pass
    return ledger


def furnish(ledger: Ledger) -> Ledger:
    """Put a file, a comment and a notice to one of the documents."""
    noted = ledger.document("note", "n")
    attach(ledger, noted, name="说明.txt", content=ATTACHED, author="you")
    with schema.writing(ledger.records.database) as connection:
        write_comment(connection, noted, text="请补充附件", author="me")
        write_notices(connection, noted, to=[Recipient(role="department")], action="comment",
                      author="me")  # fmt: skip
    return ledger


def content(ledger: Ledger) -> dict[str, list[Any]]:
    """Everything in the database that a backup keeps: not what merging has replaced."""
    held = {}
    with ledger.manifest.database.connect() as connection:
        for table in TABLES:
            rows = connection.execute(sa.select(table).order_by(*table.primary_key))
            held[table.name] = [tuple(row) for row in rows]
    gone = {row[0] for row in held["file"] if row[-2] is not None}
    held["file"] = [row for row in held["file"] if row[0] not in gone]
    held["file_posting"] = [row for row in held["file_posting"] if row[0] not in gone]
    return held


def rewritten(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with some members changed, or left out (None)."""
    other = file.with_name("other.tar")
    with tarfile.open(file) as old, tarfile.open(other, "w") as new:
        for member in old.getmembers():
            stream = old.extractfile(member)
            assert stream is not None
            body = change(member.name, stream.read())
            if body is not None:
                member.size = len(body)
                new.addfile(member, io.BytesIO(body))
    return other


def test_the_drill(ledger: Ledger, targets: Callable[[], str], tmp_path: Path) -> None:
    """Back up, lose everything, restore anywhere: same content, and work goes on."""
    furnish(fill(ledger))
    before, flows = content(ledger), ledger.flows()
    assert all(before.values()), "no table is left out of the drill"
    summary = backup(ledger, tmp_path / "b" / "ledger.tar")
    shutil.rmtree(ledger.folder)
    restored, verdict = restore(tmp_path / "b" / "ledger.tar", tmp_path / "again", targets())
    assert (verdict.intact, verdict.level) == (True, 2)
    assert (verdict.head_sha, verdict.postings) == (summary.head_sha, summary.seq) == (
        before["posting"][-1][7], 12)  # fmt: skip
    assert content(restored) == before
    (kept,) = attachments(restored, "note", "n")
    assert attached(restored.folder, kept) == ATTACHED
    found, _ = find(restored.records.database, Wanted(text="补充附"))
    assert [entry.id for entry in found] == ["n"], "the index of grams is there too"
    assert restored.flows().equals(flows)
    assert restored.flows(as_of=2).num_rows == 3
    assert restored.post("p0", author="me", flows=[flow("S0", 1.0), flow("JF", 1.0, 202602)],
                         ).status == "already"  # fmt: skip
    assert restored.post("next", author="me", flows=[flow("N")]).seq == 13
    assert restored.records.stale_count() == 1
    restored.register(Site(id="B", enterprise="E", name_zh="", name_en="", city=""), author="me")
    restored.put(Document(kind="return", id="r", party="E"), author="me")
    with restored.audited(author="me", action="test", arguments={}):
        pass
    compact(restored)
    assert verify(restored, 2).intact
    assert restored.state == (13, 3, 2)


def test_an_empty_ledger_is_restored_empty(
    ledger: Ledger, targets: Callable[[], str], tmp_path: Path
) -> None:
    backup(ledger, tmp_path / "b.tar")
    restored, _ = restore(tmp_path / "b.tar", tmp_path / "again", targets())
    assert restored.state == (0, 0, 0)
    assert restored.post("p", author="me", flows=[flow()]).seq == 1


def test_a_backup_beside_a_writer_is_one_moment(tmp_path: Path, database: str) -> None:
    with processes(tmp_path / "ledger", database) as writers:
        pid = writers.start("post", "w", 40)
        while not writers.acknowledged("w"):
            pass
        ledger = Ledger.open(tmp_path / "ledger", database=database)
        made = [backup(ledger, tmp_path / f"{n}.tar") for n in range(5)]
        assert writers.wait(pid) == 0
    assert made[0].seq < made[-1].seq
    for number, summary in enumerate(made):
        _, verdict = restore(tmp_path / f"{number}.tar", tmp_path / f"r{number}")
        assert (verdict.postings, verdict.files) == (summary.seq, summary.files)


def test_nothing_is_overwritten(ledger: Ledger, targets: Callable[[], str], tmp_path: Path) -> None:
    file, taken = tmp_path / "b.tar", targets()
    backup(fill(ledger), file)
    size = file.stat().st_size
    with pytest.raises(Conflict, match="exists and is not overwritten; choose another name"):
        backup(ledger, file)
    assert file.stat().st_size == size
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(Conflict, match="holds something and is not overwritten"):
        restore(file, tmp_path / "full", taken)
    first, _ = restore(file, tmp_path / "first", taken)
    with pytest.raises(Conflict, match=r"not overwritten|holds a ledger; give an empty database"):
        restore(file, tmp_path / ("first" if taken == "sqlite" else "second"), taken)
    assert content(first) == content(ledger)
    assert not list(tmp_path.glob("second*"))
    assert first.post("next", author="me", flows=[flow("N")]).seq == 13


def named(name: str, change: Callable[[bytes], bytes | None]) -> Any:
    """A change of the members whose name begins so."""
    return lambda member, body: change(body) if member.startswith(name) else body


def flipped(body: bytes) -> bytes:
    """One bit turned in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


DAMAGES = {
    "a row of a posting": (named("tables/posting.", flipped), "rows of table posting changed"),
    "an audit record": (named("tables/audit.", flipped), "rows of table audit changed"),
    "a missing table": (named("tables/register.", lambda _: None), "lacks tables/register.jsonl"),
    "a file of rows": (named("flows/", flipped), "(?s)nothing was restored; .*bytes changed"),
    "a missing file": (named("assays/", lambda _: None), r"holds \d+ files, not \d+"),
    "no summary": (named(SUMMARY, lambda _: None), f"lacks {SUMMARY}: it is not whole"),
    "an unreadable summary": (named(SUMMARY, lambda _: b"{"), "cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_restores_nothing(
    tmp_path: Path, targets: Callable[[], str], damage: str
) -> None:
    change, told = DAMAGES[damage]
    backup(fill(Ledger.open(tmp_path / "ledger")), tmp_path / "b.tar")
    url = targets()
    with pytest.raises(Damaged, match=told):
        restore(rewritten(tmp_path / "b.tar", change), tmp_path / "again", url)
    assert not list(tmp_path.glob("again*"))
    assert restore(tmp_path / "b.tar", tmp_path / "again", url)[1].intact, "nothing was left"


def test_a_head_that_the_postings_do_not_have_is_seen(tmp_path: Path) -> None:
    """Whoever rewrites an archive must also rewrite the head, which can be kept elsewhere."""
    backup(fill(Ledger.open(tmp_path / "ledger")), tmp_path / "b.tar")

    def other(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), "head_sha": "f" * 64}).encode()

    with pytest.raises(Damaged, match="holds other postings than it says"):
        restore(rewritten(tmp_path / "b.tar", named(SUMMARY, other)), tmp_path / "again")


def test_a_truncated_backup_and_no_backup_are_named(tmp_path: Path) -> None:
    backup(fill(Ledger.open(tmp_path / "ledger")), tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    end = len(whole.rstrip(b"\0"))  # of the summary; zeros follow
    for length in (0, 100, end // 3, end // 2, end - 1000, end - 1):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(Damaged, match=r"not whole|no whole backup"):
            restore(tmp_path / "cut.tar", tmp_path / "again")
    with pytest.raises(InputError, match=r"no file .*; check the name"):
        restore(tmp_path / "none.tar", tmp_path / "again")


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    backup(fill(Ledger.open(tmp_path / "ledger")), tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar", "a") as archive:
        for name in ("../evil.parquet", "/tmp/evil.parquet", "flows/month=1/../../../evil.parquet"):  # noqa: S108
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
    restore(tmp_path / "b.tar", tmp_path / "again")
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil.parquet").exists()  # noqa: S108


def test_a_damaged_attachment_is_named_and_not_restored(ledger: Ledger, tmp_path: Path) -> None:
    furnish(fill(ledger))
    backup(ledger, tmp_path / "whole.tar")
    other = rewritten(tmp_path / "whole.tar", named("attachments/", lambda _: b"other"))
    with pytest.raises(Damaged, match=r"attachments/.* of document note/n: bytes changed"):
        restore(other, tmp_path / "again")
    path = next(ledger.folder.glob("attachments/*/*"))
    for damage, told in ((b"other", "bytes changed"), (None, "No such file")):
        path.write_bytes(damage) if damage else path.unlink()
        (found,) = verify(ledger).damages
        assert told in found
        assert "of document note/n" in found
        with pytest.raises(Damaged):
            backup(ledger, tmp_path / "b.tar")


def test_a_failing_backup_leaves_no_file(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger)
    next(ledger.folder.rglob("assays/*/*.parquet")).write_bytes(b"x")
    with pytest.raises(Damaged, match="changed since it was written; no backup was made"):
        backup(ledger, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_a_backup_of_earlier_tables_is_brought_up_to_date(
    ledger: Ledger, targets: Callable[[], str], tmp_path: Path
) -> None:
    """As version 1 would have written it: without the numbers of documents and registers."""
    before = content(fill(ledger))
    backup(ledger, tmp_path / "b.tar")
    shas: dict[str, str] = {}

    def earlier(name: str, body: bytes) -> bytes | None:
        from hashlib import sha256

        if name in ("tables/document.jsonl", "tables/register.jsonl"):
            lines = [json.dumps(json.loads(line)[1:]) for line in body.splitlines()]
            body = "\n".join(lines).encode()
            shas[Path(name).stem] = sha256(body).hexdigest()
        if Path(name).stem in LATER:
            return None
        if name == SUMMARY:
            told = json.loads(body)
            tables = {**told["tables"], **shas}
            tables = {name: sha for name, sha in tables.items() if name not in LATER}
            body = json.dumps({**told, "version": 1, "tables": tables}).encode()
        return body

    restored, _ = restore(rewritten(tmp_path / "b.tar", earlier), tmp_path / "again", targets())
    assert content(restored) == before


def test_a_backup_of_later_tables_is_refused(tmp_path: Path) -> None:
    backup(fill(Ledger.open(tmp_path / "ledger")), tmp_path / "b.tar")

    def later(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), "version": schema.VERSION + 1}).encode()

    with pytest.raises(Conflict, match="update Cupral"):
        restore(rewritten(tmp_path / "b.tar", named(SUMMARY, later)), tmp_path / "again")


def test_a_restoring_that_was_killed_is_no_ledger(
    postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is in its place, the database not yet declared whole."""
    backup(fill(Ledger.open(tmp_path / "ledger")), tmp_path / "b.tar")
    url, write = postgresql(), databases_of.write_version

    class Killed(BaseException):
        """As by kill -9: nothing is cleaned up."""

    def killed(connection: sa.Connection, to: str | None) -> None:
        if to != databases_of.RESTORING and (tmp_path / "again").exists():
            raise Killed
        write(connection, to)

    with monkeypatch.context() as patched:
        patched.setattr(databases_of, "write_version", killed)
        with pytest.raises(Killed):
            restore(tmp_path / "b.tar", tmp_path / "again", url)
    for act in (Ledger.open, migration.migrate):
        with pytest.raises(CupralError, match="did not come to its end; drop the database, delete"):
            act(tmp_path / "again", **{"database" if act is Ledger.open else "url": url})  # type: ignore[operator]
