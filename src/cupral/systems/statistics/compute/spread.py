"""Uncertainty of sums and ratios whose errors are shared by groups.

A loading is (group, amount): how far one standard deviation of the group's common error
moves the figure. Loadings of one group add, groups are independent. All returns of an
enterprise are one group, a unit value is one group for all makers of the product; a part of
such an error persists from year to year, the rest is new each year.
"""

import math
from collections.abc import Iterable

Loading = tuple[str, float]


def combined(loadings: Iterable[Loading]) -> float:
    """Standard uncertainty of a sum: coherent within a group, independent between groups.

    Examples
    --------
    >>> combined([("a", 3.0), ("a", 1.0), ("b", 3.0)])
    5.0
    """
    totals: dict[str, float] = {}
    for group, loading in loadings:
        totals[group] = totals.get(group, 0.0) + loading
    return math.sqrt(math.fsum(total * total for total in totals.values()))


def scaled(loadings: Iterable[Loading], factor: float) -> list[Loading]:
    """The loadings of a figure multiplied by a factor."""
    return [(group, loading * factor) for group, loading in loadings]


def yearly(group: str, year: int, sd: float, persistent: float) -> list[Loading]:
    """Loadings of one year's sum whose error partly persists from year to year.

    Parameters
    ----------
    sd : standard uncertainty of the sum [its unit]
    persistent : share of the variance that stays from year to year [0-1]

    Examples
    --------
    >>> round(combined(yearly("returns:e", 2026, 2.0, 0.3)), 12)
    2.0
    """
    return [
        (group, sd * math.sqrt(persistent)),
        (f"{group}/{year}", sd * math.sqrt(1.0 - persistent)),
    ]


def declared(enterprise: str, year: int, sd: float, persistent: float) -> list[Loading]:
    """Loadings of an enterprise's returns of one year: one group for all of them.

    Examples
    --------
    >>> declared("e", 2026, 2.0, 1.0)
    [('returns:e', 2.0), ('returns:e/2026', 0.0)]
    """
    return yearly(f"returns:{enterprise}", year, sd, persistent)


def ratio(
    top: float, bottom: float, of_top: Iterable[Loading], of_bottom: Iterable[Loading]
) -> list[Loading]:
    """Loadings of top / bottom by first order."""
    return [
        *scaled(of_top, 1.0 / bottom),
        *scaled(of_bottom, -top / (bottom * bottom)),
    ]
