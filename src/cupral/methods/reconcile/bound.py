"""Reconciled flows that respect bounds: the true optimum, with the proof of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cupral.methods.reconcile.certificate import Certificate, certify
from cupral.methods.reconcile.errors import (
    ContradictionError,
    ConvergenceError,
    NonFiniteError,
    ReconcileError,
    ShapeError,
    listed,
)
from cupral.methods.reconcile.estimate import solve
from cupral.methods.reconcile.optimum import Optimum, optimum
from cupral.methods.reconcile.problem import Mask, Problem, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.uniqueness import unique

PROVEN = 1e-8
"""An answer whose certificate is worse than this is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """Reconciled flows within their bounds.

    Arrays have one entry a stream, in the order of the incidence's columns.
    """

    value: Vector
    """Reconciled flow within its bounds (n,) [unit of the flow]; NaN where balances and bounds
    leave an unmeasured flow open."""
    objective: float
    """Weighted sum of squared adjustments [1]: at least J of the unbounded reconciliation."""
    active: NDArray[np.int8]
    """-1 held up by its lower bound, 1 held down by its upper one, 0 free, (n,). A flow that only
    touches a bound is free."""
    multiplier: Vector
    """Change of `objective` when the bound that holds the flow rises by one unit (n,) [1/unit]:
    positive at a lower bound, negative at an upper one, 0 where free."""
    certificate: Certificate
    """How well the conditions of the optimum hold."""
    iterations: int
    """Newton steps; 0 when the unbounded answer respects the bounds."""
    lower: Vector
    """(n,) [unit], -inf for none."""
    upper: Vector
    """(n,) [unit], inf for none."""
    reconciliation: Reconciliation = field(repr=False)
    """The unbounded reconciliation, with the sd and all tests."""

    def __str__(self) -> str:
        """Aligned table of streams with bounds, measured, unbounded and bounded values."""
        lines = [
            f"J = {self.objective:.6g} ({self.reconciliation.objective:.6g} without bounds), "
            f"bounds that hold a flow: {np.count_nonzero(self.active)}, "
            f"KKT residual {self.certificate.worst:.1e}, {self.iterations} steps",
            f"{'stream':>6} {'lower':>12} {'measured':>12} {'unbounded':>12} {'bounded':>12} "
            f"{'upper':>12} {'held by':>8} {'multiplier':>12}",
        ]
        measured = self.reconciliation.system.problem.measured
        for i, side in enumerate(self.active):
            lines.append(
                f"{i:>6} {self.lower[i]:>12.6g} {measured[i]:>12.6g} "
                f"{self.reconciliation.value[i]:>12.6g} {self.value[i]:>12.6g} "
                f"{self.upper[i]:>12.6g} {('', 'upper', 'lower')[side]:>8} "
                f"{self.multiplier[i]:>12.4g}"
            )
        return "\n".join(lines)


def bounded(
    reconciliation: Reconciliation,
    *,
    lower: ArrayLike = -np.inf,
    upper: ArrayLike = np.inf,
) -> Bounded:
    """Reconciled flows nearest to the measurements among those within bounds.

    Minimises ``(y - x)^T V^-1 (y - x)`` subject to ``A x = b`` and ``lower <= x <= upper``. Unlike
    clipping, or fixing what clips, this is the optimum, and it comes with its certificate.

    The statistics stay those of the unbounded reconciliation: J is chi-squared, and the tests of
    streams are normal, only there. Its sd bounds the sd here from above: with normal errors each
    bounded flow is a function of independent standard normal errors whose slope nowhere exceeds
    that of the unbounded one, because projecting onto a convex set moves no two points apart, and
    the variance of such a function is at most the mean of its squared slope (Gaussian Poincare
    inequality). It does not bound the error: flows held at zero can only err upwards, so a sum of
    many of them is biased, by more than its sd when they are many.

    Parameters
    ----------
    reconciliation
        Answer of `reconcile`. That of `reconcile_nonlinear` is accepted only when it respects the
        bounds already.
    lower, upper : (n,) or scalar [unit of the flow]
        Bounds of each stream, measured or not; -inf and inf for none (the default). Fixed
        streams must lie within theirs.

    Raises
    ------
    ShapeError, NonFiniteError
        Bounds of another length, or NaN.
    ContradictionError
        lower above upper, a fixed stream outside, or bounds which no balanced flow satisfies (the
        message names balances and streams that contradict each other).
    ConvergenceError
        Standard uncertainties too unequal for the optimum to be proven to `PROVEN`.

    Source
    ------
    Narasimhan and Jordache 2000, Data Reconciliation and Gross Error Detection, ch. 5 (bounds);
    Nocedal and Wright 2006, Numerical Optimization, ch. 12 and 16 (conditions of the optimum).

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> free = reconcile([[1, -1, -1, -1]], [10.0, 9.0, 1.4, 0.05], [0.1, 0.05, 0.05, 0.2])
    >>> answer = bounded(free, lower=0.0)
    >>> free.value.round(3).tolist(), answer.value.round(3).tolist()
    ([10.082, 8.98, 1.38, -0.277], [10.267, 8.933, 1.333, 0.0])
    >>> answer.active.tolist(), round(answer.objective, 3), answer.certificate.worst < 1e-12
    ([0, 0, 0, -1], 10.729, True)
    """
    problem = reconciliation.system.problem
    low, high = _limits(problem, lower, upper)
    best = _optimum(reconciliation, low, high)
    proof = certify(problem, best.value, best.multiplier, (low, high))
    if not proof.certificate.worst <= PROVEN:
        raise ConvergenceError(
            f"the optimum within the bounds is not proven: {proof.certificate}; allowed is "
            f"{PROVEN:.0e}. Bring the standard uncertainties nearer to each other: fix near-exact "
            "values with sd = 0, leave near-useless ones unmeasured (NaN)."
        )
    known = unique(reconciliation.system, best.value, (low, high))
    return Bounded(
        value=np.where(known, best.value, np.nan),
        objective=proof.objective,
        active=np.where(known, proof.active, 0).astype(np.int8),
        multiplier=np.where(known, proof.multiplier, 0.0),
        certificate=proof.certificate,
        iterations=best.steps,
        lower=low,
        upper=high,
        reconciliation=reconciliation,
    )


def _limits(problem: Problem, lower: ArrayLike, upper: ArrayLike) -> tuple[Vector, Vector]:
    """Bounds of every stream, checked."""
    streams = len(problem.measured)
    low, high = _limit(lower, "lower", streams), _limit(upper, "upper", streams)
    if (bad := (low > high) | (low == np.inf) | (high == -np.inf)).any():
        raise ContradictionError(
            f"lower {low[bad][0]:g} and upper {high[bad][0]:g} leave nothing at {_at(bad)}; "
            "allowed is lower <= upper, -inf and inf for none. Correct one of them."
        )
    outside = (problem.sd == 0.0) & ((problem.measured < low) | (problem.measured > high))
    if outside.any():
        raise ContradictionError(
            f"fixed value {problem.measured[outside][0]:g} is outside its bounds at "
            f"{_at(outside)}; allowed is {low[outside][0]:g}..{high[outside][0]:g}. Correct the "
            "value or the bound, or give the value an sd."
        )
    return low, high


def _limit(values: ArrayLike, name: str, streams: int) -> Vector:
    """One number a stream, infinite for none."""
    try:
        result = np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (streams,)))
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"{name} must be one number or one for each of the {streams} streams: {error}."
        ) from error
    if (bad := np.isnan(result)).any():
        raise NonFiniteError(
            f"{name} is NaN at {_at(bad)}; allowed are numbers, and -inf or inf for no bound."
        )
    return result


def _at(bad: Mask) -> str:
    """The first places."""
    return f"stream {listed(np.flatnonzero(bad))} (from 0)"


def _optimum(reconciliation: Reconciliation, lower: Vector, upper: Vector) -> Optimum:
    """The unbounded answer where it respects the bounds, else the bounded one."""
    system, value = reconciliation.system, reconciliation.value
    bound = np.isfinite(lower) | np.isfinite(upper)
    if ((value >= lower) & (value <= upper))[bound].all():
        some, multiplier = solve(system)
        value = np.where(np.isfinite(value), value, some)
        return Optimum(value, system.projector.T @ multiplier, 0)
    if reconciliation.iterations > 1:
        broken = bound & ~((value >= lower) & (value <= upper))
        raise ReconcileError(
            f"the nonlinear answer breaks the bounds at {_at(broken)}; bounds are allowed to bind "
            "only with linear balances. Loosen the bound, or fix (sd = 0) the variable there and "
            "reconcile again."
        )
    return optimum(system, lower, upper, np.clip(np.nan_to_num(value), lower, upper))
