"""`cupral check`: files of cases, judged by the systems, through the queries users call."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.case import Check, compare
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.surfaces.check import CaseFile, judges, read_cases, run_cases

CASE = {"id": "A", "kind": "square", "title": "two squared", "inputs": 2, "expected": 4}


def square(_ledger: Ledger, case: dict[str, Any], tolerances: dict[str, Any]) -> list[Check]:
    """Judge a square."""
    computed = case["inputs"] ** 2
    return [compare("square", case["expected"], computed, relative=tolerances.get("rel", 0.0))]


def report(*cases: dict[str, Any], **tolerances: float) -> Any:
    """The report on some cases."""
    return run_cases(CaseFile(cases, tolerances), {"square": square})


def written(path: Path, content: str) -> Path:
    """A file with a content."""
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps({"cases": [CASE], "tolerances": {"rel": 0.1}})),
        ("b.json", json.dumps([CASE])),
        ("c.jsonl", json.dumps(CASE) + "\n\n"),
    ],
)
def test_three_forms_are_read(tmp_path: Path, name: str, content: str) -> None:
    file = read_cases(written(tmp_path / name, content))
    assert file.cases == (CASE,)


def test_tolerances_of_the_file_are_given_to_the_judge(tmp_path: Path) -> None:
    content = json.dumps({"cases": [{**CASE, "expected": 4.1}], "tolerances": {"rel": 0.1}})
    file = read_cases(written(tmp_path / "a.json", content))
    assert run_cases(file, {"square": square}).code == 0


@pytest.mark.parametrize("content", ["{", '{"case": []}', "[1, 2]", '"text"'])
def test_what_is_no_case_file_is_refused_with_advice(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"no case|no cases"):
        read_cases(written(tmp_path / "a.json", content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no case file"):
        read_cases(tmp_path / "gone.json")


def test_all_hold() -> None:
    found = report(CASE)
    assert (found.judged, found.passed, found.code) == (1, 1, 0)


def test_one_fails() -> None:
    found = report(CASE, {**CASE, "id": "B", "expected": 5})
    assert (found.judged, found.passed, found.code) == (2, 1, 1)


def test_an_unknown_kind_is_named_not_passed_over() -> None:
    found = report(CASE, {"id": "C", "kind": "cube"})
    assert [v.kind for v in found.verdicts if not v.judged] == ["cube"]
    assert found.code == 0


def test_nothing_judged_has_its_own_code() -> None:
    assert report({"id": "C", "kind": "cube"}).code == 3


def test_a_case_that_cannot_be_run_fails_with_its_reason() -> None:
    found = report({"id": "D", "kind": "square", "inputs": "x", "expected": 1})
    assert found.verdicts[0].error.startswith("TypeError")
    assert found.code == 1


def test_a_judge_that_compares_nothing_does_not_pass() -> None:
    found = run_cases(CaseFile((CASE,), {}), {"square": lambda *_: []})
    assert found.code == 1


def test_the_document_counts_and_shows_each_comparison() -> None:
    document = report(CASE).document()
    assert (document["cases"], document["judged"], document["passed"]) == (1, 1, 1)
    check = document["results"][0]["checks"][0]
    assert (check["expected"], check["computed"], check["ok"]) == (4, 4, True)
    json.dumps(document)


def test_cases_without_id_get_their_number() -> None:
    assert report({"kind": "cube"}).verdicts[0].id == "case 1"


def test_the_systems_judge_the_kinds_of_the_ledger_file() -> None:
    kinds = {"linear", "gross_error", "leak", "nonlinear", "metallurgical", "gum", "growth"}
    assert kinds <= set(judges())


def test_the_published_cases_hold(shared: Path) -> None:
    found = run_cases(read_cases(shared / "data" / "ledger" / "cases.json"), judges())
    failed = [v.id for v in found.verdicts if v.judged and not v.ok]
    assert failed == []
    assert found.judged >= 39
