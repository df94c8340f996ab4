"""What a plan file may hold, and how a faulty one is refused."""

import json
from typing import Any

import pytest
import yaml

from cupral.ledger.errors import InputError
from cupral.systems.plan.compute import reading, shipped
from cupral.systems.plan.queries.plans import SHANDONG


def small(**changes: Any) -> dict[str, Any]:
    """A valid small plan."""
    content = {
        "schema": "cupral.plan/1", "id": "small-2027", "title_zh": "小方案", "title_en": "small",
        "issuer": "某厅", "region_zh": "某省", "region_en": "somewhere", "year": 2027,
        "published": "2027-01-05", "source": "made for a test", "status": "unconfirmed",
        "deadline": "2027-12",
        "departments": [{"zh": "甲厅", "en": "A"}, {"zh": "乙厅", "en": "B"}],
        "targets": [{
            "id": "G1", "indicator_zh": "指标", "indicator_en": "indicator", "metric": "m",
            "text_zh": "指标超一", "tests": [
                {"id": "G1-level", "figure": "level", "relation": "超", "value": 1, "unit": "%"}],
        }],
        "tasks": [{
            "no": 1, "title_zh": "任务", "title_en": "task", "responsible": ["甲厅", "乙厅"],
            "clauses": [{"id": "C1", "text_zh": "做", "text_en": "do"}],
        }],
    }  # fmt: skip
    return {**content, **changes}


def test_the_shipped_plan_survives_json_and_yaml() -> None:
    """One schema in three forms."""
    content = small()
    one = reading.plan(reading.parsed(json.dumps(content)))
    assert one == reading.plan(reading.parsed(yaml.safe_dump(content, allow_unicode=True), "yaml"))
    assert (one.clauses[0].lead, one.clauses[0].supporting) == ("甲厅", ("乙厅",))
    assert shipped.plans()[SHANDONG].published == "2026-01-07"


def test_a_clause_may_have_its_own_units_and_deadline() -> None:
    """What a clause says itself goes before what its task says."""
    content = small()
    content["tasks"][0]["clauses"][0] |= {"responsible": ["乙厅"], "deadline": "2027-06"}
    (clause,) = reading.plan(content).clauses
    assert (clause.lead, clause.supporting, clause.deadline) == ("乙厅", (), "2027-06")
    assert clause.deadline_note == ""


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in small().items() if key != name}


def _test(**changes: Any) -> dict[str, Any]:
    content = small()
    content["targets"][0]["tests"][0] |= changes
    return content


def _metric(**changes: Any) -> dict[str, Any]:
    declared = {"query": "statistics.output", "basis": "declared"} | changes
    return small(metrics={"m": {"accumulates": True, "declared": declared}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_without("title_zh"), r"title_zh: Field required"),
        (small(schema="other/1"), r"schema: Input should be 'cupral.plan/1'"),
        (small(year=1999), r"year: .*greater than or equal to 2000"),
        (small(colour="red"), r"colour: Extra inputs are not permitted"),
        (small(targets=[]), r"targets: .*at least 1"),
        (_test(figure="height"), r"targets\[1\]\.tests\[1\]\.figure"),
        (_test(parameter="plan.x"), r"either a value or a parameter"),
        (_test(value=None), r"either a value or a parameter"),
        (_test(value=float("nan")), r"finite number"),
        (small(deadline="someday"), r"'someday' is no period"),
        (small(departments=[{"zh": "甲厅", "en": "A"}]), r"clause C1 names unit '乙厅'"),
        (small(departments=[{"zh": "甲厅", "en": "A"}] * 2), r"two department entries .*'甲厅'"),
        (small(targets=small()["targets"] * 2), r"two target entries are called 'G1'"),
        (small(tasks=small()["tasks"] * 2), r"two task entries are called '1'"),
        (small(published="tomorrow"), r"published: "),
        (_metric(query="rm -rf"), r"metrics\.m\.declared\.query"),
        (_metric(query="plan.status"), r"declared\.query: .*plan asks other systems, not itself"),
        (_metric(figures={"level": {"value": "nope"}}), r"level.*'nope'.*value, sd, low or high"),
        (_metric(figures={"level": {"value": "subject"}}), r"level.*'subject'.*or TABLE\.COLUMN"),
        (_metric(figures={"level": {"sd": "value"}}), r"level.*names no value"),
        (_metric(gather="by_magic"), r"gather 'by_magic' is not known; use line_output, line_int"),
        (_metric(gather="line_output"), r"line_output gathers balance\.months, not statistics\."),
        (_metric(query="balance.months", gather="line_output"), r"line_output needs a product"),
        (_metric(query="balance.recoveries", gather="worst_recovery", product="cathode_copper"),
         r"worst_recovery needs the parameters elements, plants"),
        (_metric(arguments={"year": "{yaer}"}), r"\{yaer\} is no placeholder; use .*\{year\}"),
    ],
)  # fmt: skip
def test_a_faulty_plan_file_names_the_place(content: dict[str, Any], message: str) -> None:
    """Nothing is loaded, and the fault can be found."""
    with pytest.raises(InputError, match=message):
        reading.plan(content)


@pytest.mark.parametrize(
    ("text", "form", "message"),
    [
        ("{", "json", "json: Expecting property name"),
        ("a = ", "toml", "toml: "),
        ("[1, 2]", "json", "the file is a list, not a table"),
        ("just words", "", "cannot be read; json: .*toml: .*yaml: the file is a str"),
        ("a: &x [1]\nb: *x", "yaml", r"aliases \(\*name\) are not allowed"),
        ("x: 1", "xml", "form 'xml' is not known; use one of json, toml, yaml"),
        ("!!python/object/apply:os.system ['true']", "yaml", "yaml: could not determine"),
        ("[" * 100_000, "json", "json: "),
        ("[" * 100_000, "yaml", "yaml: lists stand more than 20 deep"),
        ("x: " + "[" * 18 + "]" * 18 + "}", "yaml", "yaml: while parsing"),
    ],
)
def test_text_that_is_no_plan_is_refused(text: str, form: str, message: str) -> None:
    """No form runs what it reads, and each says what it could not read."""
    with pytest.raises(InputError, match=message):
        reading.parsed(text, form)


def test_a_plan_file_has_a_largest_size() -> None:
    """Two million characters are enough for any plan."""
    with pytest.raises(InputError, match="at most 2000000 are allowed"):
        reading.parsed(" " * (reading.LARGEST + 1))
