"""Case kinds that efficiency judges for `cupral check FILE`: energy levels and shares."""

from collections.abc import Callable
from typing import Any

from cupral.ledger.case import Check, compare
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.system import ask

Case = dict[str, Any]


def judge_level(ledger: Ledger, case: Case, _tolerances: Case) -> list[Check]:
    """Compare the level that a value reaches by a named norm (None = fails level 3)."""
    given = _given(case, ("norm", "value"), ("on", "boundary"))
    result = ask(ledger, "efficiency.level", **given)
    computed = None if result.value is None else int(result.value)
    return [compare("level", _expected(case), computed)]


def judge_share(ledger: Ledger, case: Case, _tolerances: Case) -> list[Check]:
    """Compare shares [%] by series and by enterprise at half a unit of the last digit stated."""
    given = _given(case, ("lines",), ("threshold", "on"))
    result = ask(ledger, "efficiency.share_of", **given)
    shares = {row["by"]: 100.0 * row["share"] for row in result.tables["variants"]}
    wanted = {unit: case[f"expect_by_{unit}"] for unit in shares if f"expect_by_{unit}" in case}
    if not wanted:
        raise InputError("share case states neither expect_by_series nor expect_by_enterprise")
    return [_percent(unit, text, shares[unit]) for unit, text in wanted.items()]


def _percent(unit: str, expected: str | float, computed: float) -> Check:
    digits = len(str(expected).partition(".")[2])
    half = 0.5 * 10.0**-digits
    return compare(f"share by {unit} [%]", float(expected), computed, absolute=half * 1.000001)


def _given(case: Case, needed: tuple[str, ...], optional: tuple[str, ...]) -> Case:
    inputs = case.get("inputs", case)
    if missing := [name for name in needed if name not in inputs]:
        raise InputError(f"{case.get('kind')} case lacks {missing}; it needs {list(needed)}")
    return {name: inputs[name] for name in needed + optional if name in inputs}


def _expected(case: Case) -> Any:
    for name in ("expect", "expected"):
        if name in case:
            value = case[name]
            return value["level"] if isinstance(value, dict) else value
    raise InputError(f"{case.get('kind')} case lacks 'expect': 1, 2, 3 or null")


JUDGES: dict[str, Callable[[Ledger, Case, Case], list[Check]]] = {
    "energy_level": judge_level,
    "share_above_benchmark": judge_share,
}
