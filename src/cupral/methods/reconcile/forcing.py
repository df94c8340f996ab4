"""Streams that the bounds of a balance leave no choice.

A process that nothing can enter has nothing to give: all its flows are at their bounds, and so
on downstream. Such balances hold whatever their multipliers, so they are settled beforehand.
"""

from dataclasses import dataclass, field, replace
from typing import NoReturn

import numpy as np
from scipy import sparse

from cupral.methods.reconcile.box import EMPTY, Box
from cupral.methods.reconcile.problem import Index, Matrix, Vector

FORCED = 1e-13
"""Slack below this share of the terms of a balance counts as none."""


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Entries of B of the streams forced at once."""

    row: Index
    column: Index
    coefficient: Vector
    sign: int
    """1 when the balances are at the least they can be, -1 when at the most."""


@dataclass(slots=True, eq=False)
class Forced:
    """A box whose forced streams are fixed, and how they came to be."""

    box: Box
    given: Box
    """The same with the bounds as given."""
    passes: list[Pass] = field(default_factory=list)

    def refuse(self, ray: Vector) -> NoReturn:
        """Raise with the balances of a ray and those that forced the bounds it stands on.

        Raises
        ------
        ContradictionError
        """
        self.given.refuse(self.release(self.box.balance.T @ ray, ray))

    def release(self, gradient: Vector, multiplier: Vector) -> Vector:
        """Multipliers that hold the forced streams at their bounds instead of fixing them.

        Parameters
        ----------
        gradient : (k,)
            Slope of the Lagrangian along each stream at `multiplier`.
        multiplier : (p,)
            Its entries at forced balances are arbitrary so far.
        """
        gradient, multiplier = gradient.copy(), multiplier.copy()
        balance = self.box.balance
        for one in reversed(self.passes):
            needed = np.zeros(len(multiplier))
            wanted = one.sign * -gradient[one.column] / one.coefficient
            np.maximum.at(needed, one.row, wanted)
            if needed.any():
                multiplier += one.sign * needed
                gradient += balance.T @ (one.sign * needed)
        return multiplier


def forced(box: Box) -> Forced:
    """Fix what balances at the end of their range force, pass by pass.

    Raises
    ------
    ContradictionError
        The bounds keep a balance open.
    """
    result = Forced(replace(box, lower=box.lower.copy(), upper=box.upper.copy()), box)
    by_row: Matrix = sparse.csr_array(box.balance)
    todo = np.arange(by_row.shape[0])
    while len(todo):
        part = by_row if len(todo) == by_row.shape[0] else by_row[todo]
        fixed = [_fix(result, box, todo, part, sign) for sign in (1, -1)]
        todo = np.unique(box.balance[:, np.concatenate(fixed)].indices)
    return result


def _fix(result: Forced, box: Box, todo: Index, part: Matrix, sign: int) -> Index:
    """Streams fixed because a balance to do is at its least (sign 1) or most (-1) value."""
    lower, upper = result.box.lower, result.box.upper
    column, coefficient = part.indices, sign * part.data
    place = np.repeat(np.arange(len(todo)), np.diff(part.indptr))
    extreme = coefficient * np.where(coefficient > 0, lower[column], upper[column])
    least = np.bincount(place, extreme, len(todo)) - sign * box.target[todo]
    terms = np.bincount(place, np.abs(extreme), len(todo)) + box.terms[todo]
    bounded = np.isfinite(terms)
    least[~bounded], terms[~bounded] = -1.0, 0.0
    if (broken := least > EMPTY * terms).any():
        ray = np.zeros(len(box.target))
        ray[todo[np.argmax(broken)]] = sign
        result.refuse(ray)
    chosen = np.flatnonzero((least >= -FORCED * terms)[place] & (lower < upper)[column])
    streams, up = column[chosen], coefficient[chosen] > 0
    if len(chosen):
        result.passes.append(Pass(todo[place[chosen]], streams, part.data[chosen], sign))
    upper[streams[up]] = lower[streams[up]]
    lower[streams[~up]] = upper[streams[~up]]
    return np.unique(streams)
