"""Rules on systems: anatomy, manifest, signatures, parameters; each fault is found."""

from typing import Any

import pytest


@pytest.mark.parametrize("name", ["model.py", "parameters.toml", "compute.py", "README.md"])
def test_a_missing_part_is_named(sound: Any, name: str) -> None:
    (sound.root / "src/cupral/systems/lower" / name).unlink()
    assert sound.the_one("anatomy").cure.startswith(f"{name} is missing")


def test_a_file_outside_the_anatomy_is_named(sound: Any) -> None:
    sound.write("src/cupral/systems/lower/formulas.py", '"""Formulas."""\n')
    assert sound.the_one("anatomy").where == "src/cupral/systems/lower/formulas.py"


@pytest.mark.parametrize("name", ["commands.py", "options.py", "cases.py", "compute/flow.py"])
def test_optional_parts_and_folder_forms_are_allowed(sound: Any, name: str) -> None:
    sound.write(f"src/cupral/systems/lower/{name}", '"""Part."""\n')
    assert sound.found() == []


def test_a_folder_form_stands_for_its_file(sound: Any) -> None:
    (sound.root / "src/cupral/systems/lower/compute.py").unlink()
    sound.write("src/cupral/systems/lower/compute/__init__.py", '"""Pure functions."""\n')
    assert sound.found() == []


def test_a_folder_outside_the_anatomy_is_named(sound: Any) -> None:
    sound.write("src/cupral/systems/lower/assets/a.csv", "a\n")
    assert sound.the_one("anatomy").where == "src/cupral/systems/lower/assets"


def test_tables_hold_data_and_no_code(sound: Any) -> None:
    sound.write("src/cupral/systems/lower/tables/norms.csv", "a\n")
    assert sound.found() == []
    sound.write("src/cupral/systems/lower/tables/norms.py", '"""Code."""\n')
    assert sound.the_one("anatomy").where.endswith("tables/norms.py")


def test_an_init_that_works_is_found(sound: Any) -> None:
    sound.write(
        "src/cupral/methods/__init__.py", "for name in ('a', 'b'):\n    globals()[name] = 1\n"
    )
    finding = sound.the_one("init")
    assert finding.where == "src/cupral/methods/__init__.py:1"


def test_a_long_init_is_found(sound: Any) -> None:
    sound.write("src/cupral/methods/__init__.py", "import math\n" * 41)
    assert "41 lines" in sound.the_one("init").cure


def test_a_missing_manifest_is_found(sound: Any) -> None:
    sound.write("src/cupral/systems/upper/__init__.py", '"""No manifest."""\n')
    assert sound.the_one("manifest").where == "src/cupral/systems/upper/__init__.py"


def test_a_query_that_asks_forgets_is_found(sound: Any) -> None:
    sound.change("upper/queries.py", "def share(", "def part(")
    cures = {finding.cure for finding in sound.found()}
    assert cures == {
        "query part is not in asks; add it",
        "asks names share, no @query of this system; remove it",
    }


def test_a_function_without_the_mark_is_no_query(sound: Any) -> None:
    sound.change("upper/queries.py", "@query\n", "")
    assert "asks names share" in sound.the_one("asks").cure


def test_a_read_that_the_manifest_forgets_is_found(sound: Any) -> None:
    sound.change("upper/__init__.py", '"lower.flows",', "")
    assert sound.the_one("reads").cure == "the code asks lower.flows; add it to reads"


def test_a_read_that_nothing_asks_is_found(sound: Any) -> None:
    sound.change("upper/queries.py", 'ask(ledger, "lower.flows")', "Result()")
    assert "nothing here asks" in sound.the_one("reads").cure


def test_a_read_of_a_query_that_does_not_exist_is_found(sound: Any) -> None:
    for name in ("upper/queries.py", "upper/__init__.py"):
        sound.change(name, "lower.flows", "lower.gone")
    assert sound.the_one("reads").cure.startswith("no system has a query lower.gone")


def test_a_question_to_itself_is_no_read(sound: Any) -> None:
    sound.change("lower/queries.py", "Result()", 'ask(ledger, "lower.flows")')
    assert sound.found() == []


def test_a_name_asked_from_data_counts_where_it_is_written(sound: Any) -> None:
    sound.change("upper/queries.py", '"lower.flows"', "site")
    assert "nothing here asks" in sound.the_one("reads").cure
    sound.write("src/cupral/systems/upper/tables/targets.toml", 'answer = ["lower.flows"]\n')
    assert sound.found() == []


def test_a_ring_of_reads_is_found(sound: Any) -> None:
    sound.change("lower/queries.py", "Result()", 'ask(ledger, "upper.share")')
    sound.change("lower/__init__.py", "reads=()", 'reads=("upper.share",)')
    cure = sound.the_one("acyclic").cure
    assert "lower reads upper" in cure
    assert "upper reads lower" in cure


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        ('name="lower"', 'name="under"', "write 'lower'"),
        ('title_zh="名"', 'title_zh=""', "give title_zh"),
        ('    question_en="what flowed?",\n', "", "give question_en"),
        ('"T09-M1"', '"M1"', "'M1' is no clause"),
        ('clauses=("T1", "T09-M1")', "clauses=CLAUSES", "give clauses as a tuple"),
    ],
)
def test_a_faulty_manifest_is_found(sound: Any, old: str, new: str, cure: str) -> None:
    sound.change("lower/__init__.py", old, new)
    assert cure in sound.the_one("manifest").cure


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        ('"""What flowed in a month.\n', '"""\n', "one sentence"),
        ("What flowed in a month.", "What flowed in a month", "full stop"),
        ("ledger: Ledger", "ledger", "first argument"),
        ("ledger: Ledger, *, site", "ledger: Ledger, site", "keyword-only"),
        ("site: str", "site", "type site"),
        ("site: str", "site: Site", "type site"),
        ("-> Result", "-> float", "returns a Result"),
    ],
)
def test_a_faulty_query_is_found(sound: Any, old: str, new: str, cure: str) -> None:
    sound.change("lower/queries.py", old, new)
    assert cure in sound.the_one("query").cure


def test_a_command_needs_an_author(sound: Any) -> None:
    text = '@command\ndef post(ledger: Ledger, *, site: str) -> None:\n    """Post it."""\n'
    sound.write("src/cupral/systems/lower/commands.py", text)
    assert "author" in sound.the_one("command").cure


def test_queries_in_a_folder_are_seen(sound: Any) -> None:
    folder = sound.root / "src/cupral/systems/lower"
    text = (folder / "queries.py").read_text("utf-8")
    (folder / "queries.py").unlink()
    (folder / "queries").mkdir()
    (folder / "queries/flows.py").write_text(text, "utf-8")
    assert sound.found() == []


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        ('unit = "kWh/t"\n', "", "lacks unit"),
        ('source = "GB 1, table 1"', 'source = ""', "source must be"),
        ('status = "confirmed"', 'status = "certain"', "'certain' is not one of"),
        ('force = "standard"', 'force = "custom"', "'custom' is not one of"),
        ("valid_from = 2023-01-01", 'valid_from = "2023"', "valid_from must be a date"),
        ("value = 1.0\n", "", "lacks value"),
        ("value = 1.0", "value = 1.0\nvalid_to = 2022-01-01", "is not after valid_from"),
        ("value = 1.0", "value = 1.0\nsd = 2", "'sd' is no known key"),
        ("[limit]", "[Limit]\nunit = 1\n[limit]", "small letters"),
        ("[limit]", "limits = 1\n[limit]", "as a table"),
        ("[limit]", "[limit", "no TOML"),
    ],
)
def test_a_faulty_parameter_is_found(sound: Any, old: str, new: str, cure: str) -> None:
    sound.change("lower/parameters.toml", old, new)
    findings = sound.found()
    assert {finding.rule for finding in findings} == {"parameters"}
    assert any(cure in finding.cure for finding in findings)


def test_values_must_be_in_order(sound: Any) -> None:
    text = (sound.root / "src/cupral/systems/lower/parameters.toml").read_text("utf-8")
    older = text[text.index("[[") :].replace("2023", "2020")
    sound.write("src/cupral/systems/lower/parameters.toml", text + older)
    assert "in order of valid_from" in sound.the_one("parameters").cure


def test_a_parameter_without_a_known_value_is_allowed(sound: Any) -> None:
    text = (sound.root / "src/cupral/systems/lower/parameters.toml").read_text("utf-8")
    unknown = text[: text.index("[[")] + "values = []\n"
    sound.write("src/cupral/systems/lower/parameters.toml", unknown)
    assert sound.found() == []


def test_two_judges_of_one_kind_are_found(sound: Any) -> None:
    judges = '"""Judges."""\n\nJUDGES: dict[str, Judge] = {"linear": judge}\n'
    sound.write("src/cupral/systems/lower/cases.py", judges)
    assert sound.found() == []
    sound.write("src/cupral/systems/upper/cases.py", judges)
    finding = sound.the_one("judges")
    assert finding.where == "src/cupral/systems/upper/cases.py:3"
    assert "lower/cases.py already judges linear" in finding.cure


def test_a_kind_that_is_no_text_is_found(sound: Any) -> None:
    sound.write("src/cupral/systems/lower/cases.py", "JUDGES = {KIND: judge}\n")
    assert "as a text" in sound.the_one("judges").cure


def test_bytes_of_a_file_may_be_given_to_a_command(sound: Any) -> None:
    text = "@command\ndef bring(ledger: Ledger, *, author: str, content: bytes) -> None:\n"
    sound.write("src/cupral/systems/lower/commands.py", text + '    """Bring a file."""\n')
    assert sound.found() == []
