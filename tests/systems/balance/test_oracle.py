"""Every case of the published case file, through the queries that users call."""

import json
from pathlib import Path

import pytest

from cupral.ledger.ledger import Ledger
from cupral.systems.balance.cases import JUDGES


def test_every_case_of_the_case_file_is_met(ledger: Ledger, shared: Path) -> None:
    """Linear, unobservable, bilinear, gross error, leak, stock, metallurgical, GUM."""
    content = json.loads((shared / "data/ledger/cases.json").read_text())
    judged = [case for case in content["cases"] if case["kind"] in JUDGES]
    assert len(judged) >= 36
    missed = [
        (case["id"], check)
        for case in judged
        for check in JUDGES[case["kind"]](ledger, case, content["tolerances"])
        if not check.ok
    ]
    assert not missed


@pytest.mark.parametrize(
    ("kind", "field", "wrong"),
    [
        ("linear", "x", 1.0 + 1e-7),
        ("linear", "sd", 1.0 + 1e-5),
        ("linear", "objective", 1.0 + 1e-6),
        ("nonlinear", "x", 1.0 + 1e-7),
        ("metallurgical", "recovery", 1.0 + 1e-7),
    ],
)
def test_a_wrong_expected_value_is_caught(
    ledger: Ledger, shared: Path, kind: str, field: str, wrong: float
) -> None:
    """The judges can fail: an expectation moved by a little more than the tolerance is refused."""
    content = json.loads((shared / "data/ledger/cases.json").read_text())
    case = next(c for c in content["cases"] if c["kind"] == kind and field in c["expected"])
    value = case["expected"][field]
    case["expected"][field] = (
        [v * wrong for v in value] if isinstance(value, list) else value * wrong
    )
    checks = JUDGES[kind](ledger, case, content["tolerances"])
    assert [check.name for check in checks if not check.ok] == [field]


def test_a_wrong_suspect_set_is_caught(ledger: Ledger, shared: Path) -> None:
    """Naming one stream of a group that cannot be told apart is not the right answer."""
    content = json.loads((shared / "data/ledger/cases.json").read_text())
    case = next(c for c in content["cases"] if c["id"] == "GE-P03-s2")
    case["expected"]["suspects"] = [2]
    checks = JUDGES["gross_error"](ledger, case, content["tolerances"])
    assert "suspects" in [check.name for check in checks if not check.ok]
