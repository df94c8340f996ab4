"""A check compares what a case expects with what was computed, within a stated tolerance."""

import math

import pytest

from cupral.ledger.case import compare


@pytest.mark.parametrize(
    ("expected", "computed", "tolerance", "ok"),
    [
        (1.0, 1.0 + 1e-7, {"relative": 1e-6}, True),
        (1.0, 1.0 + 1e-5, {"relative": 1e-6}, False),
        (0.0, 1e-9, {"absolute": 1e-8}, True),
        (0.0, 1e-7, {"absolute": 1e-8}, False),
        (3, 3.0, {}, True),
        ([1.0, None, "x"], [1.0, None, "x"], {}, True),
        ([1.0, 2.0], [1.0], {"relative": 1.0}, False),
        ([[1.0], [2.0]], [[1.0], [2.1]], {"relative": 0.01}, False),
        ([1.0], 1.0, {}, False),
        (None, 0.0, {"absolute": 1.0}, False),
        (0.0, None, {"absolute": 1.0}, False),
        (True, True, {}, True),
        (True, 1.0, {}, True),
        (1.0, True, {"absolute": 1.0}, False),
        ("redundant", "observable", {}, False),
        (1.0, math.nan, {"relative": 1.0}, False),
    ],
)
def test_equal_means_within_the_tolerance(
    expected: object, computed: object, tolerance: dict[str, float], ok: bool
) -> None:
    assert compare("x", expected, computed, **tolerance).ok is ok


def test_the_tolerance_is_said() -> None:
    assert compare("x", 1.0, 1.0, relative=1e-6).tolerance == "rel 1e-06"
    assert compare("x", 1.0, 1.0, absolute=0.5).tolerance == "abs 0.5"
    assert compare("x", 1.0, 1.0).tolerance == "equal"
