"""Streams that the balances fix whatever the meters say: nothing is left to be uncertain of."""

import numpy as np
from scipy import sparse

from cupral.methods.reconcile.problem import Columns, Mask, Matrix


def settled(balance: Columns) -> Mask:
    """Streams alone in a balance, those already settled not counted.

    Parameters
    ----------
    balance : (p, k)

    Returns
    -------
    settled : (k,)

    Examples
    --------
    The third stream is alone in the last row, and leaves the second alone in the first:

    >>> from scipy.sparse import csc_array
    >>> settled(csc_array([[0.0, 1.0, -1.0, 0.0], [1.0, 0.0, 0.0, 1.0], [0, 0, 1, 0]])).tolist()
    [False, True, True, False]
    """
    pattern: Matrix = sparse.csr_array(balance, copy=True)
    pattern.eliminate_zeros()
    pattern.data = np.ones(pattern.nnz, dtype=np.int64)
    touched: Columns = sparse.csc_array(pattern)
    streams = np.arange(pattern.shape[1])
    count = np.diff(pattern.indptr)
    # of a balance with one stream left, the sum of the streams left is that stream
    left = pattern @ streams
    found = np.zeros(len(streams), dtype=bool)
    todo = np.flatnonzero(count == 1).tolist()
    while todo:
        row = todo.pop()
        if count[row] == 0:
            continue
        stream = left[row]
        found[stream] = True
        rows = touched.indices[touched.indptr[stream] : touched.indptr[stream + 1]]
        count[rows] -= 1
        left[rows] -= stream
        todo += rows[count[rows] == 1].tolist()
    return found
