"""Working days: until when something must be done if the law counts days of work.

The day on which something happens is not counted (民法典第二百零一条). Working days leave out
weekends and public holidays, and take in the weekend days on which the State Council lets
people work (调休上班); for a year whose arrangement is not known, weekends only.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from itertools import islice
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.parameter import Parameter

PUBLIC_HOLIDAYS = "documents.public_holidays"
"""Parameter of the holidays and shifted working days of each year."""

_CHINA = timezone(timedelta(hours=8))
_SATURDAY = 5
_MOST = 500
"""Days that a deadline may count."""


def today_in_china() -> date:
    """The day by which deadlines are counted, wherever the computer stands."""
    return datetime.now(_CHINA).date()


def due_on(start: date, days: int, *, arranged: Callable[[int], Mapping[str, Any] | None]) -> date:
    """The last day of a deadline of so many working days that begins after a day.

    Parameters
    ----------
    start : the day on which it is set off, itself not counted
    days : working days [d]
    arranged : the arrangement of a year, `{"holidays": [days or first/last], "workdays":
        [days]}`, or None if it is not known

    Examples
    --------
    >>> due_on(date(2026, 11, 20), 2, arranged=lambda year: None)  # a Friday
    datetime.date(2026, 11, 24)
    """
    if not 1 <= days <= _MOST:
        raise InputError(f"a deadline of {days} working days; 1 to {_MOST} are counted")
    return next(islice(_working(start, arranged), days - 1, None))


def _working(start: date, arranged: Callable[[int], Mapping[str, Any] | None]) -> Iterator[date]:
    day, years = start, dict[int, tuple[set[date], set[date]]]()
    while True:
        day += timedelta(days=1)
        if day.year not in years:
            known = arranged(day.year) or {}
            years[day.year] = (_days(known.get("holidays", ())), _days(known.get("workdays", ())))
        holidays, workdays = years[day.year]
        if day in workdays or (day.weekday() < _SATURDAY and day not in holidays):
            yield day


def _days(spans: Any) -> set[date]:
    """Days of spans such as '2026-02-15/2026-02-23' or '2026-02-14'."""
    found = set()
    for span in spans:
        first, _, last = str(span).partition("/")
        day, end = date.fromisoformat(first), date.fromisoformat(last or first)
        while day <= end:
            found.add(day)
            day += timedelta(days=1)
    return found


def arrangement(
    parameter: Callable[[str, date], Parameter], *, id: str = PUBLIC_HOLIDAYS
) -> Callable[[int], Mapping[str, Any] | None]:
    """Arrangements of years as a parameter has them, by `Ledger.parameter`."""

    def of_year(year: int) -> Mapping[str, Any] | None:
        try:
            value: Mapping[str, Any] = parameter(id, date(year, 1, 1)).value
        except CannotDecide:
            return None
        return value

    return of_year
