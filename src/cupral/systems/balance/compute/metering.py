"""What each meter of a month is worth, and where another one would help."""

from typing import Any

import numpy as np

from cupral.ledger.quantity import canonical_unit
from cupral.methods.reconcile import best_next_meters, sd_with_meter
from cupral.methods.reconcile import influence as influence_of
from cupral.systems.balance.compute import solve
from cupral.systems.balance.compute.report import number
from cupral.systems.balance.model import Layout, MonthBalance, Noun, Vector

Row = dict[str, Any]


def influences(balance: MonthBalance, position: int) -> tuple[Row, ...]:
    """One row a meter that bears on a variable, the weightiest first."""
    names, group, share = solve.groups(balance.layout)
    found = influence_of(balance.final, position, group=group, share=share)
    rows = [
        {
            "meter": reading.meter, "stream": reading.where, "kind": reading.kind,
            "derivative": float(found.derivative[i]), "share": float(found.own[i]),
            "sd_without": number(found.sd_without[i]),
        }
        for i, reading in balance.layout.readings.items()
        if np.isfinite(found.derivative[i]) and found.own[i] > 0.0
    ]  # fmt: skip
    rows += [
        {
            "meter": f"shared: {names[int(index)]}", "stream": "", "kind": "group",
            "derivative": None, "share": float(part), "sd_without": None,
        }
        for index, part in zip(found.groups, found.shared, strict=True)
        if part > 0.0
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: -row["share"]))


def opening(balance: MonthBalance, position: int) -> list[str]:
    """Streams on which one meter would determine a variable that nothing determines."""
    places = _flows(balance.layout)
    spread = np.full(len(balance.final.value), np.nan)
    spread[places] = 1.0
    after = sd_with_meter(balance.final, position, spread)
    return [balance.layout.variables[i].where for i in places if np.isfinite(after[i])]


def places(
    balance: MonthBalance, relative_sd: float, position: int | None, limit: int
) -> tuple[Row, ...]:
    """The best places of one more flow meter."""
    layout, value = balance.layout, balance.final.value
    spread = np.full(len(value), np.nan)
    flows = _flows(layout)
    spread[flows] = relative_sd * _sizes(value[flows])
    found = best_next_meters(
        balance.final, spread, target=position, limit=limit,
        scale=None if position is not None else _scale(layout, value),
    )  # fmt: skip
    return tuple(
        {
            "stream": layout.variables[one.stream].where, "meter_sd": one.sd,
            "opened": one.opened, "before": number(one.before), "after": number(one.after),
        }
        for one in found
    )  # fmt: skip


def _scale(layout: Layout, value: Vector) -> Vector:
    """Flows count by their own size; nothing else counts."""
    scale = np.full(len(value), np.inf)
    flows = _flows(layout)
    scale[flows] = _sizes(value[flows])
    return scale


def _sizes(flow: Vector) -> Vector:
    """Magnitude of each flow; the median of the known ones where it is unknown or nothing."""
    size = np.abs(flow)
    return np.where(np.isfinite(size) & (size > 0.0), size, np.nanmedian(size))


def _flows(layout: Layout) -> list[int]:
    """Positions of the flows of streams."""
    return [i for i, one in enumerate(layout.variables) if one.noun == Noun.FLOW]


def unit(balance: MonthBalance, stream: str) -> str:
    """Canonical unit of a stream."""
    return canonical_unit(balance.layout.network.stream(stream).unit)
