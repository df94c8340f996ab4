"""Entries of the inverse of a sparse factored matrix, on the pattern of its factor.

Takahashi's recurrence gives every entry of ``S^-1`` that lies on the pattern of L, with
about the work of the factorisation, where inverting would fill the whole matrix.
"""

from typing import Any

import numpy as np

from cupral.methods.reconcile.compiled import compiled
from cupral.methods.reconcile.problem import Columns, Index, Mask, Vector


class InverseEntries:
    """Entries of ``(L D L^T)^-1`` that can be looked up by row and column."""

    __slots__ = ("_diagonal", "_inverse", "_keys", "_place")

    def __init__(self, lower: Columns, pivot: Vector, order: Index) -> None:
        """Invert on the pattern of L; `order` names the row behind each pivot."""
        size = len(pivot)
        self._diagonal, self._inverse = selected_inverse(
            lower.indptr, lower.indices, lower.data, pivot
        )
        column = np.repeat(np.arange(size, dtype=np.int64), np.diff(lower.indptr))
        self._keys = column * size + lower.indices  # ascending, for the columns of L are
        self._place = np.empty(size, dtype=np.int64)
        self._place[order] = np.arange(size)

    def at(self, row: Index, column: Index) -> tuple[Vector, Mask]:
        """Entries, and where they are known (elsewhere the entry given is 0)."""
        first, second = self._place[row], self._place[column]
        low, high = np.minimum(first, second), np.maximum(first, second)
        value, known = self._diagonal[low], low == high
        off = np.flatnonzero(~known)
        key = low[off] * len(self._place) + high[off]
        value[off], known[off] = 0.0, False
        if len(self._keys):
            found = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
            hit = self._keys[found] == key
            value[off] = np.where(hit, self._inverse[found], 0.0)
            known[off] = hit
        return value, known


def selected_inverse(
    indptr: Index, indices: Index, lower: Vector, pivot: Vector
) -> tuple[Vector, Vector]:
    """Diagonal and strictly lower entries of ``(L D L^T)^-1`` on the pattern of L.

    Parameters
    ----------
    indptr, indices, lower : csc of L, rows ascending in each column
        Strictly lower part of the unit triangular factor.
    pivot : (n,)
        Diagonal of D.

    Returns
    -------
    diagonal : (n,)
    inverse : entries parallel to `lower`

    Source
    ------
    Takahashi, Fagan, Chin 1973; Erisman and Tinney 1975, Commun. ACM 18:177.

    Examples
    --------
    >>> one = np.array([0, 1, 1]), np.array([1]), np.array([-0.5]), np.array([2.0, 1.5])
    >>> diagonal, inverse = selected_inverse(*one)   # of [[2, -1], [-1, 2]]
    >>> diagonal.round(6).tolist(), inverse.round(6).tolist()
    ([0.666667, 0.666667], [0.333333])
    """
    diagonal, inverse = np.zeros(len(pivot)), np.zeros(len(lower))
    recurrence = compiled(_recurrence)
    recurrence(indptr.astype(np.int64), indices.astype(np.int64), lower, pivot, diagonal, inverse)
    return diagonal, inverse


def _recurrence(
    indptr: Any, indices: Any, lower: Any, pivot: Any, diagonal: Any, inverse: Any
) -> None:
    """Z_ij = -sum_k Z_ik L_kj over the pattern of column j, from the last column back."""
    n = len(pivot)
    place = np.full(n, -1, dtype=np.int64)
    for j in range(n - 1, -1, -1):
        start, stop = indptr[j], indptr[j + 1]
        for p in range(start, stop):
            place[indices[p]] = p
        for p in range(start, stop):
            k = indices[p]
            inverse[p] -= diagonal[k] * lower[p]
            for q in range(indptr[k], indptr[k + 1]):
                other = place[indices[q]]
                if other >= 0:
                    inverse[other] -= inverse[q] * lower[p]
                    inverse[p] -= inverse[q] * lower[other]
        total = 1.0 / pivot[j]
        for p in range(start, stop):
            total -= lower[p] * inverse[p]
            place[indices[p]] = -1
        diagonal[j] = total
