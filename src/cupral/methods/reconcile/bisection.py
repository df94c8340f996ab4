"""A large matrix cut in two by a small border, one half a core.

With the rows ordered (first, second, border) the halves do not meet, so each is ordered,
factored, solved and inverted by itself; what joins them is a dense matrix of the border's size.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile.cholesky import Cholesky, check_pivots
from cupral.methods.reconcile.front import Fronts
from cupral.methods.reconcile.inverse import InverseEntries
from cupral.methods.reconcile.problem import Columns, Index, Mask, Vector

SIDES = (0, 1)
LARGEST_BORDER = 16
"""Borders beyond this cost more than the second core brings."""


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One side of the cut: its rows, and where its entries stand in the whole matrix."""

    inside: Index
    """Rows, ascending, (h,)."""
    own: Mask
    """Entries of the whole upper triangle between two of them."""
    indices: Index
    indptr: Index
    crossing: Mask
    """Entries between one of them and the border."""
    place: tuple[Index, Index]
    """Row in the half and in the border of each crossing entry."""

    def matrix(self, whole: Columns) -> Columns:
        """Upper triangle of this half."""
        size = len(self.inside)
        return sparse.csc_array((whole.data[self.own], self.indices, self.indptr), (size, size))

    def coupling(self, whole: Columns, border: int) -> Columns:
        """Entries to the border, (h, border)."""
        entries = (whole.data[self.crossing], self.place)
        return sparse.csc_array(entries, shape=(len(self.inside), border))


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """How a pattern falls into two halves and a border."""

    halves: tuple[Half, Half]
    border: Index
    corner: Mask
    """Entries between two rows of the border."""
    place: tuple[Index, Index]


def cut(matrix: Columns, crossed: Fronts) -> Cut | None:
    """The halves of an upper triangle, None where no small border is found."""
    border = crossed.border()
    if len(border) > LARGEST_BORDER:
        return None
    label = np.ones(matrix.shape[0], dtype=np.int8)
    label[crossed.first()] = 0
    label[border] = 2
    local = np.zeros(matrix.shape[0], dtype=np.int32)
    inside = [np.flatnonzero(label == side) for side in (0, 1, 2)]
    for rows in inside:
        local[rows] = np.arange(len(rows))
    row = matrix.indices
    column = np.repeat(np.arange(len(label), dtype=row.dtype), np.diff(matrix.indptr))
    sides = label[row] + 3 * label[column]
    first, second = (_half(side, inside[side], sides, local, (row, column)) for side in (0, 1))
    corner = sides == 8
    return Cut((first, second), border, corner, (local[row[corner]], local[column[corner]]))


def _half(side: int, inside: Index, sides: Index, local: Index, place: tuple[Index, Index]) -> Half:
    """Where one side's entries stand."""
    row, column = place
    own = sides == 4 * side
    width = np.bincount(local[column[own]], minlength=len(inside))
    indptr = np.concatenate(([0], np.cumsum(width))).astype(np.int32)
    above, below = sides == side + 6, sides == 2 + 3 * side
    inner = np.where(above, row, column)[crossing := above | below]
    outer = np.where(above, column, row)[crossing]
    return Half(inside, own, local[row[own]], indptr, crossing, (local[inner], local[outer]))


class Bisected:
    """Factor of a matrix by its halves; the same questions as `Cholesky`."""

    __slots__ = ("_corner", "_couplings", "_cut", "_factors", "matrix")

    def __init__(self, matrix: Columns, halves: Cut) -> None:
        """Factor both halves at once.

        Raises
        ------
        ScaleError
        """
        self._cut = halves
        self._factors: list[Cholesky] = _on_cores(
            lambda half: Cholesky(half.matrix(matrix)), halves.halves
        )
        self._join(matrix)

    def __reduce__(self) -> tuple[type["Bisected"], tuple[Columns, Cut]]:
        """Pickle the matrix; the other process factors it again."""
        return Bisected, (self.matrix, self._cut)

    def update(self, matrix: Columns) -> None:
        """Factor another matrix of the same pattern in place, without ordering it again."""
        pairs = zip(self._factors, self._cut.halves, strict=True)
        _on_cores(lambda pair: pair[0].update(pair[1].matrix(matrix)), list(pairs))
        self._join(matrix)

    def _join(self, matrix: Columns) -> None:
        """The inverse of what the halves leave of the border."""
        self.matrix = matrix
        size = len(self._cut.border)
        left = np.zeros((size, size))
        left[self._cut.place] = matrix.data[self._cut.corner]
        left = np.triu(left) + np.triu(left, 1).T
        self._couplings = [half.coupling(matrix, size) for half in self._cut.halves]
        for passed in _on_cores(self._passed, SIDES):
            left -= passed
        check_pivots(np.asarray(np.linalg.eigvalsh(left)))
        self._corner: NDArray[np.float64] = np.asarray(np.linalg.inv(left))

    def _passed(self, side: int) -> NDArray[np.float64]:
        """What one half takes from the border, ``S_bi S_ii^-1 S_ib``, column by column."""
        coupling = self._couplings[side]
        solved = (self._bridge(side, k) for k in range(coupling.shape[1]))
        columns = [coupling.T @ column for column in solved]
        return np.reshape(columns, (coupling.shape[1],) * 2).T

    def _bridge(self, side: int, k: int) -> Vector:
        """One column of ``S_ii^-1 S_ib``."""
        return self._factors[side].solve(self._couplings[side][:, [k]].toarray().ravel())

    def solve(self, right: Vector) -> Vector:
        """``S^-1 r`` for one right-hand side."""
        result = np.empty(len(right))
        first = _on_cores(lambda side: self._half(side, right), SIDES)
        rest = right[self._cut.border]
        for coupling, part in zip(self._couplings, first, strict=True):
            rest = rest - coupling.T @ part
        border = result[self._cut.border] = self._corner @ rest
        second = _on_cores(
            lambda side: self._factors[side].solve(self._couplings[side] @ border), SIDES
        )
        for side in SIDES:
            result[self._cut.halves[side].inside] = first[side] - second[side]
        return result

    def _half(self, side: int, right: Vector) -> Vector:
        """One half's solution without the border."""
        return self._factors[side].solve(right[self._cut.halves[side].inside])

    def smallest_pivot(self) -> float:
        """Least pivot of the halves; the border was checked when it was joined."""
        return min(factor.smallest_pivot() for factor in self._factors)

    def inverse(self) -> "BisectedEntries":
        """Entries of the inverse on the pattern of the halves and everywhere in the border."""
        found = _on_cores(lambda factor: factor.inverse(), self._factors)
        bridges = np.zeros((self.matrix.shape[0], len(self._cut.border)))
        label = np.full(self.matrix.shape[0], 2, dtype=np.int8)
        local = np.zeros(self.matrix.shape[0], dtype=np.int64)
        for side in SIDES:
            inside = self._cut.halves[side].inside
            label[inside], local[inside] = side, np.arange(len(inside))
            for k in range(bridges.shape[1]):
                bridges[inside, k] = self._bridge(side, k)
        bridges[self._cut.border] = -np.eye(len(self._cut.border))
        return BisectedEntries(found, bridges, bridges @ self._corner, label, local)


@dataclass(frozen=True, slots=True, eq=False)
class BisectedEntries:
    """Entries of the inverse: those of the halves plus what passes through the border."""

    halves: Sequence[InverseEntries]
    bridges: NDArray[np.float64]
    """``S_ii^-1 S_ib``, minus the unit matrix in the border's rows, (p, border)."""
    weighed: NDArray[np.float64]
    """The same times the inverse of the border's remainder."""
    label: Index
    local: Index

    def at(self, row: Index, column: Index) -> tuple[Vector, Mask]:
        """Entries, and where they are known (elsewhere the entry given is 0)."""
        value = np.einsum("ij,ij->i", self.weighed[row], self.bridges[column])
        known = np.ones(len(row), dtype=np.bool_)
        first, second = self.label[row], self.label[column]
        for side, entries in enumerate(self.halves):
            here = np.flatnonzero((first == side) & (second == side))
            inner, hit = entries.at(self.local[row[here]], self.local[column[here]])
            value[here], known[here] = np.where(hit, value[here] + inner, 0.0), hit
        return value, known


def _on_cores(task: Callable[[Any], Any], works: Sequence[Any]) -> list[Any]:
    """One thread a half; the engines let go of the interpreter."""
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(task, works))
