"""What the documentation shows runs as shown, and its commands exist."""

import doctest
import re
from pathlib import Path

import pytest

from cupral.surfaces.cli import main

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_the_ledger_runs() -> None:
    outcome = doctest.testfile(str(ROOT / "docs" / "ledger.md"), module_relative=False)
    assert outcome.attempted > 5
    assert outcome.failed == 0


def test_every_decision_is_listed_and_numbered_in_order() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("0*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    listed = re.findall(r"\((0\d{3}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == records
    for name in records:
        text = (folder / name).read_text("utf-8")
        assert text.startswith(f"# {name[:4]} ")
        for part in ("**Decided.**", "**Why.**", "**Costs.**"):
            assert text.count(part) == 1, f"{name}: {part}"


def commands() -> list[str]:
    """Every command line that a page shows, options included."""
    pages = [ROOT / "README.md", ROOT / "README.zh-CN.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    found = re.findall(r"^cupral ([^#\n]+)", text, re.M) + re.findall(r"`cupral ([^`\n]+)`", text)
    return sorted({line.strip() for line in found if not line.startswith("SYSTEM")})


@pytest.mark.parametrize("line", commands())
def test_a_command_that_a_page_shows_exists_with_its_options(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = line.split()
    command = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
    named = command[: next((n for n, w in enumerate(words) if w not in command), len(command))]
    while True:  # an argument in small letters is no command: leave it out
        with pytest.raises(SystemExit) as ended:
            main([*named, "--help"])
        shown = capsys.readouterr().out
        if ended.value.code == 0 or len(named) <= 2:
            break
        named = named[:-1]
    assert ended.value.code == 0, f"cupral {line}"
    for option in (word for word in words if word.startswith("--")):
        assert option in shown, f"cupral {line}: no {option}"


def test_every_target_of_the_makefile_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    pages = [ROOT / "README.md", ROOT / "README.zh-CN.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.M))
        assert named <= targets, page.name
