"""Where one more meter helps most: exact for one meter, from the factorisation as it is.

A meter of sd q on stream j changes the covariance C of the reconciled streams to
``C - C_j C_j^T / (C_jj + q^2)``, and the information P of the tests by the square of row j of
the sensitivity over the same denominator.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from cupral.methods.reconcile.equivalence import collinear
from cupral.methods.reconcile.errors import ReconcileError, SizeError, UncertaintyError
from cupral.methods.reconcile.estimate import POWER, sidak
from cupral.methods.reconcile.influence import (
    combination,
    derivative,
    expressed,
    open_directions,
    undetermined,
)
from cupral.methods.reconcile.loading import DENSE_ENTRIES
from cupral.methods.reconcile.problem import Columns, Index, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.system import System


@dataclass(frozen=True, slots=True)
class NextMeter:
    """One extra meter and what it is worth."""

    stream: int
    """Where it would stand, from 0."""
    sd: float
    """Its standard uncertainty [unit]."""
    opened: int
    """Streams that become observable by it."""
    before: float
    """Sd of the target [unit], or sum of relative variances of the observable streams [1]."""
    after: float
    """The same with the meter."""


@dataclass(frozen=True, slots=True, eq=False)
class Metered:
    """The network with one extra meter."""

    sd: Vector
    """A-posteriori sd (n,) [unit]; NaN where still unobservable."""
    redundancy: Vector
    """Redundancy degree of the present meters (n,) [1], see `redundancy_degree`."""
    smallest_detectable: Vector
    """Smallest bias of the present meters found with probability 0.9 (n,) [unit]."""
    own_smallest_detectable: float
    """The same of the extra meter [unit]; infinite when nothing checks it."""


def redundancy_degree(reconciliation: Reconciliation) -> Vector:
    """How much of each meter's variance the other meters take away.

    Returns
    -------
    (n,) [1]
        ``1 - posterior variance / prior variance``, 0 (nothing checks it) to 1; NaN where
        nothing is measured.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> redundancy_degree(reconcile([[1, -1]], [10.0, 12.0], [1.0, 2.0])).round(9).tolist()
    [0.2, 0.8]
    """
    return _degree(reconciliation.system, _posterior(reconciliation))


def sd_with_meter(reconciliation: Reconciliation, target: ArrayLike, sd: ArrayLike) -> Vector:
    """How well would a number be known with one more meter, for each place of the meter?

    Parameters
    ----------
    target : int, or (n,) [1]
        One stream, or the weights w of a combination ``w.x``.
    sd : (n,) or scalar [unit]
        Standard uncertainty of an independent extra meter on each stream, NaN where none can
        stand.

    Returns
    -------
    (n,) [unit]
        Sd of the target with a meter on that stream alone; infinite where the target stays
        undetermined, NaN where `sd` is.

    Raises
    ------
    ShapeError, UncertaintyError

    Source
    ------
    Madron 1992, Process Plant Performance, ch. 3 (placement of instruments).

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> nan = float("nan")
    >>> split = reconcile([[1, -1, -1]], [10.0, nan, nan], [0.3, nan, nan])
    >>> sd_with_meter(split, 0, 0.4).round(9).tolist()   # the inflow, measured
    [0.24, 0.3, 0.3]
    >>> sd_with_meter(split, 1, 0.4).round(9).tolist()   # a branch, unobservable
    [inf, 0.4, 0.5]
    """
    system = reconciliation.system
    weights = combination(reconciliation, target)
    spread = _meters(reconciliation, sd)
    left = undetermined(system, weights)
    if left.any():
        after = _opened(system, weights, left, spread)
    else:
        after = _sharpened(reconciliation, weights, spread)
    return np.where(np.isnan(spread), np.nan, after)


def with_meter(reconciliation: Reconciliation, stream: int, sd: float) -> Metered:
    """What one extra meter changes: every sd, redundancy and smallest detectable bias.

    Parameters
    ----------
    stream : int
        Where it stands, from 0; measured already or not.
    sd : float [unit]
        Its standard uncertainty, > 0.

    Raises
    ------
    ShapeError, UncertaintyError

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> pair = reconcile([[1, -1]], [10.0, float("nan")], [0.3, 0.0])
    >>> checked = with_meter(pair, 1, 0.4)
    >>> checked.sd.round(9).tolist(), checked.redundancy.round(9).tolist()
    ([0.24, 0.24], [0.36, nan])
    """
    system = reconciliation.system
    weights = combination(reconciliation, stream)
    width = float(_meters(reconciliation, sd)[stream])
    variance, left = _posterior(reconciliation) ** 2, undetermined(system, weights)
    information = system.factor.quadratic(system.balance)
    gained = 0.0
    if left.any():
        variance = _opened_variance(system, stream, left, width, variance)
    else:
        slope = derivative(system, expressed(system, weights))
        gained = 1.0 / (variance[stream] + width**2)
        variance = variance - _covariance(system, slope) ** 2 * gained
        information = information + slope**2 * gained
    # a variance below zero is the rounding of an sd that vanishes
    return _metered(reconciliation, np.maximum(variance, 0.0), information, gained)


def best_next_meters(
    reconciliation: Reconciliation,
    sd: ArrayLike,
    *,
    target: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    limit: int = 5,
) -> tuple[NextMeter, ...]:
    """Where should one more meter stand?

    Ranked by the sd of a target, or without a target by the streams that become observable,
    then by the sum of relative variances ``(sd / scale)^2`` over the observable streams.

    Parameters
    ----------
    sd : (n,) or scalar [unit]
        Standard uncertainty of the extra meter on each stream, NaN where none can stand.
    target : int, or (n,) [1], optional
        One stream, or the weights of a combination.
    scale : (n,) [unit], optional
        What each sd is compared with; the reconciled value by default; infinite leaves out a
        stream.
    limit : int
        How many are named; those that change nothing are not.

    Raises
    ------
    ShapeError, UncertaintyError
    ReconcileError
        A stream's value is zero and no `scale` is given.
    SizeError
        Without a target the network is too large for a dense covariance.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> split = reconcile([[1, -1, -1]], [10.0, 6.0, float("nan")], [0.3, 0.1, 0.0])
    >>> best = best_next_meters(split, [0.1, 0.1, 0.1], target=2)
    >>> [(meter.stream, round(meter.after, 4)) for meter in best]
    [(2, 0.0953), (0, 0.1378), (1, 0.3082)]
    """
    spread = _meters(reconciliation, sd)
    if target is not None:
        after = sd_with_meter(reconciliation, target, spread)
        before = _sd(reconciliation, target)
    else:
        before, after = _network(reconciliation, spread, scale)
    opened = _openings(reconciliation)
    useful = after < (1.0 - 1e-12) * before
    first: Index = np.zeros(len(after), dtype=np.int64)
    if target is None:
        first, useful = -opened, useful | ((opened > 0) & np.isfinite(after))
    order = np.lexsort((after, first))
    return tuple(
        NextMeter(int(j), float(spread[j]), int(opened[j]), before, float(after[j]))
        for j in order[useful[order]][:limit]
    )


def _meters(reconciliation: Reconciliation, sd: ArrayLike) -> Vector:
    """Sd of the extra meter at each stream, checked."""
    streams = len(reconciliation.value)
    given = np.asarray(sd, dtype=np.float64)
    if given.shape not in {(), (streams,)}:
        raise UncertaintyError(f"sd has shape {given.shape}; give one number or ({streams},).")
    spread = np.array(np.broadcast_to(given, (streams,)))
    if not (np.isnan(spread) | ((spread > 0) & (spread < np.inf))).all() or np.isnan(spread).all():
        raise UncertaintyError(
            "sd of an extra meter must be a finite number > 0, or NaN where none can stand "
            "(not everywhere)."
        )
    return spread


def _posterior(reconciliation: Reconciliation) -> Vector:
    """Sd of every stream, which the reconciliation must hold."""
    known = np.isfinite(reconciliation.value)
    if np.isnan(reconciliation.sd[known]).any():
        raise ReconcileError("the reconciliation holds no sd; reconcile with uncertainty=True.")
    return reconciliation.sd


def _degree(system: System, sd: Vector) -> Vector:
    """``1 - posterior / prior`` variance of the measured streams."""
    result = np.full(len(sd), np.nan)
    result[system.measured] = 1.0 - sd[system.measured] ** 2 / system.variance
    return result


def _sd(reconciliation: Reconciliation, target: ArrayLike) -> float:
    """Present sd of a target, infinite when undetermined."""
    system, weights = reconciliation.system, combination(reconciliation, target)
    if undetermined(system, weights).any():
        return float("inf")
    slope = derivative(system, expressed(system, weights))
    return float(np.sqrt(slope @ system.weigh(slope)))


def _covariance(system: System, slope: Vector) -> Vector:
    """Covariance (n,) of every observable stream with the combination of that slope."""
    result = np.zeros(len(system.problem.measured))
    moved = system.weigh(slope)
    result[system.measured] = moved
    if len(system.unmeasured):
        through = -(system.elimination.solver @ (system.flows @ moved))
        result[system.unmeasured] = np.where(system.elimination.observable, through, 0.0)
    return result


def _sharpened(reconciliation: Reconciliation, weights: Vector, spread: Vector) -> Vector:
    """Sd of a determined target with one more meter at each stream."""
    system = reconciliation.system
    slope = derivative(system, expressed(system, weights))
    variance = float(slope @ system.weigh(slope))
    stream = np.nan_to_num(_posterior(reconciliation)) ** 2
    covariance = _covariance(system, slope)
    # (v q^2 + v C - c^2) / (C + q^2): Cauchy-Schwarz keeps the difference from below zero
    kept = np.maximum(variance * stream - covariance**2, 0.0)
    return np.asarray(np.sqrt((variance * spread**2 + kept) / (stream + spread**2)))


def _opened(system: System, weights: Vector, left: Vector, spread: Vector) -> Vector:
    """Sd of an undetermined target with one meter at each stream, infinite where it stays so."""
    result = np.full(len(weights), np.inf)
    place, ratio = _parallel(system, left)
    stream = system.unmeasured[place]
    rest = np.tile(weights, (len(place), 1))
    rest[np.arange(len(place)), stream] -= ratio
    slope = derivative(system, expressed(system, rest))
    variance = np.einsum("ij,ji->i", slope, system.weigh(slope.T))
    result[stream] = np.sqrt((ratio * spread[stream]) ** 2 + variance)
    return result


def _opened_variance(
    system: System, stream: int, left: Vector, width: float, variance: Vector
) -> Vector:
    """Variances after a meter on an unobservable stream: its companions become known."""
    place, ratio = _parallel(system, left)
    names = system.unmeasured[place]
    rest = np.zeros((len(place), len(variance)))
    rest[np.arange(len(place)), names] = 1.0
    rest[:, stream] -= 1.0 / ratio
    slope = derivative(system, expressed(system, rest))
    result = variance.copy()
    result[names] = (width / ratio) ** 2 + np.einsum("ij,ji->i", slope, system.weigh(slope.T))
    return result


def _parallel(system: System, left: Vector) -> tuple[Index, Vector]:
    """Unmeasured streams that are open in the same direction as `left`, and left / theirs."""
    directions = open_directions(system)
    size = np.asarray(directions.multiply(directions).sum(axis=1))
    along = directions @ left
    safe = np.where(size > 0, size, 1.0)
    inside = along**2 / safe >= (1.0 - 1e-9) * float(left @ left)
    place = np.flatnonzero((size > 0) & inside)
    return place, along[place] / size[place]


def _openings(reconciliation: Reconciliation) -> Index:
    """How many streams one meter at each stream makes observable."""
    system = reconciliation.system
    result = np.zeros(len(reconciliation.value), dtype=np.int64)
    if len(system.unmeasured):
        columns: Columns = sparse.csc_array(open_directions(system).T)
        columns.sort_indices()
        label = collinear(columns)
        count = np.bincount(label[label >= 0], minlength=len(label))
        result[system.unmeasured] = np.where(label >= 0, count[label], 0)
    return result


def _network(
    reconciliation: Reconciliation, spread: Vector, scale: ArrayLike | None
) -> tuple[float, Vector]:
    """Sum of relative variances now, and with one meter at each stream."""
    variance = np.nan_to_num(_posterior(reconciliation)) ** 2
    weight = _weights(reconciliation, scale)
    gain = weight @ _joint(reconciliation.system) ** 2
    before = float(weight @ variance)
    return before, before - gain / (variance + spread**2)


def _weights(reconciliation: Reconciliation, scale: ArrayLike | None) -> Vector:
    """``1 / scale^2`` of the streams that are known with an sd, else 0."""
    counted = np.nan_to_num(reconciliation.sd) > 0
    value = np.abs(reconciliation.value)
    compared = value if scale is None else np.asarray(scale, dtype=np.float64)
    if (
        compared.shape != value.shape
        or not (compared[counted] > 1e-9 * np.nanmax(value, initial=0.0)).all()
    ):
        raise ReconcileError(
            "a relative variance needs a scale other than zero for every observable stream; "
            f"pass scale ({len(value)},) [unit], infinite for streams to leave out."
        )
    return np.where(counted, 1.0 / np.where(counted, compared, 1.0) ** 2, 0.0)


def _joint(system: System) -> NDArray[np.float64]:
    """Covariance (n, n) of the reconciled streams; 0 for fixed and unobservable ones."""
    streams = len(system.problem.measured)
    if streams**2 > DENSE_ENTRIES:
        raise SizeError(
            f"the covariance would have {streams**2} entries; allowed are {DENSE_ENTRIES}. Name a "
            "target, or reconcile sites separately."
        )
    prior = sparse.diags_array(system.variance) if system.covariance is None else system.covariance
    cross: Columns = sparse.csc_array(system.balance @ prior)
    inverse = system.factor.solve(np.eye(cross.shape[0]))
    inner = prior.toarray() - (cross.T @ (cross.T @ inverse).T).T
    seen = np.flatnonzero(system.elimination.observable)
    gain = -(system.elimination.solver[seen] @ system.flows)
    names = np.concatenate((system.measured, system.unmeasured[seen]))
    lower = gain @ inner
    joined = np.block([[inner, lower.T], [lower, (gain @ lower.T).T]])
    result = np.zeros((streams, streams))
    result[np.ix_(names, names)] = joined
    return result


def _metered(
    reconciliation: Reconciliation, variance: Vector, information: Vector, gained: float
) -> Metered:
    """Sd, redundancy and detectable biases of the network with the meter."""
    system, sd = reconciliation.system, np.sqrt(variance)
    tested = information > 0.0
    limit = sidak(reconciliation.level, int(np.count_nonzero(tested)) + (gained > 0.0))
    shift = np.sqrt(special.chndtrinc(limit**2, 1.0, 1.0 - POWER)) if np.isfinite(limit) else np.inf
    detectable = np.full(len(sd), np.nan)
    safe = np.where(tested, information, 1.0)
    detectable[system.measured] = np.where(tested, shift / np.sqrt(safe), np.inf)
    own = float(shift / np.sqrt(gained)) if gained > 0.0 else float("inf")
    return Metered(sd, _degree(system, sd), detectable, own)
