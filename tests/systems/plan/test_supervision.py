"""Supervision, other plans, coverage and published series, end to end on a real ledger."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger
from cupral.system import ask, manifests, order
from cupral.systems.plan.compute import shipped
from cupral.systems.plan.queries.plans import SHANDONG
from tests.systems.plan.province import THROUGH, build
from tests.systems.plan.test_queries import load, rows
from tests.systems.plan.test_reading import small

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
    with pytest.raises(InputError, match=r"'财政厅' is no unit of plan .* its units: 省发展改革委"):
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
    assert result.lineage == (f"document:clause/{SHANDONG}:T09-M1",)
    assert [row["version"] for row in explain(ledger, result.lineage[0]).history] == [1, 2]


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
        ({"progress": float("nan")}, InputError, "nan is outside 0 to 100"),
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
    assert result.lineage == ("document:plan/small-2027",)
    assert explain(ledger, result.lineage[0]).content["state"] == "in force"


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
    amended.write_text(text.replace("山东省工业和信息化厅等多部门", "某部门"), "utf-8")
    document = order(ledger, "plan.load_plan", author="analyst", path=str(amended))
    assert (document.id, document.party, document.state) == (SHANDONG, "某部门", "in force")
    assert len(ask(ledger, "plan.clauses").parts) == 36


@pytest.mark.parametrize(
    ("test", "error", "message"),
    [
        ({"relation": "大概"}, InputError, "relation '大概' of a test is not known"),
        ({"value": None, "parameter": "plan.nothing"}, NotFound, "no parameter 'plan.nothing'"),
        ({"value": None, "parameter": "plan.relations"}, InputError,
         "parameter plan.relations holds no number"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_judged_is_not_loaded(
    ledger: Ledger, test: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Words and parameters are checked before it is kept."""
    content = small()
    content["targets"][0]["tests"][0] |= test
    with pytest.raises(error, match=message):
        load(ledger, content)
    assert ledger.documents("plan") == []


@pytest.mark.parametrize(
    ("metric", "error", "message"),
    [
        ({"query": "statistics.magic"}, NotFound, "metric m: no query 'statistics.magic'"),
        ({"arguments": {"year": "{year}"}}, InputError, "metric m: .*missing .*'product'"),
        ({"arguments": {"product": "gold", "year": 1, "colour": "red"}}, NotFound,
         r"metric m: output takes .*not \['colour'\]"),
        ({"query": "balance.recoveries", "gather": "worst_recovery", "product": "cathode_copper",
          "arguments": {"site": "{site}", "period": "{period}"},
          "parameters": {"elements": "plan.nothing", "plants": "plan.best_plant_sample"}},
         NotFound, "no parameter 'plan.nothing'"),
    ],
)  # fmt: skip
def test_a_metric_that_cannot_be_asked_is_not_loaded(
    ledger: Ledger, metric: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The query, its arguments and the gatherer's parameters exist before the plan is kept."""
    declared = {"query": "statistics.output", "basis": "declared",
                "arguments": {"product": "gold", "year": "{year}"}}  # fmt: skip
    content = small(metrics={"m": {"accumulates": True, "declared": declared | metric}})
    with pytest.raises(error, match=message):
        load(ledger, content)
    assert ledger.documents("plan") == []


def test_the_history_of_all_clauses_is_one_question(ledger: Ledger) -> None:
    """Not one a clause; another plan's reports do not enter."""
    report(ledger)
    load(ledger, small())
    report(ledger, "C1", plan="small-2027", unit="甲厅")
    asked = []
    sa.event.listen(ledger.records.database, "before_cursor_execute",
                    lambda *given: asked.append(given[2]))  # fmt: skip
    result = ask(ledger, "plan.clauses")
    assert sum(row["reports"] for row in result.parts) == 1
    assert sum("ORDER BY document.kind" in text for text in asked) <= 2


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
    assert (result.value, result.tables["ownerless"], result.lineage) == (0.0, (), ())
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
