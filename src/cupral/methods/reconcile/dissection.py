"""A large matrix cut into parts by small borders: parts fit the cache and share the cores.

With the rows ordered (part, part, ..., border) the parts do not meet, so each is ordered,
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

CORES = 2
"""Threads that share the parts."""
PART = 20_000
"""Rows of a part, about: ordering twice as many takes more than twice as long."""
LARGEST_BORDER = 16
"""A cut through more rows costs more than it brings."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part: its rows, and where its entries stand in the whole matrix."""

    inside: Index
    """Rows, ascending, (h,)."""
    own: Index
    """Entries of the whole upper triangle between two of them."""
    indices: Index
    indptr: Index
    crossing: Index
    """Entries between one of them and the border."""
    place: tuple[Index, Index]
    """Row in the part, and in `near`, of each crossing entry."""
    near: Index
    """Rows of the border that it touches, ascending."""

    def matrix(self, whole: Columns) -> Columns:
        """Upper triangle of this part."""
        size = len(self.inside)
        return sparse.csc_array((whole.data[self.own], self.indices, self.indptr), (size, size))

    def coupling(self, whole: Columns) -> Columns:
        """Entries to the border near it, (h, near)."""
        entries = (whole.data[self.crossing], self.place)
        return sparse.csc_array(entries, shape=(len(self.inside), len(self.near)))


@dataclass(frozen=True, slots=True, eq=False)
class Dissection:
    """How a pattern falls into parts and a border."""

    parts: tuple[Part, ...]
    border: Index
    corner: Index
    """Entries between two rows of the border."""
    place: tuple[Index, Index]


def dissect(matrix: Columns, crossed: Fronts, part: int = PART) -> Dissection | None:
    """The parts of an upper triangle, None where no small border is found.

    Examples
    --------
    >>> from cupral.methods.reconcile.front import fronts
    >>> chain = sparse.csc_array(np.triu(np.ones((6, 6))) - np.triu(np.ones((6, 6)), 2))
    >>> two = dissect(chain, fronts(chain, 1e9), part=3)
    >>> [one.inside.tolist() for one in two.parts], two.border.tolist()
    ([[0, 1, 2], [4, 5]], [3])
    """
    cuts = crossed.cuts(max(2, round(matrix.shape[0] / part)), LARGEST_BORDER)
    if not len(cuts):
        return None
    label = np.searchsorted(cuts, crossed.position).astype(np.int16)
    # a node stands in the border of the last cut between its opening and its own place
    label[np.searchsorted(cuts, crossed.opened) < label] = len(cuts) + 1
    local = np.zeros(matrix.shape[0], dtype=np.int32)
    inside = [np.flatnonzero(label == side) for side in range(len(cuts) + 2)]
    for rows in inside:
        local[rows] = np.arange(len(rows))
    row = matrix.indices
    column = np.repeat(np.arange(len(label), dtype=row.dtype), np.diff(matrix.indptr))
    parts = tuple(
        _part(entries, inside[side], label, local, (row, column))
        for side, entries in enumerate(_by_part(label, row, column, len(cuts) + 1))
    )
    corner = np.flatnonzero((label[row] > len(cuts)) & (label[column] > len(cuts)))
    return Dissection(parts, inside[-1], corner, (local[row[corner]], local[column[corner]]))


def _by_part(label: Index, row: Index, column: Index, parts: int) -> Sequence[Index]:
    """Entries that touch each part, ascending; every entry touches one part at most."""
    side = np.minimum(label[row], label[column])
    order = np.argsort(side, kind="stable")
    return np.split(order, np.searchsorted(side[order], np.arange(1, parts + 1)))[:parts]


def _part(
    entries: Index, inside: Index, label: Index, local: Index, place: tuple[Index, Index]
) -> Part:
    """Where one part's entries stand."""
    row, column = place[0][entries], place[1][entries]
    above, below = label[row] == label[column], label[row] > label[column]
    own, crossing = entries[above], entries[~above]
    width = np.bincount(local[column[above]], minlength=len(inside))
    indptr = np.concatenate(([0], np.cumsum(width))).astype(np.int32)
    inner = local[np.where(below, column, row)[~above]]
    outer = local[np.where(below, row, column)[~above]]
    near, outer = np.unique(outer, return_inverse=True)
    return Part(inside, own, local[row[above]], indptr, crossing, (inner, outer), near)


class Dissected:
    """Factor of a matrix by its parts; the same questions as `Cholesky`."""

    __slots__ = ("_corner", "_couplings", "_dissection", "_factors", "matrix")

    def __init__(self, matrix: Columns, dissection: Dissection) -> None:
        """Factor all parts, as many at once as there are cores.

        Raises
        ------
        ScaleError
        """
        self._dissection = dissection
        self._factors: list[Cholesky] = _on_cores(
            lambda part: Cholesky(part.matrix(matrix)), dissection.parts
        )
        self._join(matrix)

    def __reduce__(self) -> tuple[type["Dissected"], tuple[Columns, Dissection]]:
        """Pickle the matrix; the other process factors it again."""
        return Dissected, (self.matrix, self._dissection)

    def update(self, matrix: Columns) -> None:
        """Factor another matrix of the same pattern in place, without ordering it again."""
        pairs = zip(self._factors, self._dissection.parts, strict=True)
        _on_cores(lambda pair: pair[0].update(pair[1].matrix(matrix)), list(pairs))
        self._join(matrix)

    def _join(self, matrix: Columns) -> None:
        """The inverse of what the parts leave of the border."""
        self.matrix = matrix
        size = len(self._dissection.border)
        left = np.zeros((size, size))
        left[self._dissection.place] = matrix.data[self._dissection.corner]
        left = np.triu(left) + np.triu(left, 1).T
        self._couplings = [part.coupling(matrix) for part in self._dissection.parts]
        for side, passed in enumerate(_on_cores(self._passed, self._sides)):
            near = self._dissection.parts[side].near
            left[np.ix_(near, near)] -= passed
        check_pivots(np.asarray(np.linalg.eigvalsh(left)))
        self._corner: NDArray[np.float64] = np.asarray(np.linalg.inv(left))

    @property
    def _sides(self) -> range:
        return range(len(self._factors))

    def _passed(self, side: int) -> NDArray[np.float64]:
        """What one part takes from the border near it, ``S_bi S_ii^-1 S_ib``."""
        return np.asarray(self._couplings[side].T @ self._bridge(side))

    def _bridge(self, side: int) -> NDArray[np.float64]:
        """``S_ii^-1 S_ib``, dense (h, near)."""
        coupling = self._couplings[side]
        bridge = np.empty(coupling.shape, order="F")
        for k in range(coupling.shape[1]):
            bridge[:, k] = self._factors[side].solve(coupling[:, [k]].toarray().ravel())
        return bridge

    def solve(self, right: Vector) -> Vector:
        """``S^-1 r`` for one right-hand side."""
        result = np.empty(len(right))
        parts, rest = self._dissection.parts, right[self._dissection.border]
        first = _on_cores(lambda k: self._factors[k].solve(right[parts[k].inside]), self._sides)
        for part, coupling, solved in zip(parts, self._couplings, first, strict=True):
            rest[part.near] -= coupling.T @ solved
        border = result[self._dissection.border] = self._corner @ rest
        second = _on_cores(lambda k: self._from_border(k, border), self._sides)
        for part, solved, taken in zip(parts, first, second, strict=True):
            result[part.inside] = solved - taken
        return result

    def _from_border(self, side: int, border: Vector) -> Vector:
        """What the border's solution takes from one part's."""
        near = border[self._dissection.parts[side].near]
        return self._factors[side].solve(self._couplings[side] @ near)

    def smallest_pivot(self) -> float:
        """Least pivot of the parts; the border was checked when it was joined."""
        return min(factor.smallest_pivot() for factor in self._factors)

    def inverse(self) -> "DissectedEntries":
        """Entries of the inverse on the pattern of the parts and everywhere in the border."""
        parts, border = self._dissection.parts, self._dissection.border
        label = np.full(self.matrix.shape[0], len(parts), dtype=np.int16)
        local = np.zeros(self.matrix.shape[0], dtype=np.int64)
        local[border] = np.arange(len(border))
        for side, part in enumerate(parts):
            label[part.inside], local[part.inside] = side, np.arange(len(part.inside))
        found = _on_cores(lambda k: (self._factors[k].inverse(), self._bridge(k)), self._sides)
        near = [part.near for part in parts]
        entries, bridges = [one for one, _ in found], [bridge for _, bridge in found]
        return DissectedEntries(entries, bridges, near, self._corner, label, local)


@dataclass(frozen=True, slots=True, eq=False)
class DissectedEntries:
    """Entries of the inverse: those of the parts plus what passes through the border."""

    parts: Sequence[InverseEntries]
    bridges: Sequence[NDArray[np.float64]]
    """``S_ii^-1 S_ib`` of each part, (h, near)."""
    near: Sequence[Index]
    corner: NDArray[np.float64]
    """Inverse within the border."""
    label: Index
    local: Index

    def at(self, row: Index, column: Index) -> tuple[Vector, Mask]:
        """Entries, and where they are known (elsewhere the entry given is 0)."""
        value, known = np.zeros(len(row)), np.zeros(len(row), dtype=np.bool_)
        first, second = self.label[row], self.label[column]
        last = len(self.parts)
        for side in range(last):
            self._within(side, np.flatnonzero((first == side) & (second == side)), row, column,
                         value, known)  # fmt: skip
            self._across(side, np.flatnonzero((first == side) & (second == last)), row, column,
                         value, known)  # fmt: skip
            self._across(side, np.flatnonzero((second == side) & (first == last)), column, row,
                         value, known)  # fmt: skip
        both = np.flatnonzero((first == last) & (second == last))
        value[both], known[both] = (
            self.corner[self.local[row[both]], self.local[column[both]]],
            True,
        )
        return value, known

    def _within(
        self, side: int, here: Index, row: Index, column: Index, value: Vector, known: Mask
    ) -> None:
        """Pairs in one part: its own entry and the way over the border and back."""
        one, other = self.local[row[here]], self.local[column[here]]
        inner, hit = self.parts[side].at(one, other)
        bridge, near = self.bridges[side], self.near[side]
        weighed = bridge @ self.corner[np.ix_(near, near)]
        through = np.einsum("ij,ij->i", weighed[one], bridge[other])
        value[here], known[here] = np.where(hit, inner + through, 0.0), hit

    def _across(
        self, side: int, here: Index, inner: Index, outer: Index, value: Vector, known: Mask
    ) -> None:
        """Pairs of a part and the border."""
        bridge = self.bridges[side][self.local[inner[here]]]
        column = self.corner[np.ix_(self.near[side], self.local[outer[here]])]
        value[here], known[here] = -np.einsum("ij,ji->i", bridge, column), True


def _on_cores(task: Callable[[Any], Any], works: Sequence[Any]) -> list[Any]:
    """One part a thread at a time; the engines let go of the interpreter."""
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(task, works))
