"""How a graph is crossed: the nodes still open when its nodes are taken one after another.

Taking nodes in some order, the front after i of them is the set of untaken nodes that touch a
taken one. A small front is a border that cuts the graph in two; the sum of squared fronts bounds
the work of eliminating in that order, and so tells a tangled graph before anybody tries to
factor it.
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
    """Place of the first taken node that touches it (its own place if none later), (p,)."""
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

    def cuts(self, parts: int, largest: int) -> Index:
        """Places, ascending, after which the front is small: about where parts would end."""
        width = len(self.size) / parts
        found = []
        for k in range(1, parts):
            begin, end = int((k - 0.3) * width), int((k + 0.3) * width) + 1
            place = begin + int(np.argmin(self.size[begin:end]))
            if self.size[place] <= largest:
                found.append(place)
        return np.array(found, dtype=np.int64)


def fronts(matrix: Columns, affordable: float, trees: bool = True) -> Fronts:
    """The first order whose work is affordable, or the one with the least.

    Tried are the order given (sites usually stand together), Cuthill-McKee (chains of sites) and
    depth first (trees of sites).

    Parameters
    ----------
    matrix : (p, p) csc
        Upper triangle with its diagonal, rows ascending; only its pattern counts.
    affordable : float
        Work [multiplications] below which no other order is tried.
    trees : bool
        Whether depth first is tried as well, which takes longest.

    Examples
    --------
    >>> chain = sparse.csc_array(np.triu(np.ones((6, 6))) - np.triu(np.ones((6, 6)), 2))
    >>> fronts(chain, 1e9).size.tolist(), fronts(chain, 1e9).cuts(2, 1).tolist()
    ([1, 1, 1, 1, 1, 0], [2])
    """
    own = np.arange(matrix.shape[0], dtype=matrix.indices.dtype)
    # rows ascend: the first of a column is the first node that opens it
    best = _crossed(own, np.minimum(matrix.indices[matrix.indptr[:-1]], own))
    if best.work <= affordable:
        return best
    both = _both_ways(matrix)
    for order in (_cuthill_mckee, _depth_first) if trees else (_cuthill_mckee,):
        position = _places(order(both))
        opened = np.minimum.reduceat(position[both.indices], both.indptr[:-1])
        other = _crossed(position, opened)
        best = min(best, other, key=lambda one: one.work)
        if best.work <= affordable:
            break
    return best


def _crossed(position: Index, opened: Index) -> Fronts:
    """Fronts of one order, from the place that opens each node."""
    begun = np.bincount(opened, minlength=len(position)) - 1
    return Fronts(position, opened, np.cumsum(begun))


def _places(order: Index) -> Index:
    """Place of each node in an order."""
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    return position


def _cuthill_mckee(both: Matrix) -> Index:
    """Level by level, from the rim."""
    return np.asarray(reverse_cuthill_mckee(both, symmetric_mode=True), np.int64)


def _depth_first(both: Matrix) -> Index:
    """Branch by branch, part by part."""
    size = both.shape[0]
    # one more node joined to all others, so that every part is reached
    root = sparse.csr_array(np.ones((1, size)))
    corner = sparse.csr_array((1, 1))
    beside = sparse.hstack([root, corner])
    above = sparse.hstack([both, sparse.csr_array((size, 1))])
    whole: Matrix = sparse.csr_array(sparse.vstack([above, beside]))
    found, _ = depth_first_order(whole, size)
    return np.asarray(found[1:], dtype=np.int64)


def _both_ways(matrix: Columns) -> Matrix:
    """The pattern with both triangles and the diagonal."""
    ones: Matrix = sparse.csr_array(
        (np.ones(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape
    )
    both: Matrix = ones + ones.T
    return both
