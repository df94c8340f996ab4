"""Which meters a reconciled number hangs on: derivatives, shares, and what losing one costs.

Everything follows from one factorisation. With ``P = B^T S^-1 B``, a combination ``g x`` of
the measured streams has derivatives ``s = g (I - V P)``, and without meter i the variance
``s V s^T + s_i^2 / P_ii``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cupral.methods.propagate import Uncertain
from cupral.methods.reconcile.errors import CovarianceError, ReconcileError, ShapeError
from cupral.methods.reconcile.loading import group_covariance
from cupral.methods.reconcile.problem import Columns, Index, Matrix, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.system import System

DUST = 1e-11
"""Share of the terms that cancelled below which a difference counts as zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """How one reconciled number follows from the meters.

    ``own.sum() + shared.sum() == 1`` unless the number is exactly known (sd = 0, shares 0).
    """

    value: float
    """The number [unit]."""
    sd: float
    """Its standard uncertainty [unit]."""
    derivative: Vector
    """Its change by unit change of each reading (n,) [1]; 0 where nothing is read."""
    own: Vector
    """Share of its variance that comes from each meter's own error (n,) [1]."""
    groups: Index
    """Correlation groups, ascending, (g,)."""
    shared: Vector
    """Share of its variance that comes from what each group shares (g,) [1]."""
    sd_without: Vector
    """Its sd if that meter were lost (n,) [unit]; infinite when nothing else determines it,
    `sd` where no meter is."""


def influence(
    reconciliation: Reconciliation,
    target: ArrayLike,
    *,
    group: ArrayLike | None = None,
    share: ArrayLike = 0.0,
) -> Influence:
    """Which meters does this reconciled number hang on?

    Parameters
    ----------
    target : int, or (n,) [1]
        One stream, or the weights w of a combination ``w.x``, such as a loss.
    group, share
        The correlation groups of the reconciliation, as given to `group_covariance`; each
        group's common error is one part, as in `loadings`.

    Raises
    ------
    ReconcileError
        The target is not determined by the measurements.
    CovarianceError
        The meters are correlated, but not by these groups.
    ShapeError, UncertaintyError

    Source
    ------
    Deletion by mean shift: Cook and Weisberg 1982, Residuals and Influence in Regression,
    ch. 2.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> split = reconcile([[1, -1, -1]], [10.0, 6.0, 4.0], [0.2, 0.1, 0.1])
    >>> inflow = influence(split, 0)
    >>> inflow.derivative.round(4).tolist(), inflow.own.round(4).tolist()
    ([0.3333, 0.6667, 0.6667], [0.3333, 0.3333, 0.3333])
    >>> inflow.sd_without.round(4).tolist()
    [0.1414, 0.2, 0.2]
    """
    system = reconciliation.system
    weights = combination(reconciliation, target)
    if unknown := np.flatnonzero(undetermined(system, weights)).tolist():
        raise ReconcileError(
            f"the target is not determined by the measurements: streams "
            f"{system.unmeasured[unknown].tolist()[:5]} (from 0) stay open in it. Ask "
            "`sd_with_meter` which single meter would determine it."
        )
    slope = derivative(system, expressed(system, weights))
    variance = float(slope @ system.weigh(slope))
    own, groups, shared = _parts(system, slope, variance, group, share)
    return Influence(
        value=float(weights @ _filled(reconciliation)),
        sd=float(np.sqrt(variance)),
        derivative=_spread(system, slope),
        own=_spread(system, own),
        groups=groups,
        shared=shared,
        sd_without=_without(system, slope, variance),
    )


def without(reconciliation: Reconciliation, streams: ArrayLike) -> Uncertain:
    """What the other meters alone say of some measured streams.

    Parameters
    ----------
    streams : (j,) int
        Measured streams whose readings are all ignored, from 0.

    Returns
    -------
    Uncertain
        Values (j,) [unit] and their covariance (j, j).

    Raises
    ------
    ReconcileError
        A stream is not measured, or nothing determines the streams without these meters.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> split = reconcile([[1, -1, -1]], [14.0, 6.0, 4.0], [0.2, 0.3, 0.4])
    >>> inflow = without(split, [0])
    >>> inflow.value.round(9).tolist(), inflow.sd.round(9).tolist()
    ([10.0], [0.5])
    """
    system = reconciliation.system
    names = np.atleast_1d(np.asarray(streams))
    place = _places(system, names)
    unit = np.zeros((len(system.measured), len(place)))
    unit[place, np.arange(len(place))] = 1.0
    precision = system.balance.T @ system.factor.solve(system.balance @ unit)
    inner = precision[place]
    _refuse_alone(inner, names)
    slope = derivative(system, unit.T)
    left = slope - slope[:, place] @ np.linalg.solve(inner, precision.T)
    bias = np.linalg.solve(inner, unit.T @ system.balance.T @ system.factor.solve(system.residual))
    value = reconciliation.value[names] - slope[:, place] @ bias
    return Uncertain(value, left @ system.weigh(left.T))


def combination(reconciliation: Reconciliation, target: ArrayLike) -> Vector:
    """Weights (n,) of a target given as one stream or as weights.

    Raises
    ------
    ShapeError
    """
    given, streams = np.asarray(target), len(reconciliation.value)
    if given.shape == () and given.dtype.kind in "iu" and 0 <= given < streams:
        return np.asarray(np.eye(1, streams, int(given))[0])
    if given.shape == (streams,) and given.dtype.kind in "iuf" and np.isfinite(given).all():
        return given.astype(np.float64)
    raise ShapeError(
        f"target is {given.dtype} of shape {given.shape}; it must be one stream 0..{streams - 1}, "
        f"or finite weights ({streams},)."
    )


def expressed(system: System, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Combinations (..., n) of all streams as combinations (..., k) of the measured ones."""
    direct, rest = weights[..., system.measured], weights[..., system.unmeasured]
    if not len(system.unmeasured):
        return direct
    solver, flows = system.elimination.solver, system.flows
    through = (rest @ solver) @ flows
    size = np.abs(direct) + (np.abs(rest) @ abs(solver)) @ abs(flows)
    result = direct - through
    return np.where(np.abs(result) > DUST * size, result, 0.0)


def derivative(system: System, expression: NDArray[np.float64]) -> NDArray[np.float64]:
    """Derivatives (..., k) by each reading of adjusted combinations (..., k)."""
    weighed = system.weigh(expression.T)
    taken = system.balance.T @ system.factor.solve(system.balance @ weighed)
    result = expression - taken.T
    prior = np.sqrt(np.einsum("...i,...i->...", expression, weighed.T))[..., None]
    return np.where(np.abs(result) * np.sqrt(system.variance) > DUST * prior, result, 0.0)


def open_directions(system: System) -> Matrix:
    """``I - T A_U`` (u, u): what the measurements leave open; rows of observable streams are 0."""
    solver, columns = system.elimination.solver, system.problem.incidence
    inner: Columns = columns[:, system.unmeasured]
    identity = sparse.eye_array(len(system.unmeasured), format="csr")
    result = sparse.csr_array(identity - solver @ inner)
    size = sparse.csr_array(identity + abs(solver) @ abs(inner))
    seen = sparse.diags_array((~system.elimination.observable).astype(np.float64))
    kept = sparse.csr_array(seen @ result.multiply(abs(result) > DUST * size))
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept


def undetermined(system: System, weights: Vector) -> Vector:
    """The part (u,) of a combination that the measurements leave open."""
    rest = weights[system.unmeasured]
    if system.elimination.observable.all() or not rest.any():
        return np.zeros(len(rest))
    directions = open_directions(system)
    left = rest @ directions
    return np.where(np.abs(left) > 1e-9 * (np.abs(rest) @ abs(directions)), left, 0.0)


def _filled(reconciliation: Reconciliation) -> Vector:
    """Values with the least-norm solution where a stream alone is unobservable."""
    system, value = reconciliation.system, reconciliation.value
    blank = np.isnan(value)
    if not blank.any():
        return value
    known = np.where(blank, 0.0, value)
    known[system.unmeasured] = 0.0
    return system.complete(known)


def _parts(
    system: System, slope: Vector, variance: float, group: ArrayLike | None, share: ArrayLike
) -> tuple[Vector, Index, Vector]:
    """Shares of the variance: each meter's own, the groups, and what each group shares."""
    streams = len(system.problem.sd)
    identifier = np.full(streams, -1) if group is None else np.asarray(group)
    claimed = group_covariance(system.problem.sd, group=identifier, share=share)
    inner = claimed[system.measured][:, system.measured]
    if abs(float(slope @ (inner @ slope)) - variance) > 1e-6 * variance:
        raise CovarianceError(
            "the meters are not correlated by these groups, so the shares would not add up to "
            "the variance. Pass the group and share that made the covariance "
            "(`group_covariance`)."
        )
    common = np.where(identifier >= 0, share, 0.0)[system.measured]
    groups, column = np.unique(identifier[system.measured], return_inverse=True)
    scaled = slope * np.sqrt(system.variance / (variance or 1.0))
    coherent = np.asarray(np.bincount(column, scaled * np.sqrt(common), len(groups)), np.float64)
    coherent = coherent**2
    return scaled**2 * (1.0 - common), groups[groups >= 0], coherent[groups >= 0]


def _without(system: System, slope: Vector, variance: float) -> Vector:
    """Sd of the target without each meter; infinite where only that meter determines it."""
    checked = np.diff(system.balance.indptr) > 0
    information = np.where(checked, system.factor.quadratic(system.balance), 1.0)
    added = np.where(checked, slope**2 / information, np.where(slope != 0.0, np.inf, 0.0))
    result = np.full(len(system.problem.measured), np.sqrt(variance))
    result[system.measured] = np.sqrt(variance + added)
    return result


def _spread(system: System, part: Vector) -> Vector:
    """Numbers of the measured streams among zeros for all streams."""
    result = np.zeros(len(system.problem.measured))
    result[system.measured] = part
    return result


def _places(system: System, names: NDArray[np.generic]) -> Index:
    """Columns of B of some streams, all of them measured and named once."""
    column = {int(stream): place for place, stream in enumerate(system.measured)}
    whole = names.ndim == 1 and names.dtype.kind in "iu"
    if not whole or len(set(names.tolist())) < len(names) or not column.keys() >= {*names.tolist()}:
        raise ReconcileError(
            f"streams are {names.tolist()}; they must be different whole numbers of measured "
            "streams with sd > 0, from 0."
        )
    return np.array([column[int(name)] for name in names], dtype=np.int64)


def _refuse_alone(inner: NDArray[np.float64], names: NDArray[np.generic]) -> None:
    """Refuse to predict streams that only their own meters determine."""
    size = np.sqrt(np.diagonal(inner))
    if not (size > 0).all() or np.linalg.eigvalsh(inner / np.outer(size, size))[0] < 1e-9:
        raise ReconcileError(
            f"nothing determines streams {names.tolist()} (from 0) without their own meters; "
            "each must be checked by the balances (see `observability`). Ignore fewer at once."
        )
