"""Pattern: which cells to hide besides the sensitive ones, so that nobody comes too close.

Every cell has a weight, what its readers lose. Small panels are solved exactly (cuts after
Fischetti and Salazar, Management Science 47, 2001: the master chooses cells, a linear program
per cell, reader and side says which further cells would raise his doubt); large ones by the
cheapest doubt for each sensitive cell in turn (after Castro's shortest paths, Comput. Oper. Res.
39, 2012, as linear programs, which hierarchies and linked tables need), after which cells that
turned out needless are shown again. Either way the audit has the last word.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from cupral.methods.secrecy.audit import Audit, audit
from cupral.methods.secrecy.engine import Ceiling, Router, cheapest_cover
from cupral.methods.secrecy.errors import UnprotectedError
from cupral.methods.secrecy.panel import Mask, Panel, Vector
from cupral.methods.secrecy.proof import Proof, proof, replayed, seek
from cupral.methods.secrecy.reader import SLACK, View, known_to, views
from cupral.methods.secrecy.rule import Rule

SMALL = 4_000
"""Cells times sensitive cells up to which the exact search is tried."""
ROUNDS = 60
"""Rounds of cuts after which the exact search gives up."""
SECONDS = 5.0
"""Time for each master program."""
FAR = 1e4
"""Largest change of a cell in a cut, in levels."""
TIDY = 3_000
"""Further cells times doubts up to which needless ones are looked for."""
_FREE = 1e-6
"""Cost of moving a hidden cell, of the dearest cell's: so that doubts stay short."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The cells that are hidden in every column of a panel."""

    hidden: Mask
    primary: Mask
    """Sensitive by themselves, in some column, or closed before."""
    audit: Audit
    optimal: bool
    """Whether no cheaper pattern exists."""


def protect(
    panel: Panel, rule: Rule, *, weight: Vector | None = None, closed: Mask | None = None,
    barred: Mask | None = None,
) -> Pattern:  # fmt: skip
    """Choose the cells to hide.

    Parameters
    ----------
    weight : (n,) what is lost with a cell; unless told, its mean value over the columns
    closed : (n,) cells to hide in any case
    barred : (n,) cells that must stay published

    Raises
    ------
    UnprotectedError
        If that cannot be done.

    Examples
    --------
    >>> from cupral.methods.secrecy.panel import axis, lattice
    >>> three = lattice([axis({"all": ["a", "b", "c"]}, "all")])
    >>> made = three.panel([np.array([1, 2, 2, 2, 3, 3, 3, 3])], [np.arange(8)],
    ...     [np.array([3.0, 5.0, 4.0, 4.0, 9.0, 8.0, 7.0, 7.0])], 8)
    >>> protect(made, Rule()).hidden.tolist()
    [False, True, True, False]
    """
    size, found = len(panel.cells), views(panel, rule)
    lost = _usual_weight(panel) if weight is None else weight
    shut = np.zeros(size, bool) if closed is None else closed.copy()
    for view in found:
        shut[view.targets] = True
    kept = np.zeros(size, bool) if barred is None else barred
    if (shut & kept).any():
        place = int(np.flatnonzero(shut & kept)[0])
        raise UnprotectedError(f"cell {panel.cells[place]} is sensitive but must stay published")
    hidden, doubts = _heuristic(panel, found, lost, shut, kept)
    exact = None
    if size * sum(view.targets.size for view in found) <= SMALL:
        exact = _exact(panel, found, lost, shut, kept)
    checked = audit(panel, rule, hidden if exact is None else exact, doubts=doubts)
    return Pattern(hidden if exact is None else exact, shut, checked, exact is not None)


def _usual_weight(panel: Panel) -> Vector:
    values = np.abs(np.array([column.value for column in panel.columns]))
    mean: Vector = values.mean(axis=0) if len(panel.columns) else np.zeros(len(panel.cells))
    return mean + 1e-3 * (mean.max(initial=0.0) or 1.0)


def _heuristic(
    panel: Panel, found: tuple[View, ...], weight: Vector, shut: Mask, kept: Mask
) -> tuple[Mask, list[list[Vector]]]:  # fmt: skip
    """Sensitive cells one after the other, each by the cheapest doubt."""
    hidden, price = shut.copy(), weight / weight.max(initial=1e-300)
    router = Router(panel.relations, np.where(hidden, _FREE, price))
    proofs, hints = [proof(view) for view in found], defaultdict[int, list[Vector]](list)
    for number, known in enumerate(proofs):
        for target, place in enumerate(known.view.targets):
            for doubt in seek(known, router, target, ~kept, tuple(hints[place])):
                if isinstance(doubt, tuple):
                    raise _unprotected(panel, number, int(place), doubt)
                hints[place].append(doubt)
                if (doubt[~hidden] != 0).any():
                    hidden |= doubt != 0
                    router.price(np.where(hidden, _FREE, price))
    return _tidied(panel, proofs, weight, shut, hidden)


def _unprotected(
    panel: Panel, column: int, place: int, missing: tuple[float, int]
) -> UnprotectedError:  # fmt: skip
    side = "above" if missing[0] > 0 else "below"
    return UnprotectedError(
        f"cell {panel.cells[place]} of column {column}: reader {missing[1]} comes too close from"
        f" {side} whatever is hidden; leave out the totals it counts in"
    )


def _tidied(
    panel: Panel, proofs: list[Proof], weight: Vector, shut: Mask, hidden: Mask
) -> tuple[Mask, list[list[Vector]]]:  # fmt: skip
    """Show again, dearest first, what the others protect without it."""
    doubts = [list(known.doubts) for known in proofs]
    further = np.flatnonzero(hidden & ~shut)
    if further.size * sum(map(len, doubts)) > TIDY:
        return hidden, doubts
    router = Router(panel.relations, np.ones(weight.size))
    for place in further[np.argsort(-weight[further], kind="stable")]:
        fewer = hidden.copy()
        fewer[place] = False
        tried = _proven(panel, [known.view for known in proofs], doubts, router, fewer)
        if tried is not None:
            hidden, doubts = fewer, tried
    return hidden, doubts


def _proven(
    panel: Panel, found: list[View], doubts: list[list[Vector]], router: Router, hidden: Mask
) -> list[list[Vector]] | None:  # fmt: skip
    """Doubts that prove a pattern, from old ones where they last; None if it is not safe."""
    made = []
    for view, some in zip(found, doubts, strict=True):
        known = replayed(view, panel.relations, some, hidden)
        for target in range(view.targets.size):
            if any(isinstance(one, tuple) for one in seek(known, router, target, hidden)):
                return None
        made.append(known.doubts)
    return made


def _exact(
    panel: Panel, found: tuple[View, ...], weight: Vector, shut: Mask, kept: Mask
) -> Mask | None:  # fmt: skip
    """The cheapest safe pattern; None if it is not found within the rounds."""
    cuts: list[Vector] = []
    ceiling, hidden = Ceiling(panel.relations), shut.copy()
    for _ in range(ROUNDS):
        further = [cut for view in found for cut in _cuts(view, ceiling, hidden)]
        if not further:
            return hidden
        cuts += further
        chosen = cheapest_cover(weight, cuts, shut, kept, seconds=SECONDS)
        if chosen is None:
            return None
        hidden = chosen
    return None


def _cuts(view: View, ceiling: Ceiling, hidden: Mask) -> list[Vector]:
    """What must be hidden besides, for each target, reader and side that is too close."""
    known, cuts = proof(view), []
    for target, place in enumerate(view.targets):
        settled: set[tuple[float, int]] = set()
        while left := [one for one in known.missing(target) if one not in settled]:
            settled.add(left[0])
            sign, reader = left[0]
            level = (view.up if sign > 0 else view.down)[target, reader]
            room, knows = known_to(view, reader)
            rise = np.where(knows, 0.0, FAR)
            fall = np.where(knows, 0.0, np.minimum(room / level, FAR))
            rise[place] = fall[place] = 1.0
            reach, doubt, prices = ceiling.highest(
                int(place), sign, np.where(hidden, rise, 0.0), np.where(hidden, fall, 0.0)
            )
            if reach >= 1.0 - SLACK:
                known.absorb(doubt)
                continue
            helps = np.where(prices > 0, prices * rise, -prices * fall)
            helps[place] = 0.0
            cuts.append(np.where(helps > _FREE, np.minimum(helps, 1.0), 0.0))
    return cuts
