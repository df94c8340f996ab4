"""Normal equations ``S = B V B^T``, assembled from the edges of a network where it is one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile.cholesky import upper_triangle
from cupral.methods.reconcile.compiled import compiled, is_compiling
from cupral.methods.reconcile.problem import Columns, Index, Mask, Vector


def weigh(
    moved: NDArray[np.float64], variance: Vector, covariance: Columns | None
) -> NDArray[np.float64]:
    """``V m`` for a vector or the columns of a matrix; `covariance` None means independent."""
    if covariance is not None:
        return np.asarray(covariance @ moved)
    return np.asarray((variance * moved.T).T)


COMPILED = 100_000
"""Beyond this many entries of B the product is worth a compiled loop."""


def normal(
    balance: Columns,
    variance: Vector,
    covariance: Columns | None = None,
    network: bool | None = None,
) -> Columns:
    """Upper triangle of ``B V B^T`` as csc, rows ascending.

    Independent meters on a network (each column +a and -a, or one entry) make S a weighted
    graph Laplacian with grounded nodes, which needs no matrix product.

    Parameters
    ----------
    balance : (p, k) csc, rows ascending
    variance : (k,)
    covariance : (k, k) csc, optional
        None when the measurements are independent.
    network
        Whether the balances are a network; looked up by default.

    Examples
    --------
    >>> pair = sparse.csc_array([[1.0, -1.0], [0.0, 1.0]])
    >>> normal(pair, np.array([2.0, 3.0])).toarray().tolist()
    [[5.0, -3.0], [0.0, 3.0]]
    """
    if covariance is not None:
        return upper_triangle(balance @ covariance @ balance.T)
    if is_network(balance) if network is None else network:
        return _laplacian(balance, variance)
    if balance.nnz > COMPILED and is_compiling():
        return product(balance, variance)
    weighed = balance.copy()
    weighed.data *= np.repeat(variance, np.diff(balance.indptr))
    return upper_triangle(weighed @ balance.T)


def product(balance: Columns, variance: Vector) -> Columns:
    """Upper triangle of ``B V B^T`` without the lower one, rows ascending.

    Its specification is the matrix product; unlike that it keeps entries that cancel, so the
    pattern depends on that of B alone.

    Examples
    --------
    >>> product(sparse.csc_array([[1.0, 2.0], [3.0, 0.0]]), np.array([1.0, 1.0])).toarray().tolist()
    [[5.0, 3.0], [0.0, 9.0]]
    """
    rows, filled = balance.shape[0], np.diff(balance.indptr).astype(np.int64)
    most = int(filled @ (filled + 1)) // 2
    indptr = np.zeros(rows + 1, dtype=np.int64)
    row, entry = np.empty(most, dtype=np.int32), np.empty(most)
    turned = sparse.csr_array(balance)
    used = compiled(_fill)(
        turned.indptr, turned.indices, turned.data, balance.indptr, balance.indices, balance.data,
        variance, indptr, row, entry,
    )  # fmt: skip
    parts = (entry[:used].copy(), row[:used].copy(), indptr.astype(np.int32))
    return sparse.csc_array(parts, shape=(rows, rows))


def _fill(
    row_start: Any, row_column: Any, row_entry: Any, start: Any, column_row: Any,
    column_entry: Any, variance: Any, indptr: Any, row: Any, entry: Any,
) -> int:  # fmt: skip
    """Column by column of S: rows kept ascending as they are met, entries summed beside."""
    size = len(indptr) - 1
    seen, total, used = np.full(size, -1), np.zeros(size), 0
    for j in range(size):
        begin = used
        for p in range(row_start[j], row_start[j + 1]):
            c = row_column[p]
            weight = row_entry[p] * variance[c]
            for q in range(start[c], start[c + 1]):
                i = column_row[q]
                if i > j:
                    break
                if seen[i] != j:
                    seen[i], total[i] = j, 0.0
                    k = used
                    while k > begin and row[k - 1] > i:
                        row[k] = row[k - 1]
                        k -= 1
                    row[k] = i
                    used += 1
                total[i] += weight * column_entry[q]
        for k in range(begin, used):
            entry[k] = total[row[k]]
        indptr[j + 1] = used
    return used


def pairs(columns: Columns) -> tuple[Index, Index, Index]:
    """Column, first and second entry of every unordered pair in a column, itself included."""
    count = np.diff(columns.indptr).astype(np.int64)
    column = np.repeat(np.arange(len(count)), count)
    later = columns.indptr[1:].astype(np.int64)[column] - np.arange(len(column))
    first = np.repeat(np.arange(len(column)), later)
    start = np.repeat(np.cumsum(later) - later, later)
    return column[first], first, first + np.arange(len(first)) - start


def is_network(balance: Columns) -> bool:
    """Every column is plain."""
    return bool(np.diff(balance.indptr).max(initial=0) <= 2 and plain(balance).all())


def plain(balance: Columns) -> Mask:
    """Columns (k,) that are empty, have one entry, or have two that cancel."""
    filled = np.diff(balance.indptr)
    result = np.asarray(filled <= 2)
    two = np.flatnonzero(filled == 2)
    first = balance.indptr[two]
    result[two] = balance.data[first] == -balance.data[first + 1]
    return result


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
