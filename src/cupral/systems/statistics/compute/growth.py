"""Growth arithmetic of Chinese statistics, exact; growth as a fraction (0.05 = 5 %).

Source: notes of the National Bureau of Statistics; shared reference ledger.md section 7.
A list of periods may begin with January and February merged: then its base level is the sum
of both months and its growth is that of both together.
"""

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


def real_growth(nominal: float, price: float) -> float:
    """Growth at comparable prices: (1 + nominal) / (1 + price) - 1, not the difference.

    Parameters
    ----------
    nominal, price : growth at current prices and of the price index, each year on year [1]

    Examples
    --------
    >>> round(100 * real_growth(0.134, 0.086), 4)
    4.4199
    """
    return (1.0 + nominal) / (1.0 + price) - 1.0


def cumulative_growth(base: Vector, growth: Vector) -> Vector:
    """Growth from the start of the year to each period, weighted by base levels.

    Parameters
    ----------
    base : last year's level of each period
    growth : growth of each period over last year's [1]

    Examples
    --------
    >>> cumulative_growth(np.array([2.0, 1.0]), np.array([0.03, 0.06])).round(4).tolist()
    [0.03, 0.04]
    """
    return np.asarray(np.cumsum(base * growth) / np.cumsum(base))


def period_growth(base: Vector, cumulative: Vector, rounding: float) -> tuple[Vector, ...]:
    """Growth of each period from published cumulative growth: value, lowest, highest.

    The published figures are rounded: each stands for an interval of width `rounding`. The
    period's growth is a difference of two large levels, so its interval is wider by the
    factor that `amplification` gives (about 20 in the last month of a year).

    Parameters
    ----------
    base : last year's level of each period
    cumulative : published growth from the start of the year to each period [1]
    rounding : step of the published figures [1]

    Examples
    --------
    >>> base, cumulative = np.array([2.0, 1.0]), np.array([0.03, 0.04])
    >>> [np.round(v, 4).tolist() for v in period_growth(base, cumulative, 0.001)]
    [[0.03, 0.06], [0.0295, 0.0575], [0.0305, 0.0625]]
    """
    added = np.diff(np.cumsum(base) * cumulative, prepend=0.0)
    value = added / base
    half = 0.5 * rounding * amplification(base)
    return value, value - half, value + half


def amplification(base: Vector) -> Vector:
    """How many times the rounding of cumulative growth is larger in a period's growth.

    Examples
    --------
    >>> amplification(np.ones(12))[[0, 11]].tolist()
    [1.0, 23.0]
    """
    total = np.cumsum(base)
    return np.asarray((2.0 * total - base) / base)


def needed_growth(base_done: float, base_rest: float, done: float, target: float) -> float:
    """Growth that the rest of the year needs for the whole year to reach a target.

    Parameters
    ----------
    base_done, base_rest : last year's level of the periods done and to come
    done, target : cumulative growth so far and aimed at [1]

    Examples
    --------
    >>> round(needed_growth(3.0, 1.0, 0.04, 0.05), 4)
    0.08
    """
    aim = target * (base_done + base_rest) - done * base_done
    return aim / base_rest


def scope_growth(level: float, restated: float) -> float:
    """Growth over last year's level restated to this year's list of enterprises.

    Examples
    --------
    >>> round(scope_growth(104.0, 100.0), 4)
    0.04
    """
    return level / restated - 1.0


def average_growth(first: float, second: float) -> float:
    """Two-year average growth: the constant yearly growth with the same product.

    Examples
    --------
    >>> round(average_growth(-0.11, 0.351), 4)
    0.0965
    """
    return float(np.sqrt((1.0 + first) * (1.0 + second)) - 1.0)


def full_year(to_date: float, base_rest: float, growth: float) -> float:
    """Level of the whole year if the rest grows over its base by `growth`.

    Examples
    --------
    >>> full_year(105.0, 20.0, 0.05)
    126.0
    """
    return to_date + base_rest * (1.0 + growth)
