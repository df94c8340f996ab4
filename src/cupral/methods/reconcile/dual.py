"""The dual of weighted least squares within bounds, climbed by Newton's method.

At multipliers m the best flows are ``x = clip(y - V B^T m, lower, upper)``: bounds and
stationarity hold by construction, and what is left open, ``B x - d``, is the slope of the dual,
a concave function of quadratic pieces. A Newton step factors ``B V B^T`` over the streams
between their bounds, always on the same pattern, so the order of elimination is found once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cupral.methods.reconcile.factor import Schur
from cupral.methods.reconcile.forcing import Forced
from cupral.methods.reconcile.problem import Mask, Vector

CLOSURE = 1e-13
"""Balances are closed when they miss by less than this share of their terms."""
STALLED = 1e-9
"""... or this, when rounding keeps them from closing further."""
TRACE = 1e-6
"""Flows below this share of an sd are no scale to measure an imbalance by."""
DAMPING, FLOOR = 1e-3, 1e-13
"""Added to the diagonal, as a share of it: this times how open the balance is, at least so much.
Parts cut off by streams at their bounds would be singular without."""
LONGEST = 1e15
"""Longest step, in Newton steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where a search for the optimum stands."""

    value: Vector
    """x, within its bounds, (k,)."""
    multiplier: Vector
    """(p,)."""
    closed: bool
    """Whether the balances close, so that x is the optimum."""
    steps: int


class Dual:
    """Newton's method on the dual of a box."""

    __slots__ = ("_multiplier", "_raw", "_terms", "box", "factor", "posed")

    def __init__(self, posed: Forced, factor: Schur | None = None) -> None:
        """Prepare what no step changes; a factor of the same pattern is used up."""
        self.posed, self.factor = posed, factor
        box = self.box = posed.box
        sd = np.sqrt(box.variance)
        self._terms: Vector = box.size @ (np.abs(box.center) + TRACE * sd) + box.terms

    def climb(self, start: Vector, allowed: int) -> Point:
        """Newton steps from multipliers (p,) until every balance closes.

        Raises
        ------
        ContradictionError
            The dual rises without end: nothing within the bounds closes the balances.
        """
        self._multiplier, self._raw = start, self._unclipped(start)
        sides, mark, idle = np.zeros(0, dtype=np.bool_), np.inf, 0
        for steps in range(allowed + 1):
            value, free = self._clip()
            gap = self.box.gap(value)
            share = self._share(gap, value)
            worst = float(np.max(share, initial=0.0))
            mark, idle = (worst, 0) if worst < 0.5 * mark else (mark, idle + 1)
            if worst <= CLOSURE or (worst <= STALLED and idle >= 5):
                self._polish()
                return Point(self._clip()[0], self._multiplier, True, steps)
            if steps < allowed:
                self._advance(gap, self._newton(gap, free, share), np.array_equal(free, sides))
                sides = free
        return Point(value, self._multiplier, False, allowed)

    def _unclipped(self, multiplier: Vector) -> Vector:
        """``y - V B^T m``."""
        return np.asarray(self.box.center - self.box.variance * (self.box.balance.T @ multiplier))

    def _clip(self) -> tuple[Vector, Mask]:
        """x, and which streams are between their bounds."""
        lower, upper = self.box.lower, self.box.upper
        free = (self._raw > lower) & (self._raw < upper)
        return np.clip(self._raw, lower, upper), free

    def _share(self, gap: Vector, value: Vector) -> Vector:
        """Imbalance relative to the terms it was computed from, (p,)."""
        terms = self.box.size @ np.abs(value) + self._terms
        return np.asarray(np.abs(gap) / np.where(terms > 0, terms, 1.0))

    def _newton(self, gap: Vector, free: Mask, share: Vector) -> Vector:
        """Step that closes the balances while every stream stays on its side."""
        variance = np.where(free, self.box.variance, 0.0)
        damping = np.maximum(DAMPING * share, FLOOR)
        self.factor = self.box.factor(variance, damping, self.factor)
        step = self.factor.solve(gap)
        rising = np.isfinite(step).all() and step @ gap > 0.0
        return step if rising else np.asarray(gap / self.box.diagonal(self.box.variance))

    def _advance(self, gap: Vector, step: Vector, same: bool) -> None:
        """Move along a step to where the dual is highest."""
        along = self.box.balance.T @ step
        length = self._length(gap, step, along)
        self._multiplier = self._multiplier + length * step
        if same and length == 1.0:
            # adding the change to x loses fewer digits than forming x anew
            self._raw = self._raw - self.box.variance * along
        else:
            self._raw = self._unclipped(self._multiplier)

    def _length(self, gap: Vector, step: Vector, along: Vector) -> float:
        """Where along a step the slope of the dual vanishes; 1 when that is near enough."""
        box, pull = self.box, self.box.variance * along
        begin = float(step @ gap)

        def slope(length: float) -> float:
            return float(step @ box.gap(np.clip(self._raw - length * pull, box.lower, box.upper)))

        low, high, at_low, at_high = 0.0, 1.0, begin, slope(1.0)
        if abs(at_high) <= 0.5 * begin:
            return 1.0
        if at_high > 0.0 and box.proves_empty(step):
            self.posed.refuse(step)
        while at_high > 0.1 * begin and high < LONGEST:
            low, at_low, high = high, at_high, 4.0 * high
            at_high = slope(high)
        return high if at_high > 0.0 else _root(slope, (low, high), (at_low, at_high), 0.01 * begin)

    def _polish(self) -> None:
        """Close the balances to the last digits with the factor at hand."""
        box = self.box
        for _ in range(2 if self.factor else 0):
            value, _ = self._clip()
            gap = box.gap(value)
            step = self.factor.solve(gap) if self.factor else gap
            trial = self._raw - box.variance * (box.balance.T @ step)
            moved = np.clip(trial, box.lower, box.upper)
            better = box.share(box.gap(moved), moved).max(initial=0.0)
            if not better < 0.5 * box.share(gap, value).max(initial=0.0):
                return
            self._raw, self._multiplier = trial, self._multiplier + step


def _root(
    slope: Callable[[float], float],
    ends: tuple[float, float],
    slopes: tuple[float, float],
    enough: float,
) -> float:
    """Zero of a falling function between two ends, by the Illinois rule.

    Source
    ------
    Dowell and Jarratt 1971, BIT 11:168.
    """
    (low, high), (at_low, at_high) = ends, slopes
    for _ in range(60):
        middle = low + (high - low) * at_low / (at_low - at_high)
        margin = 0.01 * (high - low)
        middle = min(max(middle, low + margin), high - margin)
        here = slope(middle)
        if abs(here) <= enough:
            return middle
        if here > 0.0:
            low, at_low, at_high = middle, here, 0.5 * at_high
        else:
            high, at_high, at_low = middle, here, 0.5 * at_low
    return low if low > 0.0 else middle
