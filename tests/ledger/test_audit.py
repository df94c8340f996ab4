"""Any change after the fact is found and named: a bit in a file, a row of the manifest."""

import random
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact
from cupral.ledger.document import Document
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Site
from cupral.ledger.result import Result
from tests.ledger.rows import assay, flow, stocktake


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger with all kinds of content, made once."""
    ledger = Ledger.open(tmp_path_factory.mktemp("built") / "ledger")
    for number in range(4):
        ledger.post(f"p{number}", author="me", note="n", supersede=number == 3, flows=[
            flow(f"S{s}", s + number, 202601 + number % 2, site="AB"[s % 2]) for s in range(6)
        ])  # fmt: skip
    ticket = Document(kind="ticket", id="T1", party="P", body={2: "x", 10: [1.5, "铜"]})
    ledger.post("lab", author="me", assays=[assay()], stocktakes=[stocktake()], documents=[ticket])
    with ledger.reading() as read:
        ledger.keep(Result(query="q.a", subject="A", value=1.5), read)
    return ledger.folder


@pytest.fixture
def kept(built: Path, tmp_path: Path) -> Ledger:
    """A copy of that ledger, to be damaged."""
    return Ledger.open(shutil.copytree(built, tmp_path / "ledger"))


def change(ledger: Ledger, statement: str) -> None:
    """What an owner of the database could do."""
    with ledger.manifest.database.connect() as connection:
        changed = connection.execute(sa.text(statement)).rowcount
        connection.commit()
    assert changed > 0, statement


def test_an_untouched_ledger_is_intact(kept: Ledger) -> None:
    for level, parts in ((1, 0), (2, 7)):
        verdict = verify(kept, level)
        assert verdict.intact
        assert (verdict.postings, verdict.parts, verdict.damages) == (5, parts, ())
    assert str(verify(kept, 2)).startswith("intact: level 2, 5 postings, 6 files, 7 parts, chain")
    compact(kept)
    assert verify(kept, 2).head_sha == verdict.head_sha
    assert verify(kept, 2).intact


def test_an_empty_ledger_is_intact(ledger: Ledger) -> None:
    assert verify(ledger, 2).intact
    with pytest.raises(InputError, match=r"no audit level 3; use 1 \(chain, files\) or 2"):
        verify(ledger, 3)


def test_each_of_two_hundred_flipped_bits_is_reported(kept: Ledger) -> None:
    chance = random.Random(11)
    paths = sorted(kept.folder.rglob("*.parquet"))
    for _ in range(200):
        path = chance.choice(paths)
        content = bytearray(path.read_bytes())
        place, bit = chance.randrange(len(content)), chance.randrange(8)
        content[place] ^= 1 << bit
        path.write_bytes(content)
        damages = verify(kept).damages
        assert len(damages) == 1
        assert path.name in damages[0]
        assert "bytes changed since it was written" in damages[0]
        content[place] ^= 1 << bit
        path.write_bytes(content)
    assert verify(kept, 2).intact


@pytest.mark.parametrize("keep", [0, 4, 1000])
def test_a_truncated_file_is_reported(kept: Ledger, keep: int) -> None:
    path = kept.manifest.files("flows")[0]
    path.write_bytes(path.read_bytes()[:keep])
    verdict = verify(kept, 2)
    assert any(path.name in damage for damage in verdict.damages)
    assert any("cannot be read" in damage for damage in verdict.damages)
    assert "DAMAGES" in str(verdict)


def test_a_missing_file_is_reported(kept: Ledger) -> None:
    path = kept.manifest.files("assays")[0]
    path.unlink()
    (first, second) = verify(kept, 2).damages
    assert first.startswith(f"file {path.name} cannot be read: No such file")
    assert second.startswith("assays 202601: cannot be read")


def test_a_file_exchanged_with_its_hash_is_found_by_its_content(kept: Ledger) -> None:
    """Level 1 is blind to this; level 2 recomputes the rows."""
    from cupral.ledger.stores import files

    other = Ledger.open(kept.folder.parent / "other")
    other.post("p0", author="me", flows=[
        flow(f"S{s}", s + 0.5, 202601, site="AB"[s % 2]) for s in range(6)
    ])  # fmt: skip
    (forged,) = other.manifest.files("flows")
    with kept.manifest.database.connect() as connection:
        name = connection.execute(sa.text(
            "select name from file join file_posting on file.id = file_id where seq = 1"
        )).scalar()  # fmt: skip
    path = kept.folder / str(name)
    path.write_bytes(forged.read_bytes())
    forged_sha = files.sha256(path)
    change(kept, f"update file set sha256 = '{forged_sha}' where name = '{name}'")  # noqa: S608
    assert verify(kept, 1).intact
    assert verify(kept, 2).damages == ("posting p0: flows 202601 content changed",)


EDITS = [
    ("update posting set author = 'you' where seq = 2", "posting p1 (number 2): chain broken"),
    ("update posting set note = 'm' where seq = 2", "posting p1 (number 2): chain broken"),
    ("update posting set recorded_at = recorded_at + 1 where seq = 2", "chain broken"),
    ("update posting set content_sha = parts_sha || '0' where seq = 2", "chain broken"),
    ("update posting set id = 'p9' where seq = 2", "posting p9 (number 2): chain broken"),
    ("update posting set rows = 7 where seq = 2", "posting p1 (number 2): chain broken"),
    ("update posting set form_version = 2 where seq = 2", "chain broken"),
    ("update posting set chain_sha = '0' where seq = 2", "chain broken"),
    ("delete from posting where seq = 2", "posting number 2 is missing"),
    ("delete from posting where seq = 5", "posting number 5 is missing, its parts are there"),
    ("update posting_part set sha = '0' where seq = 2", "its parts do not match their hash"),
    ("update posting_part set rows = rows - 1 where seq = 2", "its parts do not match"),
    ("delete from posting_part where seq = 2", "posting p1: its parts do not match their hash"),
    ("update posting_part set month = 202603 where seq = 2", "its parts do not match"),
    ("update file set rows = 9 where table_name = 'assays'", "assays 202601: 8 rows too many in f"),
    ("update file set removed_seq = 1 where table_name = 'assays'", "1 rows missing in files"),
    ("delete from file where table_name = 'assays'", "assays 202601: 1 rows missing in files"),
    ("update file set sha256 = '0' where table_name = 'assays'", "bytes changed since"),
    ("update file set site_last = '0', site_first = '0' where table_name = 'flows'",
     "holds other ['site_first', 'site_last'] than its manifest row says"),
    ("update document set body = '{}'", "posting lab: document:ticket/T1 changed since it was"),
    ("update document set party = 'Q'", "posting lab: document:ticket/T1 changed since it was"),
    ("delete from document", "posting lab: document:ticket/T1 changed since it was settled"),
    ("""update result set body = replace(body, '1.5', '1.6')""", "result q.a (version 1): content"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "damage"), EDITS, ids=[edit[0] for edit in EDITS])
def test_an_edited_row_of_the_database_is_found(kept: Ledger, statement: str, damage: str) -> None:
    change(kept, statement)
    assert damage in "\n".join(verify(kept, 2).damages)


def test_a_ledger_cut_off_is_intact_but_its_head_is_another(kept: Ledger) -> None:
    """Why the head is kept outside: a whole end that is cut off breaks no chain."""
    anchored = verify(kept, 2).head_sha
    for statement in (
        "delete from file where id in (select file_id from file_posting where seq = 5)",
        "delete from posting_part where seq = 5", "delete from posting where seq = 5",
    ):  # fmt: skip
        change(kept, statement)
    assert verify(kept, 2).intact
    assert verify(kept, 2).head_sha != anchored


def test_an_audit_beside_a_writer_finds_no_damage(kept: Ledger, tmp_path: Path) -> None:
    """The manifest is read at one moment."""
    import threading

    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            kept.post(f"w{number}", author="w", flows=[flow("W", float(number))])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            assert verify(kept, 1).damages == ()
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize(
    "statement",
    ["update result set body = replace(body, '1.5', '1.6') where version = 1",
     "update result set body = '{' where version = 1",
     "update result set body = '[]' where version = 1"],
)  # fmt: skip
def test_an_earlier_version_of_a_result_is_checked_too(kept: Ledger, statement: str) -> None:
    """Whoever was told the first version must be able to rely on it."""
    with kept.reading() as read:
        kept.keep(Result(query="q.a", subject="A", value=2.5), read)
    assert verify(kept, 2).intact
    change(kept, statement)
    told = "result q.a (version 1): content changed since it was kept"
    assert verify(kept, 2).damages == (told,)


@pytest.mark.parametrize("table", ["register", "document"])
def test_versions_kept_beside_postings_are_sealed(ledger: Ledger, table: str) -> None:
    ledger.register(Site(id="s", name_zh="", name_en="", enterprise="E", city=""), author="me")
    ledger.put(Document(kind="note", id="n", party="E", body={"a": 1}), author="me")
    ledger.post("p", author="me", documents=[Document(kind="note", id="n", party="E")])
    ledger.put(Document(kind="note", id="n", party="E", body={"a": 2}), author="me")
    assert verify(ledger, 2).intact
    with ledger.records.database.begin() as connection:
        connection.execute(sa.text(f"UPDATE {table} SET body = '{{}}', author = 'x'"))  # noqa: S608
    told = [damage for damage in verify(ledger, 2).damages if "put in by nobody" in damage]
    assert len(told) == {"register": 1, "document": 2}[table]
    with ledger.records.database.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608
    assert f"{table} row 1 is gone" in verify(ledger, 2).damages
