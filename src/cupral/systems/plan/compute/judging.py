"""What a target's test means, and whether a figure meets it; compared before rounding."""

import math
from collections.abc import Mapping

from cupral.ledger.errors import InputError
from cupral.methods.margin import TIE
from cupral.systems.plan.model import Bounds

MET, NOT_MET, UNDECIDED = "met", "not met", "cannot decide"

SIGNS = {"near": "≈", ">": ">", ">=": "≥", "<": "<", "<=": "≤"}
"""How each operator is printed."""


def operator(relation: str, relations: Mapping[str, str]) -> str:
    """The operator that a word of the plan stands for.

    Raises
    ------
    InputError
        If the table of relations does not have the word.

    Examples
    --------
    >>> operator("突破", {"突破": ">"})
    '>'
    """
    if relation not in relations:
        raise InputError(
            f"relation {relation!r} of a test is not known; use one of {', '.join(relations)}"
            " or add it to parameter plan.relations"
        )
    return relations[relation]


def bounds(sign: str, value: float, tolerance: float = 0.0) -> Bounds:
    """The values that meet a test.

    Parameters
    ----------
    sign : str
        'near', '>', '>=', '<' or '<='.
    value : float
        Threshold [unit of the test].
    tolerance : float
        Half width for 'near' [unit of the test]; both ends belong to it.

    Raises
    ------
    InputError
        If the sign is unknown.

    Examples
    --------
    >>> bounds("near", 5, 0.25)
    Bounds(low=4.75, high=5.25, strict=False)
    """
    if sign == "near":
        return Bounds(low=value - tolerance, high=value + tolerance)
    if sign in (">", ">="):
        return Bounds(low=value, strict=sign == ">")
    if sign in ("<", "<="):
        return Bounds(high=value, strict=sign == "<")
    raise InputError(f"operator {sign!r} is not known; use one of {', '.join(SIGNS)}")


def meets(allowed: Bounds, figure: float) -> bool:
    """Whether a figure lies within the bounds.

    Examples
    --------
    >>> meets(bounds(">", 35), 35.0), meets(bounds("<=", 210), 210.0)
    (False, True)
    """
    above = allowed.low is None or _beyond(figure, allowed.low, allowed.strict)
    below = allowed.high is None or _beyond(-figure, -allowed.high, allowed.strict)
    return above and below


def _beyond(figure: float, bound: float, strict: bool) -> bool:
    if math.isclose(figure, bound, rel_tol=TIE):
        return not strict
    return figure > bound


def verdict(allowed: Bounds, figure: float | None) -> str:
    """'met', 'not met', or 'cannot decide' without a figure."""
    if figure is None:
        return UNDECIDED
    return MET if meets(allowed, figure) else NOT_MET


def shortfall(allowed: Bounds, figure: float) -> float:
    """How far a figure must move to reach the bounds: positive up, negative down, 0 inside.

    Examples
    --------
    >>> shortfall(bounds("near", 170, 1.5), 165.0)
    3.5
    """
    if allowed.low is not None and figure < allowed.low:
        return allowed.low - figure
    if allowed.high is not None and figure > allowed.high:
        return allowed.high - figure
    return 0.0


def probability(allowed: Bounds, figure: float, sd: float | None) -> float | None:
    """Probability that the true value meets the test, for a normal error.

    Returns
    -------
    float or None
        Phi((high - figure)/sd) - Phi((low - figure)/sd); 0 or 1 for sd 0, None without sd.

    Examples
    --------
    >>> probability(bounds(">", 35), 35.0, 0.4)
    0.5
    """
    if sd is None:
        return None
    if sd == 0.0:
        return float(meets(allowed, figure))
    upper = 1.0 if allowed.high is None else _phi((allowed.high - figure) / sd)
    lower = 0.0 if allowed.low is None else _phi((allowed.low - figure) / sd)
    return upper - lower


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def shown(sign: str, value: float, unit: str) -> str:
    """A test in one short text.

    Examples
    --------
    >>> shown("near", 170.0, "万吨")
    '≈ 170 万吨'
    """
    return f"{SIGNS[sign]} {value:g} {unit}".strip()
