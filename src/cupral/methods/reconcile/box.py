"""Weighted least squares between bounds: the problem, and proof that nothing satisfies it."""

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from cupral.methods.reconcile.errors import ContradictionError, ScaleError, listed
from cupral.methods.reconcile.factor import Schur, schur
from cupral.methods.reconcile.problem import Columns, Index, Vector

EMPTY = 1e-9
"""A combination of balances that misses by this share of its terms, whatever the flows within
their bounds, cannot be closed."""

CUT_OFF = 1e-30
"""A balance with less than this share of its variance between bounds counts as cut off."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """``min sum (x - center)^2 / variance`` with ``B x = target``, ``lower <= x <= upper``."""

    balance: Columns
    """B, (p, k), independent rows."""
    size: Columns
    """Magnitudes of the entries of B."""
    squared: Columns
    """Their squares."""
    leaky: Columns
    """B with a leak beside each balance, (p, k + p)."""
    target: Vector
    """(p,)."""
    terms: Vector
    """Sum of the magnitudes each target was made of, (p,): its rounding is relative to this."""
    center: Vector
    """(k,)."""
    variance: Vector
    """(k,), positive."""
    lower: Vector
    """(k,), -inf for none."""
    upper: Vector
    """(k,), inf for none."""
    streams: Index
    """Stream behind each column, for messages, (k,)."""
    projector: Columns
    """(p, m) from the balances, for messages."""

    def factor(self, variance: Vector, damping: Vector, former: Schur | None) -> Schur:
        """Factor ``B V B^T`` for variances that may be zero, always on one pattern.

        The leaks add a share `damping` to the diagonal, more where that is not enough; a balance
        without any variance gets back what it has in the box.

        Raises
        ------
        ScaleError
        """
        own, full = self.diagonal(variance), self.diagonal(self.variance)
        for growth in (1.0, 1e2, 1e4, 1e6):
            leak = np.where(own > CUT_OFF * full, growth * damping * own, full)
            both = np.concatenate((variance, leak))
            try:
                return schur(self.leaky, both, uncertainty=False, former=former)
            except ScaleError as error:
                failure = error
        raise failure

    def diagonal(self, variance: Vector) -> Vector:
        """Diagonal of ``B V B^T``, (p,)."""
        return np.asarray(self.squared @ variance)

    def gap(self, x: Vector) -> Vector:
        """Imbalance ``B x - target``, (p,)."""
        return np.asarray(self.balance @ x - self.target)

    def share(self, gap: Vector, x: Vector) -> Vector:
        """Imbalances relative to the terms of each balance at x, (p,)."""
        terms = self.size @ np.abs(x) + self.terms
        return np.asarray(np.abs(gap) / np.where(terms > 0, terms, 1.0))

    def proves_empty(self, ray: Vector) -> bool:
        """Whether no x within the bounds makes ``ray . (B x - target)`` zero or less (Farkas)."""
        along = self._along(ray)
        used = along != 0.0
        reached = along[used] * np.where(along > 0, self.lower, self.upper)[used]
        terms = float(np.abs(reached).sum() + np.abs(ray) @ self.terms)
        return bool(np.isfinite(terms) and reached.sum() - ray @ self.target > EMPTY * terms)

    def _along(self, ray: Vector) -> Vector:
        """``B^T ray`` without what rounding left of cancelled terms."""
        along = self.balance.T @ ray
        return np.where(np.abs(along) > EMPTY * (self.size.T @ np.abs(ray)), along, 0.0)

    def refuse(self, ray: Vector) -> NoReturn:
        """Raise with the balances and bounds that a ray combines, as few as are found.

        Raises
        ------
        ContradictionError
        """
        sharp = self.ray(self._combined(ray))
        ray = sharp if self.proves_empty(sharp) else ray
        rows = self._combined(ray)
        balances = np.unique(sparse.csr_array(self.projector)[rows].indices)
        streams = self.streams[np.flatnonzero(self._along(ray))]
        raise ContradictionError(
            f"no flow within the bounds closes balance {listed(balances)} (row from 0): the "
            f"bounds of stream {listed(streams)} (from 0) contradict it. Allowed are bounds "
            "which some balanced flow satisfies. Correct one of these bounds, a fixed value "
            "(sd = 0) or rhs."
        )

    def _combined(self, ray: Vector) -> Index:
        """Rows that weigh in a ray."""
        weight = np.abs(ray) * self.size.sum(axis=1)
        return np.flatnonzero(weight > 1e-6 * weight.max(initial=0.0))

    def ray(self, rows: Index) -> Vector:
        """The ray with which a linear programme ends its search for an x that closes some rows.

        Source
        ------
        Phase one of the simplex method; its multipliers are a Farkas ray when it fails.
        """
        part = sparse.csr_array(self.balance)[rows]
        used, p = np.unique(part.indices), len(rows)
        slack = sparse.eye_array(p, format="csr")
        limits: Any = np.zeros((len(used) + 2 * p, 2))
        limits[: len(used)] = np.stack((self.lower, self.upper), axis=1)[used]
        limits[len(used) :, 1] = np.inf
        found = linprog(
            np.concatenate((np.zeros(len(used)), np.ones(2 * p))),
            A_eq=sparse.hstack([part[:, used], slack, -slack], format="csc"),
            b_eq=self.target[rows],
            bounds=limits,
            method="highs",
        )
        ray = np.zeros(len(self.target))
        if found.x is not None:
            ray[rows] = -found.eqlin.marginals
        return ray
