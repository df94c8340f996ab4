"""Numbers as they are written on a page."""

import math

import pytest

from cupral.surfaces.web.figures import (
    NOTHING,
    link,
    number,
    percent,
    percent_points,
    shown,
    signed,
    within,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0, "0"), (1, "1"), (12.3456, "12.35"), (123.456, "123.5"), (170.0, "170"),
        (1234.5, "1,234"), (1703251.4, "1,703,251"), (0.5, "0.5"), (0.00012, "0.00012"),
        (3.14e-9, "3.1e−09"), (1e20, "1e+20"), (-5.5, "−5.5"), (-12950, "−12,950"),
    ],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("value", [None, "", math.nan, math.inf])
def test_what_is_no_number_is_a_dash(value: object) -> None:
    assert number(value) == NOTHING


def test_texts_and_truths_stay() -> None:
    assert number("level 1") == "level 1"
    assert number(True) == "True"


def test_digits_may_be_asked_for() -> None:
    assert number(2.345, 1) == "2.3"


@pytest.mark.parametrize(("value", "text"), [(1.5, "+1.5"), (-1.5, "−1.5"), (0, "0"), (None, "—")])
def test_differences_show_their_sign(value: float | None, text: str) -> None:
    assert signed(value) == text


def test_shares_are_per_cent() -> None:
    assert percent(0.3526) == "35.3 %"
    assert percent(0.999, 0) == "100 %"
    assert percent(None) == NOTHING


def test_changes_of_shares_are_points() -> None:
    assert percent_points(-0.0308) == "−3.08"
    assert percent_points(None) == NOTHING


def test_any_value_has_a_text() -> None:
    assert shown([1.0, "a", None]) == "1, a, —"
    assert shown({"级": 1}) == '{"级": 1}'
    assert shown(("x", 2000.0)) == "x, 2,000"


def test_links_leave_out_what_is_empty_and_escape_the_rest() -> None:
    assert link("/a") == "/a"
    assert link("/a", x="", y=None) == "/a"
    assert link("/why", reference="result:q?a=1&b=2") == "/why?reference=result%3Aq%3Fa%3D1%26b%3D2"
    assert link("/a", n="<铜>") == "/a?n=%3C%E9%93%9C%3E"


@pytest.mark.parametrize(
    ("value", "sd", "text"),
    [(-1.46232, 0.30, "−1.46"), (1462.32, 137.6, "+1,462"), (0.0091, 0.55, "+0.01"),
     (1.5, None, "+1.5"), (1.5, 0.0, "+1.5"), (None, 0.1, NOTHING)],
)  # fmt: skip
def test_a_difference_has_no_more_digits_than_its_sd_warrants(
    value: float | None, sd: float | None, text: str
) -> None:
    assert within(value, sd) == text
