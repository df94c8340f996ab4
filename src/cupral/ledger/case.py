"""Check: one computed value beside the expected one, as `cupral check FILE` prints it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of a case file."""

    name: str
    expected: Any
    computed: Any
    tolerance: str
    ok: bool


def compare(
    name: str, expected: Any, computed: Any, *, relative: float = 0.0, absolute: float = 0.0
) -> Check:
    """Compare numbers, None, text, booleans or (nested) lists of them element by element."""
    shown = f"rel {relative:g}" if relative else f"abs {absolute:g}" if absolute else "equal"
    return Check(name, expected, computed, shown, _equal(expected, computed, relative, absolute))


def _equal(expected: Any, computed: Any, relative: float, absolute: float) -> bool:
    if isinstance(expected, Sequence) and not isinstance(expected, str):
        return (
            isinstance(computed, Sequence)
            and len(expected) == len(computed)
            and all(
                _equal(e, c, relative, absolute) for e, c in zip(expected, computed, strict=True)
            )
        )
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return bool(expected == computed)
    if computed is None or isinstance(computed, str | bool):
        return False
    return math.isclose(expected, computed, rel_tol=relative, abs_tol=absolute)
