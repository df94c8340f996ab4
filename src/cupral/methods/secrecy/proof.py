"""Proof: doubts that show, by arithmetic alone, that no reader comes too close to any cell.

A doubt found for one cell serves every other cell and reader that it moves far enough, so that
a few of them prove a table. Who doubts the proof need not trust the solver that found it: that a
doubt annuls the relations, leaves published cells alone and stays within a reader's room can be
worked out again from the tables (`absorb`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from cupral.methods.secrecy.engine import Router
from cupral.methods.secrecy.panel import Mask, Vector
from cupral.methods.secrecy.reader import SLACK, View, known_to, steps

_DUST = 1e-7
"""Largest residual of a relation, of the doubt's largest move: a solver's rounding."""
SIDES = ((1.0, "above"), (-1.0, "below"))


@dataclass(frozen=True, slots=True)
class Exposure:
    """A sensitive cell that a reader can come too close to."""

    column: int
    cell: int
    reader: int
    """Number of a holder, or -1 for everybody."""
    side: str
    """'above' or 'below' the true value."""
    level: float
    """How far his estimate had to be able to err."""


@dataclass(slots=True)
class Proof:
    """What has been shown of one column so far."""

    view: View
    up: np.ndarray
    """(targets, readers) whether he must reckon with so much more."""
    down: np.ndarray
    open: Mask
    """(targets,) whether anything of a target is not shown yet."""
    doubts: list[Vector] = field(default_factory=list)

    def absorb(self, doubt: Vector) -> None:
        """Note for which cells and readers a doubt is far enough; keep it if for any new one."""
        move = doubt[self.view.targets]
        chosen = np.flatnonzero((move != 0) & self.open)
        if not chosen.size:
            return
        along, against = steps(self.view, doubt)
        size = np.abs(move[chosen])[:, None]
        rises = (move[chosen] > 0)[:, None]
        up, down = (size * np.where(rises, *pair) for pair in ((along, against), (against, along)))
        up = (up >= self.view.up[chosen] * (1.0 - SLACK)) & ~self.up[chosen]
        down = (down >= self.view.down[chosen] * (1.0 - SLACK)) & ~self.down[chosen]
        if up.any() or down.any():
            self.up[chosen] |= up
            self.down[chosen] |= down
            self.open[chosen] = ~(self.up[chosen] & self.down[chosen]).all(axis=1)
            self.doubts.append(doubt)

    def missing(self, target: int) -> list[tuple[float, int]]:
        """Sides and readers for whom a target (by its number) is not shown to be safe.

        Whoever contributes nothing comes first.
        """
        found: list[tuple[float, int]] = []
        if not self.open[target]:
            return found
        for (sign, _), shown in zip(SIDES, (self.up, self.down), strict=True):
            readers = np.flatnonzero(~shown[target])
            found += [(sign, int(reader)) for reader in readers[::-1]]
        return found


def proof(view: View) -> Proof:
    """An empty proof: only what needs no doubt is shown."""
    up, down = view.up <= 0, view.down <= 0
    return Proof(view, up, down, np.asarray(~(up & down).all(axis=1)))


def seek(
    known: Proof, router: Router, target: int, allowed: Mask, hints: Iterable[Vector] = ()
) -> Iterator[Vector | tuple[float, int]]:
    """Look for doubts about one target that move allowed cells only.

    Parameters
    ----------
    hints : doubts that another column knows of the same cell; tried before any program is solved

    Yields
    ------
    each doubt as it is absorbed, and (side, reader) where there is none.
    """
    view, place = known.view, int(known.view.targets[target])
    for doubt in hints:
        if known.open[target]:
            known.absorb(doubt)
    if not known.open[target]:
        return
    for doubt in _for_everybody(known, router, target, allowed):
        known.absorb(doubt)
        yield doubt
    hopeless: set[tuple[float, int]] = set()
    while left := [one for one in known.missing(target) if one not in hopeless]:
        sign, reader = left[0]
        level = (view.up if sign > 0 else view.down)[target, reader]
        room, knows = known_to(view, reader)
        free = np.where(allowed & ~knows, np.inf, 0.0)
        found = router.doubt(place, sign, free, np.minimum(free, room / level))
        if found is not None:
            known.absorb(found)
            yield found
        if (sign, reader) in known.missing(target):
            hopeless.add((sign, reader))
            yield sign, reader


def _for_everybody(
    known: Proof, router: Router, target: int, allowed: Mask
) -> Iterator[Vector]:  # fmt: skip
    """Doubts that hold whoever reads: of both sides at once, else of each side."""
    view, place = known.view, int(known.view.targets[target])
    limit = np.where(allowed, view.robust, 0.0)
    for sign in (0.0, 1.0, -1.0):
        need = _need(known, target, sign)
        if need <= 0.0:
            continue
        fall = limit / need
        rise = fall if sign == 0.0 else np.where(limit > 0, np.inf, 0.0)
        found = router.doubt(place, sign or 1.0, rise, fall)
        if found is not None:
            yield found


def _need(known: Proof, target: int, sign: float) -> float:
    """The largest level that is not shown yet, on one side or (0) on both."""
    need = 0.0
    for side, levels, shown in (
        (1.0, known.view.up, known.up),
        (-1.0, known.view.down, known.down),
    ):
        if sign in (side, 0.0):
            need = max(need, float(levels[target][~shown[target]].max(initial=0.0)))
    return need


def sound(relations: sparse.csr_array, doubt: Vector, hidden: Mask) -> bool:
    """Whether a doubt leaves published cells alone and every total the sum of its parts."""
    if doubt[~hidden].any():
        return False
    return bool(np.abs(relations @ doubt).max(initial=0.0) <= _DUST * np.abs(doubt).max())


def replayed(view: View, relations: sparse.csr_array, doubts: Iterable[Vector], hidden: Mask) -> (
    Proof
):  # fmt: skip
    """The proof that the sound ones of some doubts give for a pattern of hidden cells."""
    made = proof(view)
    for doubt in doubts:
        if sound(relations, doubt, hidden):
            made.absorb(doubt)
    return made
