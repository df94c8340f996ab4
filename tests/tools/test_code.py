"""Rules on all code and text: budgets, engines, words, proof; each fault is found."""

from typing import Any

import pytest

# -- budgets ---------------------------------------------------------------------------------

LONG = "def long() -> None:\n" + "    pass\n" * 41


def test_a_long_file_is_found(sound: Any) -> None:
    sound.write("tests/test_long.py", "assert True\n" * 401)
    assert "401 lines" in sound.the_one("budget").cure


def test_a_long_function_is_found_where_it_begins(sound: Any) -> None:
    sound.write("src/cupral/long.py", "\n" + LONG)
    finding = sound.the_one("budget")
    assert finding.where == "src/cupral/long.py:2"
    assert "41 body lines" in finding.cure


def test_a_docstring_is_no_part_of_the_body(sound: Any) -> None:
    text = '    """' + "Words.\n" * 60 + '    """\n'
    sound.write("src/cupral/told.py", "def told() -> None:\n" + text + "    pass\n" * 40)
    assert sound.found() == []


def test_a_reason_lets_a_budget_be_broken(sound: Any) -> None:
    sound.write("src/cupral/long.py", "# budget: one table that reads as one\n" + LONG)
    assert sound.found() == []
    sound.write("src/cupral/long.py", "# budget:\n" + LONG)
    assert sound.the_one("budget")


def test_functions_are_short_in_the_middle(sound: Any) -> None:
    nine = "".join(f"def f{n}() -> None:\n" + "    pass\n" * 9 for n in range(9))
    sound.write("src/cupral/nine.py", nine)
    assert "median body is 9" in sound.the_one("budget").cure


@pytest.mark.parametrize(
    "line", ["import duckdb", "from duckdb.typing import VARCHAR", "import ibis"]
)
def test_an_engine_out_of_its_corner_is_found(sound: Any, line: str) -> None:
    sound.write(
        f"src/cupral/ledger/stores/{line.split()[1].split('.', maxsplit=1)[0]}.py", f"{line}\n"
    )
    assert sound.found() == []
    sound.write("src/cupral/ledger/rows.py", f"{line}\n")
    assert sound.the_one("engine").where == "src/cupral/ledger/rows.py:1"


def test_a_relative_import_is_found(sound: Any) -> None:
    sound.write("src/cupral/ledger/rows.py", "from . import flow\n")
    assert sound.the_one("import").where == "src/cupral/ledger/rows.py:1"


@pytest.mark.parametrize("name", ["utils.py", "common/a.py", "helpers.py", "misc/a.py"])
def test_names_for_odds_and_ends_are_found(sound: Any, name: str) -> None:
    sound.write(f"src/cupral/{name}", '"""Odds and ends."""\n')
    assert sound.the_one("name").where == f"src/cupral/{name}"


def test_a_promise_in_a_comment_is_found_and_in_a_text_is_not(sound: Any) -> None:
    sound.write("src/cupral/later.py", 'WORD = "TO' + 'DO"\nX = 1  # TO' + "DO: two\n")
    assert sound.the_one("promise").where == "src/cupral/later.py:2"


def test_print_is_for_surfaces(sound: Any) -> None:
    sound.write("src/cupral/surfaces/cli.py", "print(1)\n")
    sound.write("tools/say.py", "print(1)\n")
    assert sound.found() == []
    sound.write("src/cupral/ledger/rows.py", "print(1)\n")
    assert sound.the_one("print").where == "src/cupral/ledger/rows.py:1"


@pytest.mark.parametrize(
    "text", ["/ro" + "ot/a", "see /ho" + "me/x/a.csv", "/wo" + "rk/a", "C" + ":\\a"]
)
def test_places_on_one_machine_are_found(sound: Any, text: str) -> None:
    sound.write("docs/start.md", f"first\n{text}\n")
    assert sound.the_one("place").where == "docs/start.md:2"


@pytest.mark.parametrize("text", ["https://example.org/home/a", "a/work/b", "homework/root"])
def test_other_paths_are_allowed(sound: Any, text: str) -> None:
    sound.write("docs/start.md", text + "\n")
    assert sound.found() == []


def test_a_registry_is_not_named(sound: Any) -> None:
    sound.write("requirements.lock", "--extra-index-" + "url https://example.org\n")
    assert "name no registry" in sound.the_one("place").cure


def test_what_others_wrote_is_not_inspected(sound: Any) -> None:
    sound.write("src/cupral/surfaces/web/static/vendor/x.js", "/ro" + "ot/a\n")
    sound.write("src/cupral/surfaces/web/static/vendor/utils.py", "from . import a\n")
    assert sound.found() == []


def test_fewer_tests_than_code_is_found_and_says_where(sound: Any) -> None:
    sound.write("src/cupral/ledger/big.py", "A = 1\n" * 300)
    assert "ledger 0/300" in sound.the_one("debt").cure


def test_a_file_that_cannot_be_parsed_is_found(sound: Any) -> None:
    sound.write("src/cupral/broken.py", "def :\n")
    assert sound.the_one("syntax").where == "src/cupral/broken.py:1"


@pytest.mark.parametrize("part", ["oracle", "properties", "queries"])
def test_a_system_without_one_of_its_three_files_of_tests_is_found(sound: Any, part: str) -> None:
    (sound.root / f"tests/systems/lower/test_{part}.py").unlink()
    assert sound.the_one("proof").where == f"tests/systems/lower/test_{part}.py"
