"""Judges of case files: linear, bounded, gross error, leak, nonlinear, metallurgical, GUM.

Each judge asks the same queries that users ask and compares what the case expects.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cupral.ledger.case import Check, compare
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask

Case = Mapping[str, Any]
Tolerances = Mapping[str, float]

GUM_H2 = {"R": "V / I * cos(phi)", "X": "V / I * sin(phi)", "Z": "V / I"}
"""JCGM 100:2008 example H.2."""


def judge_problem(ledger: Ledger, case: Case, tolerances: Tolerances) -> list[Check]:
    """Reconciliation cases: every expected figure that a reconciliation has."""
    inputs = {n: v for n, v in case["inputs"].items() if n in _ACCEPTED}
    result = ask(ledger, "balance.problem", problem=inputs)
    expected, checks = dict(case["expected"]), list[Check]()
    for name, read in _READERS.items():
        if name in expected:
            wanted = _by_name(expected[name], result)
            checks.append(_compared(name, wanted, read(result), tolerances))
    checks += _suspects(expected, result)
    published = expected.get("published", {})
    if "x" in published:
        checks += [
            compare(f"published x{i + 1}", value, row["reconciled"], absolute=_half_digit(value))
            for i, (value, row) in enumerate(zip(published["x"], result.parts, strict=False))
        ]
    return checks


_ACCEPTED = (
    "names", "y", "sd", "A", "b", "cov", "lower", "upper", "state", "start", "constraints",
)  # fmt: skip


def _summary(name: str) -> Callable[[Result], Any]:
    return lambda result: result.tables["summary"][0][name]


def _part(name: str) -> Callable[[Result], Any]:
    return lambda result: [row[name] for row in result.parts]


def _numbers(*classes: str) -> Callable[[Result], Any]:
    return lambda result: [
        i for i, row in enumerate(result.parts, start=1) if row["class"] in classes
    ]


_READERS: Mapping[str, Callable[[Result], Any]] = {
    "rank_A": _summary("rank"),
    "rank_A_unmeasured": _summary("rank_unmeasured"),
    "dof": _summary("redundancy"),
    "nonredundant_measured": _numbers("just measured"),
    "unmeasured_observable": _numbers("observable"),
    "unmeasured_unobservable": _numbers("unobservable"),
    "solvable": lambda result: not _numbers("unobservable")(result),
    "x": _part("reconciled"),
    "sd": _part("sd"),
    "sd_linearised": _part("sd"),
    "objective": lambda result: result.value,
    "chi2_95": _summary("chi2_critical"),
    "global_test_pass": _summary("passed"),
    "z_adjustment": _part("z"),
    "z_max_power": _part("z_max_power"),
    "bonferroni_z95": _summary("critical_z"),
    "node_z": lambda result: [row["z"] for row in result.tables["equations"]],
    "equivalent_streams": lambda result: [r["numbers"] for r in result.tables["equivalent"]],
}
_ABSOLUTE = ("z_adjustment", "z_max_power", "node_z", "bonferroni_z95")


def _by_name(expected: Any, result: Result) -> Any:
    if not isinstance(expected, dict):
        return expected
    return [expected.get(row["name"]) for row in result.parts]


def _compared(name: str, expected: Any, computed: Any, tolerances: Tolerances) -> Check:
    if name in _ABSOLUTE:
        return compare(name, expected, computed, absolute=tolerances.get("z_abs", 1e-6))
    if name in ("sd", "sd_linearised"):
        scale = max((abs(v) for v in expected if v is not None), default=0.0)
        relative = tolerances.get("sd_rel", 1e-7)
        return compare(name, expected, computed, relative=relative, absolute=1e-9 * scale + 1e-12)
    key = "objective_rel" if name == "objective" else "x_rel"
    default = 1e-8 if name == "objective" else 1e-9
    floor = 1e-12 if name == "objective" else 0.0
    relative = tolerances.get(key, default)
    return compare(name, expected, computed, relative=relative, absolute=floor)


def _suspects(expected: Mapping[str, Any], result: Result) -> list[Check]:
    rows = result.tables["suspects"]
    seen = [rows[0], *rows[0]["also"]] if rows else []
    nobody: Mapping[str, Any] = {"numbers": [], "size": []}
    bias = next((row for row in seen if row["kind"] == "bias"), nobody)
    leak = next((row for row in seen if row["kind"] == "leak"), nobody)
    checks = []
    if "suspects" in expected:
        checks.append(compare("suspects", expected["suspects"], sorted(bias["numbers"])))
    if "biased_stream" in expected and "bias" in expected:
        sizes = dict(zip(bias["numbers"], bias["size"], strict=True))
        found = sizes.get(expected["biased_stream"])
        checks.append(compare("bias", expected["bias"], found, relative=1e-6))
    if "detectable" in expected:
        checks.append(compare("detectable", expected["detectable"], bool(rows)))
    if "leak_unit" in expected:
        unit = expected["leak_unit"] if expected["leak_unit"] in leak["numbers"] else None
        checks.append(compare("leak_unit", expected["leak_unit"], unit))
        sizes = dict(zip(leak["numbers"], leak["size"], strict=True))
        found = sizes.get(expected["leak_unit"])
        checks.append(compare("leak", expected.get("leak"), found, relative=1e-6))
    return checks


def judge_bounded(ledger: Ledger, case: Case, tolerances: Tolerances) -> list[Check]:
    """Optimum within bounds, which bounds hold, and the unbounded answer beside it."""
    checks = judge_problem(ledger, case, tolerances)
    inputs = {n: v for n, v in case["inputs"].items() if n in _ACCEPTED}
    result = ask(ledger, "balance.problem", problem=inputs)
    expected, relative = case["expected"], tolerances.get("x_rel", 1e-9)
    if "active" in expected:
        held = [i for i, row in enumerate(result.parts, start=1) if row["bound"]]
        checks.append(compare("active", sorted(expected["active"]), held))
    if "x_unbounded" in expected:
        free = [row["unbounded"] for row in result.parts]
        checks.append(compare("x_unbounded", expected["x_unbounded"], free, relative=relative))
    return checks


def _half_digit(value: float) -> float:
    return 0.5001 * 10.0 ** -len(str(value).partition(".")[2])


def judge_metallurgical(ledger: Ledger, case: Case, tolerances: Tolerances) -> list[Check]:
    """Two- and three-product formulae."""
    inputs, expected = case["inputs"], case["expected"]
    relative = tolerances.get("x_rel", 1e-9)
    if "conc2" in inputs:
        result = ask(ledger, "balance.three_product", **inputs)
        first, second = result.parts
        computed = {
            "pull1": first["pull"], "pull2": second["pull"],
            "rec_metal1_in_conc1": first["recovery_metal1"],
            "rec_metal2_in_conc2": second["recovery_metal2"],
            "rec_metal2_in_conc1": first["recovery_metal2"],
            "rec_metal1_in_conc2": second["recovery_metal1"],
        }  # fmt: skip
    else:
        result = ask(ledger, "balance.two_product", **inputs)
        computed = {
            "recovery": result.value, "mass_pull": result.parts[0]["mass_pull"],
            "sd_recovery": result.sd,
            "dR": [row["slope"] for row in result.tables["slopes"]],
        }  # fmt: skip
    return [
        compare(name, value, computed.get(name), relative=relative)
        for name, value in expected.items()
    ]


def judge_gum(ledger: Ledger, case: Case, tolerances: Tolerances) -> list[Check]:
    """JCGM 100 H.2 from the means and, where given, from the raw observations."""
    inputs, expected = case["inputs"], case["expected"]
    common = {"names": ["V", "I", "phi"], "expressions": inputs.get("expressions", GUM_H2)}
    runs = {}
    if {"x", "u", "corr"} <= set(inputs):
        given = {name: inputs[name] for name in ("x", "u", "corr")}
        runs["given"] = ask(ledger, "balance.propagation", **common, **given)
    if "observations_V_mA_rad" in inputs:
        rows = [[v, ma * 1e-3, rad] for v, ma, rad in inputs["observations_V_mA_rad"]]
        runs["observed"] = ask(ledger, "balance.propagation", **common, observations=rows)
    if not runs:
        raise InputError("a gum case needs x, u, corr or observations_V_mA_rad")
    checks = []
    for run, result in runs.items():
        computed = {
            "y": [row["value"] for row in result.parts], "u": [row["u"] for row in result.parts],
            "corr": [row["r"] for row in result.tables["correlation"]],
        }  # fmt: skip
        for name, value in computed.items():
            key, default = ("x_rel", 1e-9) if name == "y" else ("sd_rel", 1e-7)
            relative = tolerances.get(key, default)
            checks.append(compare(f"{name} ({run})", expected[name], value, relative=relative))
    return checks


JUDGES: Mapping[str, Callable[[Ledger, Case, Tolerances], list[Check]]] = {
    "linear": judge_problem,
    "unobservable": judge_problem,
    "correlated": judge_problem,
    "bounded": judge_bounded,
    "stock": judge_problem,
    "gross_error": judge_problem,
    "leak": judge_problem,
    "nonlinear": judge_problem,
    "bilinear": judge_problem,
    "metallurgical": judge_metallurgical,
    "gum": judge_gum,
}
