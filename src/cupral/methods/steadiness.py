"""Is a signal steady over a window of hours, so that a balance may leave stock changes out?

Only for windows shorter than a day. Two slow movements are judged, a drift and a bend, each
against the noise that the window itself shows at low frequencies; so neighbouring samples may
be correlated, as long as the window is long beside their correlation.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from cupral.methods.reconcile.errors import ReconcileError

Vector = NDArray[np.float64]
Verdict = Literal["steady", "transient", "cannot decide"]

DAY = 24.0
"""Windows of this length [h] or longer need stock changes."""
LEAST_SAMPLES = 20
"""Fewer samples cannot show whether their noise is correlated."""
LEAST_WAVES, MOST_WAVES = 4, 12
"""Cosines that measure the noise: degrees of freedom of the tests."""
EXACT_SAMPLES = 200
"""Up to this many samples the von Neumann ratio has its exact distribution, then the normal
(off by 0.0007 at most)."""
NEGLIGIBLE = 0.03
"""Residual [rms] beside drift or bend below which the correlation of neighbours does not matter:
of 20,000 simulated random walks none keeps as close as 0.034 to its own line and bow."""
LOGARITHMS = np.linspace(-30.0, 30.0, 601)
"""Abscissae of the integral behind that distribution."""


class SteadinessError(ReconcileError):
    """A window that cannot be judged for steadiness as it was given."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Whether a window is steady, and by how much it is not."""

    verdict: Verdict
    reason: str
    """Why, in one sentence."""
    mean: float
    """Mean of the samples [unit]."""
    drift: float
    """Change along the fitted line from the start to the end of the window [unit]."""
    drift_share: float
    """drift / |mean| [1]; infinite when the mean is zero."""
    bend: float
    """Height of the fitted bow, from foot to crest, the line left out [unit]."""
    sd: tuple[float, float]
    """Standard uncertainty of drift and bend [unit]; NaN when it cannot be known."""
    bound: float
    """Largest drift or bend that the window does not exclude [unit]; NaN likewise."""
    p_value: float
    """Probability of such a movement in a steady window [1]; NaN likewise."""
    ratio: float
    """Von Neumann ratio of the samples [1]: 2 for white noise, less for slow movement."""
    ratio_p_value: float
    """Probability of a ratio this small in white noise [1]."""


def steadiness(
    hours: ArrayLike, value: ArrayLike, *, level: float = 0.05, tolerance: float | None = None
) -> Steadiness:
    """Is this signal steady over this window of less than a day?

    A cosine at each of the 4 to 12 lowest frequencies measures the noise that a drift has to
    stand out of (exact Student t in white noise at any sampling times). How many can be used
    follows from the correlation of neighbouring samples; with fewer than 4 nothing is decided,
    unless the samples keep so close to line and bow that no noise could feign the movement.

    The level holds over all windows that are asked about, not over those that are decided. Of
    steady windows that are short beside their correlation most are left undecided, and many of
    the few that are decided are called transient: 35 % at 20 samples whose neighbours correlate
    by 0.5, 80 to 90 % at 0.95 up to 97 samples. There, take "transient" as a reason to look at
    a longer window, not as proof.

    Parameters
    ----------
    hours : (n,) [h]
        Times of the samples, ascending; need not be even.
    value : (n,) [unit]
    level : float
        Probability of calling a steady window transient, over all windows asked about.
    tolerance : float [1], optional
        Largest movement that may be ignored, as share of the mean. With it, "steady" means
        that a larger movement is excluded, and "transient" that it is there. Without it any
        significant movement is transient, and the rest is steady.

    Raises
    ------
    SteadinessError
        A day or longer, times out of order, missing values, or arguments out of range.

    Source
    ------
    Lazarus, Lewis, Stock and Watson 2018, J. Bus. Econ. Stat. 36:541 (equal-weighted cosines);
    von Neumann 1941, Ann. Math. Stat. 12:367. The R statistic of Cao and Rhinehart 1995,
    J. Process Control 5:363 is the same ratio filtered on line.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> hours = np.linspace(0.0, 8.0, 97)
    >>> level = steadiness(hours, 100.0 + rng.normal(size=97), tolerance=0.02)
    >>> level.verdict, round(level.bound, 2)
    ('steady', 0.9)
    >>> steadiness(hours, 100.0 + hours + rng.normal(size=97), tolerance=0.02).verdict
    'transient'
    """
    time, sample = _window(hours, value)
    _check_arguments(level, tolerance)
    unit = _unit(sample)
    sample = sample / unit
    if len(sample) < LEAST_SAMPLES:
        return _undecided(sample, unit, f"{len(sample)} samples are fewer than {LEAST_SAMPLES}")
    if np.ptp(sample) == 0.0:
        reason = "no sample differs: switched off, stuck, or too coarse to tell"
        return _undecided(sample, unit, reason)
    basis = _basis(time)
    coefficient = basis.T @ sample
    reach = np.ptp(basis[:, 1:3], axis=0)
    size = coefficient[1:3] * reach * np.sign(basis[-1, 1:3])
    waves = _waves(sample - basis[:, :3] @ coefficient[:3], float(np.max(np.abs(size))))
    if waves < LEAST_WAVES:
        reason = (
            "neighbouring samples are so alike that drift and noise cannot be told apart; the "
            "window is too short beside their correlation"
        )
        return _undecided(sample, unit, reason, size)
    noise = np.sqrt(np.mean(coefficient[3 : 3 + waves] ** 2))
    # the samples themselves are rounded, so no noise is smaller
    noise = max(float(noise), np.finfo(float).eps) * reach
    return _judge(sample, unit, size, noise, waves, level, tolerance)


def von_neumann(value: ArrayLike) -> tuple[float, float]:
    """How often white noise moves as slowly as this series.

    Parameters
    ----------
    value : (n,) [unit]
        Samples in order, n >= 3, not all equal.

    Returns
    -------
    ratio : float [1]
        Sum of squared successive differences / sum of squared deviations from the mean.
    p_value : float [1]
        Probability of a smaller ratio in independent normal noise: exact up to
        `EXACT_SAMPLES`, normal beyond.

    Raises
    ------
    SteadinessError

    Source
    ------
    von Neumann 1941, Ann. Math. Stat. 12:367; Imhof 1961, Biometrika 48:419 (distribution of
    quadratic forms).

    Examples
    --------
    >>> ratio, p_value = von_neumann([1.0, 3.0, 2.0, 4.0, 5.0, 4.0])
    >>> round(ratio, 4), round(p_value, 4)
    (1.0154, 0.0767)
    """
    sample = np.asarray(value, dtype=np.float64)
    if sample.ndim != 1 or len(sample) < 3 or not np.isfinite(sample).all():
        raise SteadinessError("value must be at least 3 finite numbers in order.")
    sample = sample / _unit(sample)
    if np.ptp(sample) == 0.0:
        raise SteadinessError("all samples are equal, so no ratio exists. Ask whether it is stuck.")
    deviation = sample - sample.mean()
    ratio = float(np.sum(np.diff(sample) ** 2) / (deviation @ deviation))
    return ratio, _below(ratio, len(sample))


def _below(ratio: float, n: int) -> float:
    """Probability of a von Neumann ratio below this one."""
    if n > EXACT_SAMPLES:
        return float(special.ndtr(0.5 * (ratio - 2.0) * np.sqrt((n**2 - 1.0) / (n - 2))))
    # eigenvalues of the second difference with free ends, the constant left out
    weight = 4.0 * np.sin(0.5 * np.pi * np.arange(1, n) / n) ** 2 - ratio
    if (weight >= 0).all() or (weight <= 0).all():
        return float((weight <= 0).all())
    weight /= np.abs(weight).max()
    # Imhof's integral over log u: the trapezoidal rule converges exponentially there
    u, step = np.exp(LOGARITHMS), float(LOGARITHMS[1] - LOGARITHMS[0])
    slope = np.outer(u, weight)
    angle = 0.5 * np.arctan(slope).sum(axis=1)
    damping = np.exp(-0.25 * np.log1p(slope**2).sum(axis=1))
    # exact to 1e-10, so a probability below 0 or above 1 is rounding
    return float(np.clip(0.5 - step * (np.sin(angle) @ damping) / np.pi, 0.0, 1.0))


def _window(hours: ArrayLike, value: ArrayLike) -> tuple[Vector, Vector]:
    """Times as share of the window, and samples, checked."""
    time, sample = np.asarray(hours, np.float64), np.asarray(value, np.float64)
    if time.ndim != 1 or time.shape != sample.shape or len(time) < 2:
        raise SteadinessError(
            f"hours {time.shape} and value {sample.shape} must both be (n,), n >= 2."
        )
    if not (np.isfinite(time).all() and np.isfinite(sample).all()):
        raise SteadinessError("hours and value must be numbers; leave out missing samples.")
    if not (np.diff(time) > 0).all():
        place = int(np.argmin(np.diff(time) > 0)) + 1
        raise SteadinessError(f"hours must ascend; sample {place} (from 0) does not. Sort them.")
    length = float(time[-1] - time[0])
    if length >= DAY:
        raise SteadinessError(
            f"the window is {length:g} h long; steadiness is asked of windows shorter than "
            f"{DAY:g} h. Balance a day or longer with the change of stocks instead."
        )
    return (time - time[0]) / length, sample


def _unit(sample: Vector) -> float:
    """A power of two near the largest sample, so that neither squares nor sums overflow."""
    largest = float(np.max(np.abs(sample)))
    return float(np.ldexp(0.5, int(np.frexp(largest)[1]))) if largest else 1.0


def _check_arguments(level: float, tolerance: float | None) -> None:
    """Level in (0, 1), tolerance positive."""
    if not 0.0 < level < 1.0:
        raise SteadinessError(f"level is {level}; it must lie between 0 and 1, 0.05 is usual.")
    if tolerance is not None and not 0.0 < tolerance < np.inf:
        raise SteadinessError(f"tolerance is {tolerance}; it must be a share of the mean > 0.")


def _basis(time: Vector) -> Vector:
    """Orthonormal constant, line, bow, and cosines of rising frequency, (n, q)."""
    count = min(MOST_WAVES, len(time) - 3)
    waves = np.cos(np.pi * np.outer(time, np.arange(2, count + 3)))
    columns = np.column_stack([np.ones_like(time), time, waves])
    return np.asarray(np.linalg.qr(columns)[0])


def _waves(residual: Vector, movement: float) -> int:
    """How many cosines see the same noise as a drift does.

    An AR(1) spectrum falls by a fifth where (angular frequency x sqrt(phi) / (1 - phi)) is 1/2.
    phi is corrected for the three fitted movements and taken half its sd on the safe side.
    """
    n = len(residual)
    if np.sqrt(np.mean(residual**2)) <= NEGLIGIBLE * movement:
        return LEAST_WAVES
    phi = float(residual[1:] @ residual[:-1] / (residual @ residual))
    phi += 3.0 * (1.0 + phi) / n + 0.5 * np.sqrt(max(1.0 - phi**2, 0.0) / n)
    phi = min(phi, 1.0 - 1e-9)
    reach = np.sqrt(max(phi, 0.0)) / (1.0 - phi)
    flat = n / (2.0 * np.pi * reach) - 2.0 if reach > 0 else np.inf
    return int(min(MOST_WAVES, n - 3, flat))


def _judge(
    sample: Vector, unit: float, size: Vector, noise: Vector, waves: int, level: float,
    tolerance: float | None,
) -> Steadiness:  # fmt: skip
    """Verdict on drift and bend, each tested at half the level."""
    limit = float(stats.t.isf(0.25 * level, waves))
    bound = float(np.max(np.abs(size) + limit * noise))
    significant = np.abs(size) > limit * noise
    statistic = float(np.max(np.abs(size) / noise))
    p_value = min(1.0, 4.0 * float(stats.t.sf(statistic, waves)))
    allowed = np.inf if tolerance is None else tolerance * abs(float(sample.mean()))
    if tolerance is None:
        moves, still = bool(significant.any()), not significant.any()
    else:
        moves = bool((significant & (np.abs(size) > allowed)).any())
        still = bound <= allowed
    verdict: Verdict = "steady" if still else "transient" if moves else "cannot decide"
    what = "drift" if np.argmax(np.abs(size) / noise) == 0 else "bend"
    reason = {
        "steady": f"no movement larger than {bound * unit:.3g} is left possible",
        "transient": f"the {what} stands out of the noise (p = {p_value:.2g})",
        "cannot decide": f"a movement of up to {bound * unit:.3g} is possible, "
        f"allowed are {allowed * unit:.3g}",
    }[verdict]
    return _answer(sample, unit, verdict, reason, size, noise, bound, p_value)


def _undecided(sample: Vector, unit: float, reason: str, size: Vector | None = None) -> Steadiness:
    """No verdict, for a reason."""
    blank = np.full(2, np.nan)
    shown = blank if size is None else size
    nan = float("nan")
    return _answer(sample, unit, "cannot decide", reason, shown, blank, nan, nan)


def _answer(
    sample: Vector, unit: float, verdict: Verdict, reason: str, size: Vector, noise: Vector,
    bound: float, p_value: float,
) -> Steadiness:  # fmt: skip
    """All numbers of a verdict, in the unit that was given."""
    mean = float(sample.mean())
    ratio = (float("nan"), float("nan"))
    if len(sample) >= 3 and np.ptp(sample) > 0:
        ratio = von_neumann(sample)
    drift = float(size[0])
    share = drift / abs(mean) if mean else float(np.copysign(np.inf, drift))
    return Steadiness(
        verdict, reason, mean * unit, drift * unit, share, float(abs(size[1])) * unit,
        (float(noise[0]) * unit, float(noise[1]) * unit), bound * unit, p_value, *ratio,
    )  # fmt: skip
