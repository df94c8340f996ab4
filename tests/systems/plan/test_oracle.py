"""Our transcription of the plan against the published text and its independent transcription."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.result import Result
from cupral.system import manifests
from cupral.systems.plan import MANIFEST
from cupral.systems.plan.compute import coverage, shipped
from cupral.systems.plan.compute.gathering import GATHERERS
from cupral.systems.plan.compute.judging import bounds, meets
from cupral.systems.plan.model import Plan
from cupral.systems.plan.queries.plans import SHANDONG


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The shipped plan."""
    return shipped.plans()[SHANDONG]


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    """The transcription that others made."""
    path = shared / "data" / "policy" / "plan.json"
    return dict(json.loads(path.read_text("utf-8")))


@pytest.fixture(scope="module")
def text(shared: Path) -> str:
    """The restored text of the plan."""
    return (shared / "data" / "policy" / "plan_hans.txt").read_text("utf-8")


def test_the_plan_has_what_its_title_page_says(plan: Plan) -> None:
    """Eight targets, 13 tasks, 36 clauses, seven departments, 50 products, 25 technologies."""
    assert len(plan.targets) == 8
    assert len(plan.tasks) == 13
    assert len(plan.clauses) == 36
    assert len(plan.departments) == 7
    assert sum(len(task.products) for task in plan.tasks) == 50
    assert sum(len(task.technologies) for task in plan.tasks) == 25
    assert sum(len(task.clusters) for task in plan.tasks) == 10
    assert [task.no for task in plan.tasks] == list(range(1, 14))


def test_targets_carry_the_numbers_of_the_reference(plan: Plan, reference: dict[str, Any]) -> None:
    """Same ids, metrics and values; growth of T2 and T3 is a test of its own."""
    for mine, theirs in zip(plan.targets, reference["targets"], strict=True):
        tests = {test.figure: test for test in mine.tests}
        assert (mine.id, mine.indicator_zh, mine.metric) == (
            theirs["id"], theirs["indicator"], theirs["metric"],
        )  # fmt: skip
        if theirs["kind"] == "qualitative":
            assert [test.proposal for test in mine.tests] == [True]
            assert mine.tests[0].value is None
            assert mine.note_en
            continue
        head = tests["growth" if theirs["kind"] == "growth_rate" else "level"]
        assert (head.value, head.unit, head.relation) == (
            theirs["value"], theirs["unit"], theirs["qualifier"],
        )  # fmt: skip
        if theirs["growth_pct"] is not None:
            assert tests["growth"].value == theirs["growth_pct"]


def test_two_targets_have_two_tests(plan: Plan) -> None:
    """Cathode copper and copper semis are judged on level and on growth."""
    assert [target.id for target in plan.targets if len(target.tests) == 2] == ["T2", "T3"]
    assert sum(len(target.tests) for target in plan.targets) == 10


def test_clauses_are_the_measures_of_the_reference(plan: Plan, reference: dict[str, Any]) -> None:
    """The same 36 sentences under the same ids; the first responsible unit leads."""
    for task, theirs in zip(plan.tasks, reference["tasks"], strict=True):
        assert [(c.id, c.text_zh) for c in task.clauses] == [
            (measure["id"], measure["text"]) for measure in theirs["measures"]
        ]
        for clause in task.clauses:
            assert [clause.lead, *clause.supporting] == theirs["responsible"]
            assert clause.text_en
            assert clause.deadline == "2026-12"
            assert "no date" in clause.deadline_note
        for kind in coverage.KINDS:
            assert [item.zh for item in getattr(task, kind)] == theirs[kind]


def test_departments_are_those_of_the_reference(plan: Plan, reference: dict[str, Any]) -> None:
    """Seven units, and the industry department leads or supports every task."""
    assert [one.zh for one in plan.departments] == reference["departments"]
    assert all("省工业和信息化厅" in task.responsible for task in plan.tasks)


@pytest.mark.parametrize(
    ("task", "lead"),
    [(1, "省发展改革委"), (4, "省工业和信息化厅"), (6, "省科技厅"), (9, "省发展改革委"),
     (12, "省商务厅")],
)  # fmt: skip
def test_the_lead_unit_is_the_one_named_first(plan: Plan, task: int, lead: str) -> None:
    """Task 4 and task 1 name the same two units in the opposite order."""
    assert {clause.lead for clause in plan.tasks[task - 1].clauses} == {lead}


def test_everything_named_occurs_in_the_text(plan: Plan, text: str) -> None:
    """Each product, technology, cluster, region, policy, clause and target quotes the plan."""
    for kind, task, item in coverage.named(plan):
        assert item.words in text, (kind, task, item.zh)
    for clause in plan.clauses:
        assert clause.text_zh in text
    for target in plan.targets:
        assert target.text_zh.removeprefix("全省") in text
    for sentence in plan.safeguards:
        assert sentence.zh in text


def test_products_are_quoted_literally(plan: Plan, text: str) -> None:
    """No product is our own paraphrase."""
    products = [item for task in plan.tasks for item in task.products]
    assert all(item.quote == "" and item.zh in text for item in products)


def test_everything_has_both_languages(plan: Plan) -> None:
    """Chinese first, English beside it, nowhere empty and nowhere the same."""
    named = [item for _, _, item in coverage.named(plan)] + list(plan.departments)
    pairs = [(item.zh, item.en) for item in named]
    pairs += [(clause.text_zh, clause.text_en) for clause in plan.clauses]
    pairs += [(task.title_zh, task.title_en) for task in plan.tasks]
    pairs += [(target.indicator_zh, target.indicator_en) for target in plan.targets]
    assert all(zh and en and zh != en for zh, en in pairs)
    assert all(en.isascii() or "“" in en for _, en in pairs)


def test_nothing_named_is_without_an_owner(plan: Plan) -> None:
    """Every product, technology, cluster, region, policy and instrument has a system."""
    rows = coverage.rows(plan, shipped.owners(), set(manifests()))
    assert [row["name_zh"] for row in rows if not row["owner"]] == []
    assert {row["owner"] for row in rows} <= set(shipped.owners()["systems"])


def test_every_clause_asks_for_a_system(plan: Plan) -> None:
    """All 36 clauses have systems of the design that serve them."""
    asked = shipped.owners()["clauses"]
    assert list(asked) == [clause.id for clause in plan.clauses]
    assert all(set(names) <= set(shipped.owners()["systems"]) and names for names in asked.values())


def test_the_owner_table_holds_nothing_else(plan: Plan) -> None:
    """No owner row for a thing that the plan does not name."""
    named = {(kind, item.zh) for kind, _, item in coverage.named(plan)}
    listed = {
        (kind, name)
        for kind, table in shipped.owners().items()
        if kind not in ("systems", "clauses")
        for name in table
    }
    assert listed == named


def test_built_systems_are_in_the_design() -> None:
    """Each system in the tree has its titles in the owner table."""
    assert set(manifests()) <= set(shipped.owners()["systems"])


def test_the_manifest_reads_what_the_metric_table_asks() -> None:
    """The metric table is data; the manifest must not forget a query of it."""
    asked = {
        source.query
        for metric in shipped.metrics().values()
        for source in (metric.declared, metric.second)
        if source is not None
    }
    assert asked == set(MANIFEST.reads)


def test_the_metric_table_answers_every_target(plan: Plan) -> None:
    """Each target's metric has a row, and each gatherer it names exists."""
    table = shipped.metrics()
    assert {target.metric for target in plan.targets} == set(table)
    sources = [source for metric in table.values() for source in (metric.declared, metric.second)]
    gathered = {source.gather for source in sources if source and source.gather}
    assert gathered == set(GATHERERS)


@pytest.mark.parametrize(("target", "parts"), [("T2", (165.0, 3.0)), ("T3", (57.7, 4.0))])
def test_level_and_growth_of_the_plan_agree(
    plan: Plan, target: str, parts: tuple[float, float]
) -> None:
    """170 is 3 % above 165.0 and 60 is 4 % above 57.7 (10 kt), the derived base of 2025."""
    level, growth = next(one for one in plan.targets if one.id == target).tests
    base, percent = parts
    assert growth.value == percent
    assert level.value == pytest.approx(base * (1 + percent / 100), rel=5e-4)


def test_traps_of_policy_section_11() -> None:
    """Bounds of norms are inclusive, 超 is strict, and nothing is rounded before comparing."""
    assert meets(bounds("<=", 13000.0), 13000.0)
    assert not meets(bounds("<=", 13000.0), 13000.4)
    assert not meets(bounds(">", 35.0), 35.0)
    assert meets(bounds(">", 35.0), 35.0001)


# -- hand-solved figures of the small province ---------------------------------------------


def _row(standing: Result, test: str) -> dict[str, Any]:
    return next(dict(row) for row in standing.parts if row["test_id"] == test)


def test_cathode_output_by_hand(standing: Result) -> None:
    """2025: 140 kt a month; 2026: 3 % more; a full year of 1.7304 Mt, above the band of 1 %."""
    row = _row(standing, "T2-level")
    assert row["declared"] == pytest.approx(140 * 1.03 * 12 / 10, rel=1e-12)
    assert row["reconciled"] == pytest.approx(173.04, rel=1e-9)
    assert row["reconciled_to_date"] == pytest.approx(140 * 1.03 * 4 / 10, rel=1e-9)
    assert row["distance"] == pytest.approx(3.04, rel=1e-8)
    assert row["shortfall"] == pytest.approx(171.7 - 173.04, rel=1e-8)
    assert row["verdict"] == "not met"
    growth = _row(standing, "T2-growth")
    assert growth["declared"] == pytest.approx(3.0, abs=1e-9)
    assert growth["reconciled"] == pytest.approx(3.0, abs=1e-9)
    assert growth["verdict"] == "met"


def test_specific_energy_by_hand(standing: Result) -> None:
    """1.6 and 2.0 MWh/t at 122.9 kgce/MWh, weighted 90 to 50: 214.197 kgce/t, above 210."""
    row = _row(standing, "T5-level")
    by_hand = 122.9 * (1.6 * 90 + 2.0 * 50) / 140
    assert row["reconciled"] == pytest.approx(by_hand, rel=1e-9)
    assert row["declared"] is None
    assert (row["verdict"], row["proposal"]) == ("not met", True)


def test_gold_recovery_by_hand(standing: Result) -> None:
    """84.17 % and 75 % by capacity 12 to 7, over the best: 95.99 % of it."""
    row = _row(standing, "T6-level")
    best, other = 30.3 / 36.0, 27.0 / 36.0
    by_hand = 100 * (1.2 * best + 0.7 * other) / 1.9 / best
    assert row["reconciled"] == pytest.approx(by_hand, rel=1e-6)
    assert row["verdict"] == "not met"


def test_a_faulty_meter_flips_the_benchmark_share(standing: Result) -> None:
    """P2 declares 12,672 kWh/t by a meter that reads 4 % low; truly it uses 13,200."""
    row = _row(standing, "T8-level")
    assert row["declared"] == pytest.approx(100.0)
    assert row["met_declared"] == "met"
    assert row["reconciled"] == pytest.approx(35.0)
    assert row["met_reconciled"] == "not met", "35 % of capacity is not more than 35 %"
    assert standing.tables["summary"][0]["flipped"] == ["T8-level"]


def test_revenue_by_hand(standing: Result) -> None:
    """90 kt of metal a month at 18,000 CNY/t: 19.44 billion CNY a year."""
    row = _row(standing, "T7-level")
    assert row["declared"] == pytest.approx(90_000 * 18_000 * 12 / 1e8, rel=1e-9)
    assert (row["basis"], row["decided_by"]) == ("modelled", "declared")


def test_value_added_growth_by_hand(standing: Result) -> None:
    """Value added is 20 % of output value; only the copper works grow."""
    base = 140 * 70 + 48 * 75 + 90 * 18
    by_hand = 100 * (140 * 70 * 0.03 + 48 * 75 * 0.10) / base
    assert _row(standing, "T1-growth")["declared"] == pytest.approx(by_hand, rel=1e-9)
