"""Recoveries from assays alone: the two- and three-product formulas of mineral processing.

Nothing is weighed but composition; grades of one metal share one unit (mass fraction or %).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class SeparationError(ValueError):
    """Assays from which no recovery follows."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoProduct:
    """One concentrate and one tailing from one feed."""

    recovery: float
    """Share of the feed's metal in the concentrate [1]."""
    mass_pull: float
    """Mass of concentrate per mass of feed [1]."""
    recovery_slope: Array
    """Derivatives of recovery by feed, concentrate, tail grade, (3,) [1 / unit of grade]."""
    mass_pull_slope: Array
    """The same of the mass pull, (3,) [1 / unit of grade]."""
    recovery_sd: float
    """Standard uncertainty of the recovery [1]; 0 for exact grades."""
    mass_pull_sd: float
    """Standard uncertainty of the mass pull [1]; 0 for exact grades."""


@dataclass(frozen=True, slots=True, eq=False)
class ThreeProduct:
    """Two concentrates and one tailing from one feed with two metals."""

    mass_pull: Array
    """Mass of each concentrate per mass of feed, (2,) [1]."""
    recovery: Array
    """Share of metal i of the feed in concentrate j, (2, 2) [1]."""
    mass_pull_slope: Array
    """Derivatives by grade: (2, 4, 2), pull by stream (feed, conc. 1, conc. 2, tail) by metal."""
    recovery_slope: Array
    """Derivatives by grade: (2, 2, 4, 2), metal, concentrate, by stream and metal."""
    mass_pull_sd: Array
    """(2,) [1]."""
    recovery_sd: Array
    """(2, 2) [1]."""


def two_product(
    feed: float, concentrate: float, tail: float, *, sd: ArrayLike = (0.0, 0.0, 0.0)
) -> TwoProduct:
    """Recovery and mass pull of one concentrate from three assays.

    ``R = c (f - t) / (f (c - t))``, mass pull ``(f - t) / (c - t)``.

    Parameters
    ----------
    feed, concentrate, tail : float [mass fraction or %, the same for all]
    sd : (3,) [same unit]
        Standard uncertainties of the assays, independent.

    Raises
    ------
    SeparationError
        Grades that are negative, equal, or not in order tail <= feed <= concentrate. What the
        concentrate rejects is richest in the tail: for such a component, name the tail's grade
        as the concentrate's, and the recovery is that into the tail.

    Source
    ------
    Wills and Finch 2015, Wills' Mineral Processing Technology, 8th ed., ch. 3.

    Examples
    --------
    >>> copper = two_product(0.8, 25.0, 0.15, sd=(0.016, 0.5, 0.003))
    >>> round(copper.recovery, 4), round(copper.mass_pull, 5), round(copper.recovery_sd, 4)
    (0.8174, 0.02616, 0.0053)
    """
    f, c, t = _grades([feed, concentrate, tail], "feed, concentrate and tail")
    spread = _spread(sd, (3,))
    if not t <= f <= c or c == t or f == 0.0:
        raise SeparationError(
            f"feed grade {f:g} must lie between tail {t:g} and a richer concentrate {c:g}, and "
            "not be zero. Check whether samples are swapped, or reconcile the circuit instead."
        )
    gap = c - t
    slope = np.array([c * t / f, -t * (f - t) / gap, c * (f - c) / gap]) / (f * gap)
    pull_slope = np.array([1.0 / gap, -(f - t) / gap**2, (f - c) / gap**2])
    return TwoProduct(
        recovery=float(c * (f - t) / (f * gap)),
        mass_pull=float((f - t) / gap),
        recovery_slope=slope,
        mass_pull_slope=pull_slope,
        recovery_sd=float(np.linalg.norm(slope * spread)),
        mass_pull_sd=float(np.linalg.norm(pull_slope * spread)),
    )


def three_product(
    feed: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    tail: ArrayLike,
    *,
    sd: ArrayLike | None = None,
) -> ThreeProduct:
    """Recoveries of two metals in two concentrates from eight assays.

    Parameters
    ----------
    feed, first, second, tail : (2,) [mass fraction or %]
        Grades of metal 1 and metal 2 in the feed, both concentrates and the tailing.
    sd : (4, 2) [same unit], optional
        Standard uncertainties in the same order, independent; exact by default.

    Raises
    ------
    SeparationError
        Grades negative, streams that cannot be separated, or a product of negative mass.

    Source
    ------
    Wills and Finch 2015, Wills' Mineral Processing Technology, 8th ed., ch. 3.

    Examples
    --------
    >>> split = three_product([0.7, 1.94], [24.6, 3.6], [0.4, 49.7], [0.18, 0.21])
    >>> split.mass_pull.round(5).tolist(), split.recovery.round(4).tolist()
    ([0.02099, 0.03352], [[0.7377, 0.0192], [0.039, 0.8587]])
    """
    grade = np.stack([_grades(g, "each stream") for g in (feed, first, second, tail)])
    if grade.shape != (4, 2):
        raise SeparationError(f"grades have shape {grade.shape}; two metals a stream are needed.")
    spread = np.zeros((4, 2)) if sd is None else _spread(sd, (4, 2))
    matrix = (grade[1:3] - grade[3]).T
    pull = _pull(matrix, grade)
    pull_slope = _pull_slope(matrix, pull)
    recovery = grade[1:3].T * pull / grade[0][:, None]
    slope = _recovery_slope(grade, pull, pull_slope)
    return ThreeProduct(
        pull, recovery, pull_slope, slope,
        np.sqrt(((pull_slope * spread) ** 2).sum(axis=(-2, -1))),
        np.sqrt(((slope * spread) ** 2).sum(axis=(-2, -1))),
    )  # fmt: skip


def _pull(matrix: Array, grade: Array) -> Array:
    """Mass pulls that close both metal balances."""
    size = np.abs(grade).max(axis=0)
    if not (grade[0] > 0).all():
        raise SeparationError("the feed holds none of a metal; its recovery does not exist.")
    if abs(np.linalg.det(matrix / size[:, None])) < 1e-9:
        raise SeparationError(
            "the concentrates and the tailing have the same proportions of both metals, so no "
            "masses follow. Assay another metal."
        )
    pull = np.asarray(np.linalg.solve(matrix, grade[0] - grade[3]))
    if (pull < 0).any() or pull.sum() > 1:
        raise SeparationError(
            f"mass pulls {pull.round(6).tolist()} leave a product with negative mass; allowed "
            "are pulls >= 0 with a sum <= 1. Check the samples, or reconcile the circuit."
        )
    return pull


def _pull_slope(matrix: Array, pull: Array) -> Array:
    """dp = M^-1 (df - p1 dc1 - p2 dc2 - (1 - p1 - p2) dt), (2, 4, 2)."""
    weight = np.array([1.0, -pull[0], -pull[1], pull.sum() - 1.0])
    return np.asarray(np.linalg.inv(matrix)[:, None, :] * weight[:, None])


def _recovery_slope(grade: Array, pull: Array, pull_slope: Array) -> Array:
    """Product rule on p_j c_ji / f_i, (2, 2, 4, 2)."""
    share = grade[1:3].T / grade[0][:, None]
    slope = share[:, :, None, None] * pull_slope[None]
    for metal in range(2):
        for product in range(2):
            slope[metal, product, 1 + product, metal] += pull[product] / grade[0, metal]
            recovery = pull[product] * share[metal, product]
            slope[metal, product, 0, metal] -= recovery / grade[0, metal]
    return np.asarray(slope)


def _grades(values: ArrayLike, what: str) -> Array:
    """Finite grades, none negative."""
    result = np.asarray(values, np.float64)
    if not (np.isfinite(result).all() and (result >= 0).all()):
        raise SeparationError(f"grades of {what} must be numbers >= 0; got {result.tolist()}.")
    return result


def _spread(sd: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Finite sd of the expected shape, none negative."""
    result = np.asarray(sd, np.float64)
    if result.shape != shape or not np.isfinite(result).all() or (result < 0).any():
        raise SeparationError(f"sd must be numbers >= 0 of shape {shape}; got {result.tolist()}.")
    return result
