"""Working days against the State Council's notice for 2026 and the law's words, by hand."""

from datetime import date, timedelta

import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.working_days import arrangement, due_on
from cupral.system import parameter_book

BOOK = parameter_book()
ARRANGED = arrangement(BOOK.on)
DAYS_OFF = {"元旦": 3, "春节": 9, "清明节": 3, "劳动节": 5, "端午节": 3, "中秋节": 3, "国庆节": 7}
"""The notice says of each holiday how many days it has."""


def working(first: date, last: date) -> list[date]:
    """Working days from the first to the last day."""
    found, day = [], first - timedelta(days=1)
    while (day := due_on(day, 1, arranged=ARRANGED)) <= last:
        found.append(day)
    return found


def test_the_year_2026_has_248_working_days() -> None:
    """By hand: 261 weekdays; off on weekdays 2 + 6 + 1 + 3 + 1 + 1 + 5; 6 weekend days worked."""
    days = working(date(2026, 1, 1), date(2026, 12, 31))
    value = BOOK.on("documents.public_holidays", date(2026, 6, 1)).value
    off = [
        date.fromisoformat(span[:10]) + timedelta(n)
        for span, count in zip(value["holidays"], DAYS_OFF.values(), strict=True)
        for n in range(count)
    ]
    ends = [date.fromisoformat(span[-10:]) for span in value["holidays"]]
    assert [day for day in off if day in ends] == ends, "the notice's counts of days agree"
    assert len(days) == 261 - (2 + 6 + 1 + 3 + 1 + 1 + 5) + 6 == 248
    assert not set(days) & set(off)


def test_worked_weekend_days_are_the_notice_s() -> None:
    days = working(date(2026, 1, 1), date(2026, 12, 31))
    assert [f"{day:%m-%d %a}" for day in days if day.weekday() > 4] == [
        "01-04 Sun", "02-14 Sat", "02-28 Sat", "05-09 Sat", "09-20 Sun", "10-10 Sat"]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-25", 5, "2026-12-02"),  # Wednesday: 26, 27, 30, 1, 2
        ("2026-09-30", 1, "2026-10-08"),  # over National Day
        ("2026-02-13", 1, "2026-02-14"),  # a Saturday that is worked
        ("2026-02-14", 1, "2026-02-24"),  # over Spring Festival
        ("2026-02-27", 2, "2026-03-02"),  # Saturday 28 is worked
        ("2026-04-30", 3, "2026-05-08"),  # 6, 7, 8 May
        ("2026-05-08", 1, "2026-05-09"),  # a Saturday that is worked
        ("2026-06-18", 1, "2026-06-22"),
        ("2026-10-01", 20, "2026-11-03"),  # 20 days of art. 42 from a holiday
        ("2026-12-31", 1, "2027-01-01"),  # 2027 is not known yet: weekends only
        ("2025-09-30", 1, "2025-10-01"),  # nor is 2025 entered
    ],
)
def test_deadlines_counted_by_hand(start: str, days: int, due: str) -> None:
    found = due_on(date.fromisoformat(start), days, arranged=ARRANGED)
    assert found.isoformat() == due


def test_the_law_s_times() -> None:
    """行政许可法 art. 32 (five days) and art. 42 (twenty days)."""
    for name, days in (("days_to_take_up", 5), ("days_to_decide", 20)):
        parameter = BOOK.on(f"documents.{name}", date(2026, 6, 1))
        assert (parameter.value, parameter.force, parameter.confirmed) == (days, "law", False)


@pytest.mark.parametrize("days", [0, -1, 501])
def test_a_deadline_is_some_days(days: int) -> None:
    with pytest.raises(InputError, match="1 to 500 are counted"):
        due_on(date(2026, 1, 1), days, arranged=ARRANGED)
