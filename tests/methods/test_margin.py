"""The margins of a tie and of a normal error, against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from cupral.methods.margin import NINETY, ninety


def test_ninety_is_the_95_percent_point_of_the_unit_normal() -> None:
    """Nine of ten errors lie within it."""
    assert pytest.approx(norm.ppf(0.95), rel=1e-14) == NINETY
    assert norm.cdf(NINETY) - norm.cdf(-NINETY) == pytest.approx(0.9, rel=1e-14)


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_the_interval_lies_about_its_value(value: float, sd: float) -> None:
    """Symmetric, and as wide as the error."""
    low, high = ninety(value, sd)
    assert low <= value <= high
    assert high - low == pytest.approx(2 * NINETY * sd, rel=1e-9, abs=1e-6)
