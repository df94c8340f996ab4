"""Random problems against an exact solver: dense elimination in rational numbers.

The specification is written here and shares nothing with the package: unmeasured streams have no
weight, fixed ones are known, and the optimality system of weighted least squares is solved in
fractions. What is unique there must come out of `reconcile`; what is not must come out as NaN.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.methods.reconcile import ContradictionError, Observability, reconcile

Rows = list[list[Fraction]]


def echelon(matrix: Rows) -> tuple[Rows, list[int]]:
    """Reduced row echelon form and its pivot columns."""
    rows, pivots, top = [row[:] for row in matrix], [], 0
    for column in range(len(rows[0]) if rows else 0):
        found = next((i for i in range(top, len(rows)) if rows[i][column] != 0), None)
        if found is None:
            continue
        rows[top], rows[found] = rows[found], rows[top]
        lead = rows[top][column]
        rows[top] = [value / lead for value in rows[top]]
        for i in range(len(rows)):
            if i != top and rows[i][column] != 0:
                factor = rows[i][column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[top], strict=True)]
        pivots.append(column)
        top += 1
    return rows, pivots


def unique_solution(matrix: Rows, right: list[Fraction]) -> list[Fraction | None] | None:
    """Each unknown's value where it is unique, None for it where not; None if there is none."""
    width = len(matrix[0])
    rows, pivots = echelon([[*row, value] for row, value in zip(matrix, right, strict=True)])
    if width in pivots:
        return None
    answer: list[Fraction | None] = [None] * width
    for row, pivot in zip(rows, pivots, strict=False):
        if not any(row[j] for j in range(width) if j != pivot):
            answer[pivot] = row[width]
    return answer


def exact(
    a: list[list[int]], y: list[Fraction | None], variance: list[Fraction], rhs: list[Fraction]
) -> tuple[list[Fraction | None] | None, list[Fraction | None]]:
    """Reconciled values and variances in fractions, from the optimality system.

    Unknowns are the n values and the m multipliers: ``w (x - y) + A^T m = 0``, ``A x = b``;
    a fixed stream has the row ``x = y`` instead, an unmeasured one ``w = 0``.
    """
    m, n = len(a), len(y)
    system: Rows = []
    right: list[Fraction] = []
    for j in range(n):
        fixed = y[j] is not None and variance[j] == 0
        weight = Fraction(0) if y[j] is None else Fraction(1) if fixed else 1 / variance[j]
        row = [weight if i == j else Fraction(0) for i in range(n)]
        row += [Fraction(0 if fixed else a[i][j]) for i in range(m)]
        system.append(row)
        right.append(weight * y[j] if y[j] is not None else Fraction(0))
    for i in range(m):
        system.append([Fraction(v) for v in a[i]] + [Fraction(0)] * m)
        right.append(rhs[i])
    values = unique_solution(system, right)
    if values is None:
        return None, []
    spread: list[Fraction | None] = [Fraction(0) if v is not None else None for v in values[:n]]
    for j in range(n):  # response to one measurement, squared and weighed
        if y[j] is None or variance[j] == 0:
            continue
        unit = [Fraction(0)] * (n + m)
        unit[j] = 1 / variance[j]
        slope = unique_solution(system, unit)
        assert slope is not None
        spread = [
            None if s is None or d is None else s + d * d * variance[j]
            for s, d in zip(spread, slope[:n], strict=True)
        ]
    return values[:n], spread


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[list[int]], list[Fraction | None], list[Fraction]]:
    """Small networks, or rows of small whole numbers; any stream unmeasured or fixed."""
    units, streams = draw(st.integers(1, 5)), draw(st.integers(2, 9))
    a = [[0] * streams for _ in range(units)]
    if draw(st.booleans()):
        for j in range(streams):
            ends = draw(st.lists(st.integers(-1, units - 1), min_size=2, max_size=2, unique=True))
            for unit, sign in zip(ends, (-1, 1), strict=True):
                if unit >= 0:
                    a[unit][j] = sign
    else:
        entry = st.sampled_from([0, 0, 0, 1, -1, 2, -3])
        a = [[draw(entry) for _ in range(streams)] for _ in range(units)]
    y: list[Fraction | None] = []
    variance: list[Fraction] = []
    for _ in range(streams):
        state = draw(st.sampled_from(["measured"] * 5 + ["unmeasured"] * 2 + ["fixed"]))
        y.append(None if state == "unmeasured" else Fraction(draw(st.integers(1, 400)), 4))
        sd = Fraction(draw(st.integers(1, 64)), 16)
        variance.append(Fraction(0) if state == "fixed" else sd * sd)
    return a, y, variance


@settings(max_examples=250, deadline=None)
@given(problems())
def test_every_answer_is_the_exact_one(
    problem: tuple[list[list[int]], list[Fraction | None], list[Fraction]],
) -> None:
    """Values to 1e-9 of the largest, sd to 1e-7, NaN exactly where nothing is determined."""
    a, y, variance = problem
    values, spread = exact(a, y, variance, [Fraction(0)] * len(a))
    measured = np.array([np.nan if v is None else float(v) for v in y])
    sd = np.sqrt([float(v) for v in variance])
    if values is None:
        with pytest.raises(ContradictionError, match="stays open"):
            reconcile(a, measured, sd)
        return
    found = reconcile(a, measured, sd)
    scale = max([1.0, *(abs(float(v)) for v in values if v is not None)])
    for j, (value, square) in enumerate(zip(values, spread, strict=True)):
        if value is None:
            assert np.isnan(found.value[j])
            assert found.observability[j] == Observability.UNOBSERVABLE
            continue
        assert found.value[j] == pytest.approx(float(value), abs=1e-9 * scale)
        assert square is not None
        assert found.sd[j] == pytest.approx(float(square) ** 0.5, rel=1e-7, abs=1e-9 * scale)
    objective = sum(
        (x - v) ** 2 / s
        for x, v, s in zip(values, y, variance, strict=True)
        if v is not None and s != 0 and x is not None
    )
    assert found.objective == pytest.approx(float(objective), rel=1e-8, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 4), st.integers(1, 50))
def test_a_fixed_contradiction_is_named(
    problem: tuple[list[list[int]], list[Fraction | None], list[Fraction]], row: int, gap: int
) -> None:
    """All streams fixed and a balance that does not close: a reason, never a number."""
    a, y, _ = problem
    known = [Fraction(1) if v is None else v for v in y]
    row %= len(a)
    rhs = [sum((c * v for c, v in zip(line, known, strict=True)), Fraction(0)) for line in a]
    rhs[row] += Fraction(gap, 7)
    with pytest.raises(ContradictionError, match=r"row from 0"):
        reconcile(a, np.array([float(v) for v in known]), np.zeros(len(y)), rhs=np.float64(rhs))
