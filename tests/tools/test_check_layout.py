"""The inspector as a whole: it reads, finds, prints and counts."""

from pathlib import Path
from typing import Any

import pytest

import check_layout
from layout.tree import Tree


def test_a_sound_tree_has_no_findings(sound: Any) -> None:
    assert sound.found() == []


def test_this_repository_gives_a_report_and_is_read_whole() -> None:
    tree = Tree(Path(__file__).parents[2])
    assert "ledger" in check_layout.report(tree)
    assert "tools/check_layout.py" in {source.name for source in tree.sources}
    assert tree.broken == []


def test_findings_are_printed_with_where_rule_and_cure(
    sound: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sound.write("src/cupral/utils.py", '"""Odds."""\n')
    assert check_layout.main([str(sound.root)]) == 1
    line, last = capsys.readouterr().out.splitlines()
    assert line.startswith("src/cupral/utils.py  [name]  ")
    assert last.startswith("check_layout: 1 findings in ")


def test_a_sound_tree_exits_with_zero(sound: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_layout.main([str(sound.root)]) == 0
    assert "0 findings" in capsys.readouterr().out


def test_the_report_shows_code_and_tests_of_each_package(
    sound: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    check_layout.main([str(sound.root), "--report"])
    assert "systems/lower" in capsys.readouterr().out
