"""Bounded reconciliation beside the optimum of all active sets, in rational arithmetic."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.methods.reconcile import ContradictionError, bounded, reconcile


def exact(a: Any, b: Any, y: Any, variance: Any, lower: Any, upper: Any) -> list[Fraction] | None:
    """The optimum of a small problem of whole numbers, by trying every active set."""
    best, least = None, Fraction(0)
    for sides in itertools.product((-1, 0, 1), repeat=len(y)):
        x = _on_active_set(
            a, b, y, variance, [(None, upper[i], lower[i])[s] for i, s in enumerate(sides)]
        )
        if x is None or any(
            v < low or v > high for v, low, high in zip(x, lower, upper, strict=True)
        ):
            continue
        cost = sum(((v - m) ** 2 / w for v, m, w in zip(x, y, variance, strict=True)), Fraction(0))
        if best is None or cost < least:
            best, least = x, cost
    return best


def _on_active_set(a: Any, b: Any, y: Any, variance: Any, held: list[Any]) -> list[Fraction] | None:
    """Least squares with some streams held; None where the balances cannot close."""
    x = [Fraction(y[i]) if h is None else Fraction(h) for i, h in enumerate(held)]
    free = [i for i, h in enumerate(held) if h is None]
    normal = [
        [sum((Fraction(r[i]) * s[i] * variance[i] for i in free), Fraction(0)) for s in a]
        + [sum((Fraction(r[i]) * x[i] for i in range(len(x))), Fraction(0)) - c]
        for r, c in zip(a, b, strict=True)
    ]
    multiplier = _gauss(normal)
    if multiplier is None:
        return None
    for i in free:
        x[i] -= variance[i] * sum(
            (Fraction(r[i]) * z for r, z in zip(a, multiplier, strict=True)), Fraction(0)
        )
    return x


def _gauss(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """One solution of a square system with its right-hand side, None when there is none."""
    size, used = len(rows), {}
    for column in range(size):
        pivot = next((r for r in range(size) if r not in used.values() and rows[r][column]), None)
        if pivot is None:
            continue
        used[column] = pivot
        for r in range(size):
            if r != pivot and rows[r][column]:
                ratio = rows[r][column] / rows[pivot][column]
                rows[r] = [p - ratio * q for p, q in zip(rows[r], rows[pivot], strict=True)]
    if any(rows[r][size] for r in range(size) if r not in used.values()):
        return None
    return [
        rows[used[c]][size] / rows[used[c]][c] if c in used else Fraction(0) for c in range(size)
    ]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Any, ...]:
    """Whole-numbered networks, many of whose bounds bind; some have no answer at all."""
    n, m = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    a = [[draw(st.sampled_from([-1, 0, 0, 1, 2])) for _ in range(n)] for _ in range(m)]
    inside = [draw(st.integers(-3, 3)) for _ in range(n)]
    lower = [v - draw(st.integers(0, 2)) for v in inside]
    upper = [v + draw(st.integers(0, 2)) for v in inside]
    miss = draw(st.sampled_from([0, 0, 0, 1]))
    b = [sum(p * q for p, q in zip(row, inside, strict=True)) + miss for row in a]
    y = [v + draw(st.integers(-9, 9)) for v in inside]
    variance = [draw(st.sampled_from([1, 4, 100])) for _ in range(n)]
    return a, b, y, variance, lower, upper


@settings(max_examples=250, deadline=None)
@given(problems())
def test_optimum_of_all_active_sets(problem: tuple[Any, ...]) -> None:
    """Values and objective are those of the best of all active sets, or there is none."""
    a, b, y, variance, lower, upper = problem
    wanted = exact(*problem)
    if wanted is None:
        with pytest.raises(ContradictionError):
            bounded(reconcile(a, y, np.sqrt(variance), rhs=b), lower=lower, upper=upper)
        return
    answer = bounded(reconcile(a, y, np.sqrt(variance), rhs=b), lower=lower, upper=upper)
    value = np.array([float(v) for v in wanted])
    cost = sum((v - m) ** 2 / w for v, m, w in zip(wanted, y, variance, strict=True))
    np.testing.assert_allclose(answer.value, value, rtol=1e-10, atol=1e-10)
    assert answer.objective == pytest.approx(float(cost), rel=1e-9, abs=1e-12)
    assert answer.certificate.worst <= 1e-10
