"""Readings that can hardly be true: of times to come, or far from what the meter usually reads."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cupral.ledger.errors import Fault
from cupral.ledger.flow import Assay, Stocktake
from cupral.systems.balance.commands.rows import Entry, span_of

_PLANT = timedelta(hours=8)
"""Plant time is UTC+8."""
SOON, NEVER = timedelta(days=1), timedelta(days=5 * 366)
"""Later than now by the one is noticed (clocks differ), by the other it is a slip of the pen."""


def plant_now() -> datetime:
    """The clock on the wall of a plant."""
    return datetime.now(UTC).replace(tzinfo=None) + _PLANT


def doubtful(
    entries: Sequence[Entry], posted: Iterable[Mapping[str, Any]], *, ratio: float, now: datetime
) -> tuple[list[Fault], list[Fault]]:
    """Faults and warnings about new rows.

    Parameters
    ----------
    posted : rows of the same meters that stand in the ledger
    ratio : how many times its usual value a reading may be before it is noticed [1]
    now : plant time
    """
    early = [(entry, span_of(entry.noun)[1] - now) for entry in entries]
    faults = [_to_come(entry, now) for entry, ahead in early if ahead > NEVER]
    warnings = [_to_come(entry, now) for entry, ahead in early if SOON < ahead <= NEVER]
    return faults, warnings + _unusual(entries, posted, ratio)


def _to_come(entry: Entry, now: datetime) -> Fault:
    start, end = span_of(entry.noun)
    what = f"{entry.noun.meter} is read until {end}, and today is {now:%Y-%m-%d}"
    return Fault(entry.row.number, "start", f"{start}", what, "check the year and the month")


def _unusual(
    entries: Sequence[Entry], posted: Iterable[Mapping[str, Any]], ratio: float
) -> list[Fault]:
    """Rows whose value lies a factor `ratio` from the median of their meter, or more.

    Of two readings nobody can say which is unusual; the later one is then compared with the
    earlier. A store may be empty, so a stocktake is noticed only when it is large.
    """
    history: dict[str, list[tuple[datetime, float]]] = {}
    for row in posted:
        if value := _posted_rate(row):
            at = row.get("instant") or row["start"]
            history.setdefault(row["meter"], []).append((at, value))
    rated = [(entry, value) for entry in entries if (value := _rate(entry))]
    for entry, value in rated:
        at = span_of(entry.noun)[0]
        history.setdefault(entry.noun.meter, []).append((at, value))
    usual = {meter: _median(sorted(values)) for meter, values in history.items()}
    return [
        _noticed(entry, value / usual[entry.noun.meter], len(history[entry.noun.meter]))
        for entry, value in rated
        if value >= ratio * usual[entry.noun.meter]
        or (value <= usual[entry.noun.meter] / ratio and not isinstance(entry.noun, Stocktake))
    ]


def _median(values: Sequence[tuple[datetime, float]]) -> float:
    return statistics.median(value for _, value in values) if len(values) > 2 else values[0][1]


def _rate(entry: Entry) -> float:
    """What is compared: amount a day, fraction or stock; 0 = not compared."""
    noun = entry.noun
    if isinstance(noun, Assay):
        return 0.0 if noun.detection_limit is not None else noun.fraction
    start, end = span_of(noun)
    return noun.amount / ((end - start) / timedelta(days=1)) if end > start else noun.amount


def _posted_rate(row: Mapping[str, Any]) -> float:
    if "fraction" in row:
        return 0.0 if row["detection_limit"] is not None else float(row["fraction"])
    if "instant" in row:
        return float(row["amount"])
    return float(row["amount"] / ((row["end"] - row["start"]) / timedelta(days=1)))


def _noticed(entry: Entry, times: float, count: int) -> Fault:
    column = "value" if isinstance(entry.noun, Assay) else "amount"
    what = f"{entry.noun.meter} reads {times:.3g} times its usual ({count} readings compared)"
    cure = "check the digits and the unit; it is taken as it stands"
    return Fault(entry.row.number, column, str(entry.row[column] or ""), what, cure)
