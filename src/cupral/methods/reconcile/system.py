"""The reduced system: independent balances between measured streams alone, factored."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile.elimination import Elimination, balance_scale, eliminate
from cupral.methods.reconcile.errors import ContradictionError, ScaleError, listed
from cupral.methods.reconcile.factor import Factor, check_covariance, orthogonal, schur
from cupral.methods.reconcile.laplacian import is_network, weigh
from cupral.methods.reconcile.problem import Columns, Index, Matrix, Problem, Vector
from cupral.methods.reconcile.rank import independent

Factored: TypeAlias = tuple[Index, Columns, Vector, Factor]
"""Independent rows, these rows of B scaled, their scale, and the factor of S."""
ORTHOGONAL_ROWS, ORTHOGONAL_STREAMS = 48, 128
"""Problems up to this size are factored by QR, larger ones by the sparse Schur complement."""
DENSE_ROWS, DENSE_STREAMS, CLEAR_PIVOT = 1_000, 3_000, 1e-8
"""Problems up to this size go to QR as well when the pivots of S fall below this."""
SURE_ROWS = 400
"""Beyond this many rows, clear pivots of S prove them independent without a rank test."""
TRACE = 1e-6
"""Share of an sd that counts as the size of a flow which is nothing."""
CLOSURE = 1e-9
"""Largest imbalance, relative to the sum of magnitudes, of balances nothing can adjust."""


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """``B x = d`` between the k adjustable streams, p independent balances."""

    problem: Problem
    measured: Index
    """Streams behind the columns of B, (k,)."""
    unmeasured: Index
    """Streams eliminated, (u,)."""
    fixed: Index
    """Streams held at their value."""
    elimination: Elimination
    flows: Columns
    """Columns of the incidence of the adjustable streams, (m, k)."""
    projector: Columns
    """(p, m) from balances to the rows of B; its columns are the signatures of leaks."""
    balance: Columns
    """B, (p, k); its columns are the signatures of biases."""
    rows: Index
    """Rows of P A kept as independent, (p,)."""
    target: Vector
    """d, (p,)."""
    variance: Vector
    """(k,)."""
    covariance: Columns | None
    """V, (k, k), None when diagonal."""
    factor: Factor
    every: tuple[Columns, Vector]
    """B and d with the dependent rows, to prove consistency."""

    @property
    def cross(self) -> Columns:
        """B V, (p, k)."""
        return _weigh(self.balance, self.variance, self.covariance)

    def pull(self, multiplier: NDArray[np.float64]) -> NDArray[np.float64]:
        """``V B^T m`` for a vector or the columns of a matrix."""
        return self.weigh(self.balance.T @ multiplier)

    def weigh(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """``V v`` for a vector or the columns of a matrix."""
        return weigh(vector, self.variance, self.covariance)

    @property
    def place(self) -> Index | slice:
        """Where the k streams stand among all n; a slice, which copies nothing, if they are all."""
        return self.measured if len(self.measured) < len(self.problem.measured) else slice(None)

    @property
    def residual(self) -> Vector:
        """Imbalance ``B y - d`` of the raw measurements, (p,)."""
        return np.asarray(self.balance @ self.problem.measured[self.place] - self.target)

    def complete(self, value: Vector) -> Vector:
        """The same array (n,), its unmeasured streams moved, twice, to close the balances."""
        problem, solver = self.problem, self.elimination.solver
        for _ in range(2 if len(self.unmeasured) else 0):
            value[self.unmeasured] += solver @ (problem.rhs - problem.incidence @ value)
        return value


def assemble(problem: Problem, *, uncertainty: bool = True, former: System | None = None) -> System:
    """Eliminate unmeasured streams, drop dependent balances, factor the rest.

    Parameters
    ----------
    uncertainty
        Whether more than the values will be asked for.
    former
        A system of nearly the same balances, used up: its order of elimination is kept.

    Raises
    ------
    ScaleError, SizeError, CovarianceError
    """
    measured, fixed = problem.adjustable, np.flatnonzero(problem.sd == 0.0)
    unmeasured = np.flatnonzero(~problem.known)
    columns = problem.incidence
    elimination = eliminate(columns[:, unmeasured], balance_scale(columns, unmeasured))
    right = problem.rhs
    if len(fixed):
        right = right - columns[:, fixed] @ problem.measured[fixed]
    flows: Columns = columns[:, measured] if len(measured) < columns.shape[1] else columns
    whole, target = _project(elimination, flows, right)
    variance = problem.sd[measured] ** 2
    covariance = _between(problem.covariance, measured)
    rows, balance, scale, factor = _factor(whole, variance, covariance, uncertainty, former)
    return System(
        problem, measured, unmeasured, fixed, elimination, flows,
        _scaled(elimination.projector, rows, scale), balance, rows,
        scale * target[rows], variance, covariance, factor, (whole, target),
    )  # fmt: skip


def _factor(
    whole: Columns,
    variance: Vector,
    covariance: Columns | None,
    uncertainty: bool,
    former: System | None,
) -> Factored:
    """Independent rows, these rows of B scaled, their scale, and the factor of S."""
    network = is_network(whole)
    if min(whole.shape) > SURE_ROWS and not network:
        found = _hopeful(whole, variance, covariance, uncertainty, former)
        if found is not None:
            return found
    rows = independent(whole, network)
    if len(rows) <= ORTHOGONAL_ROWS and len(variance) <= ORTHOGONAL_STREAMS:
        return _orthogonal(whole, rows, variance, covariance)
    scale = np.ones(len(rows))
    balance = _scaled(whole, rows, scale)
    dense = len(rows) <= DENSE_ROWS and len(variance) <= DENSE_STREAMS
    try:
        factor = schur(balance, variance, covariance, uncertainty=uncertainty, network=network)
    except ScaleError:
        if dense:
            return _orthogonal(whole, rows, variance, covariance)
        raise
    if dense and factor.pivot <= CLEAR_PIVOT:
        return _orthogonal(whole, rows, variance, covariance)
    return rows, balance, scale, factor


def _orthogonal(
    whole: Columns, rows: Index, variance: Vector, covariance: Columns | None
) -> Factored:
    """The independent rows, scaled near unit size, by QR."""
    scale = _row_scale(whole, variance)[rows]
    balance = _scaled(whole, rows, scale)
    return rows, balance, scale, orthogonal(balance, variance, covariance)


def _hopeful(
    whole: Columns,
    variance: Vector,
    covariance: Columns | None,
    uncertainty: bool,
    former: System | None,
) -> Factored | None:
    """The factor of all rows, or of those once found independent, if its pivots prove it."""
    known = former is not None and former.every[0].shape == whole.shape
    rows = former.rows if known and former else np.arange(whole.shape[0])
    scale = np.ones(len(rows))
    balance = _scaled(whole, rows, scale)
    if np.bincount(balance.indices, minlength=len(rows)).min(initial=1) == 0:
        return None
    try:
        factor = schur(
            balance, variance, covariance,
            uncertainty=uncertainty, former=former.factor if former else None, network=False,
        )  # fmt: skip
    except ScaleError:
        return None
    return (rows, balance, scale, factor) if factor.pivot > CLEAR_PIVOT else None


def _project(elimination: Elimination, columns: Columns, right: Vector) -> tuple[Columns, Vector]:
    """``P A_M`` without rounding dust, and ``P c``."""
    projector = elimination.projector
    if not elimination.rank and not len(elimination.observable):
        return columns, right
    whole: Columns = sparse.csc_array(projector @ columns)
    if elimination.bound is not None:
        size = abs(columns)
        sizes = 1e-12 * (abs(projector) @ size) + 2e-15 * (elimination.bound @ size)
        whole = sparse.csc_array(whole.multiply(abs(whole) > sizes))
    whole.eliminate_zeros()
    whole.sort_indices()
    return whole, np.asarray(projector @ right)


def _row_scale(balance: Columns, variance: Vector) -> Vector:
    """Powers of two near ``1 / sqrt(sum b^2 v)``, 1 for an empty row."""
    weights = balance.data**2 * np.repeat(variance, np.diff(balance.indptr))
    total = np.bincount(balance.indices, weights=weights, minlength=balance.shape[0])
    return np.asarray(np.exp2(-np.round(0.5 * np.log2(np.where(total > 0, total, 1.0)))))


def _scaled(matrix: Matrix | Columns, rows: Index, scale: Vector) -> Columns:
    """The chosen rows, each times its scale."""
    chosen = matrix if len(rows) == matrix.shape[0] else sparse.csr_array(matrix)[rows]
    plain = bool(np.all(scale == 1.0))
    result: Columns = sparse.csc_array(chosen, copy=not plain)
    if not plain:
        result.data *= scale[result.indices]
    result.sort_indices()
    return result


def _between(covariance: Matrix | None, measured: Index) -> Columns | None:
    """Covariance between the adjustable streams, None when diagonal."""
    if covariance is None:
        return None
    inner: Columns = sparse.csc_array(covariance[measured][:, measured])
    check_covariance(inner)
    return inner


def _weigh(balance: Columns, variance: Vector, covariance: Columns | None) -> Columns:
    """``B V``."""
    if covariance is not None:
        cross: Columns = sparse.csc_array(balance @ covariance)
        cross.sort_indices()
        return cross
    cross = balance.copy()
    cross.data *= np.repeat(variance, np.diff(balance.indptr))
    return cross


def refuse_open(system: System, value: Vector) -> None:
    """Every balance, the dependent ones too, must close at the reconciled values.

    Raises
    ------
    ContradictionError
    """
    balance, target = system.every
    if balance.shape[0] == system.balance.shape[0]:
        return
    gap = balance @ value[system.measured] - target
    problem = system.problem
    # a flow may be balanced to nothing, or read zero: rounding is then of the size of what was
    # measured, or of a trace of its sd
    read = np.fmax(np.abs(problem.measured), TRACE * problem.sd)
    known = np.nan_to_num(np.fmax(np.abs(value), read))
    size = abs(system.elimination.projector) @ (abs(problem.incidence) @ known + abs(problem.rhs))
    broken = np.abs(gap) > CLOSURE * size
    if broken.any():
        row = int(np.argmax(np.where(broken, np.abs(gap), 0.0)))
        _contradict(system.elimination.projector, row, gap)


def _contradict(projector: Matrix | Columns, row: int, gap: Vector) -> None:
    """Raise with the balances that together cannot close."""
    rows = sparse.csr_array(projector)[[row]].indices
    raise ContradictionError(
        f"balance {listed(rows)} (row from 0) stays open by {gap[row]:.6g} "
        "whatever the measured streams are; fixed values and right-hand sides must agree with "
        f"the balances to {CLOSURE:.0e} of their size. Correct a fixed value (sd = 0) or rhs, "
        "or give it an sd."
    )
