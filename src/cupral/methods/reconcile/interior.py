"""A way through the inside of the bounds, for problems whose optimum is far from every guess."""

import numpy as np
from numpy.typing import NDArray

from cupral.methods.reconcile.box import Box
from cupral.methods.reconcile.errors import ScaleError
from cupral.methods.reconcile.factor import Schur
from cupral.methods.reconcile.problem import Columns, Mask, Vector

STEPS = 150
"""Steps allowed."""
SHARE = 0.995
"""Part of the way to the nearest bound that a step may go."""
DAMPING = 1e-13
"""Added to the diagonal, as a share of it."""
REFINED = 2
"""Refinements of each solve."""
IDLE = 30
"""Steps without progress after which the best so far is given."""
NEAR = 1e-10
"""Mean product of slack and multiplier, in squared sd, and imbalance, in sd, at which the
optimum is near enough."""


class Interior:
    """Mehrotra's predictor and corrector, in units of the sd of each stream.

    Source
    ------
    Mehrotra 1992, SIAM J. Optim. 2:575; Nocedal and Wright 2006, Numerical Optimization, ch. 16.6.
    """

    __slots__ = (
        "_balance", "_bounded", "_center", "_full", "_multiplier", "_open", "_pressure", "_sign",
        "_slack", "_target", "_value", "box", "factor",
    )  # fmt: skip

    def __init__(self, box: Box, factor: Schur | None = None) -> None:
        """Start near the measurements, inside the bounds."""
        self.box, self.factor = box, factor
        sd = np.sqrt(box.variance)
        self._balance: Columns = box.balance.copy()
        self._balance.data *= np.repeat(sd, np.diff(self._balance.indptr))
        self._target, self._full = box.target, box.diagonal(box.variance)
        self._center, lower, upper = box.center / sd, box.lower / sd, box.upper / sd
        self._open: Mask = lower < upper
        self._sign = np.array([[1.0], [-1.0]])
        self._bounded: NDArray[np.bool_] = np.isfinite([lower, upper]) & self._open
        inset = np.minimum(0.25 * (upper - lower), 1.0 + 0.1 * np.abs(self._center))
        self._value = np.clip(self._center, lower + inset, upper - inset)
        self._slack = np.where(self._bounded, [self._value - lower, upper - self._value], 1.0)
        self._multiplier = np.zeros(len(box.target))
        moved = np.abs(self._value - self._center) * self._slack.min(axis=0)
        self._pressure = np.where(self._bounded, 1.0 + moved.mean(), 0.0) / self._slack

    def multiplier(self) -> Vector:
        """Multipliers of the balances near the optimum, (p,)."""
        kept, smallest, mark, idle = self._multiplier, np.inf, np.inf, 0
        for _ in range(STEPS):
            gap = self._balance @ self._value - self._target
            product = self._product(self._slack, self._pressure)
            worst = max(product, float(np.max(np.abs(gap) / np.sqrt(self._full), initial=0.0)))
            mark, idle = (worst, 0) if worst < 0.5 * mark else (mark, idle + 1)
            if worst < smallest:
                kept, smallest = self._multiplier, worst
            if worst <= NEAR or idle >= IDLE:
                break
            try:
                self._step(gap, product)
            except ScaleError:
                break
        return kept

    def _product(self, slack: NDArray[np.float64], pressure: NDArray[np.float64]) -> float:
        """Mean product of slack and multiplier of the bounds."""
        return float((slack * pressure)[self._bounded].sum() / max(self._bounded.sum(), 1))

    def _step(self, gap: Vector, product: float) -> None:
        """Predict with the bounds' products sent to zero, correct towards equal products."""
        slack, pressure = self._slack, self._pressure
        weight = np.where(self._open, 1.0 / (1.0 + (pressure / slack).sum(axis=0)), 0.0)
        variance = weight * self.box.variance
        damping = np.full(len(gap), DAMPING)
        self.factor = self.box.factor(variance, damping, self.factor)
        goal = -slack * pressure
        change, _, force = self._direction(self.factor, gap, weight, goal)
        length = min(1.0, self._reach(change, force))
        reached = self._product(slack + length * self._sign * change, pressure + length * force)
        centring = min((reached / product) ** 3, 1.0) * product if product > 0.0 else 0.0
        goal = goal + centring - self._sign * change * force
        change, step, force = self._direction(self.factor, gap, weight, goal)
        length = min(1.0, SHARE * self._reach(change, force))
        self._value = self._value + length * change
        self._multiplier = self._multiplier + length * step
        self._slack = np.where(self._bounded, slack + length * self._sign * change, 1.0)
        self._pressure = pressure + length * force

    def _direction(
        self, factor: Schur, gap: Vector, weight: Vector, goal: NDArray[np.float64]
    ) -> tuple[Vector, Vector, NDArray[np.float64]]:
        """Changes of x, of the multipliers and of the bounds' multipliers."""
        push = np.where(self._bounded, goal / self._slack, 0.0)
        slope = self._value - self._center + self._balance.T @ self._multiplier
        slope = slope - (self._sign * self._pressure).sum(axis=0)
        wish = weight * ((self._sign * push).sum(axis=0) - slope)
        right = self._balance @ wish + gap
        step = factor.solve(right)
        for _ in range(REFINED):
            left = right - self._balance @ (weight * (self._balance.T @ step))
            step = step + factor.solve(left)
        change = wish - weight * (self._balance.T @ step)
        force = push - self._pressure / self._slack * self._sign * change
        return change, step, np.where(self._bounded, force, 0.0)

    def _reach(self, change: Vector, force: NDArray[np.float64]) -> float:
        """Longest step that keeps slacks and multipliers positive."""
        nearest = np.inf
        for value, moved in ((self._slack, self._sign * change), (self._pressure, force)):
            falling = self._bounded & (moved < 0.0)
            nearest = min(nearest, float(np.min(-value[falling] / moved[falling], initial=np.inf)))
        return nearest
