"""Gross errors that last over months: all months judged as one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from cupral.methods.reconcile import (
    ReconcileError,
    Reconciliation,
    Suspect,
    estimate,
    pooled_suspects,
    pose,
)
from cupral.systems.balance.compute import solve
from cupral.systems.balance.model import Layout, MonthBalance, Vector

Row = dict[str, Any]
LEAST = 1e-4
"""Share of a variance that counts as new every month, however much is said to be kept."""


def rows(balances: Sequence[MonthBalance]) -> tuple[Row, ...]:
    """One row an error that begins in some month and stays, as a share of the flow.

    Months are pooled where their equations are the same; `months` says which were. The part of
    an uncertainty that a meter keeps (its correlation) is no fault: only what exceeds it is. A
    reading set aside in a few months is left out of these: that fault is told already.
    """
    alike = _alike(balances)
    if len(alike) < 2:  # one month is judged by itself
        return ()
    layout, often, groups = alike[0].layout, _often(alike), _groups(alike)
    try:
        found = pooled_suspects(
            [_with_own_errors(balance, often) for balance in alike],
            rows=solve.leakable(layout), proportional=True, onset=True,
            lasting=[_kept(balance, groups) for balance in alike],
        )  # fmt: skip
    except ReconcileError as error:
        return ({"kind": "cannot decide", "meters": [], "reason": str(error)},)
    months = [balance.month for balance in alike]
    return tuple(_row(layout, months, one) for one in found)


def _alike(balances: Sequence[MonthBalance]) -> list[MonthBalance]:
    """The months with the commonest equations."""
    shapes = Counter((b.layout.variables, b.layout.equations) for b in balances)
    if not shapes:
        return []
    ((common, _),) = shapes.most_common(1)
    return [b for b in balances if (b.layout.variables, b.layout.equations) == common]


def _often(balances: Sequence[MonthBalance]) -> set[str]:
    """Meters set aside in more than a third of the months."""
    count = Counter(
        meter
        for balance in balances
        for meter in {balance.layout.variables[i].meter for i in balance.set_aside}
    )
    return {meter for meter, months in count.items() if 3 * months > len(balances)}


def _with_own_errors(balance: MonthBalance, often: set[str]) -> Reconciliation:
    """The month on its tangent, each reading with the part of its sd that is new every month."""
    layout, tangent = balance.layout, balance.final.system.problem
    back = [i for i in balance.set_aside if layout.variables[i].meter in often]
    measured, sd = tangent.measured.copy(), tangent.sd.copy()
    measured[back], sd[back] = layout.measured[back], layout.sd[back]
    _, _, share = solve.groups(layout)
    own = sd * np.sqrt(np.maximum(1.0 - share, LEAST))
    problem = pose(tangent.incidence, measured, own, rhs=tangent.rhs)
    return estimate(problem, level=balance.raw.level)


def _groups(balances: Sequence[MonthBalance]) -> list[str]:
    """All groups of readings that share an error, in any month."""
    return sorted({name for balance in balances for name in solve.groups(balance.layout)[0]})


def _kept(balance: MonthBalance, every: Sequence[str]) -> Vector:
    """One sd of what each group keeps, by variable, (n, g)."""
    names, group, share = solve.groups(balance.layout)
    place = [every.index(name) for name in names]
    kept = np.zeros((len(group), len(every)))
    for variable in np.flatnonzero((group >= 0) & (share > 0.0)):
        sd = balance.layout.sd[variable]
        kept[variable, place[group[variable]]] = np.sqrt(share[variable]) * np.nan_to_num(sd)
    return kept


def _row(layout: Layout, months: Sequence[int], one: Suspect) -> Row:
    return {
        "kind": one.kind, "meters": list(solve.names(layout, one)),
        "size": one.size[0], "size_sd": one.size_sd[0],
        "unit": "1" if one.kind == "bias" else solve.unit(layout, one),
        "statistic": one.statistic,
        "onset": months[one.onset] if one.onset is not None else None,
        "onsets": [months[place] for place in one.onsets],
        "months": len(months), "first": months[0], "last": months[-1], "reason": "",
    }  # fmt: skip
