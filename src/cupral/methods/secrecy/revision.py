"""Revision: does the difference between two versions of a table single anybody out?

Whoever kept the first version subtracts it from the second. The difference is a table again, in
which only those count who changed; each published cell of it, and what remains of each published
total over its published parts, must stand on enough of them with none dominant, or be zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cupral.methods.secrecy.panel import CLOSURE, Column, Mask, entries
from cupral.methods.secrecy.rule import Rule, sensitivity


@dataclass(frozen=True, slots=True)
class Singled:
    """A difference that too few stand on, or that one dominates."""

    cell: int
    """Place of the published cell, or of the total whose hidden rest it is."""
    rest: bool
    """Whether it is the rest of a total over its published parts."""
    changed: int
    """How many holders changed."""


def singled(
    before: Column, after: Column, relations: sparse.csr_array, hidden: Mask, rule: Rule
) -> tuple[Singled, ...]:  # fmt: skip
    """Every difference of two versions that gives too few away.

    Parameters
    ----------
    hidden : (n,) cells that are hidden after; what was hidden before is hidden still

    Examples
    --------
    >>> one = entries(1, np.array([0, 0, 0]), np.arange(3), np.array([5.0, 6.0, 7.0]))
    >>> two = entries(1, np.array([0, 0, 0]), np.arange(3), np.array([5.0, 6.0, 8.0]))
    >>> none = sparse.csr_array((0, 1))
    >>> singled(one, two, none, np.array([False]), Rule())
    (Singled(cell=0, rest=False, changed=1),)
    """
    change = difference(before, after)
    shown = _judged(change, np.flatnonzero(~hidden), rule)
    found = [Singled(cell, rest=False, changed=count) for cell, count in shown]
    rests, wholes = _rests(change, relations, hidden)
    judged = _judged(rests, range(wholes.size), rule)
    found += [Singled(int(wholes[row]), rest=True, changed=count) for row, count in judged]
    return tuple(found)


def difference(before: Column, after: Column) -> Column:
    """What each holder changed, without those who changed nothing."""
    size = before.value.size
    cell = np.concatenate([before.cell, after.cell])
    holder = np.concatenate([before.holder, after.holder])
    amount = np.concatenate([-before.amount, after.amount])
    change = entries(size, cell, holder, amount)
    kept = np.abs(change.amount) > CLOSURE * max(before.scale, after.scale)
    return entries(size, change.cell[kept], change.holder[kept], change.amount[kept])


def _judged(change: Column, cells: Sequence[int] | np.ndarray, rule: Rule) -> list[
    tuple[int, int]
]:  # fmt: skip
    primary = sensitivity(change, rule).primary
    changed = np.bincount(change.cell, minlength=change.value.size)
    return [(int(cell), int(changed[cell])) for cell in cells if primary[cell]]


def _rests(change: Column, relations: sparse.csr_array, hidden: Mask) -> tuple[Column, np.ndarray]:
    """What the hidden parts of each published total changed by together."""
    signed = relations.tocsc()
    wholes, rows = [], []
    for row in range(relations.shape[0]):
        cells = relations.indices[relations.indptr[row] : relations.indptr[row + 1]]
        signs = relations.data[relations.indptr[row] : relations.indptr[row + 1]]
        whole = int(cells[signs > 0][0])
        if not hidden[whole] and hidden[cells].any():
            wholes.append(whole)
            rows.append(row)
    place = np.full(relations.shape[0], -1)
    place[rows] = np.arange(len(rows))
    cell, holder, amount = [], [], []
    for number in np.flatnonzero(hidden[change.cell]):
        at = change.cell[number]
        for row in signed.indices[signed.indptr[at] : signed.indptr[at + 1]]:
            if place[row] >= 0:
                cell.append(place[row])
                holder.append(change.holder[number])
                amount.append(change.amount[number])
    found = (np.array(cell, int), np.array(holder, int), np.array(amount, float))
    return entries(len(rows), *found), np.array(wholes, int)
