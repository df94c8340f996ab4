"""Normal equations ``S = B V B^T``, assembled from the edges of a network where it is one."""

import numpy as np
from scipy import sparse

from cupral.methods.reconcile.cholesky import upper_triangle
from cupral.methods.reconcile.problem import Columns, Vector


def normal(balance: Columns, variance: Vector, covariance: Columns | None) -> Columns:
    """Upper triangle of ``B V B^T`` as csc, rows ascending.

    Independent meters on a network (each column +a and -a, or one entry) make S a weighted
    graph Laplacian with grounded nodes, which needs no matrix product.

    Parameters
    ----------
    balance : (p, k) csc, rows ascending
    variance : (k,)
    covariance : (k, k) csc or None
        None when the measurements are independent.

    Examples
    --------
    >>> pair = sparse.csc_array([[1.0, -1.0], [0.0, 1.0]])
    >>> normal(pair, np.array([2.0, 3.0]), None).toarray().tolist()
    [[5.0, -3.0], [0.0, 3.0]]
    """
    if covariance is not None:
        return upper_triangle(balance @ covariance @ balance.T)
    if is_network(balance):
        return _laplacian(balance, variance)
    weighed = balance.copy()
    weighed.data *= np.repeat(variance, np.diff(balance.indptr))
    return upper_triangle(weighed @ balance.T)


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
