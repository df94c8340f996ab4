"""The share of capacity above the benchmark, end to end on a small real ledger."""

from dataclasses import replace
from typing import Any

import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.explain import explain
from cupral.ledger.flow import OUTSIDE, Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise, Site
from cupral.ledger.result import Result
from cupral.system import ask, call
from tests.systems.efficiency.potlines import (
    CAPACITY,
    MONTHS,
    OUTPUT,
    TWELVE,
    declare,
    declared_rows,
    line,
    measure,
    merged,
    register,
)

ALL = sum(CAPACITY.values())


def part(result: Result, name: str) -> dict[str, object]:
    """The row of one line."""
    return dict(next(row for row in result.parts if row["line"] == name))


def variant(result: Result, basis: str, by: str, threshold: float) -> float:
    """One published variant of the share."""
    (row,) = [
        r for r in result.tables["variants"]
        if (r["basis"], r["by"], r["threshold"]) == (basis, by, threshold)
    ]  # fmt: skip
    return float(row["share"])


def test_share_counts_capacity_of_series_at_or_below_the_benchmark(declared: Ledger) -> None:
    """L1 and L2 (exactly 13,000) count, L3 does not: 650 of 1,000 kt."""
    result = ask(declared, "efficiency.share", through="2026-10")
    assert result.value == pytest.approx((CAPACITY["L1"] + CAPACITY["L2"]) / ALL)
    assert (result.unit, result.status, result.period) == ("1", "met", TWELVE)
    assert [row["above"] for row in result.parts] == [True, True, False]
    assert "proposal: definition of the share" in result.badges
    assert "unconfirmed: efficiency.benchmark_al_liquid_ac" in result.badges


def test_parts_sum_to_the_share(declared: Ledger) -> None:
    """Share points of the lines add up to the headline."""
    result = ask(declared, "efficiency.share", through="2026-10")
    assert sum(row["share_points"] for row in result.parts) == pytest.approx(result.value)
    assert {(row["site"], row["city"], row["enterprise"]) for row in result.parts} == {
        ("north", "city-north", "firm-n"), ("south", "city-south", "firm-s"),
    }  # fmt: skip


def test_share_weighs_capacity_not_output(declared: Ledger) -> None:
    """By output it would be 50 of 60; by registered capacity it is 650 of 1,000."""
    result = ask(declared, "efficiency.share", through="2026-10")
    by_output = (OUTPUT["L1"] + OUTPUT["L2"]) / sum(OUTPUT.values())
    assert result.value != pytest.approx(by_output)


def test_variants_stand_beside_the_headline(metered: Ledger) -> None:
    """Declared, by enterprise and at level 1, each computed apart."""
    result = ask(metered, "efficiency.share", through="2026-10")
    north = (CAPACITY["L1"] + CAPACITY["L2"]) / ALL
    assert variant(result, "reconciled", "series", 13000) == result.value
    assert variant(result, "reconciled", "enterprise", 13000) == pytest.approx(north)
    assert variant(result, "reconciled", "series", 12950) == pytest.approx(CAPACITY["L1"] / ALL)
    assert variant(result, "declared", "series", 12950) == pytest.approx(north)


def test_a_declared_figure_can_flip_what_meters_deny(ledger: Ledger) -> None:
    """L2 truly uses 13,000; with a threshold of 12,990 only the declaration meets it."""
    register(ledger)
    declare(ledger, factor=0.99)
    measure(ledger)
    asked = {"through": "2026-10", "threshold": 12990.0, "target": 0.5}
    assert ask(ledger, "efficiency.share", **asked).status == "not met"
    assert ask(ledger, "efficiency.share", basis="declared", **asked).status == "met"


def test_the_target_is_strict(declared: Ledger) -> None:
    """超: a share of exactly the target has not exceeded it."""
    share = (CAPACITY["L1"] + CAPACITY["L2"]) / ALL
    at = ask(declared, "efficiency.share", through="2026-10", target=share)
    assert at.status == "not met"
    assert at.tables["target"][0]["met"] is False


def test_probability_and_interval_come_from_joint_draws(metered: Ledger) -> None:
    """L2 stands exactly at the threshold: even odds that it counts."""
    result = ask(metered, "efficiency.share", through="2026-10", target=0.5)
    (row,) = result.tables["target"]
    assert row["draws"] == 20000
    assert row["probability"] == pytest.approx(0.5, abs=0.02)
    assert result.low == pytest.approx(CAPACITY["L1"] / ALL)
    assert result.high == pytest.approx((CAPACITY["L1"] + CAPACITY["L2"]) / ALL)
    assert part(result, "L2")["probability_above"] == pytest.approx(0.5, abs=0.01)
    assert part(result, "L1")["probability_above"] > 0.99


def test_the_share_repeats_bit_for_bit(metered: Ledger) -> None:
    """Same ledger, parameters and code: the same content hash, draws included."""
    first = ask(metered, "efficiency.share", through="2026-10")
    assert first.sha256 == ask(metered, "efficiency.share", through="2026-10").sha256


def test_meters_that_share_an_error_widen_the_share(ledger: Ledger) -> None:
    """The AC meters of both sites are one group: its loadings appear on both sites."""
    register(ledger)
    measure(ledger)
    groups = [
        {row["group"] for row in answer.tables["loadings"] if row["stream"] == stream}
        for answer, stream in (
            (ask(ledger, "balance.months", site="north", period=TWELVE), "ac-L1"),
            (ask(ledger, "balance.months", site="south", period=TWELVE), "ac-L3"),
        )
    ]
    assert (groups[0] & groups[1]) - {""}, "a common group must reach the joint draws"


def test_lines_without_networks_fall_back_to_declared_and_say_so(ledger: Ledger) -> None:
    """One site metered, one not: each row names its basis, the badge names the stand-in."""
    register(ledger)
    declare(ledger)
    measure(ledger)
    ledger.register(Enterprise(id="e", name_zh="e", name_en="e", chain="aluminium"), author="t")
    ledger.register(
        Site(id="west", name_zh="w", name_en="w", enterprise="e", city="w", lines=(line("L1"),)),
        author="t",
    )
    result = ask(ledger, "efficiency.share", through="2026-10")
    assert {row["site"]: row["basis"] for row in result.parts} == {
        "north": "reconciled", "south": "reconciled", "west": "none",
    }  # fmt: skip
    west = next(row for row in result.parts if row["site"] == "west")
    assert (west["above"], west["intensity"], west["probability_above"]) == (False, None, 0.0)


def test_compliance_decides_the_denominator(ledger: Ledger) -> None:
    """A series without compliant capacity counts nowhere."""
    register(ledger, networks=False, compliant=False)
    declare(ledger)
    result = ask(ledger, "efficiency.share", through="2026-10")
    assert result.value == 1.0
    assert {row["line"] for row in result.parts} == {"L1", "L2"}


def test_an_idle_series_counts_with_its_last_months_of_output(ledger: Ledger) -> None:
    """L3 stopped in 2025: its last twelve months decide, and the row says which."""
    register(ledger, networks=False, operating=False)
    declare(ledger, lines=["L1", "L2"])
    declare(ledger, [202400 + m for m in range(1, 13)], lines=["L3"], id="old")
    result = ask(ledger, "efficiency.share", through="2026-10", threshold=13200.0)
    row = part(result, "L3")
    assert (row["idle"], row["period"], row["above"]) == (True, "2024-01..2024-12", True)
    assert result.value == 1.0
    assert any(badge.startswith("idle") for badge in result.badges)


def test_a_series_that_never_ran_stays_in_the_denominator_only(ledger: Ledger) -> None:
    """Built and compliant, no output: not above, but counted."""
    register(ledger, networks=False, operating=False)
    declare(ledger, lines=["L1", "L2"])
    result = ask(ledger, "efficiency.share", through="2026-10")
    assert result.value == pytest.approx((CAPACITY["L1"] + CAPACITY["L2"]) / ALL)
    assert part(result, "L3")["basis"] == "none"


def test_merged_january_february_counts_as_two_months(ledger: Ledger) -> None:
    """A merged return fills both months of the window."""
    register(ledger, networks=False)
    others = [month for month in MONTHS if month not in (202601, 202602)]
    declare(ledger, others, lines=["L1"])
    start, end = merged("2026-JF")
    rows = [
        Flow(site="north", stream=f"return:line:L1:{what}", source=a, target=b, material=m,
             amount=x, unit=u, start=start, end=end, origin="declared", meter="return")
        for what, a, b, m, x, u in (
            ("output", "north", OUTSIDE, "primary_aluminium", 2 * OUTPUT["L1"], "t"),
            ("liquid_ac", OUTSIDE, "north", "electricity", 2 * OUTPUT["L1"] * 12.9, "MWh"),
        )
    ]  # fmt: skip
    ledger.post("merged", author="t", flows=rows)
    result = ask(ledger, "efficiency.energy_level", site="north", line="L1", through="2026-10")
    assert result.value == pytest.approx(12900.0)
    assert not any(badge.startswith("incomplete") for badge in result.badges)


def test_a_missing_month_is_said(ledger: Ledger) -> None:
    """Eleven months give a number with a badge."""
    register(ledger, networks=False)
    declare(ledger, MONTHS[1:])
    result = ask(ledger, "efficiency.share", through="2026-10")
    assert "incomplete: north L1 lacks 1 of 12 months" in result.badges


def test_no_lines_and_no_rows_cannot_be_decided(ledger: Ledger) -> None:
    """Says what is needed instead of a share."""
    nothing = ask(ledger, "efficiency.share", through="2026-10")
    assert (nothing.value, nothing.status) == (None, "cannot decide")
    assert nothing.needs == ("a registered compliant line of primary_aluminium",)
    register(ledger, networks=False)
    unnamed = ask(ledger, "efficiency.share")
    assert unnamed.needs == ("declared lines",)


def test_unknown_choices_are_refused(declared: Ledger) -> None:
    """Basis and unit are named, never picked silently."""
    with pytest.raises(InputError, match="basis 'guessed'"):
        ask(declared, "efficiency.share", through="2026-10", basis="guessed")
    with pytest.raises(InputError, match="by 'city'"):
        ask(declared, "efficiency.share", through="2026-10", by="city")


def test_share_of_refuses_incomplete_rows(ledger: Ledger) -> None:
    """The row and what it lacks are named."""
    rows = [{"ent": "A", "cap": 1, "out": 1, "ac": 1}, {"ent": "A", "out": 1, "ac": 1}]
    with pytest.raises(InputError, match=r"line 2 lacks \['cap'\]"):
        ask(ledger, "efficiency.share_of", lines=rows)
    with pytest.raises(InputError, match="no lines"):
        ask(ledger, "efficiency.share_of", lines=[])


def test_share_of_takes_the_benchmark_in_force(ledger: Ledger) -> None:
    """No threshold given: 13,000, with its badge."""
    rows = [{"ent": "A", "cap": 1, "out": 1, "ac": 13000}]
    result = ask(ledger, "efficiency.share_of", lines=rows)
    assert result.value == 1.0
    assert result.badges == ("unconfirmed: efficiency.benchmark_al_liquid_ac",)


def test_the_share_leads_to_its_rows(declared: Ledger) -> None:
    """Kept and explained: every declared row and the parameters are reachable."""
    result = call(declared, "efficiency.share", through="2026-10")
    assert sum(text.startswith("flows:") for text in result.lineage) == 3 * 2 * 12
    row = next(text for text in result.lineage if text.startswith("flows:"))
    assert explain(declared, row)


def test_a_late_file_makes_the_kept_share_stale(metered: Ledger) -> None:
    """A corrected return after the share was kept marks it stale."""
    call(metered, "efficiency.share", through="2026-10")
    assert not metered.stale_results()
    metered.reverse("declared", author="t", reason="filed too low")
    assert [result.query for result in metered.stale_results()] == ["efficiency.share"]


# -- months that do not match ----------------------------------------------------------------


def unmatched(ledger: Ledger, *, output: int = 12, energy: int = 12) -> Ledger:
    """Series L2 at 13,500 kWh/t whose firm forgot a month of output or of energy."""
    register(ledger, networks=False)
    declare(ledger, lines=["L1", "L3"])
    rows = [
        row for what, count in (("output", output), ("liquid_ac", energy))
        for row in declared_rows("north", "L2", what, MONTHS[:count], intensity=13.5)
    ]  # fmt: skip
    ledger.post("l2", author="t", flows=rows)
    return ledger


@pytest.mark.parametrize(("months", "forgotten"), [({"energy": 11}, "energy"),
                                                   ({"output": 11}, "output")])  # fmt: skip
def test_a_month_of_one_side_only_is_no_intensity(
    ledger: Ledger, months: dict[str, int], forgotten: str
) -> None:
    """Twelve months of metal over eleven of power would be 12,375 kWh/t, level 1, met."""
    result = ask(unmatched(ledger, **months), "efficiency.share", through="2026-10", target=0.5)
    row = part(result, "L2")
    assert (row["above"], row["intensity"], row["level"]) == (False, None, None)
    assert row["probability_above"] == 0.0
    assert (result.value, result.status) == (pytest.approx(CAPACITY["L1"] / ALL), "not met")
    assert result.needs == (f"{forgotten} of north L2 in 2026-10",)
    assert "incomplete: north L2 lacks 1 of 12 months" in result.badges
    assert result.high == pytest.approx(CAPACITY["L1"] / ALL)


def test_an_enterprise_with_an_unmatched_series_is_not_above(ledger: Ledger) -> None:
    """The mean of its series is not known, so none of them counts."""
    found = ask(unmatched(ledger, energy=11), "efficiency.share", through="2026-10",
                by="enterprise", threshold=14000.0)  # fmt: skip
    assert {row["line"]: row["above"] for row in found.parts} == {
        "L1": False, "L2": False, "L3": True,
    }  # fmt: skip
    assert found.value == pytest.approx(CAPACITY["L3"] / ALL)
    assert found.high == pytest.approx(CAPACITY["L3"] / ALL), "drawn errors revive none of them"


def test_a_line_with_unmatched_months_has_no_level(ledger: Ledger) -> None:
    """Asked alone it cannot be decided, and the month is named."""
    result = ask(unmatched(ledger, energy=11), "efficiency.energy_level", site="north",
                 line="L2", through="2026-10")  # fmt: skip
    assert (result.value, result.status) == (None, "cannot decide")
    assert result.needs == ("energy of north L2 in 2026-10",)


# -- what it stands on -----------------------------------------------------------------------


def test_parameters_that_were_used_are_shown(ledger: Ledger) -> None:
    """Rows without an sd take the declared one; an idle line is followed back."""
    register(ledger, networks=False, operating=False)
    rows = [
        row for name, months in (("L1", MONTHS), ("L3", [202401, 202402]))
        for what in ("output", "liquid_ac")
        for row in declared_rows("north" if name == "L1" else "south", name, what, months)
    ]  # fmt: skip
    ledger.post("returns", author="t", flows=rows)
    result = ask(ledger, "efficiency.share", through="2026-10")
    named = {text.split("@")[0] for text in result.lineage if text.startswith("parameter:")}
    assert {"parameter:efficiency.declared_relative_sd", "parameter:efficiency.idle_lookback"} <= (
        named
    )
    assert "unconfirmed: efficiency.declared_relative_sd" in result.badges


def test_parameters_that_were_not_used_are_not_shown(declared: Ledger) -> None:
    """Every row has its sd (one of zero needs none) and no line is idle."""
    rows = [replace(row, amount=0.0, meter="second form") for what in ("output", "liquid_ac")
            for row in declared_rows("south", "L3", what, MONTHS[:1])]  # fmt: skip
    declared.post("nothing", author="t", flows=rows)
    result = ask(declared, "efficiency.share", through="2026-10")
    assert not any("declared_relative_sd" in text for text in (*result.lineage, *result.badges))
    assert not any("idle_lookback" in text for text in result.lineage)


# -- lists of lines --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([{"ent": "A", "cap": "x", "out": 1, "ac": 1}], r"line 1: cap .x. is no number.*>= 0"),
        ([{"ent": "A", "cap": float("inf"), "out": 1, "ac": 1}], "line 1: cap inf is no number"),
        ([{"ent": "A", "cap": 1, "out": 1, "ac": float("nan")}], "line 1: ac nan is no number"),
        ([{"ent": "A", "cap": 1, "out": -1, "ac": 1}], "line 1: out -1 is no number"),
        ([{"ent": "A", "cap": 1, "out": True, "ac": 1}], "line 1: out True is no number"),
        ([{"ent": "A", "cap": 0, "out": 1, "ac": 1}], "no capacity in all"),
        ([7], r"line 1 is 7; a row is \{ent, line, cap, out, ac\}"),
    ],
)
def test_share_of_refuses_what_is_no_number(
    ledger: Ledger, rows: list[dict[str, Any]], match: str
) -> None:
    """Each names its row, its column and what is allowed."""
    with pytest.raises(InputError, match=match):
        ask(ledger, "efficiency.share_of", lines=rows)


@pytest.mark.parametrize("name", ["threshold", "target"])
def test_a_bound_that_is_no_number_is_refused(declared: Ledger, name: str) -> None:
    """NaN would answer 'not met' to everything."""
    rows = [{"ent": "A", "cap": 1, "out": 1, "ac": 1}]
    with pytest.raises(InputError, match=f"{name} is nan"):
        ask(declared, "efficiency.share_of", lines=rows, **{name: float("nan")})
    with pytest.raises(InputError, match=f"{name} is nan"):
        ask(declared, "efficiency.share", through="2026-10", **{name: float("nan")})
