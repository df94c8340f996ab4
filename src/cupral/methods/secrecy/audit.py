"""Audit: can anybody who knows all that is published come too close to a sensitive cell?

For each sensitive cell, each reader and each side, the audit either has a doubt that is far
enough or solves the linear program that looks for one; if that has no solution, the cell is
exposed. Passing is thus a proof, and failing names cell and reader.

Sums over columns. If months are columns and every month passes, the sums of any months pass as
well, though a reader knows that they are sums: a doubt about a month raises the sum by as much,
and the doubts of the months add up to at least the level that the sum needs, because p <= 1,
k >= 1/2, and each level is the largest of functions that add (p x_j - rest; x_1 / k - X). A cell
that is sensitive in the sum is sensitive in a month. So cumulations need no columns of their own,
as long as a cell that is hidden in a month stays hidden in the sums that contain it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cupral.methods.secrecy.engine import Ceiling, Router
from cupral.methods.secrecy.panel import Column, Mask, Panel, Vector, entries
from cupral.methods.secrecy.proof import SIDES, Exposure, Proof, replayed, seek
from cupral.methods.secrecy.reader import NOBODY, View, known_to, views
from cupral.methods.secrecy.rule import Rule

Doubts = Sequence[Sequence[Vector]]
"""Doubts of each column."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit of a pattern found."""

    exposed: tuple[Exposure, ...]
    doubts: tuple[tuple[Vector, ...], ...]
    """The certificate: doubts of each column that prove what is not exposed."""
    sensitive: int
    """Number of sensitive cells, over all columns."""

    @property
    def safe(self) -> bool:
        """Whether nobody comes too close to anything."""
        return not self.exposed


def audit(panel: Panel, rule: Rule, hidden: Mask, *, doubts: Doubts = ()) -> Audit:
    """Audit a pattern of hidden cells that holds for all columns.

    Parameters
    ----------
    doubts : doubts that may prove something; each is checked before it counts

    Examples
    --------
    >>> from cupral.methods.secrecy.panel import axis, lattice
    >>> two = lattice([axis({"all": ["a", "b"]}, "all")])
    >>> made = two.panel([np.array([1, 1, 1, 2])], [np.arange(4)],
    ...     [np.array([5.0, 4.0, 4.0, 9.0])], 4)
    >>> audit(made, Rule(), np.array([False, False, True])).exposed[0].cell
    2
    """
    found = views(panel, rule)
    given = [*doubts, *[()] * (len(found) - len(doubts))]
    router, proofs, exposed = Router(panel.relations, np.ones(len(panel.cells))), [], []
    for number, (view, some) in enumerate(zip(found, given, strict=True)):
        sought = _sought(replayed(view, panel.relations, some, hidden), router, hidden)
        known = replayed(view, panel.relations, sought.doubts, hidden)  # trust no solver
        proofs.append(tuple(known.doubts))
        for target in range(view.targets.size):
            exposed += [_exposure(view, target, one, number) for one in known.missing(target)]
    sensitive = sum(view.targets.size for view in found)
    return Audit(tuple(exposed), tuple(proofs), sensitive)


def _sought(known: Proof, router: Router, hidden: Mask) -> Proof:
    """A proof with doubts for all hidden targets that have some."""
    for target, place in enumerate(known.view.targets):
        if hidden[place]:
            for _ in seek(known, router, target, hidden):
                pass
    return known


def _exposure(view: View, target: int, missing: tuple[float, int], number: int) -> Exposure:
    sign, reader = missing
    level = float((view.up if sign > 0 else view.down)[target, reader])
    shown = NOBODY if reader == view.up.shape[1] - 1 else reader
    return Exposure(number, int(view.targets[target]), shown, dict(SIDES)[sign], level)


def intervals(
    panel: Panel, column: int, hidden: Mask, *, reader: int = NOBODY, rule: Rule | None = None
) -> tuple[Vector, Vector]:
    """Between what limits a reader can put every cell of a column.

    Returns
    -------
    two (n,) arrays; a published cell's are its value, and inf stands for no limit.
    """
    view = views(Panel(panel.cells, panel.relations, (panel.columns[column],), panel.holders),
                 rule or Rule())[0]  # fmt: skip
    room, knows = known_to(view, reader)
    free = hidden & ~knows
    scale = view.column.scale
    rise = np.where(free, np.inf, 0.0)
    fall = np.where(free, room / scale, 0.0)
    value = view.column.value
    low, high, ceiling = value.copy(), value.copy(), Ceiling(panel.relations)
    for place in np.flatnonzero(free):
        for sign, limit in ((1.0, high), (-1.0, low)):
            reach, _, _ = ceiling.highest(int(place), sign, rise, fall)
            limit[place] += sign * (np.inf if reach > _ENDLESS else reach * scale)
    return low, high


_ENDLESS = 1e3
"""A reach, in the column's largest value, that only the engine's own limit ends."""


def total(columns: Sequence[Column], size: int) -> Column:
    """The sum of some columns, e.g. January to September."""
    cells, holders, amounts = (
        np.concatenate([getattr(one, name) for one in columns])
        for name in ("cell", "holder", "amount")
    )
    return entries(size, cells, holders, amounts)
