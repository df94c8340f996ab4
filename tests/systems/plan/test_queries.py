"""Standing, depth, supervision, coverage and published series, end to end on a real ledger."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.systems.plan.province import FAULT, THROUGH, WORKS, build, register
from tests.systems.plan.test_reading import small

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask, call, manifests, open_ledger, order, refresh
from cupral.systems.plan.compute import shipped
from cupral.systems.plan.queries.plans import SHANDONG


def rows(result: Result) -> dict[str, dict[str, Any]]:
    """Rows of a standing by test."""
    return {row["test_id"]: dict(row) for row in result.parts}


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


def test_a_fault_of_a_query_is_not_hidden(built: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only missing figures make 'cannot decide'; a broken query propagates."""

    def broken(ledger: Ledger, **arguments: Any) -> Result:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("cupral.systems.plan.queries.figures.ask", broken)
    with pytest.raises(ZeroDivisionError):
        ask(built, "plan.status", through="2026-03")


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
    assert gap["rank"] == pytest.approx(13200.0)
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


# -- clauses -------------------------------------------------------------------------------


def report(ledger: Ledger, clause: str = "T09-M1", **changes: Any) -> Any:
    """Report progress on a clause."""
    given = {"clause": clause, "unit": "省发展改革委", "progress": 40, "on": "2026-06-30",
             "evidence": ["鲁发改〔2026〕1号"]}  # fmt: skip
    return order(ledger, "plan.report_progress", author="analyst", **{**given, **changes})


def test_all_clauses_have_units_deadline_and_systems(ledger: Ledger) -> None:
    """36 rows; unreported ones say so and take the end of the plan's year."""
    result = ask(ledger, "plan.clauses")
    assert len(result.parts) == 36
    assert result.value == 0.0
    assert {row["state"] for row in result.parts} == {"not reported"}
    assert {row["deadline"] for row in result.parts} == {"2026-12"}
    assert all(row["lead"] and row["systems"] for row in result.parts)
    assert {row["progress"] for row in result.parts} == {None}


def test_a_clause_tells_built_systems_from_missing_ones(ledger: Ledger) -> None:
    """Efficiency serves T09-M1 by its own manifest; environment is still to be built."""
    row = next(r for r in ask(ledger, "plan.clauses").parts if r["clause"] == "T09-M1")
    assert "efficiency" in row["built"]
    assert "T09-M1" in manifests()["efficiency"].clauses
    assert set(row["built"]) == set(row["systems"]) & set(manifests())
    served = {n for n, manifest in manifests().items() if row["clause"] in manifest.clauses}
    assert served <= set(row["built"])


@pytest.mark.parametrize("name", ["省科技厅", "Department of Science and Technology"])
def test_clauses_of_a_department(ledger: Ledger, name: str) -> None:
    """By its Chinese or English name: what it leads and what it supports."""
    result = ask(ledger, "plan.clauses", department=name)
    assert {row["task"] for row in result.parts} == {6, 7}
    assert all("省科技厅" in (row["lead"], *row["supporting"]) for row in result.parts)


def test_clauses_of_a_task_and_faulty_filters(ledger: Ledger) -> None:
    """Task 4 has six clauses; an unknown unit or task is refused with the known ones."""
    assert len(ask(ledger, "plan.clauses", task=4).parts) == 6
    assert ask(ledger, "plan.clauses", task=4, department="省能源局").value is None
    with pytest.raises(NotFound, match=r"no task 14; it has \[1, 2"):
        ask(ledger, "plan.clauses", task=14)
    with pytest.raises(InputError, match="'财政厅' is no unit of plan .* its units: 省发展改革委"):
        ask(ledger, "plan.clauses", department="财政厅")


def test_reports_are_kept_with_their_history(ledger: Ledger) -> None:
    """The latest report shows; the earlier ones stay in the history."""
    report(ledger)
    report(ledger, progress=100, on="2026-09-30", note="验收", deadline="2026-10")
    result = ask(ledger, "plan.clauses", task=9)
    row = next(r for r in result.parts if r["clause"] == "T09-M1")
    assert (row["progress"], row["state"], row["reports"]) == (100.0, "done", 2)
    assert (row["deadline"], row["deadline_note"], row["note"]) == ("2026-10", "", "验收")
    history = result.tables["history"]
    assert [(h["version"], h["progress"], h["author"]) for h in history] == [
        (1, 40.0, "analyst"), (2, 100.0, "analyst"),
    ]  # fmt: skip
    assert result.value == pytest.approx(100 / 3)
    assert result.lineage == (f"document:clause/{SHANDONG}:T09-M1@2",)


def test_reporting_the_same_twice_makes_no_new_version(ledger: Ledger) -> None:
    """A click too many changes nothing."""
    assert report(ledger).version == 1
    assert report(ledger).version == 1
    assert report(ledger, progress=41).version == 2


def test_a_deadline_once_given_stays(ledger: Ledger) -> None:
    """A later report without one keeps it."""
    report(ledger, deadline="2026-08")
    assert report(ledger, progress=50).body["deadline"] == "2026-08"


def test_departments_are_counted(ledger: Ledger) -> None:
    """What a unit leads, supports, has reported, has done and is late with."""
    report(ledger, progress=100, deadline="2026-05")
    report(ledger, "T01-M1", progress=10, deadline="2026-05")
    result = ask(ledger, "plan.clauses", on="2026-07-01")
    found = {row["department_zh"]: row for row in result.tables["departments"]}
    reform = found["省发展改革委"]
    assert (reform["lead"], reform["reported"], reform["done"], reform["overdue"]) == (12, 2, 1, 1)
    assert sum(row["lead"] for row in found.values()) == 36
    assert found["省市场监管局"]["lead"] == 0
    assert found["省市场监管局"]["supporting"] == 2


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"unit": "省商务厅"}, InputError, "does not answer for it; report as 省发展改革委 or"),
        ({"progress": 101}, InputError, "101 is outside 0 to 100"),
        ({"progress": -1}, InputError, "outside 0 to 100"),
        ({"progress": float("nan")}, InputError, "outside 0 to 100"),
        ({"progress": 100, "evidence": ["  "]}, InputError, "100 % needs evidence"),
        ({"on": "30.6.2026"}, InputError, "'30.6.2026' is no day; write it as 2026-10-31"),
        ({"deadline": "soon"}, InputError, "'soon' is no period"),
        ({"clause": "T99-M1"}, NotFound, "has no clause 'T99-M1'; it has T01-M1"),
        ({"plan": "x"}, NotFound, "no plan 'x'"),
    ],
)
def test_a_faulty_report_is_refused(
    ledger: Ledger, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Nothing is kept, and the message says what is allowed."""
    with pytest.raises(error, match=message):
        report(ledger, **changes)
    assert ledger.documents("clause") == []


# -- another plan --------------------------------------------------------------------------


def load(ledger: Ledger, content: dict[str, Any], **more: Any) -> Any:
    """Load a plan from JSON text."""
    text = json.dumps(content, ensure_ascii=False)
    return order(ledger, "plan.load_plan", author="analyst", content=text, **more)


def test_another_plan_loads_without_code(ledger: Ledger) -> None:
    """New targets on a metric that the file itself describes, answered on real rows."""
    build(ledger, faulty=False)
    target = small()["targets"][0]
    content = small(year=2026, deadline="2026-12", targets=[
        {**target, "metric": "aluminium_output", "tests": [
            {"id": "G1-level", "figure": "level", "relation": "以上", "value": 108, "unit": "万吨"},
        ]},
        {**target, "id": "G2", "metric": "share_capacity_above_benchmark", "tests": [
            {"id": "G2-level", "figure": "level", "relation": "以上", "value": 35, "unit": "%"}]},
        {**target, "id": "G3", "metric": "happiness", "tests": [
            {"id": "G3-level", "figure": "level", "relation": "超", "value": 1, "unit": "%"}]},
        {**target, "id": "G4", "metric": "aluminium_output", "tests": [
            {"id": "G4-level", "figure": "level", "relation": "超", "value": 1, "unit": "MWh"}]},
    ], metrics={"aluminium_output": {
        "accumulates": True,
        "declared": {
            "query": "statistics.output", "basis": "declared", "parts": {"value": "to_date"},
            "arguments": {"product": "primary_aluminium", "year": "{year}", "through": "{through}"},
            "figures": {"level": {"value": "summary.full_year", "to_date": "value"}}},
        "second": {
            "query": "balance.months", "basis": "reconciled", "gather": "line_output", "unit": "t",
            "product": "primary_aluminium",
            "arguments": {"site": "{site}", "period": "{period}"}},
    }})  # fmt: skip
    load(ledger, content)
    found = rows(ask(ledger, "plan.status", plan="small-2027", through=THROUGH))
    assert found["G1-level"]["reconciled"] == pytest.approx(108.0)
    assert found["G1-level"]["verdict"] == "met", "以上 includes the bound"
    assert found["G2-level"]["verdict"] == "met"
    assert found["G4-level"]["verdict"] == "cannot decide", "tonnes are no MWh"
    assert found["G4-level"]["needs"][0] == "declared: a figure in MWh, not in t"
    assert found["G3-level"]["verdict"] == "cannot decide"
    assert found["G3-level"]["needs"] == ["declared: metric happiness", "second: metric happiness"]


def test_a_loaded_plan_has_its_own_clauses_and_coverage(ledger: Ledger) -> None:
    """Its units report on its clauses; what nobody owns is listed."""
    content = small()
    content["tasks"][0]["products"] = [{"zh": "铜精矿", "en": "concentrate"},
                                       {"zh": "新产品", "en": "novelty"}]  # fmt: skip
    load(ledger, content)
    assert [row["clause"] for row in ask(ledger, "plan.clauses", plan="small-2027").parts] == ["C1"]
    result = ask(ledger, "plan.coverage", plan="small-2027")
    assert (result.value, result.needs) == (1.0, ("owner of products 新产品",))
    assert {row["name_zh"]: row["owner"] for row in result.parts}["铜精矿"] == "supply"


def test_loading_again_replaces_and_the_same_makes_no_version(ledger: Ledger) -> None:
    """A corrected file is a new version; the same file is none."""
    assert load(ledger, small()).version == 1
    assert load(ledger, small()).version == 1
    assert load(ledger, small(title_zh="改")).version == 2


def test_the_shipped_plan_can_be_loaded_and_amended(ledger: Ledger, tmp_path: Path) -> None:
    """Its own TOML text loads from a file, and an amended copy takes its place."""
    folder = Path(shipped.__file__).parents[1] / "plans"
    text = (folder / shipped.SHIPPED[0]).read_text("utf-8")
    amended = tmp_path / "plan.toml"
    amended.write_text(text.replace("省工业和信息化厅等多部门", "某部门"), "utf-8")
    document = order(ledger, "plan.load_plan", author="analyst", path=str(amended))
    assert (document.id, document.party, document.state) == (SHANDONG, "某部门", "in force")
    assert len(ask(ledger, "plan.clauses").parts) == 36


@pytest.mark.parametrize(
    ("test", "error", "message"),
    [
        ({"relation": "大概"}, InputError, "relation '大概' of a test is not known"),
        ({"value": None, "parameter": "plan.nothing"}, NotFound, "no parameter 'plan.nothing'"),
    ],
)
def test_a_plan_that_cannot_be_judged_is_not_loaded(
    ledger: Ledger, test: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Words and parameters are checked before it is kept."""
    content = small()
    content["targets"][0]["tests"][0] |= test
    with pytest.raises(error, match=message):
        load(ledger, content)
    assert ledger.documents("plan") == []


def test_a_plan_comes_from_one_place(ledger: Ledger, tmp_path: Path) -> None:
    """Either a path or the content; a path that is no file is named."""
    with pytest.raises(InputError, match="give either the path"):
        order(ledger, "plan.load_plan", author="a")
    with pytest.raises(InputError, match=r"no\.toml.* cannot be read"):
        order(ledger, "plan.load_plan", author="a", path=str(tmp_path / "no.toml"))


# -- coverage and published ----------------------------------------------------------------


def test_coverage_of_the_shipped_plan(ledger: Ledger) -> None:
    """Nothing is ownerless; what is built is told from what is not."""
    result = ask(ledger, "plan.coverage")
    assert (result.value, result.tables["ownerless"]) == (0.0, ())
    counted = {row["kind"]: row for row in result.tables["summary"]}
    assert (counted["products"]["named"], counted["products"]["owned"]) == (50, 50)
    assert counted["technologies"]["named"] == 25
    assert all(row["built"] == (row["owner"] in manifests()) for row in result.parts)
    systems = {row["system"]: row for row in result.tables["systems"]}
    assert systems["plan"]["built"]
    assert sum(row["owns"] for row in systems.values()) == len(result.parts)


def test_published_series_stand_beside_our_own(built: Ledger) -> None:
    """Aluminium semis of 2024: 14.6986 Mt; cathode copper of this ledger beside the real one."""
    result = ask(built, "plan.published", year=2026, through=THROUGH)
    found = {(row["product"], row["period"]): row for row in result.parts}
    assert found["aluminium_semis", "2024"]["published"] == 14_698_600
    assert found["aluminium_semis", "2025-Q1"]["published"] == 3_566_000
    assert found["aluminium_semis", "2024"]["status"] == "confirmed"
    assert found["alumina", "2020"]["published"] == 28_000_000
    copper = found["cathode_copper", "2025"]
    assert copper["own"] == pytest.approx(140_000 * 1.03 * 4)
    assert (copper["own_period"], copper["own_demonstration"]) == ("2026-01..2026-04", True)
    assert all(row["source"] for row in result.parts)
    assert "unconfirmed: plan.published_alumina" in result.badges
    assert result.demonstration


def test_published_series_need_no_ledger(ledger: Ledger) -> None:
    """An empty ledger has nothing of its own beside them."""
    result = ask(ledger, "plan.published")
    assert {row["own"] for row in result.parts} == {None}
    assert not result.demonstration


def test_published_agrees_with_the_reference_files(ledger: Ledger, shared: Path) -> None:
    """Each published amount stands in the shared table of statistics [10 kt]."""
    text = (shared / "data" / "policy" / "shandong_statistics.csv").read_text("utf-8")
    for row in ask(ledger, "plan.published").parts:
        amount = row["published"] / 1e4
        assert any(f"{amount:{form}}" in text for form in ("g", ".1f", ".2f")), row["parameter"]


# -- new data ------------------------------------------------------------------------------


def test_a_corrected_return_makes_a_new_version(tmp_path: Path) -> None:
    """A superseding return marks the standing stale; refreshing gives the next version."""
    from tests.systems.plan.province import filed

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
