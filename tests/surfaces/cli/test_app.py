"""The command line: words, ledger option, errors, quick start."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.ledger import Ledger
from cupral.surfaces.cli.app import COMMANDS, GROUPS, asked_word, build, ledger_first, main
from cupral.system import commands, manifests, queries


class Line:
    """Runs command lines in this process on one ledger."""

    def __init__(self, folder: Path, capture: Any) -> None:
        self.folder, self.capture = folder, capture

    def run(self, *words: str, code: int = 0) -> str:
        """What a line prints, if it ends with the code."""
        out, error = self.both(*words, code=code)
        assert not (code == 0 and error), error
        return out

    def both(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Output and errors of a line."""
        with pytest.raises(SystemExit) as ended:
            main(["--ledger", str(self.folder), *words])
        captured = self.capture.readouterr()
        assert (ended.value.code or 0) == code, captured.out + captured.err
        return captured.out, captured.err

    def json(self, *words: str) -> Any:
        """What a line prints as JSON."""
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def line(workshop: Ledger, capsys: pytest.CaptureFixture[str]) -> Line:
    """Command lines on the workshop."""
    return Line(workshop.folder, capsys)


def test_help_names_every_word(line: Line) -> None:
    text = line.run("--help")
    for word in [*COMMANDS, *GROUPS, *manifests()]:
        assert f"  {word} " in text


@pytest.mark.parametrize("name", sorted({**queries(), **commands()}))
def test_every_query_and_command_is_a_word(line: Line, name: str) -> None:
    system, _, short = name.partition(".")
    text = line.run(system, short.replace("_", "-"), "--help")
    assert "Usage: cupral" in text


def test_only_the_branch_that_was_asked_is_filled() -> None:
    names = {group.name for group in build("plan").registered_groups}
    assert set(manifests()) <= names
    filled = [g for g in build("plan").registered_groups if g.typer_instance.registered_commands]  # type: ignore[union-attr]
    assert [g.name for g in filled] == ["plan"]


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        (["plan", "status", "--ledger", "x"], ["--ledger", "x", "plan", "status"]),
        (["plan", "--ledger=x", "status"], ["--ledger", "x", "plan", "status"]),
        (["--ledger", "x", "plan"], ["--ledger", "x", "plan"]),
        (["plan", "--ledger"], ["plan", "--ledger"]),
        ([], []),
    ],
)
def test_the_ledger_may_be_named_anywhere(words: list[str], moved: list[str]) -> None:
    assert ledger_first(words) == moved


@pytest.mark.parametrize(
    ("words", "word"),
    [(["--help"], ""), (["plan", "--help"], "plan"), (["--ledger", "plan", "audit"], "audit"),
     ([], "")],
)  # fmt: skip
def test_the_word_that_was_asked(words: list[str], word: str) -> None:
    assert asked_word(words) == word


def test_the_ledger_may_be_named_in_the_environment(
    workshop: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPRAL_LEDGER", str(workshop.folder))
    with pytest.raises(SystemExit) as ended:
        main(["audit", "verify"])
    assert ended.value.code in (None, 0)
    assert "intact" in capsys.readouterr().out


def test_a_question_does_not_create_a_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line(tmp_path / "none", capsys)
    _, error = line.both("plan", "status", code=2)
    assert "no ledger in" in error
    assert "cupral demo" in error
    assert not (tmp_path / "none").exists()


def test_an_error_of_ours_has_four_parts_and_no_traceback(line: Line) -> None:
    _, error = line.both("efficiency", "level", "--norm", "tea", "--value", "1", code=2)
    assert error.startswith("not found: no norm 'tea'")
    assert "next" in error
    assert "Traceback" not in error


def test_a_wrong_argument_is_told_with_what_is_taken(line: Line) -> None:
    _, error = line.both(
        "balance", "problem", "--problem", "[1", code=2,
    )  # fmt: skip
    assert "is no JSON" in error


def test_an_unknown_word_is_a_usage_error(line: Line) -> None:
    _, error = line.both("weather", code=2)
    assert "weather" in error


def test_help_is_quick() -> None:
    """Nothing of the web is imported unless pages are served."""
    script = (
        "import sys; from cupral.surfaces.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'fastapi', 'starlette', 'uvicorn', 'jinja2', 'openpyxl', 'docx'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - began < 5


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cupral.surfaces.cli", "check", "none.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no case file" in done.stderr
