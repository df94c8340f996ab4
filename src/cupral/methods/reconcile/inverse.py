"""Entries of the inverse of a sparse factored matrix, on the pattern of its factor.

Takahashi's recurrence gives every entry of ``S^-1`` that lies on the pattern of L, with
about the work of the factorisation, where inverting would fill the whole matrix.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from cupral.methods.reconcile.problem import Index, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    njit: Callable[..., Any]
else:
    try:
        from numba import njit
    except ImportError:  # numba is optional: the same function runs, slowly, as plain Python

        def njit(**_options):
            """Leave the function as it is."""
            return lambda function: function


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
    _recurrence(indptr.astype(np.int64), indices.astype(np.int64), lower, pivot, diagonal, inverse)
    return diagonal, inverse


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
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
