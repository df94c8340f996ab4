"""The conditions that make bounded flows the optimum, checked on the problem as it was put."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cupral.methods.reconcile.cholesky import Cholesky, upper_triangle
from cupral.methods.reconcile.problem import Problem, Vector

HELD = 1e-10
"""A bound holds a flow when its multiplier exceeds this share of the terms it is made of."""

TRACE = 1e-3
"""Flows below this share of an sd are no scale to measure an imbalance by."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Largest violation of each condition of Karush, Kuhn and Tucker [1].

    The objective is convex, so that flows and multipliers which meet all five are its minimum.
    Slopes are relative to their terms and to one sd of the stream, which is a change of one in
    the square root of J; so a violation of 1e-8 moves nothing by more than about 1e-8 sd.
    """

    closure: float
    """Balances: ``|A x - b|`` over the sum of magnitudes, the larger of measured
    and reconciled, or a thousandth of the sd where both vanish."""
    violation: float
    """Bounds: how far x is outside, over the magnitude of x."""
    sign: float
    """Multipliers of bounds that pull the flow away from its bound."""
    complementarity: float
    """Multipliers of bounds the flow does not touch."""
    stationarity: float
    """Slope of the Lagrangian along the streams between their bounds."""

    @property
    def worst(self) -> float:
        """The largest."""
        return float(max(getattr(self, one.name) for one in fields(self)))

    def __str__(self) -> str:
        """Each condition with its violation."""
        return ", ".join(f"{one.name} {getattr(self, one.name):.1e}" for one in fields(self))


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """A certificate and what it was made from."""

    certificate: Certificate
    objective: float
    """Weighted sum of squared adjustments [1]."""
    active: NDArray[np.int8]
    """-1 held by the lower bound, 1 by the upper, (n,)."""
    multiplier: Vector
    """Slope of the objective along each held stream (n,) [1/unit]."""


def certify(
    problem: Problem, value: Vector, multiplier: Vector, bounds: tuple[Vector, Vector]
) -> Proof:
    """Check flows (n,) and multipliers of the balances (m,) against a problem with bounds."""
    lower, upper = bounds
    pull = _pull(problem, value)
    slope = pull + problem.incidence.T @ multiplier
    share = _share(problem, slope, pull, multiplier)
    fixed = problem.sd == 0.0
    at_lower, at_upper = value <= lower, value >= upper
    wrong = np.where(at_lower & ~at_upper, np.maximum(-share, 0.0), 0.0)
    wrong = np.where(at_upper & ~at_lower, np.maximum(share, 0.0), wrong)
    free = ~(at_lower | at_upper | fixed)
    active = (at_upper & (share < -HELD)).astype(np.int8) - (at_lower & (share > HELD)) * ~fixed
    held = active != 0
    outside = np.maximum(lower - value, value - upper)
    magnitude = np.where(value != 0.0, np.abs(value), 1.0)
    return Proof(
        Certificate(
            closure=_closure(problem, value),
            violation=_largest(np.maximum(outside, 0.0) / magnitude),
            sign=_largest(wrong[~fixed]),
            complementarity=_largest(np.abs(share)[held & ~(at_lower | at_upper)]),
            stationarity=_largest(np.abs(share)[free]),
        ),
        objective=float(pull @ np.nan_to_num(value - problem.measured)),
        active=np.where(fixed, 0, active).astype(np.int8),
        multiplier=np.where(held & ~fixed, 2.0 * slope, 0.0),
    )


def _pull(problem: Problem, value: Vector) -> Vector:
    """``V^-1 (x - y)``, zero for unmeasured and fixed streams."""
    measured, pull = problem.adjustable, np.zeros(len(value))
    change = (value - problem.measured)[measured]
    if problem.covariance is None:
        pull[measured] = change / problem.sd[measured] ** 2
    else:
        inner = problem.covariance[measured][:, measured]
        pull[measured] = Cholesky(upper_triangle(inner)).solve(change)
    return pull


def _share(problem: Problem, slope: Vector, pull: Vector, multiplier: Vector) -> Vector:
    """Slopes over their terms plus the slope of one sd.

    The sd of an unmeasured stream is that of the balances it closes.
    """
    size = abs(problem.incidence)
    squared = size.copy()
    squared.data = squared.data**2
    spread = np.sqrt(squared @ np.nan_to_num(problem.sd) ** 2)
    near = size.T @ np.where(spread > 0, 1.0 / np.where(spread > 0, spread, 1.0), 0.0)
    measured = problem.adjustable
    near[measured] = 1.0 / problem.sd[measured]
    near[near == 0.0] = np.median(near[near > 0.0]) if near.any() else 1.0
    terms = near + np.abs(pull) + size.T @ np.abs(multiplier)
    return np.asarray(slope / np.where(terms > 0, terms, 1.0))


def _closure(problem: Problem, value: Vector) -> float:
    """Largest relative imbalance."""
    gap = problem.incidence @ value - problem.rhs
    known = np.maximum(np.abs(value), np.abs(np.nan_to_num(problem.measured)))
    measured = problem.adjustable
    usual = np.median(problem.sd[measured]) if len(measured) else np.max(known, initial=0.0)
    trace = TRACE * np.where(problem.known, problem.sd, usual)
    terms = abs(problem.incidence) @ (known + trace)
    terms += np.abs(problem.rhs)
    return _largest(np.abs(gap) / np.where(terms > 0, terms, 1.0))


def _largest(violations: Vector) -> float:
    """The largest, 0 of none."""
    return float(np.max(violations, initial=0.0))
