"""Gross errors that last over months: all months judged as one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from cupral.methods.reconcile import ReconcileError, Suspect, pooled_suspects
from cupral.systems.balance.compute import solve
from cupral.systems.balance.model import Layout, MonthBalance

Row = dict[str, Any]


def rows(balances: Sequence[MonthBalance]) -> tuple[Row, ...]:
    """One row an error that begins in some month and stays, as a share of the flow.

    Months are pooled where their equations are the same; `months` says which were. Twelve
    months show an error of a third of the size that one month shows.
    """
    alike = _alike(balances)
    if len(alike) < 2:  # one month is judged by itself
        return ()
    layout = alike[0].layout
    try:
        found = pooled_suspects(
            [balance.raw for balance in alike],
            rows=solve.leakable(layout), proportional=True, onset=True,
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
