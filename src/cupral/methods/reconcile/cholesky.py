"""Sparse ``L D L^T`` of a positive definite matrix: factored once, refactored on its pattern."""

from typing import Any

import numpy as np
import qdldl
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from cupral.methods.reconcile.errors import ScaleError
from cupral.methods.reconcile.inverse import InverseEntries
from cupral.methods.reconcile.problem import Columns, Index, Vector

SMALLEST_PIVOT = 1e-11
"""Pivots of a matrix of unit diagonal below this leave too few correct digits."""


class Cholesky:
    """qdldl, or SuperLU when that refuses.

    Ordering takes nine tenths of a first factorisation; `update` keeps the order.
    """

    __slots__ = ("_solver", "matrix")

    def __init__(self, matrix: Columns) -> None:
        """Factor the upper triangle of a (p, p) csc matrix, rows ascending.

        Raises
        ------
        ScaleError
            The matrix is singular.
        """
        self.matrix = matrix
        try:
            self._solver: Any = qdldl.Solver(sparse.csc_matrix(matrix), upper=True)
        except (RuntimeError, ValueError):
            self._solver = _superlu(matrix)

    def __reduce__(self) -> tuple[type["Cholesky"], tuple[Columns]]:
        """Pickle the matrix; the other process factors it again."""
        return Cholesky, (self.matrix,)

    def update(self, matrix: Columns) -> None:
        """Factor another matrix of the same pattern in place, without ordering it again.

        Raises
        ------
        ScaleError
            The matrix is singular; the former factor is lost.
        """
        self.matrix = matrix
        try:
            self._solver.update(sparse.csc_matrix(matrix), upper=True)
        except (AttributeError, RuntimeError, ValueError):
            self._solver = _superlu(matrix)

    def solve(self, right: Vector) -> Vector:
        """``S^-1 r`` for one right-hand side."""
        return np.asarray(self._solver.solve(right), dtype=np.float64)

    def factors(self) -> tuple[Columns, Vector, Index]:
        """Strictly lower L, D and the order of the rows in them."""
        if hasattr(self._solver, "factors"):
            lower, pivot, order = self._solver.factors()
            result = sparse.csc_array(lower)
        else:
            order = np.argsort(self._solver.perm_c)
            result = sparse.csc_array(sparse.tril(self._solver.L, -1))
            pivot = self._solver.U.diagonal()
        result.sort_indices()
        return result, np.asarray(pivot, dtype=np.float64), np.asarray(order, dtype=np.int64)

    def pivots(self) -> tuple[Vector, Index]:
        """D and the row each pivot belongs to."""
        _, pivot, order = self.factors()
        return pivot, order

    def smallest_pivot(self) -> float:
        """Least entry of D; infinite for an empty matrix."""
        return float(np.min(self.pivots()[0], initial=np.inf))

    def inverse(self) -> InverseEntries:
        """Entries of the inverse on the pattern of L."""
        return InverseEntries(*self.factors())


def upper_triangle(matrix: Any) -> Columns:
    """Upper triangle as csc, rows ascending."""
    result: Columns = sparse.csc_array(sparse.triu(matrix, format="csc"))
    result.sort_indices()
    return result


def both_triangles(upper: Columns) -> Columns:
    """The symmetric matrix of an upper triangle."""
    whole: Columns = sparse.csc_array(upper + sparse.triu(upper, 1).T)
    return whole


def _superlu(matrix: Columns) -> Any:
    """SuperLU with pivots on the diagonal."""
    try:
        return splu(both_triangles(matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0)
    except RuntimeError as error:
        raise lost(0.0) from error


def check_pivots(pivot: NDArray[np.float64], smallest: float = SMALLEST_PIVOT) -> None:
    """Refuse a factorisation that has lost its digits.

    Raises
    ------
    ScaleError
    """
    if pivot.size and not np.min(pivot) > smallest:
        raise lost(float(np.min(pivot)), smallest)


def lost(pivot: float, smallest: float = SMALLEST_PIVOT) -> ScaleError:
    """The error of a factorisation without enough correct digits."""
    return ScaleError(
        f"standard uncertainties are too unequal: a balance keeps {pivot:.1e} of its variance "
        f"(allowed: more than {smallest:.0e}). Fix near-exact values with sd = 0, or leave "
        "near-useless ones unmeasured (NaN)."
    )
