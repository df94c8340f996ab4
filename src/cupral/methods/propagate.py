"""First-order propagation of uncertainty through formulas, with correlated inputs (GUM)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class PropagateError(ValueError):
    """Uncertainties that cannot be propagated as they were given."""


@dataclass(frozen=True, slots=True, eq=False)
class Uncertain:
    """Quantities with their joint uncertainty."""

    value: Array
    """(q,) [unit of each]."""
    covariance: Array
    """(q, q) [product of units]."""

    @property
    def sd(self) -> Array:
        """Standard uncertainties, (q,) [unit of each]."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def correlation(self) -> Array:
        """Correlation coefficients, (q, q) [1]; 0 beside an exact quantity."""
        sd = np.where(self.sd > 0, self.sd, 1.0)
        result = np.asarray(self.covariance / np.outer(sd, sd))
        np.fill_diagonal(result, 1.0)
        return result


def propagate(
    jacobian: ArrayLike,
    sd: ArrayLike,
    *,
    value: ArrayLike | None = None,
    correlation: ArrayLike | None = None,
) -> Uncertain:
    """How uncertain are results whose derivatives are known?

    Parameters
    ----------
    jacobian : (q, n) or (n,) [unit of result per unit of input]
        Derivatives of the q results with respect to the n inputs.
    sd : (n,) [unit of each input]
        Standard uncertainties of the inputs.
    value : (q,) [unit of result], optional
        Kept in the answer; zero by default.
    correlation : (n, n) [1], optional
        Correlation coefficients of the inputs; independent by default.

    Returns
    -------
    Uncertain
        Covariance ``J V J^T``.

    Raises
    ------
    PropagateError
        Shapes that disagree, a negative sd, a matrix that is no correlation, or a result or
        variance that is not finite.

    Source
    ------
    JCGM 100:2008, 5.2.2 eq. (13), and H.2.3 eq. (H.9) for several results.

    Examples
    --------
    >>> propagate([[1.0, -1.0]], [3.0, 4.0]).sd.tolist()
    [5.0]
    >>> propagate([[1.0, -1.0]], [3.0, 3.0], correlation=[[1, 1], [1, 1]]).sd.tolist()
    [0.0]
    """
    slope, spread = np.atleast_2d(np.asarray(jacobian, np.float64)), np.asarray(sd, np.float64)
    if spread.ndim != 1 or slope.ndim != 2 or slope.shape[1] != len(spread):
        raise PropagateError(
            f"jacobian {slope.shape} and sd {spread.shape} disagree; they must be (q, n) and "
            "(n,). Give one derivative and one sd an input."
        )
    if not (np.isfinite(spread).all() and (spread >= 0).all() and np.isfinite(slope).all()):
        raise PropagateError("sd must be finite and not negative, derivatives finite.")
    relation = np.eye(len(spread)) if correlation is None else _correlation(correlation, spread)
    scaled = slope * spread
    covariance = scaled @ relation @ scaled.T
    centre = np.zeros(len(slope)) if value is None else np.asarray(value, np.float64).reshape(-1)
    if len(centre) != len(slope):
        raise PropagateError(f"value has {len(centre)} entries for {len(slope)} results.")
    if not (np.isfinite(centre).all() and np.isfinite(covariance).all()):
        raise PropagateError(
            "a result or its variance is not finite; move the inputs away from where the formula"
            " has no value, or give them in larger units."
        )
    floor = 1e-14 * np.einsum("ij,ij->i", scaled, scaled)
    np.fill_diagonal(
        covariance, np.where(np.diagonal(covariance) > floor, covariance.diagonal(), 0)
    )
    return Uncertain(centre, 0.5 * (covariance + covariance.T))


def evaluate(
    function: Callable[[Array], ArrayLike],
    value: ArrayLike,
    sd: ArrayLike,
    *,
    correlation: ArrayLike | None = None,
) -> Uncertain:
    """Results of a formula at uncertain inputs, with derivatives taken numerically.

    Parameters
    ----------
    function : (n,) -> (q,)
    value, sd : (n,) [unit of each input]
    correlation : (n, n) [1], optional

    Raises
    ------
    PropagateError
        As in `propagate`, or the formula is not finite near the inputs.

    Source
    ------
    JCGM 100:2008, 5.1.3 note 2 (numerical sensitivity coefficients).

    Examples
    --------
    >>> resistance = evaluate(lambda x: x[:1] / x[1:], [5.0, 0.02], [0.005, 0.00002])
    >>> resistance.value.tolist(), resistance.sd.round(4).tolist()
    ([250.0], [0.3536])
    """
    centre, spread = np.array(value, np.float64), np.asarray(sd, np.float64)
    slope = derivative(function, centre, spread)
    return propagate(slope, spread, value=function(centre), correlation=correlation)


def derivative(
    function: Callable[[Array], ArrayLike], value: ArrayLike, sd: ArrayLike = 0.0
) -> Array:
    """Jacobian (q, n) of a formula by fourth-order central differences.

    The step is a thousandth of an input. An input of 0 has no size of its own: there the step
    is its standard uncertainty, or 0.001 if that is not given.

    Parameters
    ----------
    function : (n,) -> (q,)
    value : (n,) [unit of each input]
    sd : (n,) or scalar [unit of each input], optional

    Raises
    ------
    PropagateError
        The formula is not finite near the inputs.

    Examples
    --------
    >>> derivative(lambda x: [x[0] ** 2, x[0] * x[1]], [3.0, 2.0]).round(9).tolist()
    [[6.0, 0.0], [2.0, 3.0]]
    """
    centre = np.array(value, np.float64)
    spread = np.broadcast_to(np.asarray(sd, np.float64), centre.shape)
    columns = []
    for i, x in enumerate(centre):
        step = 2.0**-10 * abs(x) or float(spread[i]) or 2.0**-10
        shifted = [_shift(function, centre, i, k * step) for k in (-2, -1, 1, 2)]
        columns.append((shifted[0] - 8 * shifted[1] + 8 * shifted[2] - shifted[3]) / (12 * step))
    result = np.stack(columns, axis=1)
    if not np.isfinite(result).all():
        bad = int(np.argmin(np.isfinite(result).all(axis=0)))
        raise PropagateError(f"the formula is not finite near its input {bad} (from 0).")
    return result


def repeated(observations: ArrayLike) -> Uncertain:
    """Means of simultaneous repeated observations, with the covariance of the means.

    Parameters
    ----------
    observations : (N, n) [unit of each input]
        One row for each set of readings taken together, N >= 2.

    Raises
    ------
    PropagateError

    Source
    ------
    JCGM 100:2008, 4.2.3 eq. (5), 5.2.3 eq. (17), example H.2.

    Examples
    --------
    >>> readings = repeated([[1.0, 2.0], [3.0, 6.0]])
    >>> readings.value.tolist(), readings.sd.tolist(), readings.correlation[0, 1].round(9)
    ([2.0, 4.0], [1.0, 2.0], np.float64(1.0))
    """
    sample = np.asarray(observations, np.float64)
    if sample.ndim != 2 or len(sample) < 2 or not np.isfinite(sample).all():
        raise PropagateError(
            f"observations have shape {sample.shape}; they must be finite (N, n) with N >= 2. "
            "Leave out incomplete sets of readings."
        )
    centre = sample.mean(axis=0)
    gap = sample - centre
    return Uncertain(centre, gap.T @ gap / (len(sample) * (len(sample) - 1)))


def _shift(function: Callable[[Array], ArrayLike], centre: Array, i: int, by: float) -> Array:
    """The formula with one input moved."""
    moved = centre.copy()
    moved[i] += by
    return np.atleast_1d(np.asarray(function(moved), np.float64))


def _correlation(correlation: ArrayLike, sd: Array) -> Array:
    """A symmetric matrix with unit diagonal and no negative variance."""
    matrix = np.asarray(correlation, np.float64)
    if matrix.shape != (len(sd), len(sd)):
        raise PropagateError(f"correlation has shape {matrix.shape}, it must be (n, n).")
    good = np.allclose(matrix, matrix.T, atol=1e-12) and np.allclose(np.diagonal(matrix), 1.0)
    if not good or np.linalg.eigvalsh(matrix)[0] < -1e-9:
        raise PropagateError(
            "correlation must be symmetric with ones on the diagonal and no negative "
            "eigenvalue. Estimate all coefficients from the same sets of readings."
        )
    return matrix
