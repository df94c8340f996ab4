"""Unmeasured streams of a plain network, followed along a spanning forest.

The outside is one more process. Each process hangs by one stream on the next one towards the
outside, or towards the root of its part where the part does not touch the outside; that stream
carries what the balances beyond it leave over. It is determined when no other unmeasured stream
leads across: when it lies on no cycle.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order

from cupral.methods.reconcile.problem import Columns, Index, Mask, Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A spanning forest of m processes."""

    process: Index
    """Processes that hang by a stream, (t,)."""
    stream: Index
    """The stream each of them hangs by, (t,)."""
    coefficient: Vector
    """Of that stream in the balance of that process, (t,)."""
    next: Index
    """The process each of the m processes hangs on, (m,); m for the outside and at roots."""
    bridge: Mask
    """Which of the t streams lie on no cycle, (t,)."""

    def sums(self) -> tuple[Matrix, ...]:
        """Sparse factors (m, m) whose product sums over all processes that hang on each one.

        With N the step to the next process, ``(I - N)^-1 = (I + N) (I + N^2) (I + N^4) ...``:
        as many factors as the depth has binary digits, none with more than 2 m entries.
        """
        size = len(self.next)
        factors, jump, every = [], np.append(self.next, size), np.arange(size)
        while (below := np.flatnonzero(jump[:-1] < size)).size:
            place = (np.concatenate((every, jump[below])), np.concatenate((every, below)))
            ones = np.ones(size + len(below))
            factors.append(sparse.csr_array((ones, place), shape=(size, size)))
            jump = jump[jump]
        return tuple(factors)


def span(columns: Columns, roots: Index) -> Forest:
    """The forest of shortest ways to the outside, or to the root where there is none.

    Parameters
    ----------
    columns : (m, u) csc
        A plain network: each column is empty, has one entry, or two that cancel.
    roots : (r,)
        One process of each part that does not touch the outside.

    Examples
    --------
    >>> way = span(sparse.csc_array([[1.0, -1.0, 0.0], [0.0, 1.0, -2.0]]), np.array([], dtype=int))
    >>> way.next.tolist(), way.stream.tolist(), way.bridge.tolist()
    ([2, 2], [0, 2], [False, False])
    """
    size = columns.shape[0]
    streams, tail, head = _ends(columns)
    order, parent = _reach(size, tail, head, roots)
    hung = np.full(size + 1, -1)
    for low, high in ((tail, head), (head, tail)):
        below = parent[low] == high
        hung[low[below]] = np.flatnonzero(below)
    process = np.flatnonzero(hung >= 0)
    rest = np.ones(len(streams), dtype=np.bool_)
    rest[hung[process]] = False
    crossed = _crossed(order, parent, tail[rest], head[rest])
    stream = streams[hung[process]]
    first = columns.indptr[stream]
    leading = np.where(columns.indices[first] == process, 1.0, -1.0)
    coefficient = leading * columns.data[first]
    return Forest(process, stream, coefficient, parent[:-1], ~crossed[process])


def _ends(columns: Columns) -> tuple[Index, Index, Index]:
    """Streams that touch a process, those of larger coefficient last, and their two ends."""
    start, filled = columns.indptr[:-1], np.diff(columns.indptr)
    streams = np.flatnonzero(filled)
    streams = streams[np.argsort(np.abs(columns.data[start[streams]]), kind="stable")]
    tail = columns.indices[start[streams]]
    head = np.full_like(tail, columns.shape[0])
    two = filled[streams] == 2
    head[two] = columns.indices[start[streams[two]] + 1]
    return streams, tail, head


def _reach(size: int, tail: Index, head: Index, roots: Index) -> tuple[Index, Index]:
    """Place of each process in the order it is reached from the outside, and from which one."""
    tail, head = np.concatenate((tail, roots)), np.concatenate((head, np.full_like(roots, size)))
    graph = sparse.csr_array((np.ones(len(tail)), (tail, head)), shape=(size + 1, size + 1))
    order, parent = breadth_first_order(graph, size, directed=False)
    place = np.zeros(size + 1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place, np.where(parent < 0, size, parent)


def _crossed(place: Index, parent: Index, tail: Index, head: Index) -> Mask:
    """Processes beyond whose step to the next one a stream outside the forest leads back.

    Every such stream closes the cycle of the steps between its ends. A step once crossed is
    contracted (union-find), so each is walked once.
    """
    at, up = place.tolist(), parent.tolist()
    top = list(range(len(at)))
    crossed = np.zeros(len(at), dtype=np.bool_)

    def find(node: int) -> int:
        while top[node] != node:
            top[node] = node = top[top[node]]
        return node

    for one, other in zip(tail.tolist(), head.tolist(), strict=True):
        a, b = find(one), find(other)
        while a != b:
            if at[a] < at[b]:
                a, b = b, a
            crossed[a] = True
            top[a] = up[a]
            a = find(a)
    return crossed
