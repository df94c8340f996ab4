"""`cupral ledger backup`, `restore` and `migrate` on the command line."""

from pathlib import Path

import pytest

from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.migration import migrate
from tests.ledger.rows import flow
from tests.surfaces.cli.test_app import Line


@pytest.fixture
def line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Line:
    """Command lines on a ledger with one posting."""
    monkeypatch.setenv("CUPRAL_AUTHOR", "operator")
    Ledger.open(tmp_path / "ledger").post("p", author="me", flows=[flow()])
    return Line(tmp_path / "ledger", capsys)


def test_a_ledger_is_backed_up_and_restored(line: Line, tmp_path: Path) -> None:
    told = line.run("ledger", "backup", str(tmp_path / "b.tar"))
    assert "1 postings, 1 files, chain head" in told
    told = line.run("ledger", "restore", str(tmp_path / "b.tar"), str(tmp_path / "again"))
    assert "intact: level 2, 1 postings" in told
    restored = Ledger.open(tmp_path / "again")
    assert restored.flows().num_rows == 1
    (record,) = restored.records.audit()
    assert (record["author"], record["action"]) == ("operator", "ledger.restore")
    (record,) = Ledger.open(tmp_path / "ledger").records.audit()
    assert (record["action"], record["outcome"]) == ("ledger.backup", "done")


def test_what_is_there_is_not_overwritten(line: Line, tmp_path: Path) -> None:
    line.run("ledger", "backup", str(tmp_path / "b.tar"))
    _, error = line.both("ledger", "backup", str(tmp_path / "b.tar"), code=2)
    assert "choose another name" in error
    _, error = line.both("ledger", "restore", str(tmp_path / "b.tar"), str(line.folder), code=2)
    assert "choose another folder" in error


def test_an_older_ledger_says_how_it_is_migrated(line: Line, tmp_path: Path) -> None:
    migrate(tmp_path / "ledger", to=1)
    _, error = line.both("audit", "verify", code=2)
    assert f"cupral --ledger {tmp_path / 'ledger'} ledger migrate" in error
    assert "version 1 before, 3 now" in line.run("ledger", "migrate")
    assert "intact" in line.run("audit", "verify")
    assert "version 3 before, 1 now" in line.run("ledger", "migrate", "--to", "1")


def test_nothing_is_migrated_where_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, error = Line(tmp_path / "none", capsys).both("ledger", "migrate", code=2)
    assert "no ledger in" in error
    assert not (tmp_path / "none").exists()
