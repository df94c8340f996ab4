"""Bounds of anybody's own problem: the optimum, its judge, and the refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask
from cupral.systems.balance.cases import JUDGES

SPLITTER: dict[str, Any] = {
    "y": [10.0, 9.0, 1.4, 0.05], "sd": [0.1, 0.05, 0.05, 0.2], "A": [[1.0, -1.0, -1.0, -1.0]],
}  # fmt: skip


def solved(ledger: Ledger, **more: Any) -> Result:
    """The splitter with more fields."""
    return ask(ledger, "balance.problem", problem={**SPLITTER, **more})


def bounded_case(shared: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """The published bounded case and the tolerances of its file."""
    content = json.loads((shared / "data/ledger/cases.json").read_text())
    return next(c for c in content["cases"] if c["kind"] == "bounded"), content["tolerances"]


def test_the_loss_stream_is_zero_and_says_so(ledger: Ledger) -> None:
    """Value, unbounded value, bound, price of the bound, and certificate."""
    answer = solved(ledger, lower=[0.0, 0.0, 0.0, 0.0])
    loss = answer.parts[3]
    assert loss["reconciled"] == 0.0
    assert loss["unbounded"] == pytest.approx(-0.2772727272727, rel=1e-10)
    assert (loss["bound"], loss["adjustment"]) == ("lower", -0.05)
    assert loss["multiplier"] > 0
    assert answer.value == pytest.approx(10.729166666666696, rel=1e-12)
    summary = answer.tables["summary"][0]
    assert summary["objective_unbounded"] == pytest.approx(0.45**2 / 0.055)
    assert summary["bounds_active"] == 1
    assert max(summary["kkt"].values()) <= 1e-10


def test_the_statistics_are_those_without_bounds(ledger: Ledger) -> None:
    """sd, tests, classes and the verdict do not change with bounds."""
    free, within = solved(ledger), solved(ledger, lower=[None, None, None, 0.0])
    for one, other in zip(free.parts, within.parts, strict=True):
        assert {n: one[n] for n in ("sd", "z", "class")} == {
            n: other[n] for n in ("sd", "z", "class")
        }
    assert free.status == within.status
    assert "bound" not in free.parts[0]


def test_an_unmeasured_variable_has_bounds_too(ledger: Ledger) -> None:
    """null = unmeasured, null = no bound."""
    problem = {"y": [10.0, 11.0, None], "sd": [1.0, 1.0, None], "A": [[1, -1, -1]],
               "lower": [None, None, 0.0]}  # fmt: skip
    parts = ask(ledger, "balance.problem", problem=problem).parts
    assert [row["reconciled"] for row in parts] == pytest.approx([10.5, 10.5, 0.0], abs=1e-12)
    assert [row["bound"] for row in parts] == [None, None, "lower"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"lower": [0.0]}, "1 lower bounds and 4 values"),
        ({"upper": [1.0, 1.0, 1.0, "x"]}, "upper.3"),
        ({"lower": [0, 0, 0, 2.0], "upper": [1.0] * 4}, "lower 2 and upper 1 leave nothing"),
        ({"lower": [None, 9, 9, 9], "upper": [20, None, None, None]}, "closes balance 0"),
    ],
)
def test_impossible_bounds_are_refused(ledger: Ledger, more: dict[str, Any], message: str) -> None:
    """With the reason."""
    with pytest.raises(InputError, match=message):
        solved(ledger, **more)


def test_polynomial_balances_are_refused_when_a_bound_would_bind(ledger: Ledger) -> None:
    """Where none binds, the answer is the unbounded one."""
    square = {"names": ["p", "q"], "y": [4.1, 2.0], "sd": [0.1, 0.1],
              "constraints": [[[1.0, {"p": 1}], [-1.0, {"q": 2}]]]}  # fmt: skip
    free = ask(ledger, "balance.problem", problem=square)
    loose = ask(ledger, "balance.problem", problem={**square, "lower": [0.0, 0.0]})
    assert [p["reconciled"] for p in loose.parts] == [p["reconciled"] for p in free.parts]
    with pytest.raises(InputError, match="nonlinear answer breaks the bounds"):
        ask(ledger, "balance.problem", problem={**square, "upper": [None, 2.0]})


def test_the_published_case_is_met(ledger: Ledger, shared: Path) -> None:
    """x, objective, active bounds and the unbounded x."""
    case, tolerances = bounded_case(shared)
    checks = JUDGES["bounded"](ledger, case, tolerances)
    assert {check.name for check in checks} >= {"x", "objective", "active", "x_unbounded"}
    assert all(check.ok for check in checks)


@pytest.mark.parametrize("field", ["x", "objective", "active", "x_unbounded"])
def test_a_wrong_expectation_is_caught(ledger: Ledger, shared: Path, field: str) -> None:
    """The judge can fail."""
    case, tolerances = bounded_case(shared)
    wrong = {
        "x": [v * (1 + 1e-7) for v in case["expected"]["x"]],
        "objective": case["expected"]["objective"] * (1 + 1e-6),
        "active": [3],
        "x_unbounded": [v * (1 + 1e-7) for v in case["expected"]["x_unbounded"]],
    }
    case["expected"][field] = wrong[field]
    checks = JUDGES["bounded"](ledger, case, tolerances)
    assert [check.name for check in checks if not check.ok] == [field]
