"""Persistent gross errors: pooling against dense algebra, onsets, laws of splitting."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.methods.reconcile import (
    Bilinear,
    ReconcileError,
    Reconciliation,
    ShapeError,
    detectability,
    pooled_suspects,
    reconcile,
    reconcile_nonlinear,
    suspects,
)
from cupral.methods.reconcile.candidate import candidates
from tests.methods.steam import SD, STEAM, TRUTH

FEW = settings(max_examples=20, deadline=None)
SEEDS = st.integers(0, 10**6)


def months(
    count: int, seed: int, bias: np.ndarray | float = 0.0, begin: int = 0, missing: float = 0.0
) -> list[Reconciliation]:
    """Noisy months of the steam network, a bias [unit] from one of them on."""
    rng, result = np.random.default_rng(seed), []
    for t in range(count):
        y = TRUTH + SD * rng.normal(size=7) + np.asarray(bias) * (t >= begin)
        y[rng.random(7) < missing] = np.nan
        result.append(reconcile(STEAM, y, SD))
    return result


def at(stream: int, size: float) -> np.ndarray:
    """A bias of one stream."""
    return size * (np.arange(7) == stream)


@FEW
@given(SEEDS)
def test_one_period_pooled_is_the_search_of_that_period(seed: int) -> None:
    """T = 1 gives `suspects`, with or without a search for onsets."""
    (month,) = months(1, seed, at(seed % 7, 6.0), missing=0.1)
    wanted = suspects(month)
    assert pooled_suspects([month]) == wanted
    assert pooled_suspects([month], onset=True) == wanted
    one, other = detectability(month), detectability([month])
    np.testing.assert_array_equal(one.bias, other.bias)


@FEW
@given(SEEDS, st.integers(2, 12))
def test_alike_periods_are_as_good_as_their_mean(seed: int, count: int) -> None:
    """A window split into equal periods: the mean, with sd over sqrt(T), tells the same."""
    window = months(count, seed, at(seed % 7, 3.0))
    mean = np.mean([one.system.problem.measured for one in window], axis=0)
    whole = reconcile(STEAM, mean, SD / np.sqrt(count))
    found, wanted = pooled_suspects(window), suspects(whole)
    if wanted and abs(wanted[0].statistic - detectability(whole).limit) < 0.02:
        return  # two estimates of one limit may differ by its standard error
    for one, two in zip(found[:1], wanted[:1], strict=True):
        assert (one.kind, one.members) == (two.kind, two.members)
        assert one.statistic == pytest.approx(two.statistic, rel=1e-8)
        if len(found) != len(wanted):
            continue  # the second one lies on its limit, and sizes are estimated together
        assert one.size == pytest.approx(two.size, rel=1e-7)
        assert one.size_sd == pytest.approx(two.size_sd, rel=1e-7)
    pooled = detectability(window)
    np.testing.assert_allclose(pooled.bias, detectability(whole).bias, rtol=6e-3)
    np.testing.assert_allclose(pooled.leak, detectability(whole).leak, rtol=6e-3)


@FEW
@given(SEEDS)
def test_statistics_are_those_of_one_dense_problem(seed: int) -> None:
    """Other meters in each month: scores of the blocks add up as in dense algebra."""
    window = months(4, seed, at(seed % 7, 9.0), missing=0.2)
    score, information = np.zeros(7), np.zeros(7)
    for month in window:
        y = month.system.problem.measured
        known = np.isfinite(y)
        u, s, _ = np.linalg.svd(STEAM[:, ~known])
        free = u[:, int((s > 1e-9).sum()) :].T @ STEAM[:, known]
        inverse = np.linalg.pinv((free * SD[known] ** 2) @ free.T)
        score[known] += free.T @ inverse @ free @ y[known]
        information[known] += np.einsum("ij,ij->j", free, inverse @ free)
    z = np.abs(score) / np.sqrt(np.where(information > 1e-9, information, np.inf))
    found = pooled_suspects(window, kinds=("bias",))
    assert bool(found) == (z.max() > detectability(window, kinds=("bias",)).limit)
    if found:
        assert found[0].statistic == pytest.approx(z.max(), rel=1e-8)
        assert z[list(found[0].members)] == pytest.approx(z.max(), rel=1e-8)


def test_pooling_finds_what_no_month_shows() -> None:
    """A bias a third of what one month shows is silent in most of 24 and plain in all."""
    one, all_ = (detectability(months(count, 5)).bias[5] for count in (1, 24))
    size = 1.6 * all_
    assert size < one / 3
    window = months(24, 5, at(5, size))
    assert sum(bool(suspects(month)) for month in window) <= 6
    found = pooled_suspects(window)[0]
    assert (found.kind, found.members) == ("bias", (5,))
    assert abs(found.size[0] - size) < 3 * found.size_sd[0]


def test_order_of_periods_does_not_matter() -> None:
    """Without onsets the window is a set of months."""
    window = months(6, 3, at(3, 2.5), missing=0.1)
    one, two = pooled_suspects(window), pooled_suspects(window[::-1])
    assert [(s.kind, s.members) for s in one] == [(s.kind, s.members) for s in two]
    assert one[0].statistic == pytest.approx(two[0].statistic)


def test_another_network_separates_what_one_cannot() -> None:
    """Streams side by side are one group; months in which one of them is closed part them."""
    sd = np.ones(4)
    joined = np.array([[1.0, -1, -1, 0]])  # streams 1 and 2 in parallel, stream 3 not connected
    parted = np.array([[1.0, -1, 0, -1]])  # stream 2 is closed, stream 3 takes its place
    one = reconcile(joined, [100.0, 70.0, 40.0, 0.0], sd)
    two = reconcile(parted, [100.0, 70.0, 0.0, 40.0], sd)
    assert suspects(one)[0].members == (0, 1, 2)
    assert suspects(two)[0].members == (0, 1, 3)
    found = pooled_suspects([one, two, two])
    assert found[0].members == (0, 1)
    assert found[0].size == pytest.approx((-10.0, 10.0))


def test_a_meter_absent_for_months_keeps_its_evidence() -> None:
    """Periods without the meter neither help nor hurt; its sd is that of the others."""
    window = months(12, 9, at(1, 6.0))
    for t in range(0, 12, 2):
        y = window[t].system.problem.measured.copy()
        y[1] = np.nan
        window[t] = reconcile(STEAM, y, SD)
    half = detectability(window, kinds=("bias",)).bias[1]
    whole = detectability(window[1::2], kinds=("bias",)).bias[1]
    assert half == pytest.approx(whole, rel=0.01)
    assert 1 in pooled_suspects(window)[0].members


def test_a_month_that_checks_nothing_changes_nothing() -> None:
    """A period without redundancy neither adds evidence nor fails."""
    window = months(5, 1, at(4, 5.0))
    blind = reconcile(STEAM, np.where(np.arange(7) < 1, 50.0, np.nan), SD)
    assert blind.redundancy == 0
    one, two = pooled_suspects(window), pooled_suspects([*window, blind])
    assert [(s.kind, s.members) for s in one] == [(s.kind, s.members) for s in two]
    assert one[0].statistic == pytest.approx(two[0].statistic)
    assert pooled_suspects([blind, blind], onset=True) == ()


def test_a_belt_scale_errs_by_a_share_of_the_flow() -> None:
    """Flows that vary tenfold, a scale 8 % high: the proportional bias fits, with its share."""
    rng, window = np.random.default_rng(4), []
    for load in np.linspace(0.2, 2.0, 12):
        y = load * TRUTH + 0.3 * SD * rng.normal(size=7)
        y[4] *= 1.08
        window.append(reconcile(STEAM, y, 0.3 * SD))
    share, constant = (pooled_suspects(window, proportional=one) for one in (True, False))
    assert (share[0].kind, share[0].members) == ("bias", (4,))
    assert share[0].size[0] == pytest.approx(0.08, abs=3 * share[0].size_sd[0] + 0.004)
    assert share[0].statistic > constant[0].statistic
    sizes = detectability(window, proportional=True)
    assert sizes.bias[4] < 0.03


def test_a_leak_persists_too() -> None:
    """An unrecorded outflow of every month is found at its balance."""
    rng, window = np.random.default_rng(7), []
    for _ in range(12):
        y = TRUTH - 8.0 * np.array([0, 0, 1, 0, 1, 0, 1]) + SD * rng.normal(size=7)
        window.append(reconcile(STEAM, y, SD))
    found = pooled_suspects(window)
    assert (found[0].kind, found[0].members) == ("leak", (1,))
    assert abs(found[0].size[0] - 8.0) < 3 * found[0].size_sd[0]


def test_linearised_periods_are_pooled() -> None:
    """Flows and grades: an assay that is high in every month is named."""
    rng, window = np.random.default_rng(6), []
    balances = Bilinear([[1, -1, -1]], stream=[0, 1, 2], element=[0, 0, 0], mass=[True])
    truth = np.array([100.0, 20.0, 80.0, 0.02, 0.09, 0.0025])
    sd = 0.03 * truth
    for _ in range(10):
        y = truth + sd * rng.normal(size=6)
        y[3] += 3.5 * sd[3]
        window.append(reconcile_nonlinear(balances, y, sd, start=truth))
    assert window[0].equivalent == ((3, 4, 5),)
    (found,) = pooled_suspects(window, kinds=("bias",))
    assert found.members == (3, 4, 5)
    assert abs(found.size[0] - 3.5 * sd[3]) < 3 * found.size_sd[0]


def test_onset_is_dated() -> None:
    """A bias from the seventh month on: found, dated, and the set holds the month."""
    window = months(12, 2, at(3, 3.0), begin=6)
    (found,) = pooled_suspects(window, onset=True)
    assert (found.kind, found.members) == ("bias", (3,))
    assert 6 in found.onsets
    assert found.onset in found.onsets
    assert len(found.onsets) <= 6
    assert pooled_suspects(window)[0].statistic < found.statistic


def test_onsets_cover_the_true_one() -> None:
    """The confidence set holds the true month in 95 of 100 windows when the stream is right."""
    hits = right = 0
    size = 2.2 * detectability(months(8, 0), kinds=("bias",)).bias[3]
    for seed in range(100):
        window = months(8, seed, at(3, size), begin=3)
        found = pooled_suspects(window, kinds=("bias",), onset=True)
        if found and found[0].members == (3,):
            right += 1
            hits += 3 in found[0].onsets
    assert right > 80
    assert hits / right >= 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / right)


@pytest.mark.parametrize("onset", [False, True])
def test_noise_alone_is_suspected_at_the_level(onset: bool) -> None:
    """The level holds over all streams, balances and onsets together."""
    runs, level = 150, 0.2
    alarms = sum(
        bool(pooled_suspects(months(4, seed), level=level, onset=onset)) for seed in range(runs)
    )
    assert alarms / runs == pytest.approx(level, abs=2.5 * np.sqrt(level * (1 - level) / runs))


def test_refusals() -> None:
    """No periods, other streams, other balances: refused by name with what to do."""
    one = reconcile([[1, -1]], [1.0, 1.0], [1, 1])
    two = reconcile([[1, -1], [1, -1]], [1.0, 1.0], [1, 1])
    three = reconcile([[1, -1, 1]], [1.0, 1.0, 1.0], [1, 1, 1])
    with pytest.raises(ReconcileError, match="there are no periods"):
        pooled_suspects([])
    with pytest.raises(ShapeError, match=r"\[2, 3\] streams; all must have the same"):
        pooled_suspects([one, three])
    with pytest.raises(ShapeError, match=r"\[1, 2\] balances; leaks need the same"):
        pooled_suspects([one, two])
    assert pooled_suspects([one, two], kinds=("bias",)) == ()
    with pytest.raises(ReconcileError, match="level is 0"):
        pooled_suspects([replace(one, level=0.0)])


def lasting_months(count: int, seed: int, share: float) -> tuple[list[Reconciliation], np.ndarray]:
    """Honest months in which each meter keeps a share of its variance, and what it keeps."""
    rng = np.random.default_rng(seed)
    kept = np.sqrt(share) * SD
    stays = kept * rng.normal(size=7)
    own = np.sqrt(1 - share) * SD
    result = [reconcile(STEAM, TRUTH + stays + own * rng.normal(size=7), own) for _ in range(count)]
    return result, np.diag(kept)


def test_lasting_errors_are_the_dense_covariance() -> None:
    """Woodbury's identity gives the likelihood ratio of the whole dense covariance."""
    periods, kept = lasting_months(4, 5, 0.5)
    found = candidates(periods, kinds=("bias",), lasting=kept)
    a = STEAM
    block = np.kron(np.eye(4), a @ np.diag(0.5 * SD**2) @ a.T)
    stacked_signature = np.tile(a, (4, 1))
    whole = block + stacked_signature @ kept**2 @ stacked_signature.T
    # the systems scale their rows by powers of two: compare what does not depend on it
    raw = np.concatenate([a @ one.system.problem.measured for one in periods])
    wanted = stacked_signature.T @ np.linalg.solve(whole, raw)
    score = found.columns.T @ found.stack.solve(found.stack.residual)
    np.testing.assert_allclose(score, wanted, rtol=1e-9)
    information = np.einsum(
        "ij,ij->j", stacked_signature, np.linalg.solve(whole, stacked_signature)
    )
    np.testing.assert_allclose(found.stack.quadratic(found.columns), information, rtol=1e-9)


def test_what_honest_meters_keep_is_no_fault() -> None:
    """Over 12 months a calibration error within its sd is named without `lasting`, not with it."""
    accused = {True: 0, False: 0}
    for seed in range(200):
        periods, kept = lasting_months(12, seed, 0.5)
        accused[True] += bool(pooled_suspects(periods, lasting=kept))
        accused[False] += bool(pooled_suspects(periods))
    assert accused[True] <= 19  # 5 % of 200 is 10; 19 is exceeded by chance in 0.3 % of seeds
    assert accused[False] > 100


def test_a_fault_beyond_what_is_kept_is_still_found() -> None:
    """Eight sd on one meter: named alone, and its sd holds what the meter may keep."""
    periods, kept = lasting_months(12, 3, 0.5)
    biased = [
        reconcile(
            STEAM, one.system.problem.measured + 8 * SD * (np.arange(7) == 3), np.sqrt(0.5) * SD
        )
        for one in periods
    ]
    (one, *_) = pooled_suspects(biased, kinds=("bias",), lasting=kept)
    assert one.members == (3,)
    assert abs(one.size[0] - 8 * SD[3]) < 4 * one.size_sd[0]
    assert one.size_sd[0] > kept[3, 3]


@pytest.mark.parametrize(
    ("lasting", "message"), [(np.ones((3, 7, 1)), "must be"), (np.full((7, 1), np.nan), "numbers")]
)
def test_lasting_errors_of_another_shape_are_refused(lasting: np.ndarray, message: str) -> None:
    """One row a stream, one period each or one for all."""
    periods, _ = lasting_months(2, 1, 0.5)
    with pytest.raises(ReconcileError, match=message):
        pooled_suspects(periods, lasting=lasting)
