"""Case kind that statistics judges for `cupral check FILE`: growth arithmetic.

The five calculations are told apart by the names of the inputs alone. A name is understood
by its words (`base_levels_JanFeb_then_Mar` is a base level); names that fit no calculation,
or that nobody understands, are an error that lists what is understood: never a guess.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cupral.ledger.case import Check, compare
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask

Case = dict[str, Any]
Pick = Callable[[Result], Any]


@dataclass(frozen=True, slots=True)
class Calculation:
    """One calculation: its query, the roles it needs and may take, and what it can answer."""

    name: str
    query: str
    needs: tuple[str, ...]
    may: tuple[str, ...]
    answers: Mapping[str, Pick]
    example: str


def _column(name: str) -> Pick:
    return lambda result: [row[name] for row in result.parts]


def _last(name: str) -> Pick:
    return lambda result: result.parts[-1][name]


def _value(result: Result) -> float | None:
    return result.value


def _other(result: Result) -> float:
    """The growth by the wrong method, in the second row."""
    if len(result.parts) < 2:
        raise InputError(f"the wrong growth needs the published level; {_understood()}")
    return float(result.parts[1]["growth_pct"])


CALCULATIONS = (
    Calculation(
        "cumulative growth", "statistics.growth_forward", ("base_levels", "yoy_pct"), (),
        {"cumulative": _column("cumulative_yoy_pct"), "last cumulative": _value,
         "year": _value},
        "base_levels, yoy_pct -> cumulative_yoy_pct",
    ),
    Calculation(
        "inverse", "statistics.growth_inverse", ("base_levels", "cumulative_yoy_pct"),
        ("rounding_pct",),
        {"growth": _column("yoy_pct"), "last growth": _value, "low": _column("low"),
         "high": _column("high"), "last low": _last("low"), "last high": _last("high"),
         "interval": lambda result: [result.low, result.high],
         "half width": lambda r: (r.parts[-1]["high"] - r.parts[-1]["low"]) / 2.0,
         "amplification": lambda result: result.parts[-1]["amplification"]},
        "base_levels, cumulative_yoy_pct [, rounding_pct] -> yoy_pct, low_pct, high_pct",
    ),
    Calculation(
        "run rate", "statistics.growth_needed",
        ("base_done", "base_rest", "done_yoy_pct", "target_pct"), (),
        {"needed": _value, "growth": _value},
        "base_done, base_rest, cum_yoy_done_pct, target_pct -> needed_yoy_rest_pct",
    ),
    Calculation(
        "deflation", "statistics.growth_deflated", ("nominal_pct", "price_pct"), (),
        {"real": _value, "growth": _value, "wrong": _other},
        "nominal_growth_pct, ppi_yoy_pct -> real_growth_pct, wrong_subtraction_pct",
    ),
    Calculation(
        "scope", "statistics.growth_scope", ("level", "restated"), ("published",),
        {"growth": _value, "restated": _value, "real": _value,
         "wrong": _other,
         "published": _other,
         "difference": lambda r: _other(r) - r.parts[0]["growth_pct"]},
        "level, restated, published -> growth_pct, wrong_growth_pct",
    ),
    Calculation(
        "two-year average", "statistics.growth_average", ("first_pct", "second_pct"), (),
        {"average": _value, "growth": _value},
        "first_pct, second_pct -> average_pct",
    ),
)  # fmt: skip

_INPUT_ROLES: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = tuple(
    (role, frozenset(all_of.split()), frozenset(none_of.split()))
    for role, all_of, none_of in (
        ("target_pct", "target", ""),
        ("done_yoy_pct", "yoy done", "base"), ("done_yoy_pct", "growth done", "base"),
        ("done_yoy_pct", "yoy ytd", "base"),
        ("cumulative_yoy_pct", "cumulative", "base"), ("cumulative_yoy_pct", "cum yoy", "base"),
        ("cumulative_yoy_pct", "cum growth", "base"),
        ("restated", "restated", "yoy growth"), ("restated", "comparable last", "yoy growth"),
        ("published", "published", "yoy growth"), ("published", "reported last", "yoy growth"),
        ("base_rest", "base rest", ""), ("base_rest", "base remaining", ""),
        ("base_done", "base done", ""), ("base_done", "base ytd", ""),
        ("half_rounding_pct", "rounding half", ""), ("rounding_decimals", "decimals", ""),
        ("rounding_pct", "rounding", "half decimal decimals digit digits"),
        ("nominal_pct", "nominal", ""),
        ("price_pct", "ppi", ""), ("price_pct", "price", "comparable"),
        ("price_pct", "deflator", ""),
        ("first_pct", "first", ""), ("second_pct", "second", ""),
        ("base_levels", "base", ""), ("base_levels", "last year level", ""),
        ("level", "this year", "yoy growth"), ("level", "current", "yoy growth price"),
        ("level", "level", "last"),
        ("yoy_pct", "yoy", ""), ("yoy_pct", "growth", ""),
    )
)  # fmt: skip
"""(role, words that all occur, words of which none occurs), first match wins."""

_SAME: Mapping[str, tuple[str, Callable[[float], float]]] = {
    "half_rounding_pct": ("rounding_pct", lambda half: 2.0 * half),
    "rounding_decimals": ("rounding_pct", lambda decimals: 10.0**-decimals),
}
"""Roles that say another one in other words."""

_ANSWER_ROLES: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (role, frozenset(words.split()))
    for role, words in (
        ("amplification", "amplification"), ("amplification", "factor"),
        ("half width", "half"), ("half width", "error"),
        ("interval", "interval"), ("interval", "range"),
        ("last low", "last low"), ("last high", "last high"), ("low", "low"), ("low", "lower"),
        ("low", "min"), ("high", "high"), ("high", "upper"), ("high", "max"),
        ("difference", "difference"), ("difference", "bias"),
        ("wrong", "wrong"), ("wrong", "naive"), ("wrong", "subtraction"),
        ("published", "published"), ("restated", "restated"),
        ("needed", "needed"), ("needed", "required"), ("real", "real"), ("average", "average"),
        ("last cumulative", "last cumulative"), ("cumulative", "cumulative"),
        ("cumulative", "cum"), ("year", "year"), ("last growth", "last"),
        ("growth", "growth"), ("growth", "yoy"),
    )
)  # fmt: skip


def judge_growth(ledger: Ledger, case: Case, tolerances: Case) -> list[Check]:
    """Compare each expected number of a growth case with the query that its inputs ask for."""
    calculation, arguments = recognised(case.get("inputs", {}))
    expected = case.get("expected", {})
    if not expected:
        raise InputError(f"case {case.get('id', '?')} expects nothing; {_understood()}")
    picks = {name: _answer(calculation, name) for name in expected}
    result = ask(ledger, calculation.query, **arguments)
    relative = float(case.get("tolerances", {}).get("x_rel", tolerances.get("x_rel", 1e-9)))
    return [
        compare(f"{name} ({calculation.name})", value, _shaped(value, picks[name](result)),
                relative=relative)
        for name, value in expected.items()
    ]  # fmt: skip


def recognised(inputs: Mapping[str, Any]) -> tuple[Calculation, dict[str, Any]]:
    """The calculation that these inputs ask for and the arguments of its query.

    Raises
    ------
    InputError
        If a name is not understood, two names mean the same, or no calculation takes them.
    """
    arguments: dict[str, Any] = {}
    for name, value in inputs.items():
        role, said = _SAME.get(_role(name), (_role(name), lambda same: same))
        if role in arguments:
            raise InputError(f"two inputs mean {role} ({list(inputs)}); {_understood()}")
        arguments[role] = said(value)
    for calculation in CALCULATIONS:
        needed, allowed = set(calculation.needs), {*calculation.needs, *calculation.may}
        if needed <= set(arguments) <= allowed:
            return calculation, arguments
    raise InputError(f"no growth calculation takes {list(inputs)}; {_understood()}")


def _role(name: str) -> str:
    words = _words(name)
    for role, all_of, none_of in _INPUT_ROLES:
        if all_of <= words and not none_of & words:
            return role
    raise InputError(f"input {name!r} of a growth case is not understood; {_understood()}")


def _answer(calculation: Calculation, name: str) -> Pick:
    words = _words(name)
    for role, all_of in _ANSWER_ROLES:
        if all_of <= words and role in calculation.answers:
            return calculation.answers[role]
    raise InputError(
        f"{calculation.name} does not answer {name!r}; it answers {list(calculation.answers)};"
        f" {_understood()}"
    )


def _words(name: str) -> set[str]:
    """Words of a name, with plain plurals taken off.

    Examples
    --------
    >>> sorted(_words("base_levels_JanFeb_then_Mar"))
    ['base', 'feb', 'jan', 'level', 'mar', 'then']
    """
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return {part.lower().removesuffix("s") if part.lower() == "levels" else part.lower()
            for part in parts}  # fmt: skip


def _shaped(expected: Any, computed: Any) -> Any:
    """The last number of a column where the case expects one number."""
    if isinstance(computed, list) and isinstance(expected, int | float):
        return computed[-1]
    return computed


def _understood() -> str:
    return "understood: " + "; ".join(item.example for item in CALCULATIONS)


JUDGES: dict[str, Callable[[Ledger, Case, Case], list[Check]]] = {"growth": judge_growth}
