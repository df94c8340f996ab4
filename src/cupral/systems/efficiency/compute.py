"""Levels and shares: pure functions on arrays.

A norm's bound is inclusive, nothing is rounded before it is compared, and a higher number is
worse. A consumption is compared as energy <= bound x output, so that no division decides.
"""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from cupral.methods.margin import TIE

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]

_BLOCK = 2000


def at_most(value: float, bound: float) -> bool:
    """Whether a value meets an inclusive upper bound.

    Examples
    --------
    >>> at_most(13000, 13000), at_most(13000.4, 13000)
    (True, False)
    """
    return value <= bound + TIE * abs(bound)


def level(value: float, bounds: Sequence[float]) -> int | None:
    """The best level whose bound is not exceeded; None if the last one is.

    Parameters
    ----------
    value : specific consumption [unit of the bounds]; may be negative (energy is exported)
    bounds : bounds of levels 1, 2, 3, from strict to loose

    Examples
    --------
    >>> [level(v, (12950, 13000, 13350)) for v in (12950, 13001, 13355)]
    [1, 3, None]
    """
    for number, bound in enumerate(bounds, start=1):
        if at_most(value, bound):
            return number
    return None


def policy_level(value: float, benchmark: float, baseline: float) -> str:
    """Where a value stands against the national benchmark (标杆) and baseline (基准).

    Examples
    --------
    >>> policy_level(13000, 13000, 13350)
    'benchmark'
    """
    if at_most(value, benchmark):
        return "benchmark"
    return "baseline" if at_most(value, baseline) else "below baseline"


def level_probabilities(value: float, sd: float, bounds: Sequence[float]) -> tuple[float, ...]:
    """Probability of each level and, last, of failing all of them, for a normal error.

    Parameters
    ----------
    value, sd : specific consumption and its standard uncertainty [unit of the bounds]
    bounds : bounds of levels 1, 2, 3

    Examples
    --------
    >>> [round(p, 3) for p in level_probabilities(13000, 30, (12950, 13000, 13350))]
    [0.048, 0.452, 0.5, 0.0]
    """
    if sd <= 0:
        reached = level(value, bounds)
        hit = len(bounds) if reached is None else reached - 1
        return tuple(float(i == hit) for i in range(len(bounds) + 1))
    below = [float(ndtr((bound - value) / sd)) for bound in bounds]
    return tuple(np.diff([0.0, *below, 1.0]).tolist())


def intensity(energy: Vector, output: Vector) -> Vector:
    """Energy per output; not a number where there was no output."""
    ran = output > 0
    return np.where(ran, energy, np.nan) / np.where(ran, output, 1.0)


def intensity_sd(energy: float, output: float, on_energy: Vector, on_output: Vector) -> float:
    """Standard uncertainty of energy / output by first order, groups taken together.

    Parameters
    ----------
    on_energy, on_output : loadings of the two amounts on the same unit-normal groups
    """
    effect = on_energy / output - energy / output**2 * on_output
    return float(np.sqrt(np.sum(effect**2)))


def series_above(energy: Matrix, output: Matrix, threshold: float) -> Marks:
    """Which series consume at most the threshold; without output none does.

    Parameters
    ----------
    energy, output : (..., series); energy in the unit of threshold x output
    """
    met = energy <= output * threshold + TIE * np.abs(output * threshold)
    return met & (output > 0)


def enterprise_above(
    energy: Matrix, output: Matrix, members: Sequence[Hashable], threshold: float
) -> Marks:
    """Which series belong to an enterprise whose output-weighted mean meets the threshold."""
    names = {name: number for number, name in enumerate(dict.fromkeys(members))}
    owner = np.array([names[name] for name in members], dtype=int)
    ran = output > 0
    belongs = np.eye(len(names))[owner]
    met = series_above(np.where(ran, energy, 0.0) @ belongs, np.where(ran, output, 0.0) @ belongs,
                       threshold)  # fmt: skip
    return met[..., owner]


def share(capacity: Vector, above: Marks) -> Vector:
    """Capacity above the benchmark over all compliant built capacity [1].

    Examples
    --------
    >>> float(share(np.array([42.0, 58.0]), np.array([True, False])))
    0.42
    """
    return np.asarray((above @ capacity) / capacity.sum())


def loading_matrix(
    loadings: Sequence[Sequence[tuple[str, float]]], groups: Sequence[str]
) -> Matrix:
    """Loadings of every amount on every group, (amounts, groups)."""
    column = {group: number for number, group in enumerate(groups)}
    matrix = np.zeros((len(loadings), len(groups)))
    for row, pairs in enumerate(loadings):
        for group, loading in pairs:
            matrix[row, column[group]] += loading
    return matrix


def joint_draws(
    energy: Vector, output: Vector, on_energy: Matrix, on_output: Matrix, count: int, seed: int
) -> Iterator[tuple[Matrix, Matrix]]:
    """Draws of all energies and outputs together, block by block.

    A group is one unit-normal number a draw, whichever meters and sites carry it.

    Parameters
    ----------
    on_energy, on_output : (series, groups) loadings [unit of the amounts]
    count, seed : number of draws and seed of the generator
    """
    generator = np.random.default_rng(seed)
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        common = generator.standard_normal((size, on_energy.shape[1]))
        drawn = np.maximum(output + common @ on_output.T, 0.0)
        yield energy + common @ on_energy.T, np.where(output > 0, drawn, 0.0)
