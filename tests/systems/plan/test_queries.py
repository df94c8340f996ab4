"""Standing, depth, supervision, coverage and published series, end to end on a real ledger."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask, call, open_ledger, order, refresh
from cupral.systems.plan.queries.plans import SHANDONG
from tests.systems.plan.province import (
    FAULT,
    THROUGH,
    WORKS,
    build,
    filed,
    measure,
    months_of,
    register,
)
from tests.systems.plan.test_reading import small


def rows(result: Result) -> dict[str, dict[str, Any]]:
    """Rows of a standing by test."""
    return {row["test_id"]: dict(row) for row in result.parts}


def load(ledger: Ledger, content: dict[str, Any], **more: Any) -> Any:
    """Load a plan from JSON text."""
    text = json.dumps(content, ensure_ascii=False)
    return order(ledger, "plan.load_plan", author="analyst", content=text, **more)


# -- status --------------------------------------------------------------------------------


def test_status_has_one_row_for_each_test(standing: Result) -> None:
    """Ten tests; the value counts the verdicts that are met."""
    assert len(standing.parts) == 10
    summary = standing.tables["summary"][0]
    assert standing.value == summary["met"]
    assert summary["met"] + summary["not_met"] + summary["cannot_decide"] == summary["tests"] == 10
    assert summary["through"] == THROUGH
    assert standing.demonstration


def test_a_month_before_december_is_judged_on_a_projection(standing: Result) -> None:
    """The row says what its figure is, and what has accumulated to date."""
    row = rows(standing)["T2-level"]
    assert row["judged_on_en"] == "full-year projection from 4 months"
    assert row["judged_on_zh"] == "由前4个月推算全年"
    assert row["declared_to_date"] == pytest.approx(row["declared"] / 3)
    assert row["low"] < row["reconciled"] < row["high"]
    assert rows(standing)["T2-growth"]["judged_on_en"] == "growth over the first 4 months"
    assert rows(standing)["T8-level"]["judged_on_en"] == "last twelve months"


def test_each_row_names_the_results_it_stands_on(standing: Result) -> None:
    """Keys of the Results, and the same in the lineage."""
    found = rows(standing)
    assert any(key.startswith("statistics.output?") for key in found["T2-level"]["results"])
    assert any("site=smelter-b" in key for key in found["T2-level"]["results"])
    assert {f"result:{key}" for key in found["T8-level"]["results"]} <= set(standing.lineage)
    assert any(ref.startswith("parameter:plan.near_level@") for ref in standing.lineage)


def test_badges_say_what_is_unconfirmed_or_proposed(standing: Result) -> None:
    """左右 stands on an unconfirmed tolerance; T5 and T6 are our own tests."""
    found = rows(standing)
    assert "unconfirmed: plan.near_level" in found["T2-level"]["badges"]
    assert "unconfirmed: plan.near_growth" in found["T1-growth"]["badges"]
    assert "unconfirmed: plan.near_level" not in found["T4-level"]["badges"]
    for test in ("T5-level", "T6-level"):
        assert found[test]["badges"][0] == "proposal"
        assert found[test]["note_zh"]
    assert not found["T8-level"]["proposal"]


def test_bases_are_told_apart(standing: Result) -> None:
    """Money is estimated, metal is reconciled; an estimate does not overrule a return."""
    found = rows(standing)
    assert {test: row["basis"] for test, row in found.items()} == {
        "T1-growth": "modelled", "T2-level": "reconciled", "T2-growth": "reconciled",
        "T3-level": "reconciled", "T3-growth": "reconciled", "T4-level": "modelled",
        "T5-level": "reconciled", "T6-level": "reconciled", "T7-level": "modelled",
        "T8-level": "reconciled",
    }  # fmt: skip
    assert {row["decided_by"] for row in found.values() if row["basis"] == "modelled"} == {
        "declared"
    }


def test_the_probability_of_the_share_is_drawn_jointly(built: Ledger, standing: Result) -> None:
    """It is the one that efficiency.share gives, at the plan's own threshold."""
    share = ask(built, "efficiency.share", through=THROUGH, target=0.35)
    assert rows(standing)["T8-level"]["probability"] == share.tables["target"][0]["probability"]


def test_without_a_month_the_last_declared_one_counts(built: Ledger, standing: Result) -> None:
    """An empty `through` is the end of the last declared row of the plan's year."""
    latest = ask(built, "plan.status")
    assert latest.period == standing.period == "2026-01..2026-04"
    assert [row["reconciled"] for row in latest.parts] == [
        row["reconciled"] for row in standing.parts
    ]


def test_an_empty_ledger_cannot_decide(ledger: Ledger) -> None:
    """No returns, no month: the answer names what is needed."""
    result = ask(ledger, "plan.status")
    assert (result.status, result.value) == ("cannot decide", None)
    assert result.needs == ("declared rows of 2026",)


def test_every_row_of_an_empty_ledger_says_what_it_needs(ledger: Ledger) -> None:
    """With a month named, each test has its row, verdict 'cannot decide' and needs."""
    result = ask(ledger, "plan.status", through="2026-10")
    assert {row["verdict"] for row in result.parts} == {"cannot decide"}
    assert all(row["needs"] for row in result.parts)
    assert all(row["probability"] is None for row in result.parts)
    assert result.tables["summary"][0]["cannot_decide"] == 10
    needs = " ".join(result.needs)
    assert "declared: returns 2026-01..2026-10" in needs
    assert "reconciled: a registered line of cathode_copper" in needs


def test_a_site_without_meters_leaves_the_sum_undecided(ledger: Ledger) -> None:
    """One smelter unmetered: no reconciled total is guessed, and it is named."""
    for works in WORKS:
        register(ledger, works)
    row = rows(ask(ledger, "plan.status", through="2026-03"))["T2-level"]
    assert row["reconciled"] is None
    assert any("smelter-a" in need and "meter readings" in need for need in row["needs"])


@pytest.mark.parametrize("through", ["2025-10", "2026", "2026-Q1", "2027-01"])
def test_through_must_be_a_month_of_the_plans_year(ledger: Ledger, through: str) -> None:
    """Another year, or no month, is refused with what is allowed."""
    with pytest.raises(InputError, match="write 2026-01 to 2026-12"):
        ask(ledger, "plan.status", through=through)


def test_an_unknown_plan_is_named_with_the_known_ones(ledger: Ledger) -> None:
    """So that a typing error is found."""
    for query in ("plan.status", "plan.clauses", "plan.coverage", "plan.brief"):
        with pytest.raises(NotFound, match=f"no plan 'x'; there are {SHANDONG}"):
            ask(ledger, query, plan="x")


def test_a_fault_of_a_query_is_not_hidden(ledger: Ledger) -> None:
    """Only missing figures make 'cannot decide'; a query that breaks is not silenced."""
    content = small(metrics={"m": {"accumulates": False, "declared": {
        "query": "statistics.growth_average", "basis": "declared",
        "arguments": {"first_pct": "a text, no number", "second_pct": 1.0},
    }}})  # fmt: skip
    load(ledger, content)
    with pytest.raises(TypeError):
        ask(ledger, "plan.status", plan="small-2027", through="2027-03")


def test_the_same_question_has_the_same_answer(built: Ledger, standing: Result) -> None:
    """Kept or computed again, bit for bit."""
    again = ask(built, "plan.status", through=THROUGH)
    assert again.sha256 == standing.sha256


# -- target --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def share(built: Ledger) -> Result:
    """The benchmark share in depth."""
    return ask(built, "plan.target", target="T8", through=THROUGH)


def test_the_share_in_depth(share: Result) -> None:
    """35 % by P1 alone; P2 would add 65 % if it crossed the benchmark."""
    assert share.value == pytest.approx(35.0)
    assert (share.unit, share.status, share.origin) == ("%", "not met", "reconciled")
    (gap,) = share.tables["gap"]
    assert (gap["site"], gap["gap"]) == ("pots-p2", 0.65)
    assert gap["intensity"] == pytest.approx(13200.0)
    by_city = {(row["basis"], row["city"]): row["value"] for row in share.tables["by_city"]}
    assert by_city == {
        ("declared", "滨州"): 0.35, ("declared", "烟台"): 0.65,
        ("reconciled", "滨州"): 0.35, ("reconciled", "烟台"): 0.0,
    }  # fmt: skip


def test_the_faulty_meter_is_named_with_what_it_moved(share: Result) -> None:
    """The AC meter of P2 reads 4 % low in all twelve months and moved 65 points."""
    (doubt,) = share.tables["suspects"]
    assert doubt["meters"] == ["pots-p2.POWER.a"]
    assert (doubt["site"], doubt["direct"], doubt["moved"]) == ("pots-p2", True, -0.65)
    assert len(doubt["months"]) == 12
    assert doubt["size"] == pytest.approx((FAULT - 1) * 50_000 * 13.2, rel=1e-6)


def test_cathode_output_in_depth(built: Ledger) -> None:
    """Contributions add up to the amount to date; gaps to what is missing or over."""
    result = ask(built, "plan.target", target="T2", through=THROUGH)
    tests = {row["test_id"]: row for row in result.tables["tests"]}
    for level in ("city", "cluster", "enterprise", "site"):
        found = result.tables[f"by_{level}"]
        for basis, column in (("declared", "declared"), ("reconciled", "reconciled")):
            total = math.fsum(row["value"] for row in found if row["basis"] == basis)
            assert total == pytest.approx(tests["T2-level"][f"{column}_to_date"] * 1e4)
    gap = math.fsum(row["gap"] for row in result.tables["gap"])
    assert gap == pytest.approx((170.0 - result.value) * 1e4)
    assert {row["by"] for row in result.tables["gap"]} == {"last year's base"}
    assert [row["site"] for row in result.tables["gap"]] == ["smelter-b", "smelter-a"]
    assert result.tables["by_cluster"][0]["cluster"].startswith("东营")


def test_who_holds_the_gap_of_growth(built: Ledger) -> None:
    """Value added: the copper works grew 10 %, the potlines not at all."""
    result = ask(built, "plan.target", target="T1", through=THROUGH)
    gaps = {row["enterprise"]: row["gap"] for row in result.tables["gap"]}
    assert math.fsum(gaps.values()) == pytest.approx(5.0 - result.value)
    assert min(gaps, key=gaps.__getitem__) == "copper-3"
    assert gaps["aluminium-2"] == pytest.approx(5 * 900 / (9800 + 3600 + 1620))


def test_specific_energy_in_depth(built: Ledger) -> None:
    """Smelter B holds the gap; a mean is not added up over cities."""
    result = ask(built, "plan.target", target="T5", through=THROUGH)
    first = result.tables["gap"][0]
    assert (first["site"], first["gives"]) == ("smelter-b", pytest.approx(245.8))
    assert math.fsum(row["gap"] for row in result.tables["gap"]) == pytest.approx(
        result.value - 210.0
    )
    assert {row["share"] for row in result.tables["by_city"]} == {None}


def test_recoveries_in_depth(built: Ledger) -> None:
    """Each element of each plant is a contribution; no gap is made of a ratio."""
    result = ask(built, "plan.target", target="T6", through=THROUGH)
    assert {(row["site"], row["element"]) for row in result.parts} == {
        ("smelter-a", "Au"), ("smelter-b", "Au"),
    }  # fmt: skip
    assert result.tables["gap"] == ()


def test_an_unknown_target_is_refused(ledger: Ledger) -> None:
    """The known ones are named."""
    with pytest.raises(NotFound, match="no target 'T9'; it has T1, T2"):
        ask(ledger, "plan.target", target="T9", through="2026-10")
    with pytest.raises(CannotDecide, match="no return of 2026 is filed"):
        ask(ledger, "plan.target", target="T1")


# -- new data ------------------------------------------------------------------------------


def test_a_corrected_return_makes_a_new_version(tmp_path: Path) -> None:
    """A superseding return marks the standing stale; refreshing gives the next version."""
    ledger = build(open_ledger(tmp_path / "own"), faulty=False)
    before = call(ledger, "plan.status", through=THROUGH)
    late = filed(WORKS[0], "2026-04")
    late["items"][0]["amount"] *= 0.5
    order(ledger, "statistics.file_returns", author="t", returns=[late], supersede=True)
    assert before.key in {result.key for result in ledger.stale_results()}
    refresh(ledger)
    after = ask(ledger, "plan.status", through=THROUGH)
    assert rows(after)["T2-level"]["declared"] < rows(before)["T2-level"]["declared"]
    assert len(ledger.versions(before.key)) == 2
    changed = ask(ledger, "plan.brief", through=THROUGH).tables["changes"]
    row = next(r for r in changed if r["test_id"] == "T2-level" and r["figure"] == "declared")
    assert row["was"] == pytest.approx(173.04)
    assert row["since"] < ledger.head


# -- what a figure lacks -------------------------------------------------------------------


def test_an_incomplete_figure_says_so(tmp_path: Path) -> None:
    """A return of March is missing: the verdict stands on a part, with a badge and the need."""
    ledger = open_ledger(tmp_path / "own")
    for works in WORKS:
        register(ledger, works)
    for period in ("2025-JF", "2025-03", "2025-04", "2026-JF", "2026-03", "2026-04"):
        given = [filed(w, period) for w in WORKS if (w.site, period) != ("pots-p2", "2026-03")]
        order(ledger, "statistics.file_returns", author="t", returns=given)
    result = ask(ledger, "plan.status", through=THROUGH)
    for test, query in (("T1-growth", "statistics.value_added_growth"),
                        ("T7-level", "statistics.revenue")):  # fmt: skip
        row = rows(result)[test]
        assert row["verdict"] in ("met", "not met")
        assert f"incomplete: {query}" in row["badges"]
        assert "declared: return aluminium-2:2026-03" in row["needs"]
    assert "declared: return aluminium-2:2026-03" in result.needs


def test_an_incomplete_balance_says_so(tmp_path: Path) -> None:
    """Four of twelve months are metered: the mean of the smelters is badged, site by site."""
    ledger = open_ledger(tmp_path / "own")
    for works in WORKS:
        register(ledger, works)
    measure(ledger, WORKS, [202601, 202602, 202603, 202604], faulty=False)
    row = rows(ask(ledger, "plan.status", through=THROUGH))["T5-level"]
    assert row["reconciled"] is not None
    assert "incomplete: balance.consumption smelter-a" in row["badges"]
    assert "incomplete: balance.consumption smelter-b" in row["badges"]


def test_every_row_of_a_complete_province_is_complete(standing: Result) -> None:
    """Nothing is badged without a reason."""
    assert not any(badge.startswith("incomplete") for badge in standing.badges)


def test_a_year_of_one_chain_has_its_page(ledger: Ledger) -> None:
    """Only aluminium firms file, all twelve months: the copper targets are undecided or 0."""
    for works in WORKS:
        register(ledger, works)
    potlines = [works for works in WORKS if works.chain == "aluminium"]
    for period in ("2026-JF", *months_of(2026, 3, 12)):
        order(ledger, "statistics.file_returns", author="t",
              returns=[filed(works, period) for works in potlines])  # fmt: skip
    found = rows(ask(ledger, "plan.status", through="2026-12"))
    assert found["T2-level"]["declared"] == 0.0
    assert found["T2-growth"]["declared"] is None


def test_a_column_of_text_is_no_number(tmp_path: Path) -> None:
    """A metric may name a column that holds text: a figure is missing, nothing breaks."""
    ledger, target = build(open_ledger(tmp_path / "own")), small()["targets"][0]
    source = {
        "query": "statistics.output",
        "basis": "declared",
        "parts": {"value": "to_date", "base": "city"},
        "arguments": {"product": "cathode_copper", "year": "{year}", "through": "{through}"},
    }
    tests = [
        {"id": "G1-level", "figure": "level", "relation": "超", "value": 1, "unit": "万吨"},
        {"id": "G1-growth", "figure": "growth", "relation": "超", "value": 1, "unit": "%"},
    ]
    figures = {"level": {"value": "value"}, "growth": {"value": "summary.full_year_origin"}}
    content = small(year=2026, deadline="2026-12", targets=[{**target, "tests": tests}],
                    metrics={"m": {"accumulates": True,
                                   "declared": {**source, "figures": figures}}})  # fmt: skip
    load(ledger, content)
    result = ask(ledger, "plan.target", plan="small-2027", target="G1", through=THROUGH)
    found = {row["test_id"]: row for row in result.tables["tests"]}
    assert found["G1-level"]["verdict"] == "met"
    assert found["G1-growth"]["verdict"] == "cannot decide"
    assert "declared: the growth of declared figures" in found["G1-growth"]["needs"]
    assert {row["by"] for row in result.tables["gap"]} == {"present share"}


def test_a_target_in_another_unit_has_no_gap(tmp_path: Path) -> None:
    """Tonnes against percent: cannot decide, also in depth."""
    ledger = build(open_ledger(tmp_path / "own"))
    source = {
        "query": "statistics.output",
        "basis": "declared",
        "parts": {"value": "to_date"},
        "figures": {"level": {"value": "value"}},
        "arguments": {"product": "cathode_copper", "year": "{year}", "through": "{through}"},
    }
    load(ledger, small(year=2026, deadline="2026-12",
                       metrics={"m": {"accumulates": True, "declared": source}}))  # fmt: skip
    result = ask(ledger, "plan.target", plan="small-2027", target="G1", through=THROUGH)
    assert (result.status, result.tables["gap"]) == ("cannot decide", ())


def test_a_threshold_in_another_unit_is_said(ledger: Ledger) -> None:
    """A query asked in tonnes for a test in percent: cannot decide, not a broken page."""
    content = small(year=2026, deadline="2026-12", metrics={"m": {
        "accumulates": False, "declared": {
            "query": "efficiency.share", "basis": "declared", "unit": "t",
            "arguments": {"through": "{through}", "target": "{threshold}"},
            "figures": {"level": {"value": "value"}}}}})  # fmt: skip
    load(ledger, content)
    (row,) = ask(ledger, "plan.status", plan="small-2027", through=THROUGH).parts
    assert row["verdict"] == "cannot decide"
    assert any("different dimension" in need for need in row["needs"])
