"""Margins about a number: of a tie in floating point, and of a normal error."""

TIE = 1e-12
"""Relative width of a tie: sums in floating point carry errors of this size."""

NINETY = 1.6448536269514722
"""Half width of the central 90 % of a normal error [standard uncertainties]."""


def ninety(value: float, sd: float) -> tuple[float, float]:
    """The 5 % and 95 % points of a value with a normal error.

    Parameters
    ----------
    value, sd : value and its standard uncertainty [one unit]

    Examples
    --------
    >>> ninety(100.0, 0.0)
    (100.0, 100.0)
    """
    return value - NINETY * sd, value + NINETY * sd
