"""Rule: which cells are sensitive, and how far their values must stay in doubt.

A cell stands on at least three enterprises, none dominant:

- fewer than `holders` enterprises contribute something: sensitive;
- (n, k): the n largest hold more than the share k of it: sensitive;
- p%: what remains besides the two largest is less than p of the largest, so that the second
  could estimate the first closer than p: sensitive.

Each rule says up to where a reader's estimate must be able to err (its protection level, after
Hundepool et al., Statistical Disclosure Control, 2012, section 4.2): (n, k) asks that
(x1 + ... + xn) / k be possible as the cell's value, p% that the second cannot bring the first
closer than p. Contributions are counted by absolute amount, so that a negative one weighs as much
as it says. A zero that somebody filed is a figure of his: a cell of filed zeros is sensitive. A
cell in which nobody filed anything is an empty place and is shown as zero.
"""

from dataclasses import dataclass

import numpy as np

from cupral.methods.secrecy.errors import RuleError
from cupral.methods.secrecy.panel import Column, Indices, Mask, Vector

SLIGHT = 1e-6
"""Least doubt about a sensitive cell, of the sum of its absolute contributions."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a cell is sensitive.

    Shares of dominance below one half and p above one are refused: only within these bounds does
    the protection of months add up to that of their sum (see `audit`).
    """

    holders: int = 3
    """Least number of enterprises that contribute something."""
    shares: tuple[tuple[int, float], ...] = ((1, 0.75), (2, 0.85))
    """(n, k): the n largest may hold at most the share k."""
    p: float = 0.10

    def __post_init__(self) -> None:
        if self.holders < 1 or not 0 < self.p <= 1:
            raise RuleError(f"holders {self.holders} and p {self.p:g}: give >= 1 and 0 < p <= 1")
        for n, k in self.shares:
            if n < 1 or not 0.5 <= k < 1:
                raise RuleError(f"({n}, {k:g}) dominance: give n >= 1 and 0.5 <= k < 1")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a column's cells need."""

    primary: Mask
    """(n,) whether a cell is sensitive by itself."""
    level: Vector
    """(n,) how far every reader who contributes nothing must be able to err, up and down."""
    level_of_entry: Vector
    """(m,) the same for each contributor of a cell, who subtracts his own; 0 if all is his."""
    sole: Mask
    """(m,) entries of cells that nobody else contributes to: their holders know them."""


def sensitivity(column: Column, rule: Rule) -> Sensitivity:
    """Judge every cell of a column.

    Examples
    --------
    >>> from cupral.methods.secrecy.panel import entries
    >>> three = np.array([0, 0, 0])
    >>> made = entries(1, three, np.arange(3), np.array([80.0, 15.0, 5.0]))
    >>> found = sensitivity(made, Rule(shares=(), p=0.1))
    >>> found.primary.tolist(), found.level.tolist()
    ([True], [3.0])
    """
    size, amount = column.value.size, np.abs(column.amount)
    order = np.lexsort((-amount, column.cell))
    cell, sorted_ = column.cell[order], amount[order]
    filed = np.bincount(column.cell, minlength=size)
    rank = np.arange(cell.size) - (np.cumsum(filed) - filed)[cell]
    whole = np.bincount(cell, weights=sorted_, minlength=size)
    first, second = _ranked(cell, sorted_, rank, 0, size), _ranked(cell, sorted_, rank, 1, size)
    level = rule.p * first - (whole - first - second)
    for n, k in rule.shares:
        top = np.bincount(cell, weights=np.where(rank < n, sorted_, 0.0), minlength=size)
        level = np.maximum(level, top / k - whole)
    few = np.bincount(column.cell, weights=amount > 0, minlength=size) < rule.holders
    primary = (filed > 0) & (few | (level > SLIGHT * whole))
    least = np.where(whole > 0, SLIGHT * whole, _usual(amount, rule))
    level = np.where(few, np.maximum(level, rule.p * first), level)
    level = np.where(primary, np.maximum(level, least), 0.0)
    leads = np.zeros(cell.size, bool)
    leads[order] = rank == 0
    mine = column.cell
    other = np.where(leads, second[mine], first[mine])
    of_entry = rule.p * other - (whole[mine] - other - amount)
    of_entry = np.where(few[mine], np.maximum(of_entry, least[mine]), of_entry)
    sole = filed[mine] == 1
    of_entry = np.where(primary[mine] & ~sole, np.maximum(of_entry, 0.0), 0.0)
    return Sensitivity(primary, level, of_entry, sole)


def _ranked(cell: Indices, amount: Vector, rank: Indices, wanted: int, size: int) -> Vector:
    found = np.zeros(size)
    chosen = rank == wanted
    found[cell[chosen]] = amount[chosen]
    return found


def _usual(amount: Vector, rule: Rule) -> float:
    """How far a cell of filed zeros must stay in doubt: p of the usual contribution."""
    some = amount[amount > 0]
    return rule.p * float(np.median(some)) if some.size else 1.0
