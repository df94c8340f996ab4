"""What a row of the standing says: no figure without data, the chance of its own verdict."""

from typing import Any

import pytest

from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask
from tests.systems.plan.province import RECOVERY, THROUGH, WORKS, register


def rows(result: Result) -> dict[str, dict[str, Any]]:
    """Rows of a standing by test."""
    return {row["test_id"]: dict(row) for row in result.parts}


def test_networks_without_readings_decide_nothing(ledger: Ledger) -> None:
    """Sites are registered and nothing is filed or measured: no target has a figure."""
    for works in WORKS:
        register(ledger, works)
    result = ask(ledger, "plan.status", through="2026-12")
    assert {row["verdict"] for row in result.parts} == {"cannot decide"}
    assert {row["probability_verdict"] for row in result.parts} == {None}
    share = rows(result)["T8-level"]
    assert (share["declared"], share["reconciled"]) == (None, None)
    assert "declared: returns of pots-p1 L1" in share["needs"]
    assert "reconciled: meter readings or returns of pots-p2 L1" in share["needs"]


def test_the_chance_is_that_of_the_figure_that_decides(standing: Result) -> None:
    """A modelled figure doubts a declared one, but the verdict's chance is the declared one's."""
    for row in standing.parts:
        own = "probability_declared" if row["decided_by"] == "declared" else "probability"
        assert row["probability_verdict"] == row[own], row["test_id"]
    decided = {row["decided_by"] for row in standing.parts}
    assert decided == {"declared", "reconciled"}


def test_a_declared_figure_has_its_interval(standing: Result) -> None:
    """5 and 95 % of the returns themselves, beside those of the second figure."""
    row = rows(standing)["T4-level"]
    assert row["declared_low"] < row["declared"] < row["declared_high"]
    assert row["declared_low"] == pytest.approx(row["declared"] - 1.6449 * row["declared_sd"], 1e-4)


def test_a_ratio_says_what_it_is_a_ratio_of(built: Ledger, standing: Result) -> None:
    """T6 compares with the best plant; the recoveries themselves stand beside it."""
    row = rows(standing)["T6-level"]
    assert row["indicator_en"] == "recovery of associated metals: share of best plant"
    assert row["indicator_zh"] == "伴生金属综合回收率：与最优企业之比"
    (gold,) = row["behind"]
    assert (gold["element"], gold["best_site"]) == ("Au", "smelter-a")
    assert gold["best"] == pytest.approx(RECOVERY["smelter-a"], rel=1e-3)
    assert gold["ratio"] == pytest.approx(gold["recovery"] / gold["best"])
    assert 100 * gold["ratio"] == pytest.approx(row["reconciled"])
    depth = ask(built, "plan.target", target="T6", through=THROUGH)
    assert depth.tables["elements"] == (gold,)
