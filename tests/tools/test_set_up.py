"""Set-up installs once, by content, and knows an environment that does not work."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import set_up


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with lock files, whose environment is made without pip."""
    for name in ("requirements.lock", "requirements-test.lock", "pyproject.toml"):
        (tmp_path / name).write_text("", "utf-8")
    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def calls(place: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What pip would have been called with; the environment is a link to this Python."""
    made: list[tuple[Any, ...]] = []
    binaries = place / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    monkeypatch.setattr(set_up, "call", lambda *command: made.append(command))
    return made


def test_it_installs_the_lock_and_then_cupral(calls: list[tuple[Any, ...]], place: Path) -> None:
    assert set_up.main(["run"]) == 0
    locked, editable = calls
    assert locked[-2:] == ("-r", place / "requirements.lock")
    assert editable[-3:] == ("--no-build-isolation", "--editable", place)
    assert all("--no-deps" in command for command in calls)


def test_a_second_run_calls_nothing(calls: list[tuple[Any, ...]]) -> None:
    set_up.main(["run"])
    calls.clear()
    assert set_up.main(["run"]) == 0
    assert calls == []


def test_an_environment_for_tests_serves_a_run_and_not_the_reverse(
    calls: list[tuple[Any, ...]],
) -> None:
    set_up.main(["run"])
    calls.clear()
    set_up.main(["test"])
    assert calls
    calls.clear()
    set_up.main(["run"])
    assert calls == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_other_content_installs_again(calls: list[tuple[Any, ...]], place: Path, name: str) -> None:
    set_up.main(["run"])
    calls.clear()
    (place / name).write_text("numpy==9\n", "utf-8")
    set_up.main(["run"])
    assert len(calls) == 2


def test_an_environment_without_a_python_does_not_work(tmp_path: Path) -> None:
    assert not set_up.works(tmp_path)


def test_a_failed_install_leaves_no_stamp(
    calls: list[tuple[Any, ...]], place: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail(*command: str) -> None:
        raise subprocess.CalledProcessError(1, [str(part) for part in command])

    monkeypatch.setattr(set_up, "call", fail)
    assert set_up.main(["run"]) == 1
    assert "failed" in capsys.readouterr().out
    assert not (place / ".venv" / "run.stamp").exists()


def test_an_unknown_purpose_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up.main(["walk"]) == 2
    assert "choose one of run, test" in capsys.readouterr().out


def find_python(directory: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the search for a Python with only one folder to look in."""
    script = Path(set_up.__file__).with_name("find_python.sh")
    return subprocess.run(
        ["/bin/sh", script], cwd=directory, env={"PATH": f"{path}:/bin"}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


def test_the_search_takes_a_python_that_runs_and_passes_over_one_that_does_not(
    tmp_path: Path,
) -> None:
    broken, good = tmp_path / "python3.13", tmp_path / "python3.12"
    broken.write_text("#!/bin/sh\nexit 127\n", "utf-8")
    good.write_text("#!/bin/sh\nexit 0\n", "utf-8")
    broken.chmod(0o755)
    good.chmod(0o755)
    assert find_python(tmp_path, tmp_path).stdout.strip() == str(good)


def test_without_a_python_the_message_says_what_to_install(tmp_path: Path) -> None:
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    found = find_python(tmp_path, tmp_path)
    assert found.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in found.stderr
    assert "make run PYTHON=" in found.stderr
