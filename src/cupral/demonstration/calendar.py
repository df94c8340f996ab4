"""The months of the demonstration and how an output runs through them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cupral.ledger.period import Period

Vector: TypeAlias = NDArray[np.float64]

MONTHS: tuple[int, ...] = Period.run(202501, 202610).months
"""January 2025 to October 2026, as YYYYMM."""
DAYS: Vector = np.array([Period.month(month).days for month in MONTHS])
"""Length of each month [d]."""
FIRST_YEAR = 12
"""Number of months of the first year, the base of all growth rates."""


def run(rng: np.random.Generator, year: float, growth: float, unrest: float = 0.015) -> Vector:
    """Monthly amounts that sum to `year` in the first year and grow by `growth` in the second.

    Parameters
    ----------
    rng : Generator
        Source of the months' unrest.
    year : [t/a]
        Sum of the first twelve months.
    growth : [1]
        The later months' sum over that of the same months a year before, less 1.
    unrest : [1]
        Relative sd of a month.

    Returns
    -------
    (22,) [t/month]

    Examples
    --------
    >>> amounts = run(np.random.default_rng(1), 1200.0, 0.05)
    >>> round(float(amounts[:12].sum()), 9)
    1200.0
    >>> round(float(amounts[12:].sum() / amounts[:10].sum()), 9)
    1.05
    """
    shape = DAYS * (1.0 + unrest * rng.standard_normal(len(MONTHS)))
    first = year * shape[:FIRST_YEAR] / shape[:FIRST_YEAR].sum()
    like = first[: len(MONTHS) - FIRST_YEAR]
    later = like * (1.0 + unrest * rng.standard_normal(len(like)) / 2.0)
    return np.concatenate([first, later * (1.0 + growth) * like.sum() / later.sum()])


def wobble(rng: np.random.Generator, mean: float, relative: float) -> Vector:
    """Monthly values around a mean (22,), with a relative sd.

    Examples
    --------
    >>> wobble(np.random.default_rng(1), 5.0, 0.0).tolist()[:2]
    [5.0, 5.0]
    """
    return mean * (1.0 + relative * rng.standard_normal(len(MONTHS)))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """One number drawn evenly from a range."""
    return float(rng.uniform(low, high))
