"""The linear reconciliation problem: what was measured, how well, and what must balance."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cupral.methods.reconcile.errors import (
    CovarianceError,
    NonFiniteError,
    ReconcileError,
    ScaleError,
    ShapeError,
    UncertaintyError,
    listed,
)

Vector: TypeAlias = NDArray[np.float64]
Index: TypeAlias = NDArray[np.integer[Any]]
Mask: TypeAlias = NDArray[np.bool_]
Matrix: TypeAlias = sparse.csr_array
Columns: TypeAlias = sparse.csc_array

EXTREME = 1e140
"""Largest product or ratio of coefficients, values and sd: its square is still a number."""
DIAGONAL_TOLERANCE = 1e-6
"""Largest relative gap between the diagonal of a covariance and sd squared."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Balances ``A x = b`` with measurements of x, validated.

    A stream is *measured* (finite value, sd > 0), *fixed* (finite value, sd = 0) or
    *unmeasured* (value NaN, its sd is ignored).
    """

    incidence: Columns
    """A, (m, n): +1 where the stream enters the row's process, -1 where it leaves."""
    measured: Vector
    """(n,) [unit of the flow], NaN where unmeasured."""
    sd: Vector
    """(n,) standard uncertainty [unit of the flow], 0 where fixed, NaN where unmeasured."""
    rhs: Vector
    """b, (m,) [unit of the flow]."""
    covariance: Matrix | None
    """(n, n) covariance of the measurements [unit squared], None when independent."""

    @property
    def known(self) -> Mask:
        """Streams with a value, measured or fixed, (n,)."""
        return np.isfinite(self.measured)

    @property
    def adjustable(self) -> Index:
        """Indices of the measured streams that are not fixed, ascending."""
        return np.flatnonzero(self.known & (self.sd > 0.0))


def pose(
    incidence: Any,
    measured: ArrayLike,
    sd: ArrayLike,
    *,
    rhs: ArrayLike | None = None,
    covariance: Any = None,
) -> Problem:
    """Validate arrays and put them together as a problem.

    Parameters
    ----------
    incidence : (m, n) scipy sparse or dense
        Balances, +1 in, -1 out, or general coefficients.
    measured : (n,) [unit of the flow]
        NaN where unmeasured.
    sd : (n,) [unit of the flow]
        Standard uncertainties; 0 fixes the value; ignored where unmeasured.
    rhs : (m,) [unit of the flow], optional
        Right-hand side b, zero by default.
    covariance : (n, n) [unit squared], optional
        Its diagonal must be sd squared.

    Raises
    ------
    ShapeError, NonFiniteError, UncertaintyError, CovarianceError, ScaleError

    Examples
    --------
    >>> pose([[1, -1, -1]], [10.0, 6.0, float("nan")], [0.1, 0.1, 0.0]).adjustable
    array([0, 1])
    """
    matrix: Columns = sparse.csc_array(check_matrix(incidence, "incidence"))
    rows, streams = matrix.shape
    value = _vector(measured, "measured", streams)
    if np.isinf(value).any():
        raise NonFiniteError(_at("measured is infinite", np.isinf(value), "a number, or NaN"))
    spread = _spread(_vector(sd, "sd", streams), value)
    right = np.zeros(rows) if rhs is None else _vector(rhs, "rhs", rows)
    if not np.isfinite(right).all():
        raise NonFiniteError(_at("rhs is not finite", ~np.isfinite(right), "a number", "row"))
    _check_extremes(matrix, value, spread, right)
    shared = None if covariance is None else _covariance(covariance, spread)
    return Problem(matrix, value, spread, right, shared)


def check_matrix(matrix: Any, name: str) -> Matrix:
    """CSR copy of a two-dimensional finite matrix with its zeros and duplicates merged."""
    try:
        if np.iscomplexobj(matrix):
            raise TypeError("it is complex")
        result = _compact(sparse.csr_array(matrix, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{name} is not a matrix of numbers: {error}. Pass (m, n).") from error
    if result.ndim != 2:
        raise ShapeError(f"{name} has {result.ndim} dimension; it must be a matrix (m, n).")
    result.sum_duplicates()
    result.eliminate_zeros()
    if not np.isfinite(result.data).all():
        row = int(np.searchsorted(result.indptr, np.argmin(np.isfinite(result.data)), "right")) - 1
        raise NonFiniteError(
            f"{name} is not finite in row {row}; coefficients must be numbers. Correct that row."
        )
    return result


def _compact(matrix: Matrix) -> Matrix:
    """A copy with 32-bit indices where they suffice: half the memory to move."""
    if max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max or matrix.ndim != 2:
        return matrix.copy()
    indices, indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return sparse.csr_array((matrix.data.copy(), indices, indptr), shape=matrix.shape)


def _vector(values: ArrayLike, name: str, length: int) -> Vector:
    """A float copy of the expected length."""
    try:
        result = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ReconcileError(f"{name} is not an array of numbers: {error}.") from error
    if result.shape != (length,):
        raise ShapeError(
            f"{name} has shape {result.shape}, the incidence asks for ({length},). "
            "Give one entry for each column (streams) or row (rhs)."
        )
    return result


def _spread(sd: Vector, value: Vector) -> Vector:
    """Sd with NaN at unmeasured streams, checked at measured ones."""
    known = np.isfinite(value)
    if (bad := known & np.isnan(sd)).any():
        raise UncertaintyError(_at("sd is missing for a measured value", bad, "sd >= 0"))
    if (bad := known & (sd < 0)).any():
        raise UncertaintyError(_at("sd is negative", bad, "sd >= 0 (0 fixes the value)"))
    if (bad := known & np.isinf(sd)).any():
        raise NonFiniteError(_at("sd is infinite", bad, "a finite sd, or value NaN (unmeasured)"))
    if (bad := known & (sd > 0) & ((sd < 1e-140) | (sd > 1e140))).any():
        raise UncertaintyError(_at("sd squared leaves double precision", bad, "1e-140..1e140, 0"))
    return np.where(known, sd, np.nan)


def _check_extremes(matrix: Columns, value: Vector, sd: Vector, rhs: Vector) -> None:
    """Refuse numbers whose squares leave double precision on the way to an answer."""
    size = np.abs(matrix.data)
    most, least = size.max(initial=1.0), size.min(initial=1.0)
    wide, near = np.fmax.reduce(sd, initial=0.0), np.fmin.reduce(sd[sd > 0], initial=np.inf)
    far = max(np.fmax.reduce(np.abs(value), initial=0.0), np.abs(rhs).max(initial=0.0) / least)
    sums = (most * wide, most * far, far / near, 1.0 / least, near and 1.0 / (least * near))
    if not max(sums) <= EXTREME:
        raise ScaleError(
            f"coefficients of {least:.1e} to {most:.1e}, values up to {far:.1e} and sd of "
            f"{near:.1e} to {wide:.1e} leave double precision together (allowed: products and "
            f"ratios up to {EXTREME:.0e}). Choose other units."
        )


def _covariance(covariance: Any, sd: Vector) -> Matrix | None:
    """Covariance between adjustable streams, None when nothing is off the diagonal."""
    matrix = check_matrix(covariance, "covariance")
    streams = len(sd)
    if matrix.shape != (streams, streams):
        raise ShapeError(f"covariance has shape {matrix.shape}, it must be {(streams, streams)}.")
    used = np.nan_to_num(sd) > 0
    keep = sparse.diags_array(used.astype(np.float64), format="csr")
    diagonal = np.where(used, matrix.diagonal(), 0.0)
    variance = np.where(used, np.nan_to_num(sd) ** 2, 0.0)
    if (bad := np.abs(diagonal - variance) > DIAGONAL_TOLERANCE * variance).any():
        raise CovarianceError(_at("covariance diagonal is not sd squared", bad, "sd**2"))
    inner: Matrix = sparse.csr_array(keep @ matrix @ keep)
    inner.setdiag(variance)
    inner.eliminate_zeros()
    gap = sparse.coo_array(abs(inner - inner.T))
    row, column = gap.coords
    if (gap.data > 1e-9 * np.sqrt(variance[row] * variance[column])).any():
        raise CovarianceError("covariance is not symmetric. Pass (C + C.T) / 2.")
    inner = sparse.csr_array(0.5 * (inner + inner.T))
    return inner if inner.nnz > np.count_nonzero(variance) else None


def _at(what: str, bad: Mask, allowed: str, noun: str = "stream") -> str:
    """An error sentence with the first places, what is allowed, and what next."""
    where = listed(np.flatnonzero(bad))
    return f"{what} at {noun} {where} (from 0); allowed: {allowed}. Correct these entries."
