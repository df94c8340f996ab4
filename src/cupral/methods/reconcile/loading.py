"""How reconciled values follow the measurements, and how shared errors pass through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cupral.methods.reconcile.errors import ShapeError, SizeError, UncertaintyError
from cupral.methods.reconcile.problem import Index, Matrix, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.system import System

DENSE_ENTRIES = 50_000_000
"""Largest dense sensitivity matrix, in entries (8 bytes each)."""


@dataclass(frozen=True, slots=True, eq=False)
class Loadings:
    """Uncertainty of each value split by correlation group.

    ``covariance = coherent @ coherent.T + own @ own.T``. Both parts carry a sign: the same
    column's parts of several values are added first, squared after. A column of `coherent` is
    one group in every month, a column of `own` one measurement of this reconciliation only.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> pair = reconcile([[1, -1, -1]], [10.0, 6.0, 4.0], [0.1, 0.1, 0.1])
    >>> split = loadings(pair, group=[-1, -1, -1], share=0.0)
    >>> (split.own @ split.own.T)[1].round(6).tolist()  # the two products' errors part
    [0.003333, 0.006667, -0.003333]
    """

    groups: Index
    """Identifiers of the columns of `coherent`, ascending, (g,)."""
    coherent: NDArray[np.float64]
    """Response to one sd of what each group shares, signed, (n, g) [unit]."""
    own: NDArray[np.float64]
    """Response to one sd of what each measurement shares with none, signed, (n, k) [unit]."""

    @property
    def independent(self) -> Vector:
        """Standard uncertainty from all that is not shared, (n,) [unit].

        Values of one reconciliation share it: for sums or ratios of several take `own`.
        """
        return np.asarray(np.sqrt((self.own**2).sum(axis=1)))

    @property
    def sd(self) -> Vector:
        """Total standard uncertainty, (n,) [unit]."""
        return np.asarray(np.sqrt((self.coherent**2).sum(axis=1) + self.independent**2))


def sensitivity(reconciliation: Reconciliation) -> NDArray[np.float64]:
    """Derivative of every reconciled value with respect to every measurement.

    Returns
    -------
    (n, k) [1]
        Column c belongs to stream ``reconciliation.system.measured[c]`` (measured, sd > 0);
        rows of fixed streams are 0, of unobservable ones NaN.

    Raises
    ------
    SizeError
        n times k exceeds `DENSE_ENTRIES`.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> sensitivity(reconcile([[1, -1]], [10.0, 12.0], [1.0, 1.0])).round(12).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    system = reconciliation.system
    _check_size(system)
    return respond(system, np.eye(len(system.measured)))


def respond(system: System, change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change of all n values when the k measurements change by the columns of `change` (k, g)."""
    moved = change - system.pull(system.factor.solve(system.balance @ change))
    result = np.zeros((len(system.problem.measured), change.shape[1]))
    result[system.measured] = moved
    if len(system.unmeasured):
        result[system.unmeasured] = -(system.elimination.solver @ (system.flows @ moved))
        result[system.unmeasured[~system.elimination.observable]] = np.nan
    return result


def loadings(reconciliation: Reconciliation, *, group: ArrayLike, share: ArrayLike) -> Loadings:
    """Split the uncertainty of each value into parts that groups of meters share.

    Each measurement's error is ``sd * (sqrt(share) * common + sqrt(1 - share) * own)``, with one
    standard normal `common` for each group. This propagates through the reconciliation as it
    was made; the total equals `Reconciliation.sd` when it was made with `group_covariance`.

    Parameters
    ----------
    group : (n,) int
        Group of each stream's measurement, negative for none; ignored where unmeasured.
    share : (n,) or scalar [1]
        Share of the variance that is common to the group, 0 to 1.

    Raises
    ------
    ShapeError, UncertaintyError, SizeError

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> pair = reconcile([[1, -1, -1]], [10.0, 6.0, 4.0], [0.1, 0.1, 0.1])
    >>> split = loadings(pair, group=[-1, 7, 7], share=0.5)
    >>> split.groups.tolist(), split.coherent.shape
    ([7], (3, 1))
    """
    system = reconciliation.system
    _check_size(system)
    identifier, common = _shares(group, share, len(reconciliation.value))
    identifier, common = identifier[system.measured], common[system.measured]
    names = np.unique(identifier[identifier >= 0])
    sd = np.sqrt(system.variance)
    member = identifier[:, None] == names
    coherent = respond(system, member * (np.sqrt(common) * sd)[:, None])
    own = respond(system, np.diag(np.sqrt(1.0 - common) * sd))
    if not own.shape[1]:  # nothing is measured; the unknown still needs a column to stand in
        own = np.zeros((len(own), 1))
    own[np.isnan(reconciliation.value)] = np.nan
    return Loadings(names, coherent, own)


def group_covariance(sd: ArrayLike, *, group: ArrayLike, share: ArrayLike) -> Matrix:
    """Covariance of measurements that share errors by group.

    Parameters
    ----------
    sd : (n,) [unit]
        NaN where unmeasured.
    group : (n,) int
        Negative for none.
    share : (n,) or scalar [1]
        Share of the variance common to the group, 0 to 1.

    Returns
    -------
    (n, n) sparse [unit squared]

    Raises
    ------
    ShapeError, UncertaintyError

    Examples
    --------
    >>> group_covariance([1.0, 2.0, 3.0], group=[0, 0, -1], share=0.25).toarray().tolist()
    [[1.0, 0.5, 0.0], [0.5, 4.0, 0.0], [0.0, 0.0, 9.0]]
    """
    spread = np.nan_to_num(np.asarray(sd, dtype=np.float64))
    identifier, common = _shares(group, share, len(spread))
    names, column = np.unique(identifier, return_inverse=True)
    used = np.flatnonzero(identifier >= 0)
    part = (np.sqrt(common) * spread)[used]
    shared = sparse.csr_array(
        sparse.coo_array((part, (used, column[used])), shape=(len(spread), len(names)))
    )
    own = sparse.diags_array((1.0 - common) * spread**2)
    return sparse.csr_array(shared @ shared.T + own)


def _shares(group: ArrayLike, share: ArrayLike, length: int) -> tuple[Index, Vector]:
    """Group and share of each stream; a stream without a group shares nothing."""
    identifier = np.asarray(group)
    if identifier.shape != (length,) or identifier.dtype.kind not in "iu":
        raise ShapeError(
            f"group is {identifier.dtype} of shape {identifier.shape}; it must be whole numbers "
            f"({length},), negative for streams without a group."
        )
    try:
        common = np.array(np.broadcast_to(np.asarray(share, dtype=np.float64), (length,)))
    except ValueError as error:
        raise ShapeError(f"share must be one number or ({length},): {error}.") from error
    common[identifier < 0] = 0.0
    if not ((common >= 0.0) & (common <= 1.0)).all():
        raise UncertaintyError("share of the variance must lie in 0..1 for every grouped stream.")
    return identifier.astype(np.int64), common


def _check_size(system: System) -> None:
    """Refuse dense answers that would not fit."""
    entries = len(system.problem.measured) * len(system.measured)
    if entries > DENSE_ENTRIES:
        raise SizeError(
            f"the sensitivity would have {entries} entries; allowed are {DENSE_ENTRIES}. "
            "Reconcile sites or periods separately."
        )
