"""Steadiness of short windows: exact distributions, false alarms, planted movements, refusals."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.special import ndtr

from cupral.methods.steadiness import (
    EXACT_SAMPLES,
    LEAST_SAMPLES,
    SteadinessError,
    steadiness,
    von_neumann,
)

EVEN = np.linspace(0.0, 8.0, 121)
Shape = Callable[[np.ndarray | float], np.ndarray]


def autoregressive(rng: np.random.Generator, phi: float, runs: int, n: int) -> np.ndarray:
    """Steady noise (runs, n) of unit innovations whose neighbours correlate by phi."""
    return np.asarray(lfilter([1.0], [1.0, -phi], rng.normal(size=(runs, n + 400)))[:, 400:])


def rates(hours: np.ndarray, noise: np.ndarray, **options: float) -> tuple[float, float]:
    """Shares of windows called transient, and left undecided."""
    verdicts = [steadiness(hours, 100.0 + row, **options).verdict for row in noise]
    return verdicts.count("transient") / len(noise), verdicts.count("cannot decide") / len(noise)


# Hart 1942, Ann. Math. Stat. 13:445, 5 % and 1 % limits of (sum d^2 / (n - 1)) / (s^2 / n),
# recalled; printed from a series fitted to the moments, so good to about 0.001.
HART = [
    (4, 1.0406, 0.8341), (5, 1.0255, 0.6724), (6, 1.0682, 0.6738), (7, 1.0919, 0.7163),
    (8, 1.1228, 0.7575), (9, 1.1524, 0.7974), (10, 1.1803, 0.8353),
]  # fmt: skip


@pytest.mark.parametrize(("n", "five", "one"), HART)
def test_published_limits_of_the_von_neumann_ratio(n: int, five: float, one: float) -> None:
    """The printed 5 % and 1 % limits have probabilities of 5 % and 1 %."""
    for limit, level in ((five, 0.05), (one, 0.01)):
        series = with_ratio(n, limit * (n - 1) / n)
        assert von_neumann(series)[1] == pytest.approx(level, abs=2.5e-4)


def with_ratio(n: int, ratio: float) -> np.ndarray:
    """A series of n values with this von Neumann ratio: a mix of two eigenvectors."""
    k, place = np.array([1, n - 1]), np.arange(n) + 0.5
    low, high = 4.0 * np.sin(0.5 * np.pi * k / n) ** 2
    share = (ratio - low) / (high - low)
    slow, fast = (np.cos(np.pi * j * place / n) for j in k)
    return np.asarray(np.sqrt(1 - share) * slow + np.sqrt(share) * fast)


def test_three_values_have_a_closed_form() -> None:
    """With n = 3 the ratio is 1 + 2 sin^2 of a uniform angle."""
    for ratio in (1.001, 1.2, 2.0, 2.7, 2.999):
        wanted = 2.0 / np.pi * np.arcsin(np.sqrt((ratio - 1.0) / 2.0))
        found = von_neumann(with_ratio(3, ratio))
        assert found == pytest.approx((ratio, wanted), abs=1e-8)


def test_exact_distribution_is_uniform_under_white_noise() -> None:
    """P-values of 2000 noisy series fill 0..1 evenly."""
    rng = np.random.default_rng(2)
    found = np.sort([von_neumann(rng.normal(size=12))[1] for _ in range(2000)])
    assert np.abs(found - (np.arange(2000) + 0.5) / 2000).max() < 1.36 / np.sqrt(2000)


@pytest.mark.parametrize("ratio", [1.7, 1.85, 1.95, 2.05, 2.2])
def test_normal_limit_joins_on(ratio: float) -> None:
    """At the last exact length the normal of von Neumann's moments is off by 0.0007 at most."""
    n = EXACT_SAMPLES
    moments = ndtr((ratio - 2.0) / np.sqrt(4.0 * (n - 2) / ((n + 1) * (n - 1))))
    assert von_neumann(with_ratio(n, ratio))[1] == pytest.approx(moments, abs=7e-4)


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_false_alarms_in_white_noise_are_at_the_level(level: float) -> None:
    """Exact t tests, two of them at half the level each: even and uneven sampling."""
    rng, runs = np.random.default_rng(3), 700
    uneven = np.sort(rng.uniform(0.0, 8.0, 121))
    for hours in (EVEN, uneven):
        alarms, open_ = rates(hours, rng.normal(size=(runs, 121)), level=level)
        assert open_ < 0.01
        assert abs(alarms - level) < 3.5 * np.sqrt(level * (1 - level) / runs) + 0.05 * level


@pytest.mark.parametrize("phi", [-0.3, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("n", [20, 60, 240])
def test_correlated_noise_raises_no_more_alarms(phi: float, n: int) -> None:
    """Steady but sluggish signals: at most the level, by wider limits or by not deciding."""
    rng, runs = np.random.default_rng(4), 250
    alarms, _ = rates(np.linspace(0.0, 6.0, n), autoregressive(rng, phi, runs, n))
    assert alarms < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_long_windows_of_correlated_noise_are_decided() -> None:
    """A second-by-second hour with a minute's memory is judged, not given up."""
    rng = np.random.default_rng(5)
    noise = autoregressive(rng, np.exp(-1 / 60), 100, 20_000)
    alarms, open_ = rates(np.linspace(0.0, 5.5, 20_000), noise)
    assert open_ == 0.0
    assert alarms < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


def test_sluggish_short_windows_are_not_decided() -> None:
    """A window of a few correlation times cannot tell drift from noise, and says so."""
    rng = np.random.default_rng(6)
    noise = autoregressive(rng, 0.97, 200, 120)
    assert rates(EVEN[:120], noise)[1] > 0.9
    found = steadiness(EVEN[:120], 100.0 + noise[0])
    assert "too short beside their correlation" in found.reason
    assert np.isnan(found.p_value)
    assert np.isnan(found.bound)
    assert np.isfinite(found.drift)
    assert found.ratio_p_value < 1e-6


SHAPES = {
    "ramp": lambda u: 3.0 * u,
    "step": lambda u: 3.0 * (u > 0.4),
    "start-up": lambda u: -4.0 * np.exp(-u / 0.2),
    "bump": lambda u: 3.0 * np.exp(-(((u - 0.5) / 0.2) ** 2)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_planted_movements_are_found(shape: str) -> None:
    """Three sd of movement in 121 samples is found at least nine times of ten."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(100, 121)) + SHAPES[shape](EVEN / 8.0)
    alarms, open_ = rates(EVEN, noise)
    assert alarms > 0.9, (alarms, open_)
    sluggish = autoregressive(rng, 0.5, 100, 121) + 2.0 * SHAPES[shape](EVEN / 8.0)
    assert sum(rates(EVEN, sluggish)) > 0.8


@pytest.mark.parametrize("shape", [lambda u: u, lambda u: u**2, lambda u: np.exp(-u)])
@pytest.mark.parametrize("n", [20, 97])
def test_a_movement_without_noise_is_transient(shape: Shape, n: int) -> None:
    """Nothing could feign a smooth ramp: its samples keep to it. A tolerance still forgives it."""
    hours = np.linspace(0.0, 8.0, n)
    found = steadiness(hours, shape(hours / 8.0))
    assert found.verdict == "transient"
    assert found.p_value < 1e-3
    assert abs(found.drift) == pytest.approx(abs(shape(1.0) - shape(0.0)), rel=0.1)
    small = 100.0 + 0.1 * shape(hours / 8.0)
    assert steadiness(hours, small).verdict == "transient"
    assert steadiness(hours, small, tolerance=0.02).verdict == "steady"


@pytest.mark.parametrize("n", [20, 60, 240])
def test_random_walks_do_not_pass_for_smooth_movements(n: int) -> None:
    """The most sluggish noise there is strays from its own line and bow: it is left undecided."""
    rng = np.random.default_rng(12)
    walks = np.cumsum(rng.normal(size=(300, n)), axis=1)
    assert rates(np.linspace(0.0, 8.0, n), walks)[0] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_the_level_holds_over_all_windows_not_over_the_decided_ones() -> None:
    """As documented: 20 samples at 0.5 give some 5 % alarms, which are a third of the verdicts."""
    rng = np.random.default_rng(13)
    alarms, open_ = rates(np.linspace(0.0, 8.0, 20), autoregressive(rng, 0.5, 1000, 20))
    assert alarms < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)
    assert 0.25 < alarms / (1.0 - open_) < 0.5


def test_drift_and_its_share_are_what_was_planted() -> None:
    """A noise-free ramp gives its size; noisy ones give it within their sd."""
    hours = np.array([0.0, 0.5, 1.1, 1.2, *np.linspace(1.5, 6.0, 30)])
    rng = np.random.default_rng(8)
    z = []
    for _ in range(300):
        found = steadiness(hours, 200.0 - hours + rng.normal(size=34) * 0.5)
        assert found.drift_share == pytest.approx(found.drift / found.mean)
        if np.isfinite(found.sd[0]):
            z.append((found.drift + 6.0) / found.sd[0])
    assert abs(np.mean(z)) < 0.3
    assert 0.8 < np.sqrt(np.mean(np.square(z))) < 1.6


def test_tolerance_turns_steady_into_a_promise() -> None:
    """Steady within 2 % means that the planted drift beyond 2 % is hardly ever called steady."""
    rng, runs = np.random.default_rng(9), 200
    wrong = sum(
        steadiness(EVEN, 100 + 2.2 * EVEN / 8 + rng.normal(size=121), tolerance=0.02).verdict
        == "steady"
        for _ in range(runs)
    )
    assert wrong / runs < 0.05
    precise = 100.0 + 0.1 * EVEN / 8 + 0.001 * rng.normal(size=121)
    assert steadiness(EVEN, precise).verdict == "transient"
    assert steadiness(EVEN, precise, tolerance=0.02).verdict == "steady"
    noisy = 100.0 + 5.0 * rng.normal(size=121)
    found = steadiness(EVEN, noisy, tolerance=0.02)
    assert found.verdict == "cannot decide"
    assert f"allowed are {0.02 * found.mean:.3g}" in found.reason


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([1e-290, 1e-6, 1e3, 1e300]), st.sampled_from([-1.0, 1.0])
)
def test_units_and_sign_change_nothing(seed: int, factor: float, sign: float) -> None:
    """Grams for tonnes, a flow counted the other way, a later start: the same verdict."""
    rng = np.random.default_rng(seed)
    value = 50.0 + rng.normal(size=60) + rng.uniform(0, 3) * np.linspace(0, 1, 60)
    hours = np.linspace(0.0, 4.0, 60)
    one = steadiness(hours, value, tolerance=0.05)
    two = steadiness(hours + 100.0, sign * factor * value, tolerance=0.05)
    assert one.verdict == two.verdict
    assert two.drift == pytest.approx(sign * factor * one.drift, rel=1e-6, abs=1e-9 * factor)
    assert two.bend == pytest.approx(factor * one.bend, rel=1e-6, abs=1e-9 * factor)
    assert (two.p_value, two.ratio) == pytest.approx(
        (one.p_value, one.ratio), rel=1e-6, nan_ok=True
    )


def test_values_at_the_ends_of_the_number_range_are_judged() -> None:
    """Squares of 1e300 and of 1e-310 have no place among floating-point numbers."""
    noise = np.random.default_rng(14).normal(size=121)
    for value in (1e300 * (2.0 + 0.1 * noise), 1e-310 * noise):
        found = steadiness(EVEN, value)
        assert found.verdict == "steady"
        assert found.ratio == pytest.approx(von_neumann(noise)[0], rel=1e-6)
        assert found.mean == pytest.approx(np.mean(value / 4.0) * 4.0, rel=1e-9)
        assert 0.0 < found.bound < np.inf
    assert steadiness(EVEN, 1e300 * np.linspace(1, 2, 121)).verdict == "transient"
    assert steadiness(EVEN, np.zeros(121)).mean == 0.0


def test_few_or_constant_samples_are_not_decided() -> None:
    """Too few samples, or none that differs, is no proof of steadiness."""
    few = steadiness(np.arange(10.0), np.arange(10.0))
    assert few.verdict == "cannot decide"
    assert f"fewer than {LEAST_SAMPLES}" in few.reason
    flat = steadiness(EVEN, np.full(121, 7.0))
    assert (flat.verdict, flat.mean) == ("cannot decide", 7.0)
    assert "stuck" in flat.reason


@pytest.mark.parametrize("length", [24.0, 744.0])
def test_a_day_or_longer_is_refused(length: float) -> None:
    """Daily and monthly balances carry stock changes; steadiness is not their question."""
    with pytest.raises(SteadinessError, match="change of stocks"):
        steadiness(np.linspace(0.0, length, 50), np.ones(50))


@pytest.mark.parametrize(
    ("hours", "value", "match"),
    [
        ([0.0, 1.0], [1.0], r"must both be \(n,\)"),
        ([[0.0, 1.0]], [[1.0, 2.0]], r"must both be \(n,\)"),
        ([0.0, 2.0, 1.0], [1.0, 2.0, 3.0], r"sample 2 \(from 0\)"),
        ([0.0, 1.0, 1.0], [1.0, 2.0, 3.0], r"sample 2 \(from 0\)"),
        ([0.0, 1.0], [1.0, np.nan], "leave out missing"),
    ],
)
def test_bad_windows(hours: list[float], value: list[float], match: str) -> None:
    """Times and values are checked before any arithmetic."""
    with pytest.raises(SteadinessError, match=match):
        steadiness(hours, value)


def test_bad_arguments() -> None:
    """Level and tolerance have their ranges; a ratio needs values that differ."""
    for level in (0.0, 1.0, np.nan):
        with pytest.raises(SteadinessError, match="level is"):
            steadiness(EVEN, EVEN, level=level)
    for tolerance in (0.0, -0.1, np.inf, np.nan):
        with pytest.raises(SteadinessError, match="tolerance is"):
            steadiness(EVEN, EVEN, tolerance=tolerance)
    with pytest.raises(SteadinessError, match="all samples are equal"):
        von_neumann([1.0, 1.0, 1.0])
    with pytest.raises(SteadinessError, match="at least 3"):
        von_neumann([1.0, 2.0])
