"""A disk that is full, files that are damaged or gone, a clock that jumps."""

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact, sweep
from cupral.ledger.errors import CupralError, Damaged
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import files
from tests.ledger.processes import ROWS, rows_of
from tests.ledger.rows import flow

FULL = (OSError, sa.exc.DBAPIError)
"""What a full disk raises: from the files, or from the database."""
EMBEDDED_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
"""Of a server's files, the server itself takes care."""


def filled(ledger: Ledger, most: int) -> list[str]:
    """Post until the disk is full; returns what was acknowledged."""
    acknowledged = []
    for number in range(most):
        try:
            ledger.post(f"w-{number}", author="w", flows=rows_of("w", number))
        except FULL:
            return acknowledged
        acknowledged.append(f"w-{number}")
    pytest.fail("the disk never was full")


def whole(ledger: Ledger, acknowledged: list[str]) -> None:
    """What was acknowledged stands, nothing else, and posting goes on."""
    assert str(verify(ledger, 2)).startswith("intact")
    assert [row["id"] for row in ledger.postings()] == acknowledged
    assert ledger.flows().num_rows == len(acknowledged) * ROWS
    assert not list(ledger.folder.rglob("*.tmp"))
    number = len(acknowledged)
    assert ledger.post(f"w-{number}", author="w", flows=rows_of("w", number)).status == "posted"
    assert verify(ledger, 2).intact


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB in memory; only an owner of the computer can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_refuses_postings_and_loses_none(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    ledger = Ledger.open(small_disk / "ledger")
    acknowledged = filled(ledger, 500)
    assert len(acknowledged) > 3
    ballast.unlink()
    whole(ledger, acknowledged)
    ledger.manifest.database.dispose()


@EMBEDDED_ONLY
@pytest.mark.parametrize("limit", [6_000, 60_000, 200_000])
def test_a_limit_on_files_refuses_postings_and_loses_none(ledger: Ledger, limit: int) -> None:
    """No file may grow beyond the limit: data files, the write-ahead log, the database."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        acknowledged = filled(ledger, 500)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    whole(ledger, acknowledged)


def damaged(path: Path, chance: random.Random) -> str:
    """Damage a file in one of three ways."""
    how, content = chance.choice(["corrupted", "truncated", "missing"]), path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[: chance.randrange(len(content))])
    else:
        place = chance.randrange(len(content) - 64)
        path.write_bytes(content[:place] + chance.randbytes(64) + content[place + 64 :])
    return how


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_named_with_its_postings_and_the_rest_goes_on(
    ledger: Ledger, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(6):
        ledger.post(f"w-{number}", author="w", flows=rows_of("w", number))
    if seed % 2:
        compact(ledger, most_files=1)
    path = chance.choice(ledger.manifest.files("flows"))
    kept = path.read_bytes()
    how = damaged(path, chance)
    told = verify(ledger, 2).damages
    assert path.name in told[0]
    assert "contents not checked of w-0, w-1, w-2, w-3, w-4 and 1 more" in told[-1]
    if not seed % 2:  # a single file is not merged
        with pytest.raises(Damaged, match=path.name):
            compact(ledger)
    if how != "corrupted":  # DuckDB checks no page sums: a corrupted file may read as something
        with pytest.raises(Damaged, match="`cupral audit verify` names all damages"):
            ledger.flows()
    assert ledger.post("more", author="w", flows=[flow("S", month=202603)]).status == "posted"
    assert ledger.flows(period="2026-03").num_rows == 1
    path.write_bytes(kept)
    assert verify(ledger, 2).intact, "a copy from the backup heals"
    assert ledger.flows().num_rows == 6 * ROWS + 1


@pytest.mark.parametrize("jump", [-400 * 86_400, -1, 400 * 86_400])
def test_a_clock_that_jumps_changes_no_order_and_no_earlier_state(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    now, now_ns = time.time, time.time_ns
    ledger.post("w-0", author="w", flows=rows_of("w", 0))
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + jump * 1_000_000_000)
    ledger.post("w-1", author="w", flows=rows_of("w", 1))
    compact(ledger, most_files=1)
    monkeypatch.undo()
    ledger.post("w-2", author="w", flows=rows_of("w", 2))
    times = [row["recorded_at"] for row in ledger.postings()]
    assert times == sorted(set(times))
    for seq in range(4):
        assert ledger.flows(as_of=seq).num_rows == seq * ROWS
    sweep(ledger)
    assert verify(ledger, 2).intact
    assert ledger.flows().num_rows == 3 * ROWS


def test_a_sweep_with_a_clock_far_ahead_costs_a_posting_not_its_rows(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes the files of a posting, just written, for orphans of last year."""
    write = files.write_all

    def swept(root: Path, parts: list[object]) -> list[files.DataFile]:
        written = write(root, parts)  # type: ignore[arg-type]
        sweep(ledger, grace_seconds=-60)
        return written

    monkeypatch.setattr(files, "write_all", swept)
    with pytest.raises(Damaged, match="vanished before it was named; post again"):
        ledger.post("p", author="me", flows=[flow()])
    monkeypatch.undo()
    assert ledger.head == 0
    assert ledger.post("p", author="me", flows=[flow()]).status == "posted"
    assert verify(ledger, 2).intact


@EMBEDDED_ONLY
def test_a_ledger_whose_database_is_gone_or_broken_says_so(ledger: Ledger, tmp_path: Path) -> None:
    ledger.post("p", author="me", flows=[flow()])
    ledger.manifest.database.dispose()
    copy = Path(shutil.copytree(ledger.folder, tmp_path / "copy"))
    for name in ("documents.sqlite-wal", "documents.sqlite-shm"):
        (copy / name).unlink(missing_ok=True)
    with (copy / "documents.sqlite").open("r+b") as stream:
        stream.write(os.urandom(4096))
    with pytest.raises((sa.exc.DatabaseError, CupralError)):
        verify(Ledger.open(copy), 2)
