"""Groups of columns that point the same way: biases which no test can tell apart."""

import numpy as np

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
    unit = _unit(columns)
    width = columns.shape[1]
    count = np.diff(columns.indptr)
    owner = np.repeat(np.arange(width), count)
    # two incommensurable sums tell columns apart; _agree proves the candidates entry by entry
    keys = np.stack([_weight(columns.indices, a) for a in (0.7548776662466927, 0.5698402909980532)])
    sums = [np.bincount(owner, weights=unit * key, minlength=width) for key in keys]
    order = np.lexsort((sums[0], count))
    label = np.where(count > 0, np.arange(width), -1)
    close = (np.abs(np.diff(sums[0][order])) < 1e-7) & (np.diff(count[order]) == 0)
    for run in _runs(order, ~close):
        if count[run[0]] > 0:
            _settle(np.sort(run), columns, unit, sums[1], label)
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


def _unit(columns: Columns) -> Vector:
    """Entries of each column over its largest magnitude, the first one positive."""
    filled = np.flatnonzero(np.diff(columns.indptr))
    if not len(filled):
        return np.zeros(0)
    start = columns.indptr[filled]
    size = np.maximum.reduceat(np.abs(columns.data), start) * np.sign(columns.data[start])
    return np.asarray(columns.data / np.repeat(size, np.diff(columns.indptr)[filled]))


def _weight(row: Index, seed: float) -> Vector:
    """A fixed irrational weight for each row."""
    return np.asarray(0.5 + np.modf((row + 1) * seed)[0])


def _settle(run: Index, columns: Columns, unit: Vector, second: Vector, label: Index) -> None:
    """Give every column of a run the label of the first earlier column equal to it."""
    leaders: list[int] = []
    for j in run:
        for leader in leaders:
            if abs(second[j] - second[leader]) < 1e-6 and _agree(columns, unit, leader, int(j)):
                label[j] = leader
                break
        else:
            leaders.append(int(j))


def _agree(columns: Columns, unit: Vector, one: int, other: int) -> bool:
    """Same rows, same entries."""
    a = slice(columns.indptr[one], columns.indptr[one + 1])
    b = slice(columns.indptr[other], columns.indptr[other + 1])
    if not np.array_equal(columns.indices[a], columns.indices[b]):
        return False
    return bool(np.all(np.abs(unit[a] - unit[b]) <= COLLINEAR * (1.0 + np.abs(unit[a]))))
