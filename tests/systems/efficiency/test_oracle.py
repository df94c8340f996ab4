"""Levels and shares against the reference files, and against numbers worked by hand."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.system import ask
from cupral.systems.efficiency import compute
from cupral.systems.efficiency.cases import JUDGES
from cupral.systems.efficiency.model import BENCHMARKED, NORM_BOUNDARIES

NORMS = {
    ("electrolytic aluminium", "liquid aluminium AC consumption"): "al_liquid_ac",
    ("electrolytic aluminium", "liquid aluminium comprehensive AC consumption"):
        "al_liquid_comp_ac",
    ("electrolytic aluminium", "ingot comprehensive AC consumption"): "al_ingot_comp_ac",
    ("electrolytic aluminium", "ingot comprehensive energy"): "al_ingot_energy",
    ("alumina, Bayer", "process energy"): "alumina_bayer_process",
    ("alumina, Bayer", "comprehensive energy"): "alumina_bayer_comp",
    ("alumina, other processes", "process energy"): "alumina_other_process",
    ("alumina, other processes", "comprehensive energy"): "alumina_other_comp",
    ("copper smelting", "concentrate to blister, comprehensive energy"):
        "cu_concentrate_to_blister",
    ("copper smelting", "concentrate to anode, comprehensive energy"): "cu_concentrate_to_anode",
    ("copper smelting", "electrorefining, anode to cathode, comprehensive energy"):
        "cu_electrorefining",
    ("copper smelting", "whole route, concentrate to cathode, comprehensive energy"):
        "cu_concentrate_to_cathode",
    ("copper smelting, secondary/blister", "blister to anode, comprehensive energy"):
        "cu_blister_to_anode",
    ("copper smelting, secondary/blister", "blister to cathode, comprehensive energy"):
        "cu_blister_to_cathode",
    ("copper smelting, secondary/blister", "copper scrap to blister, comprehensive energy"):
        "cu_scrap_to_blister",
    ("copper smelting, secondary/blister", "copper scrap to anode, comprehensive energy"):
        "cu_scrap_to_anode",
    ("copper smelting, secondary/blister", "copper scrap to cathode, comprehensive energy"):
        "cu_scrap_to_cathode",
    ("electrical copper wire rod", "up-casting, cathode"): "cu_rod_upcast",
    ("electrical copper wire rod", "continuous casting and rolling, cathode"): "cu_rod_rolled",
    ("electrical copper wire rod", "continuous casting and rolling, recycled copper"):
        "cu_rod_rolled_recycled",
    ("sulphuric acid from Cu/Ni smelter gas", "comprehensive energy per t acid"):
        "acid_smelter_gas_energy",
    ("sulphuric acid from Cu/Ni smelter gas", "electricity per t acid"):
        "acid_smelter_gas_electricity",
}  # fmt: skip
"""Our short name of each row of the reference table."""


@pytest.fixture(scope="module")
def norm_rows(shared: Path) -> list[dict[str, str]]:
    """Rows of energy_norms.csv."""
    with (shared / "data" / "policy" / "energy_norms.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def policy_cases(shared: Path) -> list[dict[str, Any]]:
    """Cases of the policy file that efficiency judges."""
    text = (shared / "data" / "policy" / "cases.json").read_text(encoding="utf-8")
    return [case for case in json.loads(text)["cases"] if case["kind"] in JUDGES]


def test_all_rows_of_the_norm_table_are_parameters(
    ledger: Ledger, norm_rows: list[dict[str, str]]
) -> None:
    """All 22 rows: levels, unit and standard as in the file, each under its own name."""
    assert len(norm_rows) == len(NORMS) == len(set(NORMS.values())) == 22
    for row in norm_rows:
        name = NORMS[row["product"], row["indicator"]]
        (dated,) = ledger.parameters.values[f"efficiency.{name}"]
        levels = [float(row[c]) for c in ("level1_advanced", "level2_access", "level3_limit")]
        assert [dated.value[f"level{i}"] for i in (1, 2, 3)] == levels, name
        assert dated.unit == row["unit"]
        assert dated.source.startswith(row["standard"])
        assert row["locator"] in dated.source


def test_rows_that_the_source_calls_a_draft_are_unconfirmed(
    ledger: Ledger, norm_rows: list[dict[str, str]]
) -> None:
    """A row read from a draft carries the badge and says why; the others are confirmed."""
    for row in norm_rows:
        (dated,) = ledger.parameters.values[f"efficiency.{NORMS[row['product'], row['indicator']]}"]
        draft = "draft" in row["note"]
        assert dated.confirmed == (row["status"] == "VERIFIED" and not draft)
        assert ("draft" in dated.note) == draft


def test_national_benchmarks_are_apart_and_unconfirmed(ledger: Ledger, shared: Path) -> None:
    """Recalled policy levels never share a parameter with the mandatory ones."""
    with (shared / "data" / "policy" / "ndrc_benchmark_levels.csv").open(encoding="utf-8") as file:
        rows = {r["indicator"]: r for r in csv.DictReader(file)}
    wanted = {
        "al_liquid_ac": "liquid aluminium AC consumption",
        "cu_concentrate_to_cathode": "concentrate to cathode",
        "cu_concentrate_to_blister": "concentrate to blister",
        "cu_concentrate_to_anode": "concentrate to anode",
        "cu_electrorefining": "electrorefining",
    }
    assert set(wanted) == set(BENCHMARKED)
    for norm, indicator in wanted.items():
        (dated,) = ledger.parameters.values[f"efficiency.benchmark_{norm}"]
        row = rows[indicator]
        assert dated.value["benchmark"] == float(row["benchmark_标杆"])
        assert dated.value["baseline"] == float(row["baseline_基准"])
        assert not dated.confirmed


def test_every_norm_has_a_boundary_and_a_parameter(ledger: Ledger) -> None:
    """The table of boundaries and the parameters name the same norms."""
    graded = {
        id.removeprefix("efficiency.")
        for id, values in ledger.parameters.values.items()
        if id.startswith("efficiency.")
        and isinstance(values[0].value, dict)
        and "level1" in values[0].value
    }
    assert graded == set(NORM_BOUNDARIES)


def test_policy_cases_pass(ledger: Ledger, policy_cases: list[dict[str, Any]]) -> None:
    """All cases of the policy file, through the judges that `cupral check` uses."""
    assert {case["kind"] for case in policy_cases} == set(JUDGES)
    for case in policy_cases:
        checks = JUDGES[case["kind"]](ledger, case, {})
        assert checks
        assert all(check.ok for check in checks), (case, checks)


def test_a_wrong_case_fails(ledger: Ledger, policy_cases: list[dict[str, Any]]) -> None:
    """A judge that cannot fail judges nothing."""
    level = next(c for c in policy_cases if c["kind"] == "energy_level" and c["expect"] == 1)
    (check,) = JUDGES["energy_level"](ledger, {**level, "expect": 2}, {})
    assert not check.ok
    share = next(c for c in policy_cases if c["kind"] == "share_above_benchmark")
    wrong = {**share, "expect_by_series": "29.0597"}
    assert [c.ok for c in JUDGES["share_above_benchmark"](ledger, wrong, {})] == [False, True]


@pytest.mark.parametrize(
    ("text", "ok"),
    [("29.0598", True), ("29.06", True), ("29.1", True), ("29.0599", False), ("29.0", False)],
)
def test_percent_is_compared_at_half_of_its_last_digit(
    ledger: Ledger, policy_cases: list[dict[str, Any]], text: str, ok: bool
) -> None:
    """29.059829 % is 29.1 at one digit and 29.0598 at four."""
    share = next(c for c in policy_cases if c["kind"] == "share_above_benchmark")
    case = {k: v for k, v in share.items() if not k.startswith("expect")}
    (check,) = JUDGES["share_above_benchmark"](ledger, {**case, "expect_by_series": text}, {})
    assert check.ok is ok


def test_judges_name_what_a_case_lacks(ledger: Ledger) -> None:
    """An incomplete case is an error, never a pass."""
    with pytest.raises(InputError, match=r"lacks .'value'."):
        JUDGES["energy_level"](ledger, {"kind": "energy_level", "norm": "al_liquid_ac"}, {})
    with pytest.raises(InputError, match="lacks 'expect'"):
        JUDGES["energy_level"](ledger, {"norm": "al_liquid_ac", "value": 1.0}, {})
    lines = [{"ent": "A", "cap": 1, "out": 1, "ac": 1}]
    with pytest.raises(InputError, match="neither expect_by_series"):
        JUDGES["share_above_benchmark"](ledger, {"lines": lines, "threshold": 2}, {})
    with pytest.raises(NotFound, match="did you mean"):
        JUDGES["energy_level"](ledger, {"norm": "al_liquid", "value": 1.0, "expect": 1}, {})


def test_a_case_in_the_form_of_the_ledger_file_is_judged_too(ledger: Ledger) -> None:
    """Inputs and expected as in data/ledger/cases.json."""
    case = {
        "id": "X", "kind": "energy_level", "inputs": {"norm": "cu_rod_upcast", "value": 45.0},
        "expected": {"level": 1},
    }  # fmt: skip
    (check,) = JUDGES["energy_level"](ledger, case, {})
    assert check.ok


def test_the_seven_line_sample_by_hand(ledger: Ledger) -> None:
    """policy.md section 1: 29.1 % by potline and 54.3 % by enterprise on the same lines."""
    lines = [
        ("A", 42, 58, 13000), ("B", 12, 52, 13120), ("A", 59, 54, 13001), ("B", 22, 28, 13001),
        ("D", 16, 40, 13480), ("B", 57, 21, 13480), ("A", 26, 31, 12890),
    ]  # fmt: skip
    rows = [{"ent": e, "cap": c, "out": o, "ac": a} for e, c, o, a in lines]
    result = ask(ledger, "efficiency.share_of", lines=rows, threshold=13000)
    assert result.value == pytest.approx((42 + 26) / 234)
    by = {row["by"]: row["share"] for row in result.tables["variants"]}
    assert by["enterprise"] == pytest.approx((42 + 59 + 26) / 234)
    assert [row["above"] for row in result.parts] == [
        True, False, False, False, False, False, True,
    ]  # fmt: skip


def test_inclusive_bounds_and_no_rounding_of_the_trap_list() -> None:
    """policy.md section 11, traps 1 and 2."""
    aluminium, acid = (12950, 13000, 13350), (-30, 3, 16)
    assert compute.level(13000, aluminium) == 2
    assert compute.level(13000.4, aluminium) == 3, "13000.4 must not be rounded to 13000"
    assert compute.level(13001, aluminium) == 3
    assert compute.level(13350.0001, aluminium) is None
    assert [compute.level(v, acid) for v in (-31, -30, -29.9, 3, 16, 16.1)] == [
        1, 1, 2, 2, 3, None,
    ]  # fmt: skip


def test_probability_of_a_series_at_12995_is_no_certainty() -> None:
    """policy.md 2.4: a series at 12,995 +/- 30 is not 'above'; P = Phi(5/30)."""
    chance = compute.level_probabilities(12995, 30, (13000,))[0]
    assert chance == pytest.approx(0.5 * (1 + math.erf(5 / 30 / math.sqrt(2))), rel=1e-12)
    assert 0.56 < chance < 0.57


def test_intensity_sd_by_hand() -> None:
    """Energy 130 +/- 1.3 (independent 1 %) over output 10 +/- 0.1: 13 +/- 13*sqrt(2) %."""
    independent = compute.intensity_sd(130.0, 10.0, np.array([1.3, 0.0]), np.array([0.0, 0.1]))
    assert independent == pytest.approx(13 * 0.01 * math.sqrt(2))
    common = compute.intensity_sd(130.0, 10.0, np.array([1.3]), np.array([0.1]))
    assert common == pytest.approx(0.0, abs=1e-15)
