"""Which unknowns of a few equations are determined, by elimination that knows its rounding.

Null vectors may fade along a cascade to nothing beside their largest entry, yet not be zero. So
nothing is compared with a norm: each number carries the size of the terms it was made of, and
counts as zero only where it is dust beside these.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from cupral.methods.reconcile.errors import ScaleError
from cupral.methods.reconcile.problem import Index, Mask, Vector

Table = NDArray[np.float64]

DUST = 1e-11
"""Share of the two terms of a difference below which it counts as zero: no data are nearer."""
ROUNDING = 1e-14
"""The same share of all terms a number was ever made of, which rounding may have left."""
FAINT = 1e-280
"""Smaller entries of a null vector come near the end of double precision."""
GROWTH = 16.0
"""Null vectors with larger entries are written on other unknowns."""


@dataclass(frozen=True, slots=True, eq=False)
class Echelon:
    """The solution of ``A x = c`` for a dense A, (m, n), of rank r."""

    left: Table
    """(m - r, m): each dependent row less the independent ones it repeats; ``left A = 0``."""
    rounding: Table
    """(m - r, m): size of the terms of `left`, of which its rounding is a share."""
    inverse: Table
    """T, (n, m): ``x = T c``, least norm."""
    determined: Mask
    """(n,): zero in every null vector."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pivots:
    """``A = L U``, rows and columns in the order of the r pivots, the others after them."""

    rows: Index
    """(m,)"""
    columns: Index
    """(n,)"""
    lower: Table
    """Multipliers below the diagonal, (r, r)."""
    upper: Table
    """Pivot rows as they were when chosen, (r, n)."""
    upper_size: Table


def resolve(block: Table) -> Echelon:
    """Left null space, least-norm inverse, and which unknowns are determined.

    Parameters
    ----------
    block : (m, n)
        A, not zero, its rows and columns scaled near unit size.

    Raises
    ------
    ScaleError
        A product of coefficients leaves double precision.

    Source
    ------
    Higham 2002, Accuracy and Stability of Numerical Algorithms, sections 3.3 (running error
    analysis) and 9.1 (complete pivoting).

    Examples
    --------
    >>> stages = resolve(np.array([[0.1, -1.0, 0.0], [0.0, 0.0, 2.0]]))   # b = 0.1 a; c
    >>> stages.determined.tolist(), len(stages.left)
    ([False, False, True], 0)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        pivots = _eliminate(block, np.ones(block.shape[1], dtype=np.bool_))
        null = _null_vectors(pivots)
        if np.abs(null).max(initial=0.0) > GROWTH:
            pivots = _eliminate(block, _modest(null))
            null = _null_vectors(pivots)
        basic, terms = _basic(block, pivots)
        left, rounding = _left_null_space(block, pivots, basic, terms)
        inverse = _shortest(np.where(np.abs(basic) > ROUNDING * terms, basic, 0.0), null)
    if not (np.isfinite(inverse).all() and np.isfinite(left).all()):
        _refuse_scale()
    return Echelon(left, rounding, inverse, np.all(null == 0.0, axis=1))


def _modest(null: Table) -> Mask:
    """Unknowns that may follow from the others: all but those in which null vectors are largest.

    Else a solution could be large beside the one of least norm, and be lost in its rounding.
    """
    large = _eliminate((null / np.abs(null).max(axis=0)).T, np.ones(len(null), dtype=np.bool_))
    result = np.ones(len(null), dtype=np.bool_)
    result[large.columns[: len(large.upper)]] = False
    return result


def _eliminate(block: Table, allowed: Mask) -> _Pivots:
    """Gaussian elimination; the next pivot is large and little of it was lost to cancellation."""
    work, size = block.copy(), np.abs(block)
    lower = np.zeros_like(block)
    worth = _worth(work, size, allowed).max(axis=1)
    rows: list[int] = []
    columns: list[int] = []
    while worth.max() > 0.0:
        row = int(np.argmax(worth))
        column = int(np.argmax(_worth(work[row], size[row], allowed)))
        worth[row] = 0.0
        rows.append(row)
        columns.append(column)
        below = work[:, column] != 0.0
        below[rows] = False
        if below.any():
            other = np.flatnonzero(below)
            place = (other, column)
            lower[place] = work[place] / work[row, column]
            lost = size[place] / np.abs(work[place]) + size[row, column] / abs(work[row, column])
            spread = np.abs(lower[place]) * lost
            _subtract(work, size, row, column, other, lower[place], spread)
            worth[other] = _worth(work[other], size[other], allowed).max(axis=1)
    by_row, by_column = _first(rows, len(block)), _first(columns, block.shape[1])
    chosen = np.asarray(rows)
    corner, top = np.ix_(chosen, np.asarray(columns)), np.ix_(chosen, by_column)
    return _Pivots(by_row, by_column, lower[corner], work[top], size[top])


def _worth(work: Table, size: Table, allowed: Mask) -> Table:
    """Magnitude times the share of the terms that is left."""
    magnitude = np.abs(work)
    return magnitude * (magnitude / np.where(size > 0.0, size, 1.0)) * allowed


def _subtract(
    work: Table, size: Table, row: int, column: int, other: Index, factor: Vector, spread: Vector
) -> None:
    """Take a multiple of the pivot row from the other rows, with the sizes of the terms."""
    work[other, column], size[other, column] = 0.0, 0.0
    across = np.flatnonzero(work[row])
    across = across[across != column]
    if not len(across):
        return
    place = np.ix_(other, across)
    taken = np.outer(factor, work[row, across])
    if not taken.all():
        _refuse_scale()
    terms = size[place] + np.outer(np.abs(factor), size[row, across])
    terms += np.outer(spread, np.abs(work[row, across]))
    near = np.abs(work[place]) + np.abs(taken)
    work[place] = _settle(work[place] - taken, near, terms)
    size[place] = np.where(work[place] != 0.0, terms, 0.0)


def _settle(value: Table, near: Table, all_terms: Table) -> Table:
    """Zero where only dust is left of the nearest terms, or rounding of all that went before."""
    return np.where(np.abs(value) > np.maximum(DUST * near, ROUNDING * all_terms), value, 0.0)


def _first(chosen: list[int], size: int) -> Index:
    """All places, the chosen ones first."""
    rest = np.ones(size, dtype=np.bool_)
    rest[chosen] = False
    return np.concatenate((np.asarray(chosen, dtype=np.int64), np.flatnonzero(rest)))


def _null_vectors(pivots: _Pivots) -> Table:
    """One column (n, n - r) for each unknown without a pivot: what follows when it is 1."""
    rank, free = len(pivots.upper), np.arange(len(pivots.upper), len(pivots.columns))
    up = solve_triangular(pivots.upper[:, :rank], np.eye(rank))
    follow = up @ pivots.upper[:, rank:]
    inner = np.triu(pivots.upper_size[:, :rank])
    terms = np.abs(up) @ (pivots.upper_size[:, rank:] + inner @ np.abs(follow))
    faint = np.abs(up)[up != 0.0].min(initial=1.0) < FAINT
    if len(free) and (faint or not np.isfinite(terms).all()):
        _refuse_scale()
    result = np.zeros((len(pivots.columns), len(free)))
    result[pivots.columns[:rank]] = -_settle(
        follow, np.abs(up) @ np.abs(pivots.upper[:, rank:]), terms
    )
    result[pivots.columns[free], free - rank] = 1.0
    return result


def _basic(block: Table, pivots: _Pivots) -> tuple[Table, Table]:
    """The solution (n, m) in which unknowns without a pivot are zero, and its terms."""
    rank = len(pivots.upper)
    rows, columns = pivots.rows[:rank], pivots.columns[:rank]
    identity = np.eye(rank)
    up = solve_triangular(pivots.upper[:, :rank], identity)
    down = solve_triangular(pivots.lower, identity, lower=True, unit_diagonal=True)
    inverse = up @ down
    # one Newton step, for unknowns that follow by cancellation
    inverse += (identity - inverse @ block[np.ix_(rows, columns)]) @ inverse
    basic, terms = (np.zeros((len(pivots.columns), len(pivots.rows))) for _ in range(2))
    place = np.ix_(columns, rows)
    basic[place], terms[place] = inverse, np.abs(up) @ np.abs(down)
    return basic, terms


def _left_null_space(
    block: Table, pivots: _Pivots, basic: Table, terms: Table
) -> tuple[Table, Table]:
    """Each dependent row less the independent ones it repeats, and the size of these terms.

    An orthonormal basis would mix balances of unlike size, and their rounding with them.
    """
    rest = pivots.rows[len(pivots.upper) :]
    repeated, near = block[rest] @ basic, np.abs(block[rest]) @ terms
    left = np.where(np.abs(repeated) > ROUNDING * near, -repeated, 0.0)
    rounding = near + near @ np.abs(block) @ terms
    own = (np.arange(len(rest)), rest)
    left[own] = rounding[own] = 1.0
    return left, rounding


def _shortest(basic: Table, null: Table) -> Table:
    """The solution of least norm: what lies along null vectors taken away."""
    if not null.shape[1]:
        return basic
    unit = null / np.abs(null).max(axis=0)
    q, r = np.linalg.qr(unit)
    return np.asarray(basic - unit @ solve_triangular(r, q.T @ basic))


def _refuse_scale() -> None:
    """Raise where products of coefficients cannot be told from zero or infinity."""
    raise ScaleError(
        "unmeasured streams depend on each other through products of coefficients beyond "
        "1e-280..1e280, which double precision cannot tell from zero. Measure a stream in the "
        "middle of that chain, or bring the coefficients nearer to 1 (other units)."
    )
