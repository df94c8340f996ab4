"""Nonlinear reconciliation: Gauss-Newton, each step a linear reconciliation."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from cupral.methods.reconcile.cholesky import Cholesky, upper_triangle
from cupral.methods.reconcile.constraint import Constraint
from cupral.methods.reconcile.errors import ConvergenceError, NonFiniteError, ShapeError
from cupral.methods.reconcile.estimate import check_level, judge, solve
from cupral.methods.reconcile.problem import Matrix, Problem, Vector, check_matrix, pose
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.system import System, assemble, refuse_open

CLOSURE = 1e-12
"""Balances are closed when they miss by less than this share of their largest terms."""
STEP = 1e-10
"""The iteration ends when no variable moves by more than this share of its sd."""
ROUNDING = 1e-13
"""... or of its size, where the sd is too small for double precision to tell."""
NEAR = 1e3
"""A step this many times longer may be the last, if the next will be short enough."""
STEADY, LONGEST = 0.99, 100.0
"""Squared cosine of two steps that repeat each other, and the longest stretch of one."""
SHORTEST = 2.0**-30
"""Shortest step tried along a direction."""


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Balances at one x."""

    x: Vector
    residual: Vector
    jacobian: Matrix
    cost: float

    @property
    def size(self) -> Vector:
        """Magnitude of the terms of each balance, (m,)."""
        size = abs(self.jacobian) @ np.abs(self.x) + np.abs(self.residual)
        return np.where(size > 0, size, 1.0)

    @property
    def closure(self) -> float:
        """Largest relative imbalance."""
        return float(np.max(np.abs(self.residual) / self.size, initial=0.0))


def reconcile_nonlinear(
    constraints: Constraint,
    measured: ArrayLike,
    sd: ArrayLike,
    *,
    start: ArrayLike,
    covariance: Any = None,
    fixed: ArrayLike | None = None,
    level: float = 0.05,
    max_iterations: int = 200,
    uncertainty: bool = True,
) -> Reconciliation:
    """Reconcile measurements subject to nonlinear balances f(x) = 0.

    Parameters
    ----------
    constraints : callable x -> (residual (m,), jacobian (m, n))
        For instance `Polynomial` or `Bilinear`.
    measured, sd : (n,) [unit of the variable]
        As in `reconcile`: NaN unmeasured, sd = 0 fixed.
    start : (n,) [unit of the variable]
        Where the iteration begins; all finite. Also the value of fixed variables without one.
    covariance : (n, n) [unit squared], optional
    fixed : (n,) bool, optional
        Variables held at their measured value, or at `start` where that is NaN.
    level : float
        Significance level of the tests.
    max_iterations : int
        Gauss-Newton steps allowed.
    uncertainty : bool
        False leaves out sd and the tests of single variables (NaN).

    Returns
    -------
    Reconciliation
        Uncertainties, tests and classes are those of the balances linearised at the answer.

    Raises
    ------
    ConvergenceError
        No answer within `max_iterations`, or no step that improves.
    ReconcileError
        As in `reconcile`.

    Source
    ------
    Britt and Luecke 1973, Technometrics 15:233; line search on the l1 merit function,
    Nocedal and Wright 2006, Numerical Optimization, ch. 18.

    Examples
    --------
    >>> from cupral.methods.reconcile import Polynomial
    >>> square = Polynomial([[[1.0, {0: 1}], [-1.0, {1: 2}]]], variables=2)   # x0 = x1 squared
    >>> answer = reconcile_nonlinear(square, [4.1, 2.0], [0.1, 0.1], start=[4.1, 2.0])
    >>> answer.value.round(4).tolist()
    [4.0942, 2.0234]
    """
    check_level(level)
    begin, known, spread = _begin(measured, sd, start, fixed)
    point = _evaluate(constraints, begin, begin)
    problem = pose(point.jacobian, known, spread, covariance=covariance)
    search = _Search(constraints, problem, uncertainty)
    point, system, iterations = search.run(point, max_iterations)
    refuse_open(system, point.x)
    value = point.x.copy()
    value[system.unmeasured[~system.elimination.observable]] = np.nan
    return judge(system, value, point.cost, level, uncertainty, iterations)


def _begin(
    measured: ArrayLike, sd: ArrayLike, start: ArrayLike, fixed: ArrayLike | None
) -> tuple[Vector, Vector, Vector]:
    """Start, measurements and sd with the fixed variables entered as exact."""
    begin, known = np.array(start, dtype=np.float64), np.array(measured, dtype=np.float64)
    spread = np.array(sd, dtype=np.float64)
    hold = np.zeros(begin.shape, dtype=np.bool_) if fixed is None else np.asarray(fixed, np.bool_)
    if not begin.shape == known.shape == spread.shape == hold.shape or begin.ndim != 1:
        raise ShapeError(
            f"start {begin.shape}, measured {known.shape}, sd {spread.shape} and fixed "
            f"{hold.shape} must all be (n,). Give one entry a variable."
        )
    if not np.isfinite(begin).all():
        where = int(np.argmin(np.isfinite(begin)))
        raise NonFiniteError(f"start is not finite at variable {where} (from 0); give a guess.")
    known = np.where(hold & np.isnan(known), begin, known)
    spread = np.where(hold, 0.0, spread)
    exact = np.isfinite(known) & (spread == 0.0)
    return np.where(exact, known, begin), known, spread


def _evaluate(constraints: Constraint, x: Vector, begin: Vector) -> _Point:
    """Balances at the start, refused when they are not numbers there."""
    residual, jacobian = constraints(x)
    right = np.asarray(residual, dtype=np.float64)
    if right.ndim == 1 and not np.isfinite(right).all():
        row = int(np.argmin(np.isfinite(right)))
        raise NonFiniteError(
            f"balance {row} (from 0) is not a number at start. Start inside its domain, for "
            "instance at positive values under a root."
        )
    matrix = check_matrix(jacobian, "jacobian at start")
    if right.shape != (matrix.shape[0],) or matrix.shape[1] != len(begin):
        raise ShapeError(
            f"constraints gave residual {right.shape} and jacobian {matrix.shape} for "
            f"{len(begin)} variables; they must be (m,) and (m, {len(begin)})."
        )
    return _Point(x, right, matrix, 0.0)


class _Search:
    """Damped Gauss-Newton on one set of balances."""

    def __init__(self, constraints: Constraint, problem: Problem, uncertainty: bool) -> None:
        """Prepare the weights of the measurements."""
        self.uncertainty = uncertainty
        self.constraints, self.problem = constraints, problem
        self.measured = problem.adjustable
        self.whole: Cholesky | None = None
        if problem.covariance is not None:
            inner = problem.covariance[self.measured][:, self.measured]
            self.whole = Cholesky(upper_triangle(inner))
        self.penalty = np.zeros(problem.incidence.shape[0])

    def run(self, point: _Point, allowed: int) -> tuple[_Point, System, int]:
        """Step until balances close and nothing moves; the system is that of the answer."""
        point = replace(point, cost=self._cost(point.x))
        system: System | None = None
        former: Vector | None = None
        smallest, idle = np.inf, 0
        for iteration in range(1, allowed + 1):
            system = self._linearise(point, system)
            target, multiplier = solve(system, point.x)
            step = target - point.x
            size = self._length(point, step)
            if point.closure <= CLOSURE and (size <= 1.0 or (idle >= 4 and size <= 1e3)):
                return point, system, iteration
            if size == 0.0:
                raise self._stuck(point)
            rate = min(size / smallest, 1.0)
            left = size * rate / (1.0 - rate) if rate < 1.0 else np.inf  # a geometric series
            idle = 0 if size < 0.5 * smallest else idle + 1
            smallest = min(size, smallest)
            full = system.projector.T @ multiplier
            self.penalty = np.maximum(2.0 * np.abs(full), 0.5 * self.penalty)
            stretch = self._stretch(step, former)
            former = step if stretch == 1.0 else None
            point = self._advance(point, stretch * step, stretch * size, iteration)
            if left <= 1.0 and size <= NEAR and point.closure <= CLOSURE:
                return point, system, iteration
        raise ConvergenceError(
            f"no answer after {allowed} steps: balances miss by {point.closure:.1e} (allowed "
            f"{CLOSURE:.0e}), last step {smallest * STEP:.1e} sd (allowed {STEP:.0e}), worst "
            f"balance {self._worst(point)} (from 0). Start nearer to the answer, or check that "
            "balance and its measurements."
        )

    def _stuck(self, point: _Point) -> ConvergenceError:
        """The error of open balances that nothing moves."""
        worst = self._worst(point)
        return ConvergenceError(
            f"balance {worst} (from 0) stays open by {point.residual[worst]:.6g} and nothing moves "
            "it here: fixed values contradict it, or its slopes vanish at the start. Correct a "
            "fixed value (sd = 0), or start elsewhere."
        )

    def _linearise(self, point: _Point, former: System | None) -> System:
        """The linear reconciliation tangent at a point."""
        right = point.jacobian @ point.x - point.residual
        tangent = sparse.csc_array(point.jacobian)
        problem = replace(self.problem, incidence=tangent, rhs=np.asarray(right))
        return assemble(problem, uncertainty=self.uncertainty, former=former)

    def _stretch(self, step: Vector, former: Vector | None) -> float:
        """How many times a step is taken that repeats the last one by a factor, forth or back.

        Far from the measurements Gauss-Newton creeps, or swings, along one direction; the sum
        of the geometric series arrives at once (Aitken 1926, Proc. R. Soc. Edinb. 46:289).
        """
        if former is None:
            return 1.0
        sd = self.problem.sd[self.measured]
        now, before = step[self.measured] / sd, former[self.measured] / sd
        along, square = float(now @ before), float(before @ before)
        if square == 0.0 or along**2 < STEADY * square * float(now @ now):
            return 1.0
        return 1.0 / max(1.0 - along / square, 1.0 / LONGEST)

    def _length(self, point: _Point, step: Vector) -> float:
        """Largest move in units of what is allowed."""
        sd = np.nan_to_num(self.problem.sd)
        allowed = STEP * sd + ROUNDING * np.abs(point.x)
        loose = sd == 0.0
        allowed[loose] = STEP * np.abs(point.x[loose])
        moved = step != 0.0
        return float(np.max(np.abs(step[moved]) / (allowed[moved] + 1e-300), initial=0.0))

    def _cost(self, x: Vector) -> float:
        """Weighted sum of squared adjustments."""
        gap = (x - self.problem.measured)[self.measured]
        return float(gap @ self._weigh(gap))

    def _weigh(self, gap: Vector) -> Vector:
        """``V^-1 gap``."""
        if self.whole is not None:
            return self.whole.solve(gap)
        return np.asarray(gap / self.problem.sd[self.measured] ** 2)

    def _advance(self, point: _Point, step: Vector, size: float, iteration: int) -> _Point:
        """The longest halved step that improves the merit or the closure."""
        gap = (point.x - self.problem.measured)[self.measured]
        slope = 2.0 * float(self._weigh(gap) @ step[self.measured])
        slope -= 2.0 * float(self.penalty @ np.abs(point.residual))
        merit, closure = self._merit(point), point.closure
        length = 1.0
        while length >= SHORTEST:
            trial = self._try(point.x + length * step)
            if trial is not None:
                better = self._merit(trial) <= merit + 1e-4 * length * min(slope, 0.0)
                near = size * STEP < 1e-3 and closure < 1e-6
                if better or near or trial.closure < 0.1 * closure:
                    return trial
            length *= 0.5
        raise ConvergenceError(
            f"step {iteration} finds no improvement: balances miss by {point.closure:.1e}, worst "
            f"balance {self._worst(point)} (from 0). Start nearer to the answer, inside the "
            "domain of every balance."
        )

    def _merit(self, point: _Point) -> float:
        """Cost plus penalised imbalances."""
        return point.cost + 2.0 * float(self.penalty @ np.abs(point.residual))

    def _try(self, x: Vector) -> _Point | None:
        """Balances at a trial x, None outside their domain."""
        residual, jacobian = self.constraints(x)
        right = np.asarray(residual, dtype=np.float64)
        matrix: Matrix = sparse.csr_array(jacobian, dtype=np.float64)
        if not (np.isfinite(right).all() and np.isfinite(matrix.data).all()):
            return None
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return _Point(x, right, matrix, self._cost(x))

    @staticmethod
    def _worst(point: _Point) -> int:
        """The balance that misses most."""
        return int(np.argmax(np.abs(point.residual) / point.size))
