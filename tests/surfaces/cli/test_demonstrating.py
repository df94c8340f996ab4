"""`cupral demo`: built once, told always, built again when it is old; on a tiny province."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.ledger import Ledger
from cupral.surfaces.cli import demonstrating
from cupral.surfaces.cli.demonstrating import FILE, made, told_before
from tests.surfaces import workshop
from tests.surfaces.cli.test_app import Line


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that were built; the workshop stands for the province, to save half a minute."""
    folders: list[Path] = []

    def build(folder: Path, *, progress: Any) -> Ledger:
        folders.append(folder)
        progress("done", 1.0)
        return workshop.set_up(folder)

    def story(ledger: Ledger, _folder: Path) -> list[str]:
        ledger.post("late", author="story", flows=ledger.flows().slice(0, 0))
        return ["first line", "last line"]

    monkeypatch.setattr(demonstrating, "build", build)
    monkeypatch.setattr(demonstrating, "story", story)
    return folders


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Line:
    """Command lines without a ledger."""
    return Line(tmp_path / "ledger", capsys)


def test_it_is_built_once_and_told_every_time(
    line: Line, tmp_path: Path, built: list[Path]
) -> None:
    folder = tmp_path / "demo"
    first = line.run("demo", "--folder", str(folder))
    second = line.run("demo", "--folder", str(folder))
    assert first == second == "first line\nlast line\n"
    assert len(built) == 1


def test_the_served_ledger_stands_before_the_late_file(tmp_path: Path, built: list[Path]) -> None:
    from cupral.system import open_ledger

    made(tmp_path / "demo")
    assert "late" not in {row["id"] for row in open_ledger(tmp_path / "demo").postings()}


def test_half_a_build_never_stays(
    tmp_path: Path, built: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_ledger: Ledger, _folder: Path) -> list[str]:
        raise RuntimeError("power cut")

    monkeypatch.setattr(demonstrating, "story", broken)
    with pytest.raises(RuntimeError):
        made(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
    assert told_before(tmp_path / "demo") is None


def test_it_is_built_again_on_request(line: Line, tmp_path: Path, built: list[Path]) -> None:
    for more in ([], ["--rebuild"]):
        line.run("demo", "--folder", str(tmp_path / "demo"), *more)
    assert len(built) == 2


def outdated(folder: Path) -> None:
    """Make the story look as if other code had told it."""
    told = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps({**told, "code": "other"}))


def test_new_code_builds_it_again(line: Line, tmp_path: Path, built: list[Path]) -> None:
    line.run("demo", "--folder", str(tmp_path / "demo"))
    outdated(tmp_path / "demo")
    line.run("demo", "--folder", str(tmp_path / "demo"))
    assert len(built) == 2


def test_what_somebody_posted_is_never_thrown_away(
    line: Line, tmp_path: Path, built: list[Path]
) -> None:
    from cupral.system import open_ledger

    folder = tmp_path / "demo"
    line.run("demo", "--folder", str(folder))
    outdated(folder)
    ledger = open_ledger(folder)
    ledger.reverse(ledger.postings()[0]["id"], author="a", reason="mine")
    text = line.run("demo", "--folder", str(folder))
    assert "told by an earlier version" in text
    assert len(built) == 1


@pytest.mark.parametrize("content", ["", "[]", '{"lines": []}', "{"])
def test_a_broken_story_file_means_building(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert told_before(tmp_path) is None
