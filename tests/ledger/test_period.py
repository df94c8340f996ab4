"""Periods are named as people write them, half-open, and fall on whole months where they can."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.errors import InputError
from cupral.ledger.period import Period, months_between

NAMES = {
    "2026-03-01T05": ("hour", (202603,), 1 / 24),
    "2026-03-01": ("day", (202603,), 1.0),
    "2026-03": ("month", (202603,), 31.0),
    "2026-JF": ("january-february", (202601, 202602), 59.0),
    "2024-JF": ("january-february", (202401, 202402), 60.0),
    "2026-Q4": ("quarter", (202610, 202611, 202612), 92.0),
    "2026": ("year", tuple(range(202601, 202613)), 365.0),
    "2025-11..2026-02": ("months", (202511, 202512, 202601, 202602), 120.0),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_reads_back_as_itself(name: str) -> None:
    kind, months, days = NAMES[name]
    period = Period.parse(name)
    assert (str(period), period.kind, period.months) == (name, kind, months)
    assert period.days == pytest.approx(days, rel=1e-15)


def test_a_period_is_half_open() -> None:
    march, april = Period.parse("2026-03"), Period.parse("2026-04")
    assert march.start == datetime(2026, 3, 1)
    assert march.end == april.start


def test_a_period_parses_as_itself() -> None:
    march = Period.month(202603)
    assert Period.parse(march) is march
    assert Period.parse(" 2026-03 ") == march


def test_a_run_of_one_month_is_that_month() -> None:
    assert Period.parse("2026-03..2026-03") == Period.parse("2026-03")


def test_a_period_that_ends_at_midnight_does_not_touch_the_next_month() -> None:
    assert Period(datetime(2026, 1, 15), datetime(2026, 2, 1), "day").months == (202601,)
    assert Period(datetime(2026, 1, 15), datetime(2026, 2, 1, 1), "day").months == (202601, 202602)


@pytest.mark.parametrize(
    ("name", "moved"),
    [("2026-JF", "2025-JF"), ("2026-Q1", "2025-Q1"), ("2025-11..2026-10", "2024-11..2025-10"),
     ("2026", "2025"), ("2024-02", "2023-02")],
)  # fmt: skip
def test_the_comparator_is_the_like_span_a_year_before(name: str, moved: str) -> None:
    assert str(Period.parse(name).shifted(-1)) == moved


def test_a_day_has_no_like_span_in_another_year() -> None:
    with pytest.raises(InputError, match="2026-03-01 is shorter than a month"):
        Period.parse("2026-03-01").shifted(-1)


@pytest.mark.parametrize(
    "text", ["", "x", "2026-3", "202603", "2026-Q5", "2026-FJ", "26", "2026/3"]
)
def test_what_is_no_period_is_told_what_is(text: str) -> None:
    with pytest.raises(InputError, match=r"is no period; write 2026, 2026-03, 2026-JF, 2026-Q1"):
        Period.parse(text)


def test_months_and_runs_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="no month 2026-13"):
        Period.parse("2026-13")
    with pytest.raises(InputError, match="no month 2026-00"):
        Period.month(202600)
    with pytest.raises(InputError, match=r"months run backwards: 202603\.\.202601; write the earl"):
        Period.parse("2026-03..2026-01")
    with pytest.raises(InputError, match="before it starts"):
        Period(datetime(2026, 2, 1), datetime(2026, 1, 1), "day")


months = st.builds(lambda y, m: y * 100 + m, st.integers(1990, 2090), st.integers(1, 12))


@given(months, months)
def test_a_run_has_as_many_months_as_it_touches(first: int, second: int) -> None:
    first, last = sorted((first, second))
    run = Period.run(first, last)
    assert len(run.months) == months_between(first, last) + 1
    assert (run.months[0], run.months[-1]) == (first, last)
    assert Period.parse(str(run)) == run
    assert run.days == sum(Period.month(month).days for month in run.months)


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31T23", "9999-12", "9999", "9999-Q4"])
def test_the_calendar_ends(text: str) -> None:
    with pytest.raises(InputError, match=r"ends after the last day|no month 9999|year 10000"):
        Period.parse(text)


@given(st.integers(2001, 2099), st.integers(1, 12), st.integers(1, 120))
def test_months_that_end_with_one(year: int, month: int, count: int) -> None:
    """So many of them, the last one being the one named; its last day is theirs."""
    last = year * 100 + month
    span = Period.ending(last, count)
    assert (len(span.months), span.months[-1]) == (count, last)
    assert span.last_day == Period.month(last).last_day
    assert span.last_day.month == month


@pytest.mark.parametrize("name", ["2026-03", "2026-JF", "2026-02..2026-03", "2025-11..2026-10"])
def test_the_span_of_a_row_has_the_name_it_was_filed_under(name: str) -> None:
    """From its start and end alone: January and February together are the merged period."""
    period = Period.parse(name)
    assert str(Period.spanning(period.start, period.end)) == name


@pytest.mark.parametrize(
    ("name", "day"), [("2026-02", 28), ("2024-02", 29), ("2026", 31), ("2026-03-05T23", 5)]
)
def test_the_last_day_of_a_period(name: str, day: int) -> None:
    """The end itself is excluded."""
    assert Period.parse(name).last_day.day == day
