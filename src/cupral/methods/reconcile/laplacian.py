"""Normal equations ``S = B V B^T``, assembled from the edges of a network where it is one."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cupral.methods.reconcile.cholesky import upper_triangle
from cupral.methods.reconcile.problem import Columns, Index, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Which entries of the balances meet in each entry of the triangle."""

    of: tuple[Index, Index]
    """Rows and column pointers of the balances it was made for."""
    first: Index
    """Entry of B behind each product, products of one entry of the triangle together."""
    second: Index
    start: Index
    """First product of each entry of the triangle."""
    triangle: tuple[Index, Index]
    """Rows and column pointers of the triangle."""

    def fits(self, balance: Columns) -> bool:
        """Whether these balances have the same pattern."""
        indices, indptr = self.of
        return np.array_equal(balance.indptr, indptr) and np.array_equal(balance.indices, indices)


def normal(
    balance: Columns,
    variance: Vector,
    covariance: Columns | None,
    former: Pattern | None = None,
    network: bool | None = None,
) -> tuple[Columns, Pattern | None]:
    """Upper triangle of ``B V B^T`` as csc, rows ascending, and the pattern it was read by.

    Independent meters on a network (each column +a and -a, or one entry) make S a weighted
    graph Laplacian with grounded nodes, which needs no matrix product.

    Parameters
    ----------
    balance : (p, k) csc, rows ascending
    variance : (k,)
    covariance : (k, k) csc or None
        None when the measurements are independent.
    former
        Pattern of an earlier product of the same balances: saves sorting.
    network
        Whether the balances are a network; looked up by default.

    Examples
    --------
    >>> pair = sparse.csc_array([[1.0, -1.0], [0.0, 1.0]])
    >>> normal(pair, np.array([2.0, 3.0]), None)[0].toarray().tolist()
    [[5.0, -3.0], [0.0, 3.0]]
    """
    if covariance is not None:
        return upper_triangle(balance @ covariance @ balance.T), None
    if is_network(balance) if network is None else network:
        return _laplacian(balance, variance), None
    return _product(balance, variance, former)


def _product(balance: Columns, variance: Vector, former: Pattern | None) -> tuple[Columns, Pattern]:
    """The triangle of a general product, summed by a pattern."""
    pattern = former if former is not None and former.fits(balance) else _pattern(balance)
    weighed = balance.data * np.repeat(variance, np.diff(balance.indptr))
    products = balance.data[pattern.first] * weighed[pattern.second]
    entries = np.add.reduceat(products, pattern.start) if len(products) else products
    shape = (balance.shape[0], balance.shape[0])
    return sparse.csc_array((entries, *pattern.triangle), shape=shape), pattern


def _pattern(balance: Columns) -> Pattern:
    """All pairs of entries of each column, sorted by column and row of the triangle."""
    size = balance.shape[0]
    _, first, second = pairs(balance)
    first, second = first.astype(np.int32), second.astype(np.int32)
    key = balance.indices[second].astype(np.int64) * size + balance.indices[first]
    order = np.argsort(key)
    key = key[order]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    column, row = np.divmod(key[start], size)
    indptr = np.searchsorted(column, np.arange(size + 1))
    triangle = row.astype(np.int32), indptr.astype(np.int32)
    return Pattern((balance.indices, balance.indptr), first[order], second[order], start, triangle)


def pairs(columns: Columns) -> tuple[Index, Index, Index]:
    """Column, first and second entry of every unordered pair in a column, itself included."""
    count = np.diff(columns.indptr).astype(np.int64)
    column = np.repeat(np.arange(len(count)), count)
    later = columns.indptr[1:].astype(np.int64)[column] - np.arange(len(column))
    first = np.repeat(np.arange(len(column)), later)
    start = np.repeat(np.cumsum(later) - later, later)
    return column[first], first, first + np.arange(len(first)) - start


def is_network(balance: Columns) -> bool:
    """Every column is empty, has one entry, or has two that cancel."""
    filled = np.diff(balance.indptr)
    if filled.max(initial=0) > 2:
        return False
    first = balance.indptr[:-1][filled == 2]
    return bool(np.all(balance.data[first] == -balance.data[first + 1]))


def _laplacian(balance: Columns, variance: Vector) -> Columns:
    """One entry for each stream between two balances, the diagonal by counting."""
    rows, filled = balance.shape[0], np.diff(balance.indptr)
    first, two = balance.indptr[:-1], filled == 2
    diagonal = np.zeros(rows)
    for streams, place in ((filled > 0, first[filled > 0]), (two, first[two] + 1)):
        weight = variance[streams] * balance.data[place] ** 2
        diagonal += np.bincount(balance.indices[place], weight, minlength=rows)
    own = np.arange(rows, dtype=balance.indices.dtype)
    place = (
        np.concatenate((balance.indices[first[two]], own)),
        np.concatenate((balance.indices[first[two] + 1], own)),
    )
    entries = np.concatenate((-weight, diagonal))
    result: Columns = sparse.coo_array((entries, place), shape=(rows, rows)).tocsc()
    result.sort_indices()
    return result
