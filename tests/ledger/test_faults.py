"""After any crash and with any number of writers: acknowledged postings stand whole, others not at
all."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from cupral.ledger.audit import verify
from cupral.ledger.compaction import sweep
from cupral.ledger.errors import Conflict
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import files, schema
from tests.ledger.processes import ROWS, processes, rows_of
from tests.ledger.rows import flow
from tests.ledger.server import again


def whole_postings(ledger: Ledger) -> set[str]:
    """Ids of postings with rows; each must have all of them, once."""
    rows = ledger.flows()
    counted: dict[str, set[int]] = {}
    for posting, row in zip(rows["posting"].to_pylist(), rows["row"].to_pylist(), strict=True):
        assert row not in counted.setdefault(posting, set()), f"{posting}/{row} stands twice"
        counted[posting].add(row)
    for posting, numbers in counted.items():
        assert numbers == set(range(ROWS)), f"{posting} is not whole"
    return set(counted)


def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(
    tmp_path: Path, database: str
) -> None:
    chance = random.Random(5)
    killed, acknowledged = 0, set[str]()
    with processes(tmp_path / "ledger", database) as writers:
        for trial in range(15):
            name = f"w{trial}"
            pid = writers.start("post", name, 10_000)
            started = time.monotonic()
            while not writers.acknowledged(name) and time.monotonic() - started < 20:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.1)
            killed += writers.kill(pid) == -9
            acknowledged |= set(writers.acknowledged(name))
    ledger = Ledger.open(tmp_path / "ledger", database=database)
    assert killed == 15
    assert len(acknowledged) >= 15
    standing = whole_postings(ledger)
    assert acknowledged <= standing
    assert len(standing - acknowledged) <= 15, "at most one a kill: committed, not yet told"
    assert {row["id"] for row in ledger.postings()} == standing
    for trial in range(15):  # posting again heals
        ids = [id for id in standing if id.startswith(f"w{trial}-")]
        for number in range(len(ids) - 1, len(ids) + 1):
            receipt = ledger.post(
                f"w{trial}-{number}", author=f"w{trial}", flows=rows_of(f"w{trial}", number)
            )
            assert receipt.status == ("already" if number < len(ids) else "posted")
    assert str(verify(ledger, 2)).startswith("intact")
    sweep(ledger, grace_seconds=-1)
    assert whole_postings(ledger) == {row["id"] for row in ledger.postings()}


def test_an_interrupt_just_after_the_commit_destroys_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the moment between the commit and its acknowledgement."""
    commit = sa.engine.default.DefaultDialect.do_commit
    interrupted = []

    def then_interrupted(dialect: object, connection: object) -> None:
        commit(dialect, connection)  # type: ignore[arg-type]
        interrupted.append(True)
        raise KeyboardInterrupt

    monkeypatch.setattr(sa.engine.default.DefaultDialect, "do_commit", then_interrupted)
    with pytest.raises(KeyboardInterrupt):
        ledger.post("p1", author="me", flows=[flow()])
    monkeypatch.undo()
    assert interrupted
    assert ledger.flows().num_rows == 1
    assert verify(ledger, 2).intact
    assert ledger.post("p1", author="me", flows=[flow()]).status == "already"


def test_an_interrupt_before_the_commit_leaves_no_file(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sa.engine.default.DefaultDialect, "do_commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ledger.post("p1", author="me", flows=[flow()])
    monkeypatch.undo()
    assert ledger.head == 0
    assert not list(ledger.folder.rglob("*.parquet"))


def test_two_writers_at_once_make_one_chain(tmp_path: Path, database: str) -> None:
    with processes(tmp_path / "ledger", database) as writers:
        started = [writers.start("post", name, 30) for name in ("a", "b")]
        assert [writers.wait(pid) for pid in started] == [0, 0]
    ledger = Ledger.open(tmp_path / "ledger", database=database)
    assert whole_postings(ledger) == {f"{name}-{n}" for name in "ab" for n in range(30)}
    postings = ledger.postings()
    assert [row["seq"] for row in postings] == list(range(1, 61))
    times = [row["recorded_at"] for row in postings]
    assert times == sorted(set(times))
    assert verify(ledger, 2).intact
    for seq in (1, 30, 59):
        assert ledger.flows(as_of=seq).num_rows == seq * ROWS


def test_two_correctors_at_once_leave_one_row_of_each_key(tmp_path: Path, database: str) -> None:
    """Both read the row that stands and undo it; the second must notice that it is gone."""
    with processes(tmp_path / "ledger", database) as writers:
        started = [writers.start("supersede", name, 10) for name in ("a", "b")]
        assert [writers.wait(pid) for pid in started] == [0, 0]
    ledger = Ledger.open(tmp_path / "ledger", database=database)
    assert ledger.flows().num_rows == ROWS
    totals = ledger.totals(by=["stream"])
    assert set(totals["rows"].to_pylist()) == {1}
    assert sum(totals["amount"].to_pylist()) == sum(ledger.flows()["amount"].to_pylist())
    assert verify(ledger, 2).intact


def test_many_processes_may_open_a_new_folder_at_once(
    tmp_path: Path, databases: Callable[[], str]
) -> None:
    with processes(tmp_path / "none") as openers:
        for trial in range(4):
            openers.database = databases()
            openers.folder = tmp_path / f"ledger{trial}"
            started = [openers.start("open", "o") for _ in range(4)]
            assert [openers.wait(pid) for pid in started] == [0] * 4


def test_a_quicker_writer_does_not_make_a_slow_one_start_over_for_ever(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are stamped before the lock is held; being overtaken costs one more writing only."""
    other, write, calls = again(ledger), files.write_all, []

    def slow(root: Path, parts: list[object]) -> list[files.DataFile]:
        written = write(root, parts)  # type: ignore[arg-type]
        calls.append(1)
        if len(calls) == 1:
            monkeypatch.setattr(files, "write_all", write)
            other.post("quick", author="me", flows=[flow("S2")])
            monkeypatch.setattr(files, "write_all", slow)
        return written

    monkeypatch.setattr(files, "write_all", slow)
    assert ledger.post("slow", author="me", flows=[flow()]).seq == 2
    assert len(calls) == 2
    first, second = ledger.postings()
    assert first["recorded_at"] < second["recorded_at"]
    assert ledger.flows(as_of=1).num_rows == 1
    assert verify(ledger, 2).intact


def test_a_write_that_fails_leaves_nothing_behind(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "_flush", full)
        with pytest.raises(OSError, match="No space left on device"):
            ledger.post("p1", author="me", flows=[flow()])
    assert ledger.head == 0
    assert ledger.post("p1", author="me", flows=[flow()]).status == "posted"
    sweep(ledger, grace_seconds=-1)
    assert len([path for path in ledger.folder.rglob("*") if path.suffix == ".tmp"]) == 0
    assert ledger.flows().num_rows == 1


def test_a_lock_held_too_long_is_a_conflict_that_says_so(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_SECONDS", 0.1)
    other = again(ledger)
    with (
        schema.writing(ledger.manifest.database),
        pytest.raises(Conflict, match=r"held by another writer for over .* try again"),
    ):
        other.post("p1", author="me", flows=[flow()])
    assert other.post("p1", author="me", flows=[flow()]).status == "posted"


def test_a_copied_folder_is_the_same_ledger(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger")
    ledger.post("p1", author="me", flows=[flow()])
    shutil.copytree(ledger.folder, tmp_path / "copy")
    copy = Ledger.open(tmp_path / "copy")
    assert copy.flows().equals(ledger.flows())
    assert verify(copy, 2).head_sha == verify(ledger, 2).head_sha
