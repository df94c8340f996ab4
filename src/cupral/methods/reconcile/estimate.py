"""Linear reconciliation: weighted least squares on the balances, with every test of it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from cupral.methods.reconcile.equivalence import collinear, groups
from cupral.methods.reconcile.errors import ReconcileError, ScaleError
from cupral.methods.reconcile.problem import Columns, Index, Mask, Matrix, Problem, Vector, pose
from cupral.methods.reconcile.reconciliation import Observability, Reconciliation
from cupral.methods.reconcile.settled import settled
from cupral.methods.reconcile.system import System, assemble, refuse_open

POWER = 0.9
"""Probability of detection behind `smallest_detectable`."""
CORRECTIONS = 8
"""Corrections of an iterated answer, of which each takes four digits off its error."""
CLOSE, FAR = 1e-12, 1e-9
"""Distances [sd] at which an iterated answer has arrived, and beyond which it is refused."""
GRAIN = 8 * float(np.finfo(np.float64).eps)
"""Rounding of a flow, relative to the larger of measured and reconciled."""


def reconcile(
    incidence: Any,
    measured: ArrayLike,
    sd: ArrayLike,
    *,
    rhs: ArrayLike | None = None,
    covariance: Any = None,
    level: float = 0.05,
    uncertainty: bool = True,
) -> Reconciliation:
    """What really flowed: measurements adjusted as little as the balances ask.

    Minimises ``(y - x)^T V^-1 (y - x)`` subject to ``A x = b``. Unmeasured streams are
    eliminated exactly; those the balances do not determine come back as NaN.

    Parameters
    ----------
    incidence : (m, n) scipy sparse or dense
        A: +1 in, -1 out, or general coefficients; rows may depend on each other.
    measured : (n,) [unit of the flow]
        y, NaN where unmeasured.
    sd : (n,) [unit of the flow]
        Standard uncertainties; 0 holds a value fixed; ignored where unmeasured.
    rhs : (m,) [unit of the flow], optional
        b, zero by default.
    covariance : (n, n) [unit squared], optional
        V when meters are correlated; small groups off the diagonal; its diagonal is sd squared.
    level : float
        Significance level of the tests.
    uncertainty : bool
        False leaves out sd and the tests of single streams (NaN, `equivalent` empty), for speed.

    Raises
    ------
    ReconcileError
        A subclass names what is wrong: shapes, missing or negative sd, covariance not positive
        definite, contradictory fixed values; uncertainties so unequal that digits are lost
        (beyond 1,000 balances sd 1e6 times apart in a long chain); networks too tangled for
        `uncertainty=True`.

    Source
    ------
    VDI 2048 part 1; Narasimhan and Jordache 2000, Data Reconciliation and Gross Error
    Detection, ch. 3, 4, 7.

    Examples
    --------
    >>> answer = reconcile([[1, -1, -1]], [9.22, 4.83, 3.22], [0.2766, 0.1449, 0.0966])
    >>> answer.value.round(3).tolist()
    [8.382, 5.06, 3.322]
    >>> round(answer.objective, 2), answer.global_test_pass, answer.equivalent
    (12.81, False, ((0, 1, 2),))
    """
    problem = pose(incidence, measured, sd, rhs=rhs, covariance=covariance)
    return estimate(problem, level=level, uncertainty=uncertainty)


def estimate(
    problem: Problem, *, level: float = 0.05, uncertainty: bool = True, iterations: int = 1
) -> Reconciliation:
    """Reconcile a validated problem (see `reconcile`)."""
    check_level(level)
    system = assemble(problem, uncertainty=uncertainty)
    value, multiplier = solve(system)
    objective = max(float(system.residual @ multiplier), 0.0)
    refuse_open(system, value)
    value[system.unmeasured[~system.elimination.observable]] = np.nan
    return judge(system, value, objective, level, uncertainty, iterations)


def _distance(system: System, value: Vector) -> float:
    """How far iterated flows (k,) are from the answer [sd], rounding taken off; 0 if factored.

    Adjustments ``V B^T m`` that leave an imbalance r miss the best by ``sqrt(r^T S^-1 r)``, the
    root of their squared distances in sd; a rounding of the flows counts as itself.
    """
    norm = system.factor.norm
    if norm is None:
        return 0.0
    largest = np.maximum(np.abs(value), np.abs(system.problem.measured[system.place]))
    rounding = GRAIN * float(np.linalg.norm(largest / np.sqrt(system.variance)))
    return norm(system.balance @ value - system.target) - rounding


def _refuse_far(system: System, value: Vector) -> None:
    """An iteration that corrections do not bring nearer must have arrived.

    Raises
    ------
    ScaleError
    """
    distance = _distance(system, value)
    if not distance <= FAR:
        raise ScaleError(
            "the balances are too tangled to factor and their uncertainties too unequal to "
            f"iterate: flows stay {distance:.1e} sd from the answer (allowed: {FAR:.0e}). Fix "
            "near-exact values with sd = 0, or leave near-useless ones unmeasured (NaN)."
        )


def check_level(level: float) -> None:
    """Refuse a significance level outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise ReconcileError(f"level is {level}; it must lie between 0 and 1, 0.05 is usual.")


def solve(system: System, start: Vector | None = None) -> tuple[Vector, Vector]:
    """Reconciled values and the multipliers of the rows of B.

    Unobservable streams stay as near as possible to `start` (zero by default).
    """
    problem, place = system.problem, system.place
    residual = system.residual
    multiplier = system.factor.solve(residual)
    value = problem.measured.copy()
    value[place] -= system.pull(multiplier)
    # a second solve takes away what rounding left open, more what an iteration did
    for _ in range(CORRECTIONS):
        left = system.balance @ value[place] - system.target
        value[place] -= system.pull(system.factor.correct(left))
        if _distance(system, value[place]) <= CLOSE:
            break
    else:
        _refuse_far(system, value[place])
    value[system.unmeasured] = 0.0 if start is None else start[system.unmeasured]
    return system.complete(value), multiplier


def judge(
    system: System,
    value: Vector,
    objective: float,
    level: float,
    uncertainty: bool,
    iterations: int,
) -> Reconciliation:
    """All statistics of a solved system."""
    problem, redundancy = system.problem, system.balance.shape[0]
    tested = np.diff(system.balance.indptr) > 0
    information = system.factor.quadratic(system.balance) if uncertainty else None
    removed = _removed(system, information) if information is not None else None
    power = _Power(system, level, tested, information) if information is not None else None
    blank = np.full(len(value), np.nan)
    residual = problem.incidence @ value - problem.rhs
    critical = float(special.chdtri(redundancy, level)) if redundancy else 0.0
    return Reconciliation(
        value=value,
        sd=blank if removed is None else _posterior(system, removed),
        adjustment=value - problem.measured,
        z_adjustment=blank if removed is None else _z_adjustment(system, value, removed),
        z_max_power=power.statistic if power else blank,
        observability=_observability(system, tested),
        redundancy=redundancy,
        rank=redundancy + system.elimination.rank,
        rank_unmeasured=system.elimination.rank,
        objective=objective,
        p_value=float(special.chdtrc(redundancy, objective)) if redundancy else 1.0,
        chi2_critical=critical,
        global_test_pass=not redundancy or objective <= critical,
        critical_z=sidak(level, int(np.count_nonzero(tested))),
        node_z=_node_z(problem),
        equivalent=groups(collinear(system.balance), system.measured) if uncertainty else (),
        residual=np.asarray(residual),
        smallest_detectable=power.detectable if power else blank,
        level=level,
        iterations=iterations,
        system=system,
    )


def sidak(level: float, tests: int) -> float:
    """Two-sided limit of the largest of many normal statistics; infinite for none.

    Source
    ------
    Sidak 1967, J. Am. Stat. Assoc. 62:626.

    Examples
    --------
    >>> round(sidak(0.05, 3), 6)
    2.387738
    """
    if tests == 0:
        return float("inf")
    single = -np.expm1(np.log1p(-level) / tests)
    return float(-special.ndtri(0.5 * single))


class _Power:
    """Maximum-power tests of the measured streams and what they can detect."""

    def __init__(self, system: System, level: float, tested: Mask, squared: Vector) -> None:
        """Statistic ``b^T S^-1 r / sqrt(b^T S^-1 b)`` of each redundant stream."""
        streams = len(system.problem.measured)
        information = np.sqrt(squared[tested])
        score = (system.balance.T @ system.factor.solve(system.residual))[tested]
        where = system.measured[tested]
        self.statistic = np.full(streams, np.nan)
        self.statistic[where] = score / information
        self.detectable = np.full(streams, np.nan)
        self.detectable[system.measured] = np.inf
        limit = sidak(level, int(np.count_nonzero(tested)))
        if len(where):
            shift = np.sqrt(special.chndtrinc(limit**2, 1.0, 1.0 - POWER))
            self.detectable[where] = shift / information


def _removed(system: System, information: Vector) -> Vector:
    """Variance the balances take from each measured stream, (k,) [unit squared]."""
    if system.covariance is None:
        return system.variance**2 * information
    return system.factor.quadratic(system.cross)


def _z_adjustment(system: System, value: Vector, removed: Vector) -> Vector:
    """Adjustment over its sd; NaN where nothing adjusts the stream."""
    moved = removed > 1e-20 * system.variance
    result = np.full(len(value), np.nan)
    where = system.measured[moved]
    result[where] = (value - system.problem.measured)[where] / np.sqrt(removed[moved])
    return result


def _observability(system: System, redundant: Mask) -> NDArray[np.int8]:
    """Codes of `Observability`."""
    code = np.full(len(system.problem.measured), Observability.FIXED, dtype=np.int8)
    code[system.measured] = np.where(
        redundant, Observability.REDUNDANT, Observability.JUST_MEASURED
    )
    code[system.unmeasured] = np.where(
        system.elimination.observable, Observability.OBSERVABLE, Observability.UNOBSERVABLE
    )
    return code


def _posterior(system: System, removed: Vector) -> Vector:
    """A-posteriori sd of every stream (n,) [unit]: 0 where fixed, NaN where unobservable."""
    sd = np.full(len(system.problem.measured), np.nan)
    sd[system.fixed] = 0.0
    sd[system.measured] = np.sqrt(_measured_variance(system, removed))
    seen = np.flatnonzero(system.elimination.observable)
    if len(seen):
        sd[system.unmeasured[seen]] = np.sqrt(_unmeasured_variance(system, seen))
    return sd


def _measured_variance(system: System, removed: Vector) -> Vector:
    """A-posteriori variance of the measured streams, (k,) [unit squared]."""
    # what is settled leaves no variance; `remainder` would find that out by one solve each
    open_ = np.flatnonzero(~settled(system.balance))
    identity: Matrix = sparse.eye_array(len(system.measured), format="csr")
    cross, prior = system.cross[:, open_], system.variance[open_]
    left = system.factor.remainder(identity[open_], prior, cross, removed[open_])
    variance = np.zeros(len(system.measured))
    variance[open_] = np.where(np.diff(cross.indptr) > 0, left, prior)
    return variance


def _unmeasured_variance(system: System, seen: Index) -> Vector:
    """Variance of observable unmeasured streams, which are -T A_M x_M."""
    gain: Columns = sparse.csc_array(system.elimination.solver[seen] @ system.flows)
    if system.covariance is None:
        weighed = gain.copy()
        weighed.data *= np.repeat(system.variance, np.diff(gain.indptr))
    else:
        weighed = sparse.csc_array(gain @ system.covariance)
    prior = np.asarray(weighed.multiply(gain).sum(axis=1))
    cross: Columns = sparse.csc_array(system.balance @ weighed.T)
    cross.sort_indices()
    return system.factor.remainder(sparse.csr_array(gain), prior, cross)


def _node_z(problem: Problem) -> Vector:
    """Imbalance of each raw balance over its sd; NaN where a stream is unmeasured."""
    incidence = problem.incidence
    covariance = problem.covariance
    if covariance is None:
        pattern = (incidence.data**2, incidence.indices, incidence.indptr)
        squared = sparse.csc_array(pattern, shape=incidence.shape)
        variance = np.asarray(squared @ np.nan_to_num(problem.sd) ** 2)
    else:
        variance = np.asarray(((incidence @ covariance) * incidence).sum(axis=1))
    gap = incidence @ problem.measured - problem.rhs
    tested = np.isfinite(gap) & (variance > 0.0)
    return np.where(tested, gap / np.sqrt(np.where(tested, variance, 1.0)), np.nan)
