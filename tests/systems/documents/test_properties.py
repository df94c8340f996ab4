"""Laws: one more day is the next working day; every line goes on to an end."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.ledger.document import Document
from cupral.ledger.working_days import arrangement, due_on
from cupral.system import parameter_book, workflows
from cupral.systems.documents.compute import is_overdue, line, steps
from cupral.systems.documents.model import REQUEST

ARRANGED = arrangement(parameter_book().on)


@given(st.dates(date(2025, 12, 1), date(2027, 2, 1)), st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_one_more_day_is_the_next_working_day(start: date, days: int) -> None:
    first = due_on(start, days, arranged=ARRANGED)
    assert start < first
    assert due_on(start, days + 1, arranged=ARRANGED) == due_on(first, 1, arranged=ARRANGED)
    assert first - start >= timedelta(days=days)


@pytest.mark.parametrize("state", REQUEST.states)
def test_every_line_goes_through_now_to_an_end(state: str) -> None:
    drawn = line(REQUEST, [Document(kind="request", id="r", party="E", state=state)])
    assert [one.phase for one in drawn].count("now") == 1
    assert drawn[-1].state in REQUEST.final
    assert len({one.state for one in drawn}) == len(drawn)


def test_every_kind_has_one_workflow() -> None:
    assert all(kind == flow.kind for kind, flow in workflows().items())
    assert workflows()["request"] is REQUEST


@given(st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.integers(-40, 40))
def test_a_deadline_has_passed_after_its_last_day(due: date, later: int) -> None:
    on = due + timedelta(days=later)
    assert is_overdue(due.isoformat(), on.isoformat()) == (later > 0)
    assert not is_overdue(None, on.isoformat())


def test_a_step_says_whether_the_words_changed() -> None:
    past = [Document(kind="request", id="r", party="E", body={"a": text}, version=n, author="li")
            for n, text in enumerate("xxy", start=1)]  # fmt: skip
    rows = steps(past, ["1", "2", "3"])
    assert [row["changed"] for row in rows] == [True, False, True]
    assert [row["recorded_at"] for row in rows] == ["1", "2", "3"]
