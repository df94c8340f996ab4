"""Factored normal equations ``S = B V B^T``: solve with them, and quadratic forms of S^-1.

`Orthogonal` serves small problems by a QR of the weighted balances (errors grow with the
condition number, not its square, and posterior sd come without cancellation). `Schur` serves
any size by a sparse factorisation of S (qdldl, SuperLU as fallback).
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import qdldl
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack, qr
from scipy.sparse.linalg import splu

from cupral.methods.reconcile.errors import CovarianceError, ScaleError
from cupral.methods.reconcile.inverse import selected_inverse
from cupral.methods.reconcile.problem import Columns, Index, Vector

SMALLEST_PIVOT = 1e-14
"""Pivots of the scaled S below this leave no correct digit."""
DENSE_INVERSE = 300
"""Up to this many balances S is inverted densely instead of on its pattern."""
_EPS = float(np.finfo(np.float64).eps)


class Factor(Protocol):
    """What the statistics ask of a factorisation of ``S = B V B^T``."""

    def solve(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """``S^-1 r`` for a vector or the columns of a matrix."""
        ...

    def quadratic(self, columns: Columns) -> Vector:
        """``h^T S^-1 h`` for each sparse column h."""
        ...

    def remainder(self, rows: Columns, prior: Vector, cross: Columns) -> Vector:
        """``g V g^T - h^T S^-1 h`` for each row g with its ``h = B V g^T``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Orthogonal:
    """QR of the weighted balances ``(B L)^T = Q R`` with ``V = L L^T``."""

    inverse: NDArray[np.float64]
    """R^-1, (p, p): products, because threaded triangular solves stall on a busy machine."""
    freedom: NDArray[np.float64]
    """Square root of the posterior covariance of the measured streams, (k, k - p)."""

    def solve(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """``R^-1 R^-T r``."""
        return np.asarray(self.inverse @ (self.inverse.T @ residual))

    def quadratic(self, columns: Columns) -> Vector:
        """Squared norms of ``R^-T h``."""
        half = self.inverse.T @ columns.toarray()
        return np.asarray(np.einsum("ij,ij->j", half, half))

    def remainder(self, rows: Columns, prior: Vector, cross: Columns) -> Vector:  # noqa: ARG002
        """Squared norms of the rows in the free directions."""
        free = rows @ self.freedom
        result = np.asarray(np.einsum("ij,ij->i", free, free))
        return np.where(result > (64 * _EPS) ** 2 * prior, result, 0.0)


def orthogonal(balance: Columns, variance: Vector, covariance: Columns | None) -> Orthogonal:
    """Factor densely; `balance` has independent rows.

    Raises
    ------
    ScaleError, CovarianceError
    """
    root = np.diag(np.sqrt(variance)) if covariance is None else _root(covariance.toarray())
    rows = balance.shape[0]
    weighted = (balance @ root).T
    q, r = qr(weighted, mode="full", check_finite=False)
    triangle = np.asfortranarray(r[:rows])
    size, norm = np.abs(np.diagonal(triangle)), np.linalg.norm(weighted, axis=0)
    _check_pivots((size / np.where(norm > 0, norm, 1.0)) ** 2, _EPS**2)
    inverse = lapack.dtrtri(triangle)[0] if rows else triangle
    return Orthogonal(inverse, root @ q[:, rows:])


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cholesky factor of a covariance that `check_covariance` has passed."""
    sd = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(sd, sd)
    lower, _ = lapack.dpotrf(correlation, lower=1, clean=1)
    return np.asarray(sd[:, None] * lower)


class Cholesky:
    """Sparse ``L D L^T`` of a positive definite matrix: qdldl, or SuperLU when that refuses."""

    __slots__ = ("_solver", "matrix")

    def __init__(self, matrix: Columns) -> None:
        """Factor a (p, p) csc matrix; ScaleError when it is singular."""
        self.matrix = matrix
        try:
            self._solver: Any = qdldl.Solver(sparse.csc_matrix(matrix))
        except (RuntimeError, ValueError):
            self._solver = _superlu(matrix)

    def __reduce__(self) -> tuple[type["Cholesky"], tuple[Columns]]:
        """Pickle the matrix; the other process factors it again."""
        return Cholesky, (self.matrix,)

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


def _superlu(matrix: Columns) -> Any:
    """SuperLU with pivots on the diagonal."""
    try:
        return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0)
    except RuntimeError as error:
        raise _lost(0.0, SMALLEST_PIVOT) from error


@dataclass(slots=True, eq=False)
class Schur:
    """Sparse factorisation of S scaled to a unit diagonal."""

    scale: Vector
    """1 / sqrt(diag S), (p,)."""
    factor: Cholesky
    _keys: Index | None = field(default=None, repr=False)
    _entries: Vector | None = field(default=None, repr=False)

    def solve(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale, solve column by column, scale back."""
        if residual.ndim == 1:
            return np.asarray(self.scale * self.factor.solve(self.scale * residual))
        columns = [self.solve(column) for column in residual.T]
        return np.stack(columns, axis=1) if columns else np.zeros(residual.shape)

    def quadratic(self, columns: Columns) -> Vector:
        """Sum ``h_i h_k Z_ik`` over the pairs of entries of each column."""
        column, first, second = _pairs(columns)
        row, data = columns.indices, columns.data
        z = self._lookup(row[first], row[second])
        size = data * self.scale[row]
        twice = np.where(first == second, 1.0, 2.0)
        weights = twice * size[first] * size[second] * z
        return np.asarray(np.bincount(column, weights, columns.shape[1]), dtype=np.float64)

    def remainder(self, rows: Columns, prior: Vector, cross: Columns) -> Vector:  # noqa: ARG002
        """Difference of prior and removed variance; rounding dust counts as zero.

        The difference cancels: an sd below about 1e-5 of its prior is not resolved here.
        """
        removed = self.quadratic(cross)
        return np.where(prior - removed > 1e-11 * prior, prior - removed, 0.0)

    def _lookup(self, row: Index, column: Index) -> Vector:
        """Entries of the inverse of the scaled S."""
        p = len(self.scale)
        if self._keys is None or self._entries is None:
            self._keys, self._entries = self._invert()
        key = row.astype(np.int64) * p + column
        if len(self._entries) == p * p:
            return np.asarray(self._entries[key])
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        found = self._keys[place] == key
        result = np.where(found, self._entries[place], 0.0)
        return self._complete(result, row, column, ~found)

    def _complete(self, result: Vector, row: Index, column: Index, missing: Any) -> Vector:
        """Fill entries off the pattern by solving for their columns."""
        for k in np.unique(column[missing]):
            unit = np.zeros(len(self.scale))
            unit[k] = 1.0
            here = missing & (column == k)
            result[here] = self.factor.solve(unit)[row[here]]
        return result

    def _invert(self) -> tuple[Index, Vector]:
        """Keys ``row * p + column`` (both ways round) and entries of the inverse."""
        p = len(self.scale)
        if p <= DENSE_INVERSE:
            whole = np.linalg.inv(self.factor.matrix.toarray())
            return np.zeros(0, dtype=np.int64), np.ravel(0.5 * (whole + whole.T))
        lower, pivot, order = self.factor.factors()
        diagonal, inverse = selected_inverse(lower.indptr, lower.indices, lower.data, pivot)
        row = order[lower.indices]
        column = order[np.repeat(np.arange(p), np.diff(lower.indptr))]
        keys = np.concatenate((order * (p + 1), row * p + column, column * p + row))
        entries = np.concatenate((diagonal, inverse, inverse))
        sort = np.argsort(keys)
        return keys[sort], entries[sort]


def schur(balance: Columns, cross: Columns) -> Schur:
    """Factor ``S = B (B V)^T`` sparsely; `balance` has independent rows.

    Raises
    ------
    ScaleError
    """
    normal = sparse.csc_array(cross @ balance.T)
    scale = 1.0 / np.sqrt(normal.diagonal())
    normal.data *= scale[normal.indices] * np.repeat(scale, np.diff(normal.indptr))
    normal.sort_indices()
    factor = Cholesky(normal)
    _check_pivots(factor.pivots()[0], SMALLEST_PIVOT)
    return Schur(scale, factor)


def check_covariance(covariance: Columns) -> None:
    """Refuse a covariance under which some combination of measurements has no variance.

    Raises
    ------
    CovarianceError
    """
    scale = sparse.diags_array(1.0 / np.sqrt(covariance.diagonal()))
    correlation = sparse.csc_array(scale @ covariance @ scale)
    try:
        smallest = float(np.min(Cholesky(correlation).pivots()[0], initial=1.0))
    except ScaleError:
        smallest = 0.0
    if smallest < 1e-12:
        raise CovarianceError(
            "covariance is not positive definite among the measured streams; allowed are "
            "correlations that leave every combination some variance. Lower the correlations, "
            "or replace perfectly correlated meters by one."
        )


def _pairs(columns: Columns) -> tuple[Index, Index, Index]:
    """Column, first and second entry position of every unordered pair in a column."""
    count = np.diff(columns.indptr).astype(np.int64)
    column = np.repeat(np.arange(len(count)), count)
    later = columns.indptr[1:].astype(np.int64)[column] - np.arange(len(column))
    first = np.repeat(np.arange(len(column)), later)
    start = np.repeat(np.cumsum(later) - later, later)
    return column[first], first, first + np.arange(len(first)) - start


def _check_pivots(pivot: Vector, smallest: float) -> None:
    """Refuse a factorisation that has lost every digit."""
    if pivot.size and not np.min(pivot) > smallest:
        raise _lost(float(np.min(pivot)), smallest)


def _lost(pivot: float, smallest: float) -> ScaleError:
    """The error of a factorisation without a correct digit."""
    return ScaleError(
        f"standard uncertainties are too unequal: a balance keeps {pivot:.1e} of its variance "
        f"(allowed: more than {smallest:.0e}). Fix near-exact values with sd = 0, or leave "
        "near-useless ones unmeasured (NaN)."
    )
