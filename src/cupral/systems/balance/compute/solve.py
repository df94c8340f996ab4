"""Reconcile one month: believe all meters, name the suspects, set them aside, reconcile again.

Nothing is set aside silently: each doubt is listed with its size. Meters that cannot be told
apart are set aside together, because naming one of them would be a guess.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from scipy import sparse

from cupral.methods.reconcile import (
    Loadings,
    Reconciliation,
    Suspect,
    detectability,
    group_covariance,
    loadings,
    reconcile,
    reconcile_nonlinear,
    suspects,
)
from cupral.systems.balance.compute import judging
from cupral.systems.balance.model import Doubt, Judgement, Layout, MonthBalance, Noun, Vector

UNKNOWN_WEIGHT = 1e-3
"""Weight of an unmeasured flow's start value beside measured ones, in the start problem."""


class Quadratic:
    """Constraint `A x + sum of q x_i x_j` with its Jacobian, for the Gauss-Newton method."""

    def __init__(self, layout: Layout) -> None:
        self.linear = layout.linear
        self.row, self.coefficient, self.left, self.right = layout.products

    def __call__(self, x: Vector, /) -> tuple[Vector, sparse.csr_array]:
        """Residual (equations,) and Jacobian (equations, variables) at x."""
        rows = self.linear.shape[0]
        product = self.coefficient * x[self.left] * x[self.right]
        residual: Vector = np.asarray(self.linear @ x) + np.bincount(self.row, product, rows)
        values = np.concatenate((self.coefficient * x[self.right], self.coefficient * x[self.left]))
        index = (np.tile(self.row, 2), np.concatenate((self.left, self.right)))
        bilinear = sparse.csr_array((values, index), shape=self.linear.shape)
        return residual, sparse.csr_array(self.linear + bilinear)


def solve(
    month: int,
    layout: Layout,
    *,
    treatment: str,
    level: float,
    judgements: Iterable[Judgement] = (),
) -> MonthBalance:
    """The reconciled month, with its doubts.

    Parameters
    ----------
    treatment
        'compensate' sets doubted meters aside, 'keep' believes them and only names them.
    level
        Significance level of the tests [1].
    judgements
        What people decided about doubts of this month; counts when compensating.
    """
    raw = estimate(layout, frozenset(), level)
    found, without, rest = _named(layout, raw, level)
    doubts = tuple(_doubt(layout, suspect) for suspect in found)
    compensate = treatment == "compensate"
    aside = judging.set_aside(layout, doubts, judgements) if compensate else frozenset()
    known = {frozenset[int](): raw, without: rest}
    final = known[aside] if aside in known else estimate(layout, aside, level)
    return MonthBalance(
        month=month, layout=layout, raw=raw, final=final, doubts=doubts, set_aside=aside
    )


@lru_cache(maxsize=2048)
def detectable(balance: MonthBalance) -> Vector:
    """Smallest bias of each variable's reading that the search finds nine times of ten.

    Not part of `solve`: sums of months and the plan never ask for it.
    """
    return detectability(balance.raw, rows=leakable(balance.layout)).bias


def _named(
    layout: Layout, raw: Reconciliation, level: float
) -> tuple[list[Suspect], frozenset[int], Reconciliation]:
    """Suspects, the readings set aside to find them, and the reconciliation without those.

    With products in the equations a gross error bends the tangent in which others are judged:
    the likeliest is set aside and the month solved anew before the next is named.
    """
    found: list[Suspect] = []
    aside: frozenset[int] = frozenset()
    current = raw
    while named := suspects(current, rows=leakable(layout)):
        straight = not len(layout.products[0]) or named[0].kind == "leak"
        found += named if straight else named[:1]
        new = named if straight else named[:1]
        aside |= {i for one in new if one.kind == "bias" for i in one.members}
        if straight and not any(one.kind == "bias" for one in new):
            break
        current = estimate(layout, aside, level)
        if straight:
            break
    return found, aside, current


def estimate(layout: Layout, aside: Iterable[int], level: float) -> Reconciliation:
    """Reconcile with the measurements of some variables left out."""
    measured, sd = layout.measured.copy(), layout.sd.copy()
    left_out = list(aside)
    measured[left_out] = np.nan
    sd[left_out] = np.nan
    covariance = _covariance(layout, measured, sd)
    if not len(layout.products[0]):
        return reconcile(layout.linear, measured, sd, covariance=covariance, level=level)
    return reconcile_nonlinear(
        Quadratic(layout),
        measured,
        sd,
        start=start(layout, measured, sd),
        covariance=covariance,
        level=level,
    )


def start(layout: Layout, measured: Vector, sd: Vector) -> Vector:
    """Start values: fractions as measured, the rest by least squares on the balances."""
    value = np.where(np.isfinite(measured), measured, layout.measured)
    fraction = np.array([v.noun == Noun.FRACTION for v in layout.variables])
    value = np.where(np.isnan(value) & fraction, 0.5, value)
    row, coefficient, left, right = layout.products
    bilinear = sparse.csr_array(
        (coefficient * value[right], (row, left)), shape=layout.linear.shape
    )
    balances = (layout.linear + bilinear).toarray()
    scale = np.nanmax(np.abs(np.where(fraction, np.nan, value)), initial=1.0)
    known = np.isfinite(measured)
    spread = np.where(known, np.maximum(np.nan_to_num(sd), 1e-12 * scale), scale / UNKNOWN_WEIGHT)
    spread = np.where(fraction, 1e-9, spread)
    target = np.nan_to_num(value)
    weight = np.min(spread[~fraction], initial=scale) * 1e-2
    matrix = np.vstack([np.diag(1.0 / spread), balances / weight])
    right_side = np.concatenate([target / spread, np.zeros(len(balances))])
    found: Vector = np.linalg.lstsq(matrix, right_side, rcond=None)[0]
    return np.where(fraction, target, found)


def groups(layout: Layout) -> tuple[tuple[str, ...], Vector, Vector]:
    """Names of the correlation groups, and for each variable its group and shared variance."""
    names = sorted({reading.group for reading in layout.readings.values()})
    position = {name: index for index, name in enumerate(names)}
    group = np.full(len(layout.variables), -1)
    share = np.zeros(len(layout.variables))
    for variable, reading in layout.readings.items():
        group[variable] = position[reading.group]
        share[variable] = reading.correlation
    return tuple(names), group, share


def split(balance: MonthBalance) -> tuple[tuple[str, ...], Loadings]:
    """Uncertainty of every variable by correlation group, with the groups' names."""
    group_names, group, share = groups(balance.layout)
    found = loadings(balance.final, group=group, share=share)
    return tuple(group_names[int(index)] for index in found.groups), found


def _covariance(layout: Layout, measured: Vector, sd: Vector) -> sparse.csr_array | None:
    _, group, share = groups(layout)
    used = np.isfinite(measured)
    inside = group[used & (group >= 0)]
    if len(inside) == len(np.unique(inside)):
        return None
    return group_covariance(np.where(used, sd, 0.0), group=np.where(used, group, -1), share=share)


def leakable(layout: Layout) -> list[int]:
    """Equations that can leak: balances, not ties of a second meter."""
    return [row for row, equation in enumerate(layout.equations) if equation.balance != "tie"]


def _doubt(layout: Layout, suspect: Suspect) -> Doubt:
    # a group holds tonnes and mass fractions: the size told is that of its largest member
    largest = int(np.argmax(np.abs(suspect.size)))
    also = tuple(name for other in suspect.also for name in names(layout, other))
    return Doubt(
        meters=names(layout, suspect),
        kind=suspect.kind,
        size=suspect.size[largest],
        size_sd=suspect.size_sd[largest],
        unit=unit(layout, suspect, largest),
        statistic=suspect.statistic,
        also=tuple(dict.fromkeys(also)),
        members=tuple(suspect.members) if suspect.kind == "bias" else (),
    )


def names(layout: Layout, suspect: Suspect) -> tuple[str, ...]:
    """Meters of a suspected bias, or `leak:process:balance` of a leak."""
    if suspect.kind == "leak":
        rows = [layout.equations[row] for row in suspect.members]
        return tuple(f"leak:{equation.process}:{equation.balance}" for equation in rows)
    return tuple(dict.fromkeys(layout.variables[member].meter for member in suspect.members))


def unit(layout: Layout, suspect: Suspect, member: int = 0) -> str:
    """Unit of a suspect's size, or of one of its members'."""
    if suspect.kind == "leak":
        return "MWh" if layout.equations[suspect.members[0]].balance == "energy" else "t"
    return layout.readings[suspect.members[member]].unit
