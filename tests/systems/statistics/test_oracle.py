"""Growth arithmetic against the reference cases, and against numbers worked by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.system import ask
from cupral.systems.statistics.cases import CALCULATIONS, JUDGES, recognised
from cupral.systems.statistics.compute import growth
from tests.systems.statistics.filings import file, filing, flat, register, year

judge = JUDGES["growth"]


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    """The case file of the ledger."""
    text = (shared / "data" / "ledger" / "cases.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@pytest.fixture(scope="module")
def forward(reference: dict[str, Any]) -> dict[str, Any]:
    """The cumulative case: eleven periods, the first one January-February."""
    return dict(next(case for case in reference["cases"] if case["id"] == "GRO-FWD"))


def case(inputs: dict[str, Any], expected: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A growth case in the form of the file."""
    return {"id": "T", "kind": "growth", "inputs": inputs, "expected": expected, **more}


def test_the_growth_cases_of_the_file_pass(ledger: Ledger, reference: dict[str, Any]) -> None:
    """All of them, at the tolerance of the file (1e-9)."""
    cases = [case for case in reference["cases"] if case["kind"] == "growth"]
    assert len(cases) >= 3
    for one in cases:
        checks = judge(ledger, one, reference["tolerances"])
        assert len(checks) == len(one["expected"])
        assert all(check.ok for check in checks), (one["id"], checks)


def test_a_wrong_growth_fails(ledger: Ledger, reference: dict[str, Any]) -> None:
    """The subtraction is not the real growth."""
    one = next(case for case in reference["cases"] if case["id"] == "GRO-DEFL")
    wrong = {**one, "expected": {"real_growth_pct": 4.8}}
    (check,) = judge(ledger, wrong, reference["tolerances"])
    assert not check.ok


def test_the_inverse_undoes_the_forward_case(ledger: Ledger, forward: dict[str, Any]) -> None:
    """Unrounded cumulative growth gives the monthly growth back."""
    base = forward["inputs"]["base_levels_JanFeb_then_Mar"]
    cumulative = forward["expected"]["cumulative_yoy_pct"]
    one = case(
        {"base_levels_JanFeb_then_Mar": base, "cumulative_yoy_pct": cumulative},
        {"yoy_pct": forward["inputs"]["yoy_pct"]},
    )
    (check,) = judge(ledger, one, {"x_rel": 1e-9})
    assert check.ok, check


def test_the_last_month_amplifies_rounding_about_twenty_times(
    ledger: Ledger, forward: dict[str, Any]
) -> None:
    """reference/ledger.md section 7: +/- 0.05 points become about +/- 1 point in December."""
    base = forward["inputs"]["base_levels_JanFeb_then_Mar"]
    published = [round(value, 1) for value in forward["expected"]["cumulative_yoy_pct"]]
    result = ask(ledger, "statistics.growth_inverse", base_levels=base,
                 cumulative_yoy_pct=published)  # fmt: skip
    last = result.parts[-1]
    assert last["amplification"] == pytest.approx((2 * sum(base) - 15.0) / 15.0)
    assert 19 < last["amplification"] < 22
    assert (result.high - result.low) / 2 == pytest.approx(0.05 * last["amplification"])
    for row, true in zip(result.parts, forward["inputs"]["yoy_pct"], strict=True):
        assert row["low"] - 1e-9 <= true <= row["high"] + 1e-9


def test_interval_of_the_inverse_in_a_case_file(ledger: Ledger) -> None:
    """Base 2 then 1, cumulative 3.0 and 4.0 at steps of 0.1: March grew 6 +/- 0.25."""
    one = case(
        {"base_levels": [2.0, 1.0], "cumulative_yoy_pct": [3.0, 4.0], "rounding_pct": 0.1},
        {"yoy_pct": [3.0, 6.0], "yoy_pct_low": [2.95, 5.75], "yoy_pct_high": [3.05, 6.25],
         "last_month_yoy_pct": 6.0, "interval_pct": [5.75, 6.25], "error_amplification": 5.0},
    )  # fmt: skip
    checks = judge(ledger, one, {"x_rel": 1e-9})
    assert all(check.ok for check in checks), checks


@pytest.mark.parametrize(
    "given", [{"rounding_pct": 0.1}, {"rounding_half_width_pct": 0.05}, {"decimals": 1}, {}]
)
def test_rounding_may_be_said_in_several_ways(ledger: Ledger, given: dict[str, float]) -> None:
    """A step of 0.1, half of it, one decimal, or nothing (the parameter in force)."""
    one = case(
        {"base_levels": [2.0, 1.0], "cumulative_yoy_pct": [3.0, 4.0], **given},
        {"low_last": 5.75, "half_width": 0.25},
    )
    checks = judge(ledger, one, {"x_rel": 1e-9})
    assert all(check.ok for check in checks), checks


@pytest.mark.parametrize(
    "names",
    [
        ("level", "published", "restated"),
        ("this_year_level", "last_year_published", "last_year_restated"),
        ("level_this_year", "published_last_year", "restated_last_year"),
        ("level_2026", "base_published", "base_restated"),
    ],
)
def test_scope_is_recognised_by_its_words(ledger: Ledger, names: tuple[str, str, str]) -> None:
    """104 over a restated base of 100 grew 4 %, not 104/97 - 1."""
    one = case(
        dict(zip(names, (104.0, 97.0, 100.0), strict=True)),
        {"growth_pct": 4.0, "wrong_growth_pct": 100 * (104 / 97 - 1)},
    )
    checks = judge(ledger, one, {"x_rel": 1e-9})
    assert all(check.ok for check in checks), checks


@pytest.mark.parametrize(
    ("inputs", "query"),
    [
        ({"base_level": [1], "yoy": [2]}, "growth_forward"),
        ({"base": [1], "monthly_growth_pct": [2]}, "growth_forward"),
        ({"last_year_levels": [1], "yoy_pct": [2]}, "growth_forward"),
        ({"base_levels": [1], "cum_yoy_pct": [2]}, "growth_inverse"),
        ({"base_levels": [1], "published_cumulative_yoy_pct": [2]}, "growth_inverse"),
        ({"base_levels": [1], "cumulative_growth_pct_rounded": [2]}, "growth_inverse"),
        ({"base_done": [1], "base_rest": [1], "cum_yoy_done_pct": 1, "target_pct": 2},
         "growth_needed"),
        ({"base_done": [1], "base_remaining": [1], "ytd_yoy_pct": 1, "target_growth_pct": 2},
         "growth_needed"),
        ({"nominal_growth_pct": 1, "price_index_yoy_pct": 2}, "growth_deflated"),
        ({"nominal_pct": 1, "deflator_pct": 2}, "growth_deflated"),
        ({"current_level": 1, "restated_base": 2}, "growth_scope"),
        ({"first_year_pct": 1, "second_year_pct": 2}, "growth_average"),
    ],
)  # fmt: skip
def test_plausible_names_are_understood(inputs: dict[str, Any], query: str) -> None:
    """The words decide, not the exact name."""
    calculation, arguments = recognised(inputs)
    assert calculation.query == f"statistics.{query}"
    assert len(arguments) == len(inputs)


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        ({"base_levels": [1]}, "no growth calculation takes"),
        ({"base_levels": [1], "yoy_pct": [1], "target_pct": 3}, "no growth calculation takes"),
        ({"weather": 3}, "'weather' of a growth case is not understood"),
        ({"base_levels": [1], "base": [2], "yoy_pct": [1]}, "two inputs mean base_levels"),
        ({}, "no growth calculation takes"),
        ({"base_levels": [1], "cumulative_yoy_pct": [1], "rounding_digits": 1},
         "is not understood"),
    ],
)  # fmt: skip
def test_unknown_inputs_are_an_error_that_lists_what_is_understood(
    ledger: Ledger, inputs: dict[str, Any], match: str
) -> None:
    """Never a guess, never a pass."""
    with pytest.raises(InputError, match=match) as caught:
        judge(ledger, case(inputs, {"growth_pct": 1.0}), {})
    for calculation in CALCULATIONS:
        assert calculation.example in str(caught.value)


@pytest.mark.parametrize(
    ("expected", "match"),
    [({}, "expects nothing"), ({"colour": 1}, "does not answer 'colour'")],
)
def test_unknown_answers_are_an_error(ledger: Ledger, expected: dict[str, Any], match: str) -> None:
    """A case that states nothing checkable does not pass."""
    with pytest.raises(InputError, match=match):
        judge(ledger, case({"nominal_pct": 1.0, "ppi_pct": 1.0}, expected), {})


def test_the_wrong_growth_needs_the_published_level(ledger: Ledger) -> None:
    """Without it there is no second number."""
    one = case({"level": 104.0, "restated": 100.0}, {"wrong_growth_pct": 4.0})
    with pytest.raises(InputError, match="needs the published level"):
        judge(ledger, one, {})


def test_the_tolerance_of_a_case_or_a_file_is_used(ledger: Ledger) -> None:
    """Loose in the case, strict otherwise."""
    one = case({"nominal_pct": 10.0, "ppi_pct": 0.0}, {"real_growth_pct": 10.001})
    assert not judge(ledger, one, {"x_rel": 1e-9})[0].ok
    assert judge(ledger, one, {"x_rel": 1e-3})[0].ok
    assert judge(ledger, {**one, "tolerances": {"x_rel": 1e-3}}, {"x_rel": 1e-9})[0].ok


def test_two_year_average_of_2020_and_2021() -> None:
    """-13.5 % then +35.1 % (Jan-Feb industry 2020, 2021): +8.1 % a year as published."""
    assert growth.average_growth(-0.135, 0.351) == pytest.approx(0.081, abs=0.0005)


def test_growth_at_comparable_prices_by_hand(ledger: Ledger) -> None:
    """Value added 2,400 at a price index of 108 over 2,000: +11.1 % real, +20 % nominal."""
    register(ledger, ["cu-a"])
    file(ledger, [filing("cu-a", "2025-JF", 1000.0), filing("cu-a", "2025-03", 500.0)])
    file(ledger, [filing("cu-a", "2026-JF", 1200.0, price_index=108.0)])
    result = ask(ledger, "statistics.value_added_growth", year=2026, through="2026-02")
    (row,) = result.tables["summary"]
    assert result.value == pytest.approx(100 * (2400 / 1.08 / 2000 - 1))
    assert row["nominal_growth_pct"] == pytest.approx(20.0)
    assert row["price_index"] == pytest.approx(108.0)


def test_restated_comparator_by_hand(ledger: Ledger) -> None:
    """A firm enters the list: 104 + 60 over 100 + 50 restated, not over the published 100."""
    register(ledger, ["cu-a", "cu-b"])
    file(ledger, [filing("cu-a", "2025-03", 100.0)])
    file(ledger, [
        filing("cu-a", "2026-03", 104.0, restated={"revenue": 1100.0}),
        filing("cu-b", "2026-03", 60.0, restated={"revenue": 550.0, "gross_output_value": 500.0}),
    ])  # fmt: skip
    result = ask(ledger, "statistics.gross_output_value", year=2026, chain="copper",
                 through="2026-03")  # fmt: skip
    (row,) = result.tables["summary"]
    assert row["growth_pct"] == pytest.approx(100 * (1640 / 1500 - 1))
    assert row["growth_on_published_base_pct"] == pytest.approx(64.0)


def test_full_year_projection_by_hand(ledger: Ledger) -> None:
    """Ten months at 103 over 100, two months of 100 to come: 1,030 + 206."""
    register(ledger, ["cu-a"])
    file(ledger, year("cu-a", 2025, flat(100.0)))
    file(ledger, year("cu-a", 2026, flat(103.0, 10)))
    result = ask(ledger, "statistics.output", product="cathode_copper", year=2026)
    (row,) = result.tables["summary"]
    assert (result.value, row["base_to_date"], row["base_rest"]) == pytest.approx((1030, 1000, 200))
    assert row["full_year"] == pytest.approx(1236.0)
    assert row["full_year_growth_pct"] == pytest.approx(3.0)
    to_date, rest = 10.3 * 1.2, 200 * 0.03
    assert row["full_year_sd"] == pytest.approx(np.hypot(to_date, rest))


def test_sd_adds_coherently_within_a_firm_and_not_between(ledger: Ledger) -> None:
    """1 % of each firm's sum, whatever the number of months; two firms in quadrature."""
    register(ledger, ["cu-a", "cu-b"])
    for firm, amount in (("cu-a", 300.0), ("cu-b", 400.0)):
        file(ledger, year(firm, 2025, flat(100.0)))
        file(ledger, year(firm, 2026, flat(amount, 10)))
    one = ask(ledger, "statistics.output", product="cathode_copper", year=2026)
    assert one.sd == pytest.approx(30.0)
    both = ask(ledger, "statistics.revenue", chain="copper", year=2026)
    assert both.sd == pytest.approx(11 * np.hypot(30.0, 40.0))


def test_growth_sd_by_hand(ledger: Ledger) -> None:
    """One firm: 1 % in each year, half of the variance shared: 1 % x (V/B), by 1 - 0.5."""
    register(ledger, ["cu-a"])
    file(ledger, year("cu-a", 2025, flat(100.0)))
    file(ledger, year("cu-a", 2026, flat(110.0, 10)))
    (row,) = ask(ledger, "statistics.output", product="cathode_copper", year=2026).tables["summary"]
    assert row["growth_sd_pct"] == pytest.approx(1.1 * np.sqrt(2 * (1 - 0.5)))
