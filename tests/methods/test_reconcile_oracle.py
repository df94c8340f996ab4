"""Published and exactly solved cases: what outsiders say the answers are."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cupral.methods.propagate import evaluate, repeated
from cupral.methods.reconcile import (
    Bilinear,
    Observability,
    Polynomial,
    Reconciliation,
    reconcile,
    reconcile_nonlinear,
    suspects,
)
from cupral.methods.separation import three_product, two_product

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CUPRAL_SHARED", ROOT.parent / "shared"))
FILE = SHARED / "data" / "ledger" / "cases.json"
BOOK: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
TOLERANCE = BOOK.get("tolerances", {})

pytestmark = pytest.mark.skipif(
    not BOOK, reason=f"no oracle file {FILE}; set CUPRAL_SHARED to the folder that holds data/"
)


def cases(*kinds: str) -> list[Any]:
    """Cases of some kinds as pytest parameters."""
    found = [case for case in BOOK.get("cases", []) if case["kind"] in kinds]
    return [pytest.param(case, id=case["id"]) for case in found] or [
        pytest.param(None, id="absent")
    ]


def numbers(values: list[float | None]) -> np.ndarray:
    """None becomes NaN."""
    return np.array([np.nan if value is None else value for value in values])


def one_based(indices: Any) -> list[int]:
    """Numbered from 1, as the file does."""
    return [int(i) + 1 for i in indices]


def solve(case: dict[str, Any]) -> Reconciliation:
    """Reconcile a linear case."""
    given = case["inputs"]
    return reconcile(
        given["A"],
        numbers(given["y"]),
        numbers(given["sd"]),
        rhs=given["b"],
        covariance=given.get("cov"),
    )


def assert_close(found: Any, wanted: Any, *, rel: float = 0.0, absolute: float = 0.0) -> None:
    """Equal within tolerance, missing in the same places."""
    np.testing.assert_allclose(
        found, numbers(list(wanted)), rtol=rel, atol=absolute, equal_nan=True
    )


LINEAR = cases("linear", "gross_error", "leak")


@pytest.mark.parametrize("case", LINEAR)
def test_values_sd_and_objective(case: dict[str, Any]) -> None:
    """Reconciled values, their sd and J agree with exact rational arithmetic."""
    wanted, answer = case["expected"], solve(case)
    if not wanted.get("solvable", True):
        unknown = [i - 1 for i in wanted["unmeasured_unobservable"]]
        assert np.isnan(answer.value[unknown]).all()
        return
    assert_close(answer.value, wanted["x"], rel=TOLERANCE["x_rel"])
    assert_close(answer.sd, wanted["sd"], rel=TOLERANCE["sd_rel"])
    assert answer.objective == pytest.approx(wanted["objective"], rel=TOLERANCE["objective_rel"])


@pytest.mark.parametrize("case", LINEAR)
def test_ranks_and_classes(case: dict[str, Any]) -> None:
    """Ranks, degrees of freedom and what can be known of each stream."""
    wanted, answer = case["expected"], solve(case)
    assert answer.rank == wanted["rank_A"]
    assert answer.rank_unmeasured == wanted["rank_A_unmeasured"]
    assert answer.redundancy == wanted["dof"]
    code = answer.observability
    assert (
        one_based(np.flatnonzero(code == Observability.JUST_MEASURED))
        == (wanted["nonredundant_measured"])
    )
    for key, kind in (("observable", 2), ("unobservable", 3)):
        found = one_based(np.flatnonzero(code == kind))
        assert found == wanted.get(f"unmeasured_{key}", [])


@pytest.mark.parametrize("case", LINEAR)
def test_statistics(case: dict[str, Any]) -> None:
    """Global, adjustment, maximum-power and node tests; who cannot be told apart."""
    wanted, answer = case["expected"], solve(case)
    for name in ("z_adjustment", "z_max_power", "node_z"):
        if name in wanted:
            assert_close(getattr(answer, name), wanted[name], absolute=TOLERANCE["z_abs"])
    if "chi2_95" in wanted:
        assert answer.chi2_critical == pytest.approx(wanted["chi2_95"], rel=1e-9)
        assert answer.global_test_pass == wanted["global_test_pass"]
    if "bonferroni_z95" in wanted:
        assert answer.critical_z == pytest.approx(wanted["bonferroni_z95"], abs=1e-6)
    if "equivalent_streams" in wanted:
        assert [one_based(group) for group in answer.equivalent] == wanted["equivalent_streams"]


@pytest.mark.parametrize("case", cases("gross_error"))
def test_gross_error_names_the_whole_group(case: dict[str, Any]) -> None:
    """One bias: the first suspect is exactly the group that holds it, with its size."""
    wanted = case["expected"]
    found = suspects(solve(case))
    assert len(found) == int(wanted["detectable"])
    assert found[0].kind == "bias"
    assert one_based(found[0].members) == wanted["suspects"]
    place = wanted["suspects"].index(wanted["biased_stream"])
    assert found[0].size[place] == pytest.approx(wanted["bias"], rel=1e-6)


@pytest.mark.parametrize("case", cases("leak"))
def test_leak_is_named_or_beside_its_twin(case: dict[str, Any]) -> None:
    """A leak, here always the twin of a stream to the outside: named in `also`, with its size."""
    wanted = case["expected"]
    (found,) = suspects(solve(case))
    (leak,) = [one for one in (found, *found.also) if one.kind == "leak"]
    assert one_based(leak.members) == [wanted["leak_unit"]]
    assert leak.size[0] == pytest.approx(wanted["leak"], rel=1e-6)
    (alone,) = suspects(solve(case), kinds=("leak",))
    assert (alone.kind, alone.members) == ("leak", leak.members)


def polynomial(case: dict[str, Any]) -> Polynomial:
    """The balances of a nonlinear case, names turned to indices."""
    index = {name: i for i, name in enumerate(case["inputs"]["names"])}
    balances = [
        [(c, {index[name]: p for name, p in powers.items()}) for c, powers in balance]
        for balance in case["inputs"]["constraints"]
    ]
    return Polynomial(balances, variables=len(index))


def solve_nonlinear(case: dict[str, Any], start: Any) -> Reconciliation:
    """Reconcile a nonlinear case from a start."""
    given = case["inputs"]
    fixed = np.array([state == "f" for state in given["state"]])
    return reconcile_nonlinear(
        polynomial(case),
        numbers(given["y"]),
        numbers(given["sd"]),
        start=np.where(fixed, given["start"], start),
        fixed=fixed,
    )


NONLINEAR = cases("nonlinear")


@pytest.mark.parametrize("case", NONLINEAR)
def test_nonlinear(case: dict[str, Any]) -> None:
    """Values, linearised sd, objective and tests agree with a 40-digit Newton."""
    given, wanted = case["inputs"], case["expected"]
    answer = solve_nonlinear(case, given["start"])
    assert_close(answer.value, wanted["x"], rel=TOLERANCE["x_rel"])
    assert_close(answer.sd, wanted["sd_linearised"], rel=TOLERANCE["sd_rel"])
    assert answer.objective == pytest.approx(wanted["objective"], rel=TOLERANCE["objective_rel"])
    assert answer.redundancy == wanted["dof"]
    assert answer.chi2_critical == pytest.approx(wanted["chi2_95"], rel=1e-9)
    z = numbers([wanted["z_adjustment"].get(name) for name in given["names"]])
    np.testing.assert_allclose(answer.z_adjustment, z, atol=TOLERANCE["z_abs"], equal_nan=True)


@pytest.mark.parametrize("case", NONLINEAR)
def test_nonlinear_from_40_starts(case: dict[str, Any]) -> None:
    """Forty starts perturbed by up to 20 % reach the same optimum."""
    start = np.array(case["inputs"]["start"])
    rng = np.random.default_rng(40)
    for _ in range(40):
        answer = solve_nonlinear(case, start * (1 + 0.2 * rng.uniform(-1, 1, len(start))))
        assert_close(answer.value, case["expected"]["x"], rel=TOLERANCE["x_rel"])


@pytest.mark.parametrize("case", [p for p in NONLINEAR if str(p.id).startswith("BIL")] or NONLINEAR)
def test_bilinear_form_agrees(case: dict[str, Any]) -> None:
    """The network form of the bilinear cases gives the answer of their polynomials."""
    given = case["inputs"]
    streams = sum(name.startswith("F") for name in given["names"])
    pairs = [name[1:].split("_") for name in given["names"][streams:]]
    element = np.array([int(e) - 1 for e, _ in pairs])
    stream = np.array([int(s) - 1 for _, s in pairs])
    column = case["id"] == "BIL-DIST"
    network = np.zeros((1 if column else 6, streams))
    for row, balance in enumerate(given["constraints"][: len(network)]):
        for sign, powers in balance:
            (flow,) = [name for name in powers if name.startswith("F")]
            network[row, int(flow[1:]) - 1] = sign
    balances = Bilinear(
        network,
        stream=stream,
        element=element,
        mass=np.full(len(network), not column),
        closed=range(streams) if column else (),
    )
    answer = reconcile_nonlinear(
        balances, numbers(given["y"]), numbers(given["sd"]), start=given["start"]
    )
    assert_close(answer.value, case["expected"]["x"], rel=TOLERANCE["x_rel"])
    assert_close(answer.sd, case["expected"]["sd_linearised"], rel=TOLERANCE["sd_rel"])


@pytest.mark.parametrize("case", cases("metallurgical"))
def test_separation(case: dict[str, Any]) -> None:
    """Two- and three-product formulas, with sensitivities."""
    given, wanted = case["inputs"], case["expected"]
    if "conc" in given:
        grades = np.array([given["feed"], given["conc"], given["tail"]])
        split = two_product(*grades, sd=given["rel_sd_each"] * grades)
        assert split.recovery == pytest.approx(wanted["recovery"], rel=1e-12)
        assert split.mass_pull == pytest.approx(wanted["mass_pull"], rel=1e-12)
        assert split.recovery_sd == pytest.approx(wanted["sd_recovery"], rel=1e-10)
        assert_close(split.recovery_slope, wanted["dR"], rel=1e-10)
        return
    triple = three_product(given["feed"], given["conc1"], given["conc2"], given["tail"])
    assert_close(triple.mass_pull, [wanted["pull1"], wanted["pull2"]], rel=1e-12)
    assert triple.recovery[0, 0] == pytest.approx(wanted["rec_metal1_in_conc1"], rel=1e-12)
    assert triple.recovery[1, 1] == pytest.approx(wanted["rec_metal2_in_conc2"], rel=1e-12)


@pytest.mark.parametrize("case", cases("gum"))
def test_gum_h2(case: dict[str, Any]) -> None:
    """JCGM 100 H.2: resistance, reactance, impedance from repeated readings."""
    given, wanted = case["inputs"], case["expected"]
    readings = repeated(np.array(given["observations_V_mA_rad"]) * [1.0, 1e-3, 1.0])
    above = np.triu_indices(3, 1)
    assert_close(readings.value, given["x"], rel=1e-12)
    assert_close(readings.sd, given["u"], rel=1e-10)
    assert_close(readings.correlation[above], given["corr"], rel=1e-9)
    ohms = evaluate(
        lambda x: x[0] / x[1] * np.array([np.cos(x[2]), np.sin(x[2]), 1.0]),
        readings.value,
        readings.sd,
        correlation=readings.correlation,
    )
    assert_close(ohms.value, wanted["y"], rel=1e-12)
    assert_close(ohms.sd, wanted["u"], rel=1e-7)
    assert_close(ohms.correlation[above], wanted["corr"], absolute=1e-6)
