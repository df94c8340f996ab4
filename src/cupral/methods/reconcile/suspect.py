"""Gross errors: which meter lies, or which process leaks, as far as the balances can tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse, special

from cupral.methods.reconcile.equivalence import collinear
from cupral.methods.reconcile.errors import ReconcileError
from cupral.methods.reconcile.estimate import check_level, sidak
from cupral.methods.reconcile.problem import Columns, Index, Mask, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.system import System

Kind = Literal["bias", "leak"]
KINDS: tuple[Kind, ...] = ("bias", "leak")
SAME = 1e-8
"""Share of its information a candidate must keep to be told apart from those already named."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One gross error, with everyone who cannot be told apart as its cause."""

    kind: Kind
    """'bias' of a meter or 'leak' of a balance."""
    members: tuple[int, ...]
    """Streams (bias) or rows (leak), from 0; any one of them explains the error equally well."""
    statistic: float
    """Square root of the likelihood ratio when it was named [1]; compare with critical z."""
    size: tuple[float, ...]
    """For each member, if it is the cause: reading minus truth, or unrecorded outflow [unit]."""
    size_sd: tuple[float, ...]
    """Standard uncertainty of each size [unit]."""
    also: tuple["Suspect", ...] = ()
    """The same error seen as the other kind, when a leak looks exactly like a bias."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Signatures of all possible gross errors, biases first."""

    columns: Columns
    names: Index
    bias: int
    label: Index


def suspects(
    reconciliation: Reconciliation,
    *,
    level: float | None = None,
    kinds: Iterable[Kind] = KINDS,
    rows: Iterable[int] | None = None,
) -> tuple[Suspect, ...]:
    """Which gross errors explain the imbalances, the most likely first.

    Generalised likelihood ratio with serial compensation: the strongest significant candidate
    is named, its effect is taken away, and the search goes on while the global test fails.
    Noise alone names anybody in at most `level` of all cases: the limit is Sidak's over the
    distinguishable candidates, or the chi-square limit of all directions if that is lower.

    Parameters
    ----------
    reconciliation
        Answer of `reconcile` or `reconcile_nonlinear`.
    level
        Significance level of the whole search; that of the reconciliation by default.
    kinds
        'bias' (a meter reads falsely), 'leak' (an unrecorded outflow), or both.
    rows
        Rows that may leak, from 0; all by default. Leave out rows that are no mass balance.

    Returns
    -------
    tuple of Suspect
        Empty when nothing is significant. A leak that looks exactly like a bias (a stream to
        the outside that touches this balance alone) is named in `also` of the bias.

    Raises
    ------
    ReconcileError
        Unknown kind or row, or a level outside (0, 1).

    Source
    ------
    Narasimhan and Mah 1987, AIChE J. 33:1514 (generalised likelihood ratio).

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> flows = [[1, -1, 0], [0, 1, -1]]
    >>> (one,) = suspects(reconcile(flows, [100.0, 110.0, 100.0], [1.0, 1.0, 1.0]))
    >>> one.kind, one.members, one.size[0]
    ('bias', (1,), 10.0)
    """
    level = reconciliation.level if level is None else level
    check_level(level)
    system = reconciliation.system
    found = _candidates(system, _kinds(kinds), rows)
    directions = np.flatnonzero(found.label == np.arange(len(found.label)))
    if not len(directions):
        return ()
    search = _Search(system, found, directions)
    search.run(level)
    return search.named()


def _kinds(kinds: Iterable[Kind]) -> frozenset[str]:
    """The kinds asked for, known ones only."""
    chosen = frozenset([kinds] if isinstance(kinds, str) else kinds)
    if unknown := chosen.difference(KINDS):
        raise ReconcileError(f"kinds has {sorted(unknown)}; allowed are {list(KINDS)}.")
    return chosen


def _candidates(system: System, kinds: frozenset[str], rows: Iterable[int] | None) -> _Candidates:
    """Columns of B for biases, of the projector for leaks."""
    height = system.projector.shape[1]
    chosen = np.arange(height) if rows is None else np.unique(np.fromiter(rows, np.int64))
    if len(chosen) and not (chosen[0] >= 0 and chosen[-1] < height):
        raise ReconcileError(f"rows must lie in 0..{height - 1}; got {chosen.tolist()[:5]}.")
    streams = system.measured if "bias" in kinds else system.measured[:0]
    leaks = chosen if "leak" in kinds else chosen[:0]
    parts = [system.balance[:, : len(streams)], system.projector[:, leaks]]
    columns: Columns = sparse.csc_array(sparse.hstack(parts))
    columns.sort_indices()
    names = np.concatenate((streams, leaks))
    return _Candidates(columns, names, len(streams), collinear(columns))


class _Search:
    """Serial compensation in the metric of S^-1."""

    def __init__(self, system: System, found: _Candidates, directions: Index) -> None:
        """Score and information of each direction before anything is named."""
        self.system, self.found, self.directions = system, found, directions
        whole = len(directions) == found.columns.shape[1]
        self.columns = found.columns if whole else sparse.csc_array(found.columns[:, directions])
        self.transposed = sparse.csr_array(self.columns.T)
        residual = system.residual
        weighed = system.factor.solve(residual)
        self.full = system.factor.quadratic(self.columns)
        self.information = self.full.copy()
        self.score = np.asarray(self.transposed @ weighed)
        self.objective = float(residual @ weighed)
        self.residual = residual
        self.axes: list[Vector] = []
        self.chosen: list[tuple[int, float, Index, Vector]] = []

    def run(self, level: float) -> None:
        """Name the strongest direction until nothing is significant or the global test passes."""
        freedom = len(self.residual)
        for left in range(freedom, 0, -1):
            chi2 = float(special.chdtri(left, level))
            open_ = self.information > SAME * self.full
            if not open_.any() or (self.chosen and self.objective <= chi2):
                return
            limit = min(sidak(level, int(np.count_nonzero(open_))), float(np.sqrt(chi2)))
            safe = np.where(open_, self.information, 1.0)
            statistic = np.where(open_, np.abs(self.score) / np.sqrt(safe), 0.0)
            best = int(np.flatnonzero(statistic >= (1.0 - 1e-9) * statistic.max())[0])
            if not statistic[best] > limit:
                return
            self._name(best, float(statistic[best]), open_)

    def _name(self, best: int, statistic: float, open_: Mask) -> None:
        """Take the effect of one direction away from all others."""
        signature = self._signature(best)
        axis = self.system.factor.solve(signature)
        for earlier in self.axes:
            axis -= earlier * float(earlier @ signature)
        axis /= np.sqrt(self.information[best])
        along = np.asarray(self.transposed @ axis)
        before = self.information.copy()
        self.information = before - along**2
        pull = float(axis @ self.residual)
        self.score -= along * pull
        self.objective -= pull**2
        self.axes.append(axis)
        same = np.flatnonzero(open_ & (self.information <= SAME * before))
        same = np.union1d(same, [best])
        self.information[same] = 0.0
        self.chosen.append((best, statistic, same, along[same] / along[best]))

    def _signature(self, direction: int) -> Vector:
        """One direction as a dense vector."""
        return np.asarray(self.columns[:, [direction]].toarray().ravel())

    def named(self) -> tuple[Suspect, ...]:
        """Suspects with sizes estimated together."""
        if not self.chosen:
            return ()
        signatures = np.stack([self._signature(best) for best, *_ in self.chosen], axis=1)
        weighed = self.system.factor.solve(signatures)
        covariance = np.linalg.inv(signatures.T @ weighed)
        sizes = covariance @ (weighed.T @ self.residual)
        sds = np.sqrt(np.diagonal(covariance))
        return tuple(
            self._suspect(*choice, size=float(size), sd=float(sd))
            for choice, size, sd in zip(self.chosen, sizes, sds, strict=True)
        )

    def _suspect(
        self, best: int, statistic: float, same: Index, ratio: Vector, *, size: float, sd: float
    ) -> Suspect:
        """One group as biases, leaks, or biases that are also leaks."""
        found = self.found
        leader = self.directions[best]
        gain = dict(zip(self.directions[same].tolist(), ratio.tolist(), strict=True))
        columns = np.flatnonzero(np.isin(found.label, self.directions[same]))
        scale = [gain[int(found.label[j])] * self._relative(int(j)) for j in columns]
        scale = [s / self._relative(int(leader)) for s in scale]
        parts = {
            kind: [(j, s) for j, s in zip(columns, scale, strict=True) if (j < found.bias) == bias]
            for kind, bias in (("bias", True), ("leak", False))
        }
        made = [
            Suspect(
                kind,  # type: ignore[arg-type]
                tuple(int(found.names[j]) for j, _ in part),
                statistic,
                tuple(size / s for _, s in part),
                tuple(sd / abs(s) for _, s in part),
            )
            for kind, part in parts.items()
            if part
        ]
        first, *others = made
        return Suspect(
            first.kind, first.members, first.statistic, first.size, first.size_sd, tuple(others)
        )

    def _relative(self, column: int) -> float:
        """Length of a signature along the first of its direction."""
        columns, label = self.found.columns, int(self.found.label[column])
        return float(columns.data[columns.indptr[column]] / columns.data[columns.indptr[label]])
