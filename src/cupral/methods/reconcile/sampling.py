"""An approximate Cholesky factor of a weighted graph, as sparse as the graph.

Eliminating a node joins its neighbours pair by pair. Here each neighbour, lightest first, keeps
one of these edges, drawn with the odds of the weights left and carrying the weight of them all:
the mean is the exact elimination, the edges never grow in number, and nothing is subtracted, so
that weights of any spread keep their digits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cupral.methods.reconcile.compiled import compiled
from cupral.methods.reconcile.problem import Index, Vector

SHELVES = 256
"""Nodes with as many edges or more are not told apart in the order of elimination."""
SEED, MULTIPLIER, MODULUS = 1, 48271, 2**31 - 1
"""Draws of Park, Miller and Stockmeyer 1993, Commun. ACM 36(7):108: the same on each run."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """``L D L^T`` near the grounded Laplacian, L unit triangular, rows in order of elimination."""

    order: Index
    """Node behind each row, (n,)."""
    place: Index
    """Row of each node; the ground is the last, (n + 1,)."""
    start: Index
    """First entry of each column of -L below its diagonal, (n + 1,)."""
    row: Index
    share: Vector
    """Entries of -L: shares of the weights around the node."""
    pivot: Vector
    """D, (n,) [unit of the weights]."""

    def solve(self, right: Vector) -> Vector:
        """``(L D L^T)^-1 r``, rows in order of elimination."""
        answer = right.copy()
        compiled(_substitute)(self.start, self.row, self.share, self.pivot, answer)
        return answer


def sample(first: Index, second: Index, weight: Vector, size: int) -> Sampled:
    """Factor the Laplacian of a graph approximately, in time near-linear in its edges.

    Parameters
    ----------
    first, second : (e,)
        Ends of each edge; the number `size` is the ground, which is not eliminated.
    weight : (e,)
        Edges without a positive weight are passed over.
    size : int
        Nodes n.

    Source
    ------
    Kyng and Sachdeva 2016, FOCS, 573; Gao, Kyng and Spielman 2023, arXiv:2303.00709, algorithm
    AC; few edges first.

    Examples
    --------
    A triangle with one node grounded; two neighbours leave one edge, as in exact elimination:

    >>> ends = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3])
    >>> factor = sample(*ends, np.array([1.0, 1.0, 1.0, 0.5]), 3)
    >>> factor.order.tolist(), factor.pivot.tolist()
    ([0, 1, 2], [2.0, 1.5, 0.5])
    """
    link = np.empty((2 * len(weight), 2), dtype=np.int32)
    link[::2, 0], link[1::2, 0] = first, second
    head, shelf = np.full(size + 1, -1, dtype=np.int32), np.full(SHELVES, -1, dtype=np.int32)
    degree = np.bincount(link[:, 0], minlength=size + 1).astype(np.int32)
    below, order = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    compiled(_list)(link[:, 0], head, link[:, 1])
    compiled(_list)(np.minimum(degree[:size], SHELVES - 1), shelf, below)
    start, pivot = np.zeros(size + 1, dtype=np.int64), np.zeros(size)
    row, share = np.empty(len(link) + size, dtype=np.int32), np.empty(len(link) + size)
    slot, half = np.full(size + 1, -1, dtype=np.int32), np.empty(size + 1, dtype=np.int32)
    row, share = compiled(_eliminate)(
        link, head, weight.copy(), degree, shelf, below, order, start, pivot, row, share, slot, half
    )
    place = np.full(size + 1, size, dtype=np.int32)
    place[order] = np.arange(size)
    return Sampled(order, place, start, place[row], share, pivot)


def _list(group: Any, head: Any, following: Any) -> None:
    """Chain the members of each group, ascending, from its head."""
    for k in range(len(group) - 1, -1, -1):
        following[k] = head[group[k]]
        head[group[k]] = k


def _eliminate(
    link: Any, head: Any, weight: Any, degree: Any, shelf: Any, below: Any, order: Any,
    start: Any, pivot: Any, row: Any, share: Any, slot: Any, half: Any,
) -> Any:  # fmt: skip
    """Half-edge h ends at ``link[h, 0]``, is listed there before ``link[h, 1]``, begins at the end
    of ``h ^ 1`` and weighs ``weight[h >> 1]``."""
    size, used, low, draw = len(pivot), 0, 0, SEED
    for step in range(size):
        # a node is shelved by the edges it once had, and put back where it has got more
        while shelf[low] < 0 or min(degree[shelf[low]], SHELVES - 1) > low:
            i = shelf[low]
            if i < 0:
                low += 1
            else:
                k = min(degree[i], SHELVES - 1)
                shelf[low], below[i], shelf[k] = below[i], shelf[k], i
        i = order[step] = shelf[low]
        shelf[low] = below[i]
        near, h = 0, head[i]
        while h >= 0:
            v = link[h ^ 1, 0]
            if weight[h >> 1] > 0.0 and slot[v] < 0:
                slot[v], half[near] = near, h
                near += 1
            elif weight[h >> 1] > 0.0:
                weight[half[slot[v]] >> 1] += weight[h >> 1]
                weight[h >> 1] = 0.0
                degree[v] -= 1
            h = link[h, 1]
        around = half[:near][np.argsort(weight[half[:near] >> 1], kind="mergesort")]
        sums = np.cumsum(weight[around >> 1])
        if used + near > len(row):
            row, share = np.append(row, np.empty_like(row)), np.append(share, np.empty_like(share))
        for p in range(near):
            h, rest = around[p], sums[-1] - sums[p]
            v = link[h ^ 1, 0]
            slot[v], row[used], share[used] = -1, v, weight[h >> 1] / sums[-1]
            used += v < size
            weight[h >> 1] *= rest / sums[-1]
            draw = MULTIPLIER * draw % MODULUS
            q = np.searchsorted(sums, sums[p] + rest * (draw / MODULUS))
            v = link[around[min(max(q, p + 1), near - 1)] ^ 1, 0]
            link[h, 0], link[h, 1], head[v] = v, head[v], h
            degree[v] += 1 if p < near - 1 else -1  # the last draws itself, with no weight
        pivot[step], start[step + 1] = sums[-1] if near else 0.0, used
    return row[:used].copy(), share[:used].copy()


def _substitute(start: Any, row: Any, share: Any, pivot: Any, answer: Any) -> None:
    """Forward, divide, back, in place."""
    for i in range(len(pivot)):
        for p in range(start[i], start[i + 1]):
            answer[row[p]] += share[p] * answer[i]
    for i in range(len(pivot) - 1, -1, -1):
        answer[i] /= pivot[i]
        for p in range(start[i], start[i + 1]):
            answer[i] += share[p] * answer[row[p]]
