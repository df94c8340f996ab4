"""Period: a calendar span with a name that a person writes.

Names: `2026-03-01T05` hour, `2026-03-01` day, `2026-03` month, `2026-JF` the merged
January-February of Chinese statistics, `2026-Q1` quarter, `2026` year, and
`2025-11..2026-10` a run of months (both ends included). Times are plant time (UTC+8), naive.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from cupral.ledger.errors import InputError

Kind = Literal["hour", "day", "month", "january-february", "quarter", "year", "months"]

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_RUN = re.compile(r"(\d{4}-\d{2})\.\.(\d{4}-\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open calendar span [start, end)."""

    start: datetime
    end: datetime
    kind: Kind

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InputError(f"period ends ({self.end}) before it starts ({self.start})")

    @staticmethod
    def parse(text: "str | Period") -> "Period":
        """Read a period from its name.

        Raises
        ------
        InputError
            If the text is no name of a period.

        Examples
        --------
        >>> Period.parse("2026-JF").months
        (202601, 202602)
        >>> str(Period.parse("2025-11..2026-10"))
        '2025-11..2026-10'
        """
        return text if isinstance(text, Period) else _parse(text.strip())

    @staticmethod
    def month(month: int) -> "Period":
        """The month written as YYYYMM."""
        return _month(month // 100, month % 100, 1, "month")

    @staticmethod
    def run(first: int, last: int) -> "Period":
        """All months from first to last (YYYYMM, both included)."""
        count = months_between(first, last) + 1
        if count < 1:
            raise InputError(f"months run backwards: {first}..{last}; write the earlier one first")
        kind: Kind = "month" if count == 1 else "months"
        return _month(first // 100, first % 100, count, kind)

    @staticmethod
    def ending(last: int, count: int) -> "Period":
        """The months, `count` of them, that end with `last` (YYYYMM).

        Examples
        --------
        >>> str(Period.ending(202610, 12))
        '2025-11..2026-10'
        """
        first = last // 100 * 12 + last % 100 - count
        return Period.run(first // 12 * 100 + first % 12 + 1, last)

    @staticmethod
    def spanning(start: datetime, end: datetime) -> "Period":
        """The span of a row by its name: a month, January and February merged, or months.

        Examples
        --------
        >>> str(Period.spanning(datetime(2026, 1, 1), datetime(2026, 3, 1)))
        '2026-JF'
        """
        months = Period(start, end, "months").months
        if len(months) == 1:
            return Period(start, end, "month")
        merged = len(months) == 2 and months[0] % 100 == 1
        return Period(start, end, "january-february" if merged else "months")

    @property
    def months(self) -> tuple[int, ...]:
        """The calendar months this span touches, as YYYYMM."""
        first = self.start.year * 12 + self.start.month - 1
        latest = self.end - timedelta(microseconds=1)
        last = latest.year * 12 + latest.month - 1
        return tuple((m // 12) * 100 + m % 12 + 1 for m in range(first, last + 1))

    @property
    def last_day(self) -> date:
        """Its last day, whose rules apply to the whole of it."""
        return (self.end - timedelta(microseconds=1)).date()

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.end - self.start).total_seconds() / 86400.0

    def shifted(self, years: int) -> "Period":
        """The same calendar span in another year."""
        first, last = self.months[0], self.months[-1]
        if self.kind in ("hour", "day"):
            raise InputError(f"{self} is shorter than a month and has no like span in another year")
        moved = Period.run(first + years * 100, last + years * 100)
        return Period(moved.start, moved.end, self.kind)

    def __str__(self) -> str:
        if self.kind == "hour":
            return self.start.strftime("%Y-%m-%dT%H")
        if self.kind == "day":
            return self.start.strftime("%Y-%m-%d")
        if self.kind == "january-february":
            return f"{self.start.year}-JF"
        if self.kind == "quarter":
            return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        if self.kind == "year":
            return str(self.start.year)
        first, last = self.months[0], self.months[-1]
        name = f"{first // 100}-{first % 100:02d}"
        return name if self.kind == "month" else f"{name}..{last // 100}-{last % 100:02d}"


def months_between(first: int, last: int) -> int:
    """How many months last lies after first (both YYYYMM)."""
    return (last // 100 - first // 100) * 12 + last % 100 - first % 100


def _month(year: int, month: int, count: int, kind: Kind) -> Period:
    index = year * 12 + month - 1 + count
    try:
        return Period(datetime(year, month, 1), datetime(index // 12, index % 12 + 1, 1), kind)
    except (ValueError, OverflowError) as error:
        raise InputError(f"no month {year}-{month:02d}: {error}") from None


@lru_cache(maxsize=4096)
def _parse(text: str) -> Period:
    if re.fullmatch(r"\d{4}", text):
        return _month(int(text), 1, 12, "year")
    if run := _RUN.fullmatch(text):
        first, last = (int(end.replace("-", "")) for end in run.groups())
        return Period.run(first, last)
    if month := _MONTH.fullmatch(text):
        return _month(int(month[1]), int(month[2]), 1, "month")
    if special := re.fullmatch(r"(\d{4})-(JF|Q[1-4])", text):
        year, part = int(special[1]), special[2]
        if part == "JF":
            return _month(year, 1, 2, "january-february")
        return _month(year, 3 * int(part[1]) - 2, 3, "quarter")
    for form, kind, length in (("%Y-%m-%d", "day", 24), ("%Y-%m-%dT%H", "hour", 1)):
        try:
            start = datetime.strptime(text, form)
        except ValueError:
            continue
        try:
            return Period(start, start + timedelta(hours=length), kind)  # type: ignore[arg-type]
        except OverflowError:
            raise InputError(f"{text!r} ends after the last day of the calendar") from None
    raise InputError(
        f"{text!r} is no period; write 2026, 2026-03, 2026-JF, 2026-Q1, 2026-03-01,"
        " 2026-03-01T05 or 2025-11..2026-10"
    )
