"""Which balances are independent of the others: decided on structure, not on weights."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import qr
from scipy.sparse.csgraph import connected_components

from cupral.methods.reconcile.cholesky import Cholesky, upper_triangle
from cupral.methods.reconcile.elimination import equilibrate
from cupral.methods.reconcile.laplacian import is_network
from cupral.methods.reconcile.problem import Columns, Index, Mask

RANK_TOLERANCE = 1e-10
"""Pivots of scaled balances below this share of the largest count as zero."""
DENSE_ROWS = 400
"""Up to this many balances a pivoted QR decides, beyond it a sparse factorisation."""
_SHIFT, _SMALL = 1e-13, 1e-8


def independent(balance: Columns, network: bool | None = None) -> Index:
    """Ascending row indices of a largest independent set of balances.

    A network (each column +a, -a or one entry) is decided by counting: every connected part
    that does not touch the outside has one balance too many. Whether it is one is looked up
    unless `network` tells.

    Examples
    --------
    >>> independent(sparse.csc_array([[1.0, -1.0], [-1.0, 1.0]]))
    array([0])
    """
    rows = balance.shape[0]
    if is_network(balance) if network is None else network:
        return _network_rows(balance)
    if rows <= DENSE_ROWS:
        return _dense_rows(balance.toarray())
    return _sparse_rows(balance)


def _network_rows(balance: Columns) -> Index:
    """Rows of a network, leaving out the last of each part not joined to the outside."""
    rows = balance.shape[0]
    filled = np.diff(balance.indptr)
    first = balance.indptr[:-1][filled == 2]
    joined = sparse.coo_array(
        (np.ones(len(first), np.int8), (balance.indices[first], balance.indices[first + 1])),
        shape=(rows, rows),
    )
    parts, label = connected_components(joined, directed=False)
    grounded = np.zeros(parts, dtype=np.bool_)
    grounded[label[balance.indices[balance.indptr[:-1][filled == 1]]]] = True
    last = np.zeros(parts, dtype=np.int64)
    last[label] = np.arange(rows)
    keep: Mask = np.ones(rows, dtype=np.bool_)
    keep[last[~grounded]] = False
    return np.flatnonzero(keep)


def _dense_rows(balance: NDArray[np.float64]) -> Index:
    """Pivoted QR of the scaled transpose."""
    if not balance.size:
        return np.zeros(0, dtype=np.int64)
    row_scale, column_scale = equilibrate(balance)
    scaled = row_scale[:, None] * balance * column_scale
    triangle, pivot = qr(scaled.T, mode="r", pivoting=True, check_finite=False)
    size = np.abs(np.diagonal(triangle))
    rank = int(np.count_nonzero(size > RANK_TOLERANCE * size[0])) if size[0] > 0 else 0
    return np.sort(pivot[:rank]).astype(np.int64)


def _sparse_rows(balance: Columns) -> Index:
    """Pivots of the scaled ``B B^T + shift``: a dependent row leaves only the shift."""
    squared = balance.copy()
    squared.data = squared.data**2
    norm = np.sqrt(squared.sum(axis=1))
    used = np.flatnonzero(norm > 0)
    unit = sparse.diags_array(1.0 / norm[used]) @ sparse.csr_array(balance)[used]
    gram = upper_triangle(unit @ unit.T + _SHIFT * sparse.eye_array(len(used)))
    pivot, order = Cholesky(gram).pivots()
    return np.sort(used[order[pivot > _SMALL]])
