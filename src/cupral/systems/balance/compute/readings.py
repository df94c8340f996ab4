"""From ledger rows to one reading for each meter and month.

Rows of a meter within a month are summed (flows) or averaged over time (assays). What the
rows of one meter share of their error adds up; the rest adds in quadrature.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cupral.ledger.period import Period
from cupral.systems.balance.model import Reading

Row = Mapping[str, Any]
_DAY = timedelta(days=1)
NEAR = _DAY
"""A stocktake this close to the turn of the month counts as taken at it."""


def month_readings(
    month: int, flows: Sequence[Row], assays: Sequence[Row], stocktakes: Sequence[Row]
) -> list[Reading]:
    """All readings of one month from the rows that lie in it (stocktakes: around its ends)."""
    period = Period.month(month)
    readings = [
        _summed("flow", rows) for rows in _by(flows, ("meter", "stream")) if rows[0]["meter"]
    ]
    readings += [_averaged(rows) for rows in _by(assays, ("meter", "stream", "element"))]
    for kind, instant in (("opening", period.start), ("closing", period.end)):
        near = [row for row in stocktakes if abs(row["instant"] - instant) <= NEAR]
        readings += [_taken(kind, rows, instant) for rows in _by(near, ("meter", "process"))]
    return readings


def label(month: int, reading: Reading) -> str:
    """Name of a reading; that of a stocktake says when, since both ends have the same meter.

    Examples
    --------
    >>> one = Reading(meter="yard", where="yard", kind="closing", element="", value=1.0, sd=1.0,
    ...               unit="t", group="", correlation=0.0, references=())
    >>> label(202605, one)
    'yard 2026-06-01'
    """
    period = Period.month(month)
    instant = {"opening": period.start, "closing": period.end}.get(reading.kind)
    return f"{reading.meter} {instant:%Y-%m-%d}" if instant else reading.meter


def partial(month: int, flows: Sequence[Row]) -> dict[str, list[str]]:
    """Meters whose rows do not cover the month (within a day), by what they do cover."""
    period, found = Period.month(month), dict[str, list[str]]()
    whole = _days(period.start, period.end)
    for rows in _by(flows, ("meter",)):
        inside = math.fsum(
            max(0.0, _days(max(row["start"], period.start), min(row["end"], period.end)))
            for row in rows
        )
        other = math.fsum(_days(row["start"], row["end"]) for row in rows) - inside
        said = f"{inside:.3g} of {whole:g} days of {month} read"
        if other > NEAR / _DAY:
            said += f", and {other:.3g} days of other months"
        if max(whole - inside, other) > NEAR / _DAY:
            found.setdefault(said, []).append(rows[0]["meter"])
    return found


def _days(start: datetime, end: datetime) -> float:
    return (end - start) / _DAY


def _by(rows: Sequence[Row], names: tuple[str, ...]) -> Iterable[list[Row]]:
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups.values()


def _summed(kind: str, rows: list[Row]) -> Reading:
    value = math.fsum(row["amount"] for row in rows)
    return _reading(kind, "flows", rows, value, [row["sd"] for row in rows], rows[0]["unit"])


def _averaged(rows: list[Row]) -> Reading:
    spans = [(row["end"] - row["start"]).total_seconds() for row in rows]
    whole = math.fsum(spans)
    value = math.fsum(row["fraction"] * span for row, span in zip(rows, spans, strict=True)) / whole
    sds = [row["sd"] * span / whole for row, span in zip(rows, spans, strict=True)]
    return _reading("assay", "assays", rows, value, sds, "kg/kg")


def _taken(kind: str, rows: list[Row], instant: datetime) -> Reading:
    nearest = min(rows, key=lambda row: abs(row["instant"] - instant))
    value, sds = nearest["amount"], [nearest["sd"]]
    return _reading(kind, "stocktakes", [nearest], value, sds, nearest["unit"])


def _reading(
    kind: str, table: str, rows: list[Row], value: float, sds: list[float], unit: str
) -> Reading:
    first = rows[0]
    share = first["correlation"]
    together = math.fsum(sds) ** 2 * share + math.fsum(sd * sd for sd in sds) * (1.0 - share)
    return Reading(
        meter=first["meter"],
        where=first.get("stream") or first.get("process") or "",
        kind=kind,
        element=first.get("element", ""),
        value=value,
        sd=math.sqrt(together),
        unit=unit,
        group=first["correlation_group"] or f"{first['site']}/{first['meter']}",
        correlation=share,
        references=tuple(f"{table}:{row['posting']}/{row['row']}" for row in rows),
        demonstration=any(row["demonstration"] for row in rows),
    )
