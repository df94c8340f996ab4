"""Gross errors of one period: limits against quadrature and simulation, names against dense GLR."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from cupral.methods.reconcile import (
    ReconcileError,
    Suspect,
    detectability,
    group_covariance,
    reconcile,
    suspects,
)
from cupral.methods.reconcile import limit as limit_module
from tests.methods.steam import SD, STEAM, TRUTH

FEW = settings(max_examples=30, deadline=None)
SEEDS = st.integers(0, 10**6)


def network(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Incidence, measurements (some missing), covariance and truth of a random network."""
    rng = np.random.default_rng(seed)
    rows, streams = int(rng.integers(2, 7)), int(rng.integers(4, 14))
    a = np.zeros((rows, streams))
    for j in range(streams):
        ends = rng.choice(rows + 1, 2, replace=False)
        for end, sign in zip(ends, (1.0, -1.0), strict=True):
            if end < rows:
                a[end, j] = sign
    truth = rng.uniform(10.0, 100.0, streams)
    sd = truth * rng.uniform(0.005, 0.1, streams)
    v = group_covariance(sd, group=rng.integers(-1, 3, streams), share=0.3).toarray()
    y = truth + np.linalg.cholesky(v) @ rng.normal(size=streams)
    y[rng.random(streams) < 0.15] = np.nan
    return a, y, v, truth


def dense(
    a: np.ndarray, y: np.ndarray, v: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whitened residual (p,), signatures of biases (p, n) and of leaks (p, m), by SVD alone."""
    known = np.isfinite(y)
    u, s, _ = np.linalg.svd(a[:, ~known])
    free = u[:, int((s > 1e-9).sum()) :].T
    u, s, _ = np.linalg.svd(free @ a[:, known])
    rank = int((s > 1e-9).sum())
    whole = u[:, :rank].T @ free
    inner = whole @ a[:, known]
    root = np.linalg.inv(np.linalg.cholesky(inner @ v[np.ix_(known, known)] @ inner.T))
    biases = np.zeros((rank, len(y)))
    biases[:, known] = root @ inner
    return root @ (inner @ y[known] - whole @ b), biases, root @ whole


def unit(columns: np.ndarray) -> np.ndarray:
    """Columns of length 1, empty ones dropped."""
    length = np.linalg.norm(columns, axis=0)
    return columns[:, length > 1e-9] / length[length > 1e-9]


def simulated(directions: np.ndarray, handicap: np.ndarray, level: float) -> float:
    """Limit of the largest handicapped statistic by plain simulation."""
    noise = np.random.default_rng(8).standard_normal((len(directions), 400_000))
    most = ((directions.T @ noise) ** 2 - handicap[:, None]).max(axis=0)
    return float(np.sqrt(np.quantile(most, 1 - level)))


# --- the limit ---------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.2, 0.05, 0.001])
def test_limit_in_the_plane_is_that_of_quadrature(level: float) -> None:
    """With two balances the chance of an alarm is an integral over the angle, done exactly."""
    a, sd = np.array([[1.0, -1, 0, -1], [0, 1, -1, 0]]), np.array([1.0, 0.6, 2.0, 0.7])
    month = reconcile(a, np.zeros(4), sd)
    _, biases, _ = dense(a, np.zeros(4), np.diag(sd**2), np.zeros(2))
    found = detectability(month, kinds=("bias",), level=level)

    def chance(angle: float) -> float:
        most = np.abs(unit(biases).T @ [math.cos(angle), math.sin(angle)]).max()
        return math.exp(-0.5 * (found.limit / most) ** 2) / math.pi

    alarm, _ = integrate.quad(chance, 0.0, math.pi, limit=400, epsabs=1e-10)
    assert alarm == pytest.approx(level, rel=0.02)


@pytest.mark.parametrize("tests", [1, 2, 40])
def test_limit_of_independent_statistics_is_sidaks(tests: int) -> None:
    """Separate pairs of meters alarm independently: there Sidak's limit is exact."""
    a = np.kron(np.eye(tests), [[1.0, -1.0]])
    month = reconcile(a, np.zeros(2 * tests), np.ones(2 * tests))
    found = detectability(month)
    single = -np.expm1(np.log1p(-0.05) / tests)
    assert found.limit == pytest.approx(-special.ndtri(single / 2), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_limit_is_that_of_brute_simulation(seed: int) -> None:
    """Correlated meters, missing ones, leaks with their handicap: 400,000 noise windows agree."""
    a, y, v, truth = network((40, 41, 43, 44, 45, 46)[seed])
    month = reconcile(a, y, np.sqrt(np.diag(v)), rhs=a @ truth, covariance=v)
    _, biases, leaks = dense(a, y, v, a @ truth)
    one, two = unit(biases), unit(leaks)
    fresh = (np.abs(one.T @ two) < 1 - 1e-9).all(axis=0)
    directions = np.hstack([one, two[:, fresh]])
    handicap = np.repeat([0.0, 2 * math.log(20.0)], [one.shape[1], fresh.sum()])
    found = detectability(month, odds=20.0)
    assert found.limit == pytest.approx(simulated(directions, handicap, 0.05), rel=3e-3)
    assert found.leak_limit**2 - found.limit**2 == pytest.approx(2 * math.log(20.0))
    assert found.limit <= month.critical_z


def test_large_problems_take_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the affordable size the limit is Sidak's, not less than the exact one."""
    month = reconcile(STEAM, TRUTH, SD)
    exact = detectability(month, kinds=("bias",)).limit
    monkeypatch.setattr(limit_module, "LARGEST", 0)
    bound = detectability(month, kinds=("bias",)).limit
    # streams 1 and 2 point the same way or not: Sidak counts directions
    directions = 7 - sum(len(group) - 1 for group in month.equivalent)
    single = -np.expm1(np.log1p(-0.05) / directions)
    chi = math.sqrt(special.chdtri(4, 0.05))
    assert exact < bound == pytest.approx(min(-special.ndtri(single / 2), chi))


def test_smallest_detectable_is_found_nine_times_of_ten() -> None:
    """A bias, or a leak, of the published size passes its limit with probability 0.9."""
    found = detectability(reconcile(STEAM, TRUTH, SD))
    noise = SD[:, None] * np.random.default_rng(4).standard_normal((7, 200_000))
    _, biases, leaks = dense(STEAM, TRUTH, np.diag(SD**2), np.zeros(4))
    for shape, size, least in (
        (biases[:, 3], found.bias[3], found.limit),
        (leaks[:, 1], found.leak[1], found.leak_limit),
    ):
        root = np.linalg.inv(np.linalg.cholesky((STEAM * SD**2) @ STEAM.T))
        z = shape @ (root @ STEAM @ noise + size * shape[:, None]) / np.linalg.norm(shape)
        assert np.mean(np.abs(z) > least) == pytest.approx(0.9, abs=0.003)


def test_what_no_balance_shows_is_not_detectable() -> None:
    """Infinite for a stream nothing checks, NaN for a kind that was not asked for."""
    found = detectability(reconcile([[1, -1, 0], [0, 0, 1]], [1.0, 1.0, np.nan], [1, 1, 1]))
    assert np.isinf(found.bias[2])
    assert np.isfinite(found.bias[:2]).all()
    assert np.isfinite(found.leak[0])
    assert np.isinf(found.leak[1])
    none = detectability(reconcile([[1, -1]], [1.0, np.nan], [1, 1]), kinds=("bias",))
    assert np.isinf(none.limit)
    assert np.isnan(none.leak).all()


# --- names -------------------------------------------------------------------------------------


@FEW
@given(SEEDS)
def test_biases_are_those_of_dense_likelihood_ratios(seed: int) -> None:
    """Statistic, group, size and sd agree with an independent dense computation."""
    a, y, v, truth = network(seed)
    rng = np.random.default_rng(seed)
    sd = np.sqrt(np.diag(v))
    y = y + np.eye(len(y))[rng.integers(len(y))] * 12 * sd
    month = reconcile(a, y, sd, rhs=a @ truth, covariance=v)
    found = suspects(month, kinds=("bias",), level=0.1)
    residual, biases, _ = dense(a, y, v, a @ truth) if month.redundancy else (None, None, None)
    if residual is None:
        assert found == ()
        return
    length = np.linalg.norm(biases, axis=0)
    z = np.where(length > 1e-9, (residual @ biases) / np.where(length > 1e-9, length, 1.0), 0.0)
    best = int(np.argmax(np.abs(z) * (1 + 1e-9 * (np.arange(len(z)) == 0))))
    limit = detectability(month, kinds=("bias",), level=0.1).limit
    if abs(np.abs(z).max() - limit) < 1e-6:
        return
    assert bool(found) == bool(np.abs(z).max() > limit)
    if len(found) == 1:
        same = np.abs(biases.T @ biases[:, best]) > (1 - 1e-9) * length * length[best]
        assert found[0].members == tuple(np.flatnonzero(same & (length > 1e-9)).tolist())
        assert found[0].statistic == pytest.approx(np.abs(z).max(), rel=1e-8)
        place = found[0].members.index(best)
        assert found[0].size[place] == pytest.approx(z[best] / length[best], rel=1e-7)
        assert found[0].size_sd[place] == pytest.approx(1 / length[best], rel=1e-7)


@FEW
@given(SEEDS)
def test_order_and_units_do_not_matter(seed: int) -> None:
    """Streams permuted and all numbers in another unit: the same suspects, sizes scaled."""
    a, y, v, truth = network(seed)
    y, sd = y + 8 * np.sqrt(np.diag(v)) * (np.arange(len(y)) == seed % len(y)), np.sqrt(np.diag(v))
    one = suspects(reconcile(a, y, sd, rhs=a @ truth, covariance=v))
    order = np.random.default_rng(seed).permutation(len(y))
    two = suspects(
        reconcile(a[:, order], 1e3 * y[order], 1e3 * sd[order], rhs=1e3 * (a @ truth),
                  covariance=1e6 * v[np.ix_(order, order)])
    )  # fmt: skip
    assert len(one) == len(two)
    for before, after in zip(one[:1], two[:1], strict=True):
        assert before.kind == after.kind
        names = order[list(after.members)] if after.kind == "bias" else np.array(after.members)
        assert sorted(names.tolist()) == sorted(before.members)
        assert after.statistic == pytest.approx(before.statistic, rel=1e-7)
        sizes = dict(zip(names.tolist(), after.size, strict=True))
        for member, size in zip(before.members, before.size, strict=True):
            assert sizes[member] == pytest.approx(1e3 * size, rel=1e-6)


@pytest.mark.parametrize("kinds", [("bias", "leak"), ("bias",), ("leak",)])
def test_noise_alone_is_suspected_at_the_level(kinds: tuple[str, ...]) -> None:
    """The level is kept and used: 20 % asked, 20 % within two standard errors and a half."""
    rng, runs, level = np.random.default_rng(3), 400, 0.2
    alarms = sum(
        bool(suspects(reconcile(STEAM, TRUTH + SD * rng.normal(size=7), SD),
                      kinds=kinds, level=level))  # type: ignore[arg-type]
        for _ in range(runs)
    )  # fmt: skip
    assert alarms / runs == pytest.approx(level, abs=2.5 * math.sqrt(level * (1 - level) / runs))


def leaking(outflow: float, odds: float = 20.0) -> tuple[Suspect, ...]:
    """A leak in the middle of a chain whose last meter is poor: almost a bias of stream 2."""
    chain = np.array([[1.0, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]])
    month = reconcile(chain, np.full(4, 100.0), [1.0, 1.0, 1.0, 4.0], rhs=[0.0, -outflow, 0.0])
    return suspects(month, odds=odds)


def test_a_leak_is_named_when_it_overcomes_the_odds() -> None:
    """Beside a bias while the odds decide, first when its evidence exceeds them."""
    small, large = leaking(6.0), leaking(15.0)
    assert [(one.kind, one.members) for one in (small[0], *small[0].also)] == [
        ("bias", (2,)), ("leak", (1,)),
    ]  # fmt: skip
    assert small[0].also[0].statistic > small[0].statistic
    assert small[0].also[0].size == pytest.approx((6.0,))
    assert [(one.kind, one.members, one.also) for one in large] == [("leak", (1,), ())]
    assert large[0].size == pytest.approx((15.0,))
    even = leaking(6.0, odds=1.0)
    assert [(one.kind, one.members, one.also) for one in even] == [("leak", (1,), ())]


def test_odds_matter_only_between_the_kinds() -> None:
    """Leaks alone compete with leaks alone."""
    month = reconcile(STEAM, TRUTH + np.array([9.0, 0, 0, 0, 0, 0, 0]), SD)
    assert suspects(month, kinds=("leak",)) == suspects(month, kinds=("leak",), odds=1e6)
    limits = [detectability(month, kinds=("leak",), odds=odds).limit for odds in (1.0, 1e6)]
    assert limits[0] == limits[1]
    by_odds = [detectability(month, odds=odds) for odds in (1.0, 3.0, 20.0, 1e6)]
    assert all(one.limit >= two.limit for one, two in pairwise(by_odds))
    alone = detectability(month, kinds=("bias",)).limit
    assert by_odds[-1].limit == pytest.approx(alone, rel=2e-3)


def test_two_errors_are_sized_together() -> None:
    """A bias and a leak: both named, each size free of the other's influence."""
    truth = TRUTH - 40.0 * np.array([0, 0, 1, 0, 1, 0, 1])
    false = truth + np.array([0, 0, 0, 0, 0, 8.0, 0])
    found = suspects(reconcile(STEAM, false, 0.4 * SD))
    assert [(one.kind, one.members) for one in found[:2]] == [("leak", (1,)), ("bias", (5,))]
    assert [one.size[0] for one in found[:2]] == pytest.approx([40.0, 8.0])


def test_refusals() -> None:
    """Odds below one and levels outside (0, 1) are refused by name."""
    month = reconcile(STEAM, TRUTH, SD)
    for odds in (0.5, np.nan, np.inf):
        with pytest.raises(ReconcileError, match=r"odds is .*it must be 1 or more"):
            suspects(month, odds=odds)
    with pytest.raises(ReconcileError, match=r"level is 1\.0"):
        detectability(month, level=1.0)
    with pytest.raises(ReconcileError, match=r"rows must lie in 0\.\.3"):
        detectability(month, rows=[4])
