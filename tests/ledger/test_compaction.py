"""Compaction keeps every row exactly once, whoever else compacts, writes or reads."""

import os
import time
from pathlib import Path

import pytest

from cupral.ledger import compaction
from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact, sweep
from cupral.ledger.errors import Damaged
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.database import EMBEDDED
from tests.ledger.processes import ROWS, processes
from tests.ledger.rows import assay, flow, stocktake


def data_files(ledger: Ledger) -> list[Path]:
    """All Parquet files in the folder."""
    return sorted(ledger.folder.rglob("*.parquet"))


@pytest.fixture
def many(ledger: Ledger) -> Ledger:
    """Ten postings with corrections over two months, and other tables."""
    for number in range(10):
        ledger.post(f"p{number}", author="me", supersede=number % 3 == 0, flows=[
            flow(f"S{s}", number + s / 10, 202601 + number % 2) for s in range(5)
        ])  # fmt: skip
    ledger.post("lab", author="me", assays=[assay()], stocktakes=[stocktake()])
    ledger.reverse("p8", author="me", reason="x")
    return ledger


def test_compaction_changes_no_answer(many: Ledger) -> None:
    before = [many.flows(), many.flows(as_of=5), many.totals(by=["stream", "month"]),
              many.totals(by=["site"], as_of=8), many.assays(), many.stocktakes()]  # fmt: skip
    made = compact(many)
    assert len(made) == 2, "one file a month; single files stay"
    after = [many.flows(), many.flows(as_of=5), many.totals(by=["stream", "month"]),
             many.totals(by=["site"], as_of=8), many.assays(), many.stocktakes()]  # fmt: skip
    for one, other in zip(before, after, strict=True):
        assert one.equals(other)
    assert verify(many, 2).intact
    assert verify(many, 2).files == 4


def test_an_earlier_posting_can_still_be_read_when_replaced_files_are_gone(many: Ledger) -> None:
    before = [many.flows(as_of=seq) for seq in range(13)]
    compact(many)
    removed = sweep(many, grace_seconds=-1)
    assert len(removed) == 11
    for seq, rows in enumerate(before):
        assert many.flows(as_of=seq).equals(rows), seq
    assert verify(many, 2).intact


def test_posting_correcting_and_reversing_go_on_after_compaction(many: Ledger) -> None:
    compact(many)
    many.post("fix", author="me", flows=[flow("S1", 99.0)], supersede=True)
    assert many.flows(stream="S1", period="2026-01")["amount"].to_pylist() == [99.0]
    many.reverse("fix", author="me", reason="x")
    many.reverse("p9", author="me", reason="x")
    assert compact(many)
    assert compact(many) == []
    assert verify(many, 2).intact


@pytest.mark.parametrize(
    ("most_files", "small_share", "expected"), [(8, 1.0, 0), (2, 1.0, 1), (8, 0.3, 1)]
)
def test_months_are_merged_when_files_are_many_or_small(
    ledger: Ledger, most_files: int, small_share: float, expected: int
) -> None:
    for number in range(3):
        ledger.post(f"p{number}", author="me", flows=[flow(f"S{number}")])
    assert len(compact(ledger, most_files=most_files, small_share=small_share)) == expected


def test_very_many_files_are_merged_in_turns(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        ledger.post(f"p{number}", author="me", flows=[flow(f"S{number}")])
    monkeypatch.setattr(compaction, "MOST_MERGED", 4)
    while compact(ledger):
        assert ledger.flows().num_rows == 7
    assert len(ledger.manifest.files("flows")) == 1


def test_a_damaged_file_is_not_merged(many: Ledger) -> None:
    path = many.manifest.files("flows")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(Damaged, match=f"{path.name} changed since it was written; not compacted"):
        compact(many)
    assert len(data_files(many)) == 13


def test_the_sweep_removes_only_what_is_older_than_the_grace_period(many: Ledger) -> None:
    orphan = many.folder / "flows" / "month=202601" / "orphan.parquet"
    for path in (orphan, orphan.with_suffix(".tmp"), orphan.with_name("note.txt")):
        path.write_bytes(b"x")
    elsewhere = many.folder / "evidence.parquet"
    elsewhere.write_bytes(b"x")
    assert sweep(many) == []
    assert sweep(many, grace_seconds=60) == []
    old = time.time() - 3600
    for path in (orphan, orphan.with_suffix(".tmp"), orphan.with_name("note.txt"), elsewhere):
        os.utime(path, (old, old))
    assert sweep(many, grace_seconds=60) == [
        "flows/month=202601/orphan.parquet", "flows/month=202601/orphan.tmp",
    ]  # fmt: skip
    assert orphan.with_name("note.txt").exists()
    assert elsewhere.exists()
    assert verify(many, 2).intact


def test_named_files_are_never_swept(many: Ledger) -> None:
    for path in data_files(many):
        os.utime(path, (0, 0))
    assert sweep(many, grace_seconds=60) == []
    assert verify(many, 2).intact


@pytest.mark.slow
def test_fifty_runs_of_two_compactors_and_a_writer_keep_every_row_once(tmp_path: Path) -> None:
    for trial in range(50):
        two_compactors_and_a_writer(tmp_path / str(trial), EMBEDDED, kill=trial % 3 == 2)


@pytest.mark.parametrize("trial", range(3))
def test_two_compactors_and_a_writer_keep_every_row_once(
    tmp_path: Path, database: str, trial: int
) -> None:
    two_compactors_and_a_writer(tmp_path / "ledger", database, kill=trial == 2)


def two_compactors_and_a_writer(folder: Path, database: str, *, kill: bool) -> None:
    """Run them at once (and kill one compactor); every row is there once, before and after."""
    with processes(folder, database) as running:
        compactors = [running.start("compact", f"c{n}") for n in range(2)]
        writer = running.start("post", "w", 25)
        if kill:
            time.sleep(0.3)
            assert running.kill(compactors.pop()) == -9
        assert running.wait(writer) == 0
        (folder / "stop").touch()
        assert [running.wait(pid) for pid in compactors] == [0] * len(compactors)
    ledger = Ledger.open(folder, database=database)
    rows = ledger.flows()
    references = list(zip(rows["posting"].to_pylist(), rows["row"].to_pylist(), strict=True))
    assert len(references) == len(set(references)) == 25 * ROWS
    assert len(ledger.manifest.files("flows")) < 50
    assert verify(ledger, 2).intact
    sweep(ledger, grace_seconds=-1)
    assert ledger.flows().equals(rows)


def tended(ledger: Ledger, postings: int) -> None:
    """Post so often, each time into the same month, and wait for the background."""
    for number in range(postings):
        ledger.post(f"t{number}", author="me", flows=[flow(f"S{number % 7}", float(number))])
    compaction.settle()


def test_many_small_postings_are_merged_in_the_background(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TEND_EVERY", 10)
    monkeypatch.setattr(compaction, "TENDED_FILES", 6)
    tended(ledger, 40)
    assert len(ledger.manifest.files("flows")) < 20
    assert ledger.flows().num_rows == 40
    assert verify(ledger, 2).intact
    (latest, *_) = ledger.records.audit()
    assert (latest["author"], latest["action"]) == ("cupral", "ledger.tend")


def test_few_files_are_left_alone_by_the_background(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TEND_EVERY", 5)
    tended(ledger, 10)
    assert len(ledger.manifest.files("flows")) == 10


def test_a_damage_met_in_the_background_is_told_and_posting_goes_on(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compaction, "TEND_EVERY", 10)
    monkeypatch.setattr(compaction, "TENDED_FILES", 6)
    tended(ledger, 9)
    path = ledger.manifest.files("flows")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert ledger.post("last", author="me", flows=[flow("S9")]).status == "posted"
    compaction.settle()
    assert f"{path.name} changed since it was written; not compacted" in caplog.text
    assert len(ledger.manifest.files("flows")) == 10


def test_a_month_larger_than_memory_is_merged_by_sites(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        ledger.post(f"p{number}", author="me", flows=[
            flow(f"S{number}", float(s), site=f"site-{s}") for s in range(8)
        ])  # fmt: skip
    before = ledger.flows()
    monkeypatch.setattr(compaction, "MOST_ROWS", 25)
    assert len(compact(ledger)) == 4, "two sites of ten rows each a file"
    assert ledger.flows().equals(before)
    assert len(ledger.manifest.files("flows", sites=["site-3"])) == 1
    assert verify(ledger, 2).intact


def test_a_row_is_written_again_no_more_than_the_logarithm_of_times() -> None:
    """1,000 postings of one row, merged whenever there are more than eight files."""
    sizes, written = list[int](), 0
    for _ in range(1_000):
        sizes.append(1)
        if len(sizes) > 8:
            taken = [row["rows"] for row in compaction.lesser([{"rows": n} for n in sizes])]
            written += sum(taken)
            for size in taken:
                sizes.remove(size)
            sizes.append(sum(taken))
    assert sum(sizes) == 1_000
    assert len(sizes) <= 20
    assert written <= 1_000 * 10
