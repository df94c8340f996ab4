"""The optimum of weighted least squares within bounds, for every kind of stream.

What the dual cannot hold directly is put as streams that it can: an unmeasured stream with bounds
is measured very badly, again and again, each time at its last answer (the proximal point method,
whose limit is exact); correlated streams are such streams, joined by further balances to
independent errors of unit variance.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from cupral.methods.reconcile.box import Box
from cupral.methods.reconcile.cholesky import Cholesky, upper_triangle
from cupral.methods.reconcile.dual import TRACE, Dual, Point
from cupral.methods.reconcile.errors import ConvergenceError
from cupral.methods.reconcile.factor import Schur
from cupral.methods.reconcile.forcing import Forced, forced
from cupral.methods.reconcile.interior import Interior
from cupral.methods.reconcile.problem import Columns, Mask, Matrix, Problem, Vector
from cupral.methods.reconcile.system import System, assemble

GLIDES = 4
"""Steps with the unbounded factor before the first factorisation: about one Newton step's worth."""
QUICK, PATIENT = 20, 60
"""Newton steps allowed from the unbounded answer, and from near the optimum."""
ROUNDS = 60
"""Proximal rounds allowed."""
LOOSE = 1e4
"""Variance of a proximal stream over the variance of what surrounds it: each round leaves about
the inverse of the distance to the optimum."""
LOOSEST = 1e6
"""Growth of that variance, tenfold after each slow round, at which rounding ends the rounds."""
SETTLED = 1e-12
"""The rounds end when the pull towards the last answer is below this share of its terms."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Flows within their bounds, and the multipliers that prove them best."""

    value: Vector
    """(n,); where unmeasured flows are not unique, one of them."""
    multiplier: Vector
    """Of the balances, for half the objective, (m,)."""
    steps: int
    """Newton steps."""


def optimum(system: System, lower: Vector, upper: Vector, guess: Vector) -> Optimum:
    """Minimise the weighted adjustments of a system within bounds.

    Parameters
    ----------
    system
        The unbounded problem, factored.
    lower, upper : (n,)
        Infinite for none.
    guess : (n,)
        Where the proximal streams begin.

    Raises
    ------
    ContradictionError, ConvergenceError, ScaleError

    Source
    ------
    Rockafellar 1976, SIAM J. Control Optim. 14:877 (proximal point); Li, Sun, Toh 2018, SIAM J.
    Optim. 28:433 (semismooth Newton on its dual).
    """
    rows, streams = system.problem.incidence.shape
    proximal = _proximal(system.problem, lower, upper)
    if proximal.any():
        system = assemble(_eased(system.problem, proximal, guess), uncertainty=False)
        more = np.full(len(system.problem.measured) - streams, np.inf)
        lower, upper = np.concatenate((lower, -more)), np.concatenate((upper, more))
    posed = forced(_box(system, lower, upper))
    held = np.isin(system.measured, np.flatnonzero(proximal))
    point = _rounds(posed, _glide(posed.box, system), held)
    value = _whole(system, point.value)
    return Optimum(value[:streams], (system.projector.T @ point.multiplier)[:rows], point.steps)


def _proximal(problem: Problem, lower: Vector, upper: Vector) -> Mask:
    """Streams that are correlated, or unmeasured with a bound."""
    loose = ~problem.known & (np.isfinite(lower) | np.isfinite(upper))
    if problem.covariance is not None:
        loose |= np.diff(problem.covariance.indptr) > 1
    return loose


def _eased(problem: Problem, proximal: Mask, guess: Vector) -> Problem:
    """The problem with proximal streams measured badly at a guess, and correlation written out."""
    value, sd = np.where(proximal, guess, problem.measured), problem.sd.copy()
    sd[proximal] = np.sqrt(LOOSE * _surroundings(problem)[proximal])
    incidence, rhs = problem.incidence, problem.rhs
    shared = np.flatnonzero(proximal & problem.known)
    if len(shared) and problem.covariance is not None:
        root = _root(problem.covariance[shared][:, shared])
        pick = sparse.csr_array(
            (np.ones(len(shared)), (np.arange(len(shared)), shared)),
            shape=(len(shared), len(value)),
        )
        wide = sparse.hstack([incidence, sparse.csr_array((len(rhs), len(shared)))])
        incidence = sparse.csc_array(sparse.vstack([wide, sparse.hstack([pick, -root])]))
        incidence.sort_indices()
        rhs = np.concatenate((rhs, problem.measured[shared]))
        value = np.concatenate((value, np.zeros(len(shared))))
        sd = np.concatenate((sd, np.ones(len(shared))))
    return Problem(incidence, value, sd, rhs, None)


def _root(covariance: Matrix) -> Matrix:
    """R with ``R R^T = V``."""
    lower, pivot, order = Cholesky(upper_triangle(covariance)).factors()
    half = sparse.csc_array(lower + sparse.eye_array(len(pivot))) * np.sqrt(pivot)
    return sparse.csr_array(sparse.csr_array(half)[np.argsort(order)])


def _surroundings(problem: Problem) -> Vector:
    """Own variance of each measured stream; of others, that of the balances they close."""
    variance = np.nan_to_num(problem.sd) ** 2
    squared, inverse = problem.incidence.copy(), problem.incidence.copy()
    squared.data, inverse.data = squared.data**2, inverse.data**-2
    near = np.where(problem.known, variance, inverse.T @ (squared @ variance))
    return np.where(near > 0, near, np.max(near, initial=0.0) or _scale(problem))


def _scale(problem: Problem) -> float:
    """Squared size of the known numbers, 1 without any: nothing is measured."""
    size = np.max(np.abs(np.concatenate((np.nan_to_num(problem.measured), problem.rhs))), initial=0)
    return float(size**2) or 1.0


def _box(system: System, lower: Vector, upper: Vector) -> Box:
    """The adjustable streams of a system within their bounds."""
    problem, measured = system.problem, system.measured
    known = np.zeros(len(problem.measured))
    known[system.fixed] = np.abs(problem.measured[system.fixed])
    terms = abs(problem.incidence) @ known + np.abs(problem.rhs)
    balance = system.balance
    leaky: Columns = sparse.csc_array(sparse.hstack([balance, sparse.eye_array(len(system.rows))]))
    size, squared = abs(balance), balance.copy()
    squared.data = squared.data**2
    return Box(
        balance, size, squared, leaky, system.target, abs(system.projector) @ terms,
        problem.measured[measured], system.variance, lower[measured], upper[measured],
        measured, system.projector,
    )  # fmt: skip


def _glide(box: Box, system: System) -> Vector:
    """Multipliers after a few steps with the unbounded factor, which cost no factorisation.

    The dual is nowhere more curved than without bounds, so whole steps always rise.
    """
    multiplier = system.factor.solve(system.residual)
    for _ in range(GLIDES):
        free = box.center - box.variance * (box.balance.T @ multiplier)
        gap = box.gap(np.clip(free, box.lower, box.upper))
        multiplier = multiplier + system.factor.solve(gap)
    return multiplier


def _rounds(posed: Forced, multiplier: Vector, held: Mask) -> Point:
    """Repeat until proximal streams stay where they are; once when there are none."""
    factor, steps, before, growth = None, 0, np.inf, 1.0
    for _ in range(ROUNDS):
        point, factor = _solve(posed, multiplier, factor)
        steps, multiplier, box = steps + point.steps, point.multiplier, posed.box
        moved = np.where(held, point.value - box.center, 0.0)
        terms = box.variance * (box.size.T @ np.abs(multiplier)) + np.abs(point.value)
        pull = float(np.max(np.abs(moved) / (terms + TRACE * np.sqrt(box.variance)), initial=0.0))
        if pull <= SETTLED or growth > LOOSEST:
            break
        faster = 10.0 if pull > 0.1 * before else 1.0
        variance = np.where(held, faster, 1.0) * box.variance
        growth, before = growth * faster, pull
        posed.box = replace(box, center=box.center + moved, variance=variance)
    gradient = np.where(held, 0.0, (point.value - posed.box.center) / posed.box.variance)
    gradient = gradient + posed.box.balance.T @ multiplier
    return replace(point, multiplier=posed.release(gradient, multiplier), steps=steps)


def _solve(posed: Forced, multiplier: Vector, factor: Schur | None) -> tuple[Point, Schur | None]:
    """Newton from the multipliers given; failing that, from near the optimum."""
    dual = Dual(posed, factor)
    point = dual.climb(multiplier, QUICK)
    if not point.closed:
        interior = Interior(posed.box, dual.factor)
        start, before = interior.multiplier(), point.steps
        dual = Dual(posed, interior.factor)
        point = dual.climb(start, PATIENT)
        point = replace(point, steps=before + point.steps)
    if not point.closed:
        if posed.box.proves_empty(ray := posed.box.ray(np.arange(len(posed.box.target)))):
            posed.refuse(ray)
        left = float(posed.box.share(posed.box.gap(point.value), point.value).max())
        raise ConvergenceError(
            f"no answer after {point.steps} steps: a balance still misses by {left:.1e} of its "
            "terms. Bring the standard uncertainties nearer to each other, or loosen bounds that "
            "leave no room."
        )
    return point, dual.factor


def _whole(system: System, adjusted: Vector) -> Vector:
    """All streams from the adjustable ones, unbounded unmeasured ones by the balances."""
    value = system.problem.measured.copy()
    value[system.measured], value[system.unmeasured] = adjusted, 0.0
    return system.complete(value)
