"""Groups of columns that point the same way: biases which no test can tell apart."""

import numpy as np
from numpy.typing import NDArray

from cupral.methods.reconcile.problem import Columns, Index, Mask, Vector

COLLINEAR = 1e-9
"""Columns scaled to a largest entry of 1 that differ by less are the same direction."""


def collinear(columns: Columns) -> Index:
    """Label of the direction of each column, up to sign and size; -1 for an empty column.

    Parameters
    ----------
    columns : (p, k) csc, rows ascending in each column

    Returns
    -------
    label : (k,)
        Equal labels mean collinear columns; each is the first column of its group.

    Examples
    --------
    >>> from scipy.sparse import csc_array
    >>> collinear(csc_array([[1.0, -2.0, 0.0, 1.0], [-1.0, 2.0, 0.0, 0.0]])).tolist()
    [0, 0, -1, 3]
    """
    filled = np.flatnonzero(np.diff(columns.indptr))
    label = np.full(columns.shape[1], -1, dtype=np.int64)
    label[filled] = filled
    if not len(filled):
        return label
    start = columns.indptr[filled]
    unit = _unit(columns, filled, start)
    key = _mix(columns.indices)
    pattern = np.add.reduceat(key, start)
    total = np.add.reduceat(unit * (key >> np.uint64(12)) * 2.0**-52, start)
    order = np.lexsort((total, pattern))
    cut = (np.diff(pattern[order]) != 0) | (np.diff(total[order]) > 1e-7)
    for run in _runs(order, cut):
        _settle(np.sort(filled[run]), columns, unit, label)
    return label


def groups(label: Index, names: Index) -> tuple[tuple[int, ...], ...]:
    """Groups of two or more names that share a label, in ascending order."""
    order = np.argsort(label, kind="stable")
    runs = [run for run in _runs(order, np.diff(label[order]) != 0) if label[run[0]] >= 0]
    return tuple(sorted(tuple(sorted(int(names[i]) for i in run)) for run in runs))


def _runs(order: Index, cut: Mask) -> list[Index]:
    """Stretches of two or more between the cuts."""
    edges = np.concatenate(([0], np.flatnonzero(cut) + 1, [len(order)]))
    long = np.flatnonzero(np.diff(edges) > 1)
    return [order[edges[i] : edges[i + 1]] for i in long]


def _unit(columns: Columns, filled: Index, start: Index) -> Vector:
    """Entries of each column over its largest magnitude, the first one positive."""
    size = np.maximum.reduceat(np.abs(columns.data), start) * np.sign(columns.data[start])
    return np.asarray(columns.data / np.repeat(size, np.diff(columns.indptr)[filled]))


def _mix(row: Index) -> NDArray[np.uint64]:
    """A fixed 64-bit hash of each row number.

    Source
    ------
    Steele, Lea, Flood 2014, OOPSLA (SplitMix64).
    """
    z = (row.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _settle(run: Index, columns: Columns, unit: Vector, label: Index) -> None:
    """Give every column of a run the label of the first earlier column equal to it."""
    leaders: list[int] = []
    for j in run:
        equal = (one for one in leaders if _agree(columns, unit, one, int(j)))
        label[j] = next(equal, int(j))
        if label[j] == j:
            leaders.append(int(j))


def _agree(columns: Columns, unit: Vector, one: int, other: int) -> bool:
    """Same rows, same entries."""
    a = slice(columns.indptr[one], columns.indptr[one + 1])
    b = slice(columns.indptr[other], columns.indptr[other + 1])
    if not np.array_equal(columns.indices[a], columns.indices[b]):
        return False
    return bool(np.all(np.abs(unit[a] - unit[b]) <= COLLINEAR * (1.0 + np.abs(unit[a]))))
