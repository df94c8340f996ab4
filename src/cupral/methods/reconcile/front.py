"""How a graph is crossed: the nodes still open when its nodes are taken one after another.

Taking nodes in some order, the front after i of them is the set of untaken nodes that touch a
taken one. A small front in the middle is a border that cuts the graph in two; the sum of squared
fronts bounds the work of eliminating in that order, and so tells a tangled graph before anybody
tries to factor it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import depth_first_order, reverse_cuthill_mckee

from cupral.methods.reconcile.problem import Columns, Index, Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Fronts:
    """One order of the nodes and the front after each."""

    position: Index
    """Place of each node in the order, (p,)."""
    opened: Index
    """Place of the first taken node that touches it (its own place if none), (p,)."""
    size: Index
    """Nodes open after each place, (p,)."""

    @property
    def work(self) -> float:
        """Bound of the multiplications of a factorisation in this order [1]."""
        return float(np.square(self.size + 1.0).sum())

    @property
    def fill(self) -> float:
        """Bound of the entries of its factor [1]."""
        return float(self.size.sum(dtype=np.float64))

    def border(self) -> Index:
        """Nodes whose removal leaves two parts, each at least a third; see `parts`."""
        return np.flatnonzero((self.opened <= self._middle()) & (self.position > self._middle()))

    def first(self) -> Index:
        """Nodes of the first part, ascending."""
        return np.flatnonzero(self.position <= self._middle())

    def _middle(self) -> int:
        """The place in the middle third with the smallest front."""
        third = len(self.size) // 3
        return third + int(np.argmin(self.size[third : len(self.size) - third]))


def fronts(matrix: Columns, affordable: float) -> Fronts:
    """The first order whose work is affordable, or the one with the least.

    Tried are the order given (sites usually stand together), Cuthill-McKee (chains of sites) and
    depth first (trees of sites).

    Parameters
    ----------
    matrix : (p, p) csc
        Upper triangle; only its pattern counts.
    affordable : float
        Work [multiplications] below which no other order is tried.

    Examples
    --------
    >>> chain = sparse.csc_array(np.triu(np.ones((6, 6))) - np.triu(np.ones((6, 6)), 2))
    >>> fronts(chain, 1e9).size.tolist(), fronts(chain, 1e9).border().tolist()
    ([1, 1, 1, 1, 1, 0], [3])
    """
    row = matrix.indices
    column = np.repeat(np.arange(matrix.shape[0], dtype=row.dtype), np.diff(matrix.indptr))
    best = _cross(np.arange(matrix.shape[0], dtype=np.int64), row, column)
    for order in (_cuthill_mckee, _depth_first):
        if best.work <= affordable:
            break
        position = _places(order(matrix))
        first, second = position[row], position[column]
        other = _cross(position, np.minimum(first, second), np.maximum(first, second))
        best = min(best, other, key=lambda one: one.work)
    return best


def _cross(position: Index, earlier: Index, later: Index) -> Fronts:
    """Fronts of one order; the two ends of each edge by their places in it."""
    size = len(position)
    opened = np.arange(size, dtype=position.dtype)
    np.minimum.at(opened, later, earlier)
    begun = np.bincount(opened, minlength=size) - 1
    return Fronts(position, opened[position], np.cumsum(begun))


def _places(order: Index) -> Index:
    """Place of each node in an order."""
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    return position


def _cuthill_mckee(matrix: Columns) -> Index:
    """Level by level, from the rim."""
    return np.asarray(reverse_cuthill_mckee(_both_ways(matrix), symmetric_mode=True), np.int64)


def _depth_first(matrix: Columns) -> Index:
    """Branch by branch, part by part."""
    size = matrix.shape[0]
    # one more node joined to all others, so that every part is reached
    root = sparse.csr_array(np.ones((1, size)))
    corner = sparse.csr_array((1, 1))
    beside = sparse.hstack([root, corner])
    above = sparse.hstack([_both_ways(matrix), sparse.csr_array((size, 1))])
    whole: Matrix = sparse.csr_array(sparse.vstack([above, beside]))
    found, _ = depth_first_order(whole, size)
    return np.asarray(found[1:], dtype=np.int64)


def _both_ways(matrix: Columns) -> Matrix:
    """The pattern with both triangles."""
    ones: Matrix = sparse.csr_array(
        (np.ones(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape
    )
    both: Matrix = ones + ones.T
    return both
