"""What kind of fault the readings show: wrong units, swapped tags, stuck, silent, sent twice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cupral.methods.reconcile import ReconcileError, without
from cupral.methods.standstill import repeated, silent, stuck
from cupral.methods.symptom import Factor, Symptom, swapped, unit_slips
from cupral.systems.balance.model import MonthBalance, Vector

Row = dict[str, Any]
FEWEST = 6
"""Months from which a series can be called stuck."""


def rows(balances: Sequence[MonthBalance], slips: Mapping[str, Any]) -> tuple[Row, ...]:
    """One row a symptom of the months of a site.

    Parameters
    ----------
    balances
        In order of time.
    slips
        Parameter `balance.unit_slips`: `factors` (name to reading / truth), `bias`,
        `slip_share`, `silent_months`.
    """
    found: list[Row] = []
    for balance in balances:
        found += _slipped(balance, slips)
        found += _swapped(balance)
    names, table = _series(balances)
    months = [balance.month for balance in balances]
    found += _repeated(months, names, table)
    found += _stuck(months, names, table, balances[0].raw.level)
    found += _silent(months, names, table, float(slips["silent_months"]))
    return tuple(found)


def _slipped(balance: MonthBalance, slips: Mapping[str, Any]) -> list[Row]:
    """Doubted readings that another unit explains."""
    factors = [Factor(name, factor) for name, factor in slips["factors"].items()]
    found = []
    for member in _doubted(balance):
        others = _others_say(balance, member)
        if others is None:
            continue
        reading = balance.layout.readings[member]
        symptoms = unit_slips(
            reading.value, reading.sd, *others, factors=factors, bias=slips["bias"],
            slip_share=slips["slip_share"],
        )  # fmt: skip
        found += [_row(balance.month, one, [reading.meter]) for one in symptoms]
    return found


def _swapped(balance: MonthBalance) -> list[Row]:
    """Pairs of doubted readings of one unit that fit each other's streams."""
    members = _doubted(balance)
    readings = [balance.layout.readings[member] for member in members]
    found = []
    for unit in sorted({(one.kind, one.unit, one.element) for one in readings}):
        alike = [m for m, r in zip(members, readings, strict=True)
                 if (r.kind, r.unit, r.element) == unit]  # fmt: skip
        said = _say(balance, alike) if len(alike) > 1 else None
        if said is None:
            continue
        value, sd = said
        given = [balance.layout.readings[member] for member in alike]
        symptoms = swapped([r.value for r in given], [r.sd for r in given], value, sd)
        found += [_row(balance.month, s, [given[i].meter for i in s.members]) for s in symptoms]
    return found


def _doubted(balance: MonthBalance) -> list[int]:
    """Variables whose reading is in doubt."""
    return sorted({member for doubt in balance.doubts for member in doubt.members})


def _others_say(balance: MonthBalance, member: int) -> tuple[float, float] | None:
    """What the believed meters say of one doubted reading; if they cannot, all but itself."""
    said = _say(balance, _doubted(balance))
    if said is not None:
        place = _doubted(balance).index(member)
        return float(said[0][place]), float(said[1][place])
    try:
        found = without(balance.raw, [member])
    except ReconcileError:
        return None
    return float(found.value[0]), float(np.sqrt(found.covariance[0, 0]))


def _say(balance: MonthBalance, members: Sequence[int]) -> tuple[Vector, Vector] | None:
    """Values and sd of doubted readings where all doubts are set aside, None where unknown."""
    value, sd = balance.final.value[members], balance.final.sd[members]
    if not set(members) <= balance.set_aside or not np.isfinite(value).all():
        return None
    return value, sd


def _series(balances: Sequence[MonthBalance]) -> tuple[list[str], Vector]:
    """Readings by meter and month, NaN where there is none; meters read once a month only."""
    found: dict[str, dict[int, float]] = {}
    for place, balance in enumerate(balances):
        for reading in balance.layout.readings.values():
            if reading.kind in ("flow", "assay") and ":" not in reading.meter:
                found.setdefault(reading.meter, {})[place] = reading.value
    names = sorted(found)
    table = np.full((len(names), len(balances)), np.nan)
    for row, name in enumerate(names):
        for place, value in found[name].items():
            table[row, place] = value
    return names, table


def _repeated(months: Sequence[int], names: Sequence[str], table: Vector) -> list[Row]:
    """Months whose readings are those of the month before."""
    return [
        _row(months[place], one, [names[i] for i in one.members])
        for place in range(1, len(months))
        for one in repeated(table[:, place], table[:, place - 1])
    ]


def _stuck(months: Sequence[int], names: Sequence[str], table: Vector, level: float) -> list[Row]:
    """Meters that give the same value month after month."""
    found = []
    for name, series in zip(names, table, strict=True):
        given = np.flatnonzero(np.isfinite(series))
        if len(given) < FEWEST:
            continue
        for one in stuck(series[given], level=level):
            last = months[given[one.members[1]]]
            found.append(_row(last, one, [name], first=months[given[one.members[0]]]))
    return found


def _silent(
    months: Sequence[int], names: Sequence[str], table: Vector, allowed: float
) -> list[Row]:
    """Meters that stopped reporting before the last month."""
    if not names:
        return []
    last = [float(np.flatnonzero(np.isfinite(series))[-1]) for series in table]
    now = float(len(months) - 1)
    return [
        _row(months[int(last[i])], one, [names[i]])
        for one in silent(last, [1.0] * len(names), now=now, allowed=allowed)
        for i in one.members
    ]


def _row(month: int, one: Symptom, meters: Sequence[str], first: int | None = None) -> Row:
    return {
        "month": month, "since": first, "kind": one.kind, "meters": list(meters),
        "evidence": one.evidence, "meaning": one.meaning, "check": one.check,
    }  # fmt: skip
