"""`cupral demo`: built once, told always, built again when old, never over somebody's rows."""

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.surfaces import demonstration_logins
from cupral.surfaces.cli import main
from cupral.surfaces.cli.demonstrating import FILE, told_before
from cupral.system import ask, open_ledger


def told(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """Lines that the command prints."""
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--folder", str(folder), *more])
    assert ended.value.code in (None, 0)
    return capsys.readouterr().out.splitlines()


def outdated(folder: Path) -> None:
    """Make the story look as if other code had told it."""
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    (folder / FILE).write_text(json.dumps({**content, "code": "other"}), encoding="utf-8")


@pytest.fixture
def copy(province: Path, tmp_path: Path) -> Path:
    """A demonstration of its own."""
    folder = tmp_path / "demo"
    shutil.copytree(province, folder)
    return folder


def test_the_story_is_told_again_without_building(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (copy / FILE).stat().st_mtime_ns
    lines = told(copy, capsys)
    story = next(n for n, line in enumerate(lines) if line.startswith("Demonstration logins"))
    assert 15 <= story <= 22
    logins = demonstration_logins.read(copy)
    assert len(logins) == len(lines) - story - 1 == 8
    for login, line in zip(logins, lines[story + 1 :], strict=True):
        assert line.split()[:2] == [login.name, login.password]
    assert lines == told(copy, capsys)
    assert (copy / FILE).stat().st_mtime_ns == before


def test_it_names_targets_fault_truth_and_new_version(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(told(copy, capsys))
    for number in range(1, 9):
        assert f"\nT{number} " in text
    for part in ("T8 flips", "truth", " explain ", "stale", "version 2"):
        assert part in text


def test_the_served_ledger_stands_before_the_late_file(copy: Path) -> None:
    ledger = open_ledger(copy)
    depth = ask(ledger, "plan.target", target="T8")
    assert [row["meters"] for row in depth.tables["suspects"] if row["direct"]]
    assert ledger.stale_results() == []


def test_the_line_that_explains_is_a_command_that_works(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = next(line for line in told(copy, capsys) if " explain " in line)
    typed = shlex.split(line.partition("cupral ")[2])
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code in (None, 0)
    assert "<- result:" in capsys.readouterr().out


def test_an_old_demonstration_is_built_again(copy: Path) -> None:
    outdated(copy)
    assert told_before(copy) is None


def test_what_somebody_posted_is_never_thrown_away(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outdated(copy)
    ledger = open_ledger(copy)
    ledger.reverse(ledger.postings()[0]["id"], author="analyst", reason="mine")
    lines = told(copy, capsys)
    assert "told by an earlier version" in lines[-1]
    assert open_ledger(copy).postings()[-1]["id"].startswith("reverse:")


def filed(ledger: Ledger) -> None:
    """A document that somebody files."""
    ledger.put(Document(kind="progress", id="T09-M1:2026-11", party="me"), author="me")


def drawn(ledger: Ledger) -> None:
    """A network that somebody draws anew."""
    site = ledger.networks()[0]
    network = ledger.network(site)
    ledger.register(replace(network, meters=network.meters[:-1]), author="me")


@pytest.mark.parametrize("change", [filed, drawn])
def test_what_somebody_filed_or_drew_is_never_thrown_away(
    copy: Path, change: Callable[[Ledger], None]
) -> None:
    outdated(copy)
    change(open_ledger(copy))
    told = told_before(copy)
    assert told is not None
    assert not told.present


def test_a_story_of_an_earlier_form_is_told_and_can_be_built_again(copy: Path) -> None:
    content = json.loads((copy / FILE).read_text(encoding="utf-8"))
    del content["state"]
    (copy / FILE).write_text(json.dumps({**content, "head": 9, "code": "other"}), encoding="utf-8")
    told = told_before(copy)
    assert told is not None
    assert not told.present


def test_half_a_build_is_no_demonstration(copy: Path) -> None:
    (copy / FILE).unlink()
    assert told_before(copy) is None


@pytest.mark.parametrize("more", [[], ["--rebuild"]])
@pytest.mark.parametrize("name", ["thesis.txt", "documents.sqlite", FILE])
def test_a_folder_that_holds_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, more: list[str]
) -> None:
    folder, beside = tmp_path / "home", tmp_path / "home.building"
    for place in (folder, beside):
        place.mkdir()
        (place / name).write_text("mine")
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--folder", str(folder), *more])
    assert ended.value.code not in (None, 0)
    assert "holds something else than a demonstration" in capsys.readouterr().err
    assert [(place / name).read_text() for place in (folder, beside)] == ["mine", "mine"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit):
        main(["demo", "--folder", str(tmp_path / "file")])
    assert "choose another --folder" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", '{"lines": []}', "{"])
def test_a_broken_story_file_means_building(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert told_before(tmp_path) is None
