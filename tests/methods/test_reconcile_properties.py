"""Laws of reconciliation: what must hold for every network, whoever drew it."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import sparse

from cupral.methods.reconcile import (
    Observability,
    group_covariance,
    loadings,
    reconcile,
    sensitivity,
    suspects,
)
from cupral.methods.reconcile import system as system_module

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 10**6)


def network(seed: int, *, general: bool = False) -> dict[str, np.ndarray]:
    """A random small network with measurements, some of them missing, some fixed."""
    rng = np.random.default_rng(seed)
    rows, streams = int(rng.integers(1, 7)), int(rng.integers(2, 14))
    a = np.zeros((rows, streams))
    for j in range(streams):
        ends = rng.choice(rows + 1, 2, replace=False)
        for end, sign in zip(ends, (1.0, -1.0), strict=True):
            if end < rows:
                a[end, j] = sign * (rng.uniform(0.3, 3.0) if general else 1.0)
    truth = rng.uniform(1.0, 100.0, streams)
    sd = truth * rng.uniform(0.005, 0.1, streams)
    measured = truth + sd * rng.normal(size=streams)
    measured[rng.random(streams) < 0.25] = np.nan
    return {"a": a, "y": measured, "sd": sd, "b": a @ truth, "truth": truth}


def dense_answer(a: np.ndarray, y: np.ndarray, v: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Reference: minimum of the weighted adjustments over an explicit null space."""
    known = np.isfinite(y)
    _, s, vt = np.linalg.svd(a)
    rank = int((s > 1e-10).sum())
    particular = np.linalg.pinv(a) @ b
    free = np.round(vt[rank:].T, 12)  # dust is no freedom
    root = np.linalg.inv(np.linalg.cholesky(v[np.ix_(known, known)]))
    gap = root @ (y - particular)[known]
    coefficient = np.linalg.lstsq(root @ free[known], gap, rcond=1e-11)[0]
    return particular + free @ coefficient


@FEW
@given(SEEDS, st.booleans())
def test_agrees_with_dense_null_space(seed: int, general: bool) -> None:
    """Values equal those of a null-space solver, with and without correlated meters."""
    case = network(seed, general=general)
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, 2, len(case["y"]))
    covariance = group_covariance(case["sd"], group=group, share=0.4)
    answer = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"], covariance=covariance)
    wanted = dense_answer(case["a"], case["y"], covariance.toarray(), case["b"])
    seen = np.isfinite(answer.value)
    np.testing.assert_allclose(answer.value[seen], wanted[seen], rtol=1e-8, atol=1e-8)
    assert (~seen == (answer.observability == Observability.UNOBSERVABLE)).all()


@FEW
@given(SEEDS, st.booleans())
def test_sparse_and_orthogonal_factor_agree(seed: int, general: bool) -> None:
    """The sparse Schur complement gives every number the QR gives."""
    case = network(seed, general=general)
    group = np.arange(len(case["y"])) // 2
    covariance = group_covariance(case["sd"], group=group, share=0.3)
    one = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"], covariance=covariance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system_module, "ORTHOGONAL_ROWS", -1)
        two = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"], covariance=covariance)
    np.testing.assert_allclose(one.objective, two.objective, rtol=1e-7, atol=1e-12)
    for name in ("value", "smallest_detectable", "z_max_power", "z_adjustment"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(two, name), rtol=1e-6, atol=1e-7, equal_nan=True
        )
    # the Schur form knows an sd as a root of a difference: to 1e-5 of what it was before
    np.testing.assert_allclose(one.sd, two.sd, rtol=1e-6, atol=1e-5 * case["sd"].sum())
    named = [(s.kind, s.members) for s in suspects(one, level=0.3)]
    assert named == [(s.kind, s.members) for s in suspects(two, level=0.3)]


@FEW
@given(SEEDS)
def test_balances_close(seed: int) -> None:
    """Every balance without an unknown stream closes to rounding."""
    case = network(seed)
    answer = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
    closed = np.isfinite(answer.residual)
    assert np.all(np.abs(answer.residual[closed]) < 1e-11 * 1e3)
    known = np.isfinite(case["y"])
    assert (answer.sd[known] <= case["sd"][known] * (1 + 1e-12)).all()


@FEW
@given(SEEDS)
def test_permutation_changes_nothing(seed: int) -> None:
    """Order of streams and balances is only order."""
    case = network(seed)
    rng = np.random.default_rng(seed + 1)
    rows, streams = (rng.permutation(n) for n in case["a"].shape)
    one = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
    two = reconcile(
        case["a"][rows][:, streams], case["y"][streams], case["sd"][streams], rhs=case["b"][rows]
    )
    for name in ("value", "sd", "z_max_power"):
        np.testing.assert_allclose(
            getattr(one, name)[streams], getattr(two, name), rtol=1e-9, atol=1e-9, equal_nan=True
        )
    assert (one.observability[streams] == two.observability).all()
    assert (one.redundancy, one.rank) == (two.redundancy, two.rank)
    place = np.argsort(streams)
    moved = tuple(sorted(tuple(sorted(int(place[i]) for i in g)) for g in one.equivalent))
    assert moved == two.equivalent


@FEW
@given(SEEDS, st.sampled_from([1e-9, 1e-3, 7.0, 1e8]))
def test_units_scale(seed: int, factor: float) -> None:
    """Grams or gigatonnes: values scale, tests stay."""
    case = network(seed)
    one = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
    two = reconcile(case["a"], case["y"] * factor, case["sd"] * factor, rhs=case["b"] * factor)
    np.testing.assert_allclose(one.value * factor, two.value, rtol=1e-9, atol=1e-9 * factor)
    np.testing.assert_allclose(one.sd * factor, two.sd, rtol=1e-7, atol=1e-12 * factor)
    np.testing.assert_allclose(one.z_max_power, two.z_max_power, rtol=1e-6, atol=1e-8)


@FEW
@given(SEEDS)
@example(158)
def test_row_scale_and_repetition_change_nothing(seed: int) -> None:
    """A balance written twice, or in other units, is the same balance."""
    case = network(seed)
    scale = 10.0 ** np.random.default_rng(seed).integers(-6, 7, len(case["a"]))
    weight = np.arange(1.0, len(scale) + 1)
    a = np.vstack([case["a"] * scale[:, None], case["a"][:1], weight @ case["a"]])
    b = np.concatenate([case["b"] * scale, case["b"][:1], [weight @ case["b"]]])
    one = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
    two = reconcile(a, case["y"], case["sd"], rhs=b)
    assert (one.redundancy, one.rank) == (two.redundancy, two.rank)
    np.testing.assert_allclose(one.value, two.value, rtol=1e-8, atol=1e-8)
    # an sd of zero is a difference of equal variances: known to root epsilon of what it was
    known = 1e-8 * float(np.nanmax(case["sd"]))
    np.testing.assert_allclose(one.sd, two.sd, rtol=1e-7, atol=known)


@FEW
@given(SEEDS, SEEDS)
def test_components_are_independent(first: int, second: int) -> None:
    """Two sites together answer as each alone."""
    one, two = network(first), network(second)
    both = reconcile(
        sparse.block_diag([one["a"], two["a"]]),
        np.concatenate([one["y"], two["y"]]),
        np.concatenate([one["sd"], two["sd"]]),
        rhs=np.concatenate([one["b"], two["b"]]),
    )
    alone = [reconcile(c["a"], c["y"], c["sd"], rhs=c["b"]) for c in (one, two)]
    for name in ("value", "sd", "z_max_power"):
        joined = np.concatenate([getattr(r, name) for r in alone])
        np.testing.assert_allclose(getattr(both, name), joined, rtol=1e-8, atol=1e-9)
    assert both.redundancy == sum(r.redundancy for r in alone)
    np.testing.assert_allclose(both.objective, sum(r.objective for r in alone), rtol=1e-8)


@FEW
@given(SEEDS)
def test_sensitivity_reproduces_values_and_sd(seed: int) -> None:
    """Values move as the sensitivity says, and sd is the sensitivity times the meters' sd."""
    case = network(seed)
    answer = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
    slope = sensitivity(answer)
    columns = answer.system.measured
    assert slope.shape == (len(case["y"]), len(columns))
    spread = np.sqrt(((slope * case["sd"][columns]) ** 2).sum(axis=1))
    spread[np.isnan(answer.value)] = np.nan
    np.testing.assert_allclose(spread, answer.sd, rtol=1e-7, atol=1e-9, equal_nan=True)
    if len(columns):
        moved = case["y"].copy()
        moved[columns[0]] += 1.0
        change = reconcile(case["a"], moved, case["sd"], rhs=case["b"]).value - answer.value
        np.testing.assert_allclose(change, slope[:, 0], rtol=1e-7, atol=1e-9, equal_nan=True)


@FEW
@given(SEEDS)
def test_loadings_add_up_to_the_posterior(seed: int) -> None:
    """With the matching covariance, coherent and independent parts make up the whole sd."""
    case = network(seed)
    rng = np.random.default_rng(seed)
    group, share = rng.integers(-1, 3, len(case["y"])), rng.uniform(0, 0.9, len(case["y"]))
    covariance = group_covariance(case["sd"], group=group, share=share)
    answer = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"], covariance=covariance)
    split = loadings(answer, group=group, share=share)
    assert split.coherent.shape == (len(case["y"]), len(split.groups))
    np.testing.assert_allclose(split.sd, answer.sd, rtol=1e-7, atol=1e-8, equal_nan=True)


@FEW
@given(SEEDS)
def test_loadings_make_up_the_covariance_of_all_values(seed: int) -> None:
    """Not the sd alone: any sum or difference of values has the sd of the dense posterior."""
    case = network(seed)
    rng = np.random.default_rng(seed)
    n = len(case["y"])
    group, share = rng.integers(-1, 3, n), rng.uniform(0, 0.9, n)
    spread = group_covariance(case["sd"], group=group, share=share)
    answer = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"], covariance=spread)
    split = loadings(answer, group=group, share=share)
    at = answer.system.measured
    slope = sensitivity(answer)
    wanted = slope @ spread.toarray()[np.ix_(at, at)] @ slope.T
    found = split.coherent @ split.coherent.T + split.own @ split.own.T
    known = np.isfinite(answer.value)
    rounding = 1e-12 * float(np.nanmax(case["sd"])) ** 2
    np.testing.assert_allclose(
        found[np.ix_(known, known)], wanted[np.ix_(known, known)], rtol=1e-7, atol=rounding
    )
    assert np.isnan(split.own[~known]).all()


def test_yearly_sum_of_a_shared_scale() -> None:
    """Twelve months on one belt scale: its calibration error does not average out."""
    month = reconcile([[1, -1]], [100.0, 100.0], [1.0, 50.0])
    split = loadings(month, group=[3, -1], share=[0.81, 0.0])
    year = np.hypot(12 * split.coherent[0, 0], np.sqrt(12) * split.independent[0])
    assert year == pytest.approx(np.sqrt(144 * 0.81 + 12 * 0.19), rel=2e-3)


def test_sd_is_what_repetition_shows() -> None:
    """Posterior sd, objective and z follow their distributions over 1000 noisy months."""
    case = network(4)
    rng = np.random.default_rng(5)
    case["y"] = np.where(np.arange(len(case["y"])) == 1, np.nan, case["truth"])
    assert reconcile(case["a"], case["y"], case["sd"], rhs=case["b"]).redundancy >= 2
    values, objectives, biggest = [], [], 0
    for _ in range(1000):
        noisy = case["y"] + case["sd"] * rng.normal(size=len(case["sd"]))
        answer = reconcile(case["a"], noisy, case["sd"], rhs=case["b"])
        values.append(answer.value)
        objectives.append(answer.objective)
        biggest += bool(np.nanmax(np.abs(answer.z_max_power)) > answer.critical_z)
    seen = np.isfinite(answer.value)
    np.testing.assert_allclose(np.std(values, axis=0)[seen], answer.sd[seen], rtol=0.08, atol=1e-9)
    assert np.mean(objectives) == pytest.approx(answer.redundancy, rel=0.08)
    assert biggest / 1000 < 0.065


def test_smallest_detectable_is_found_nine_times_of_ten() -> None:
    """A bias of the promised size fails its own test with probability 0.9."""
    a, sd = np.array([[1.0, -1, -1, 0], [0, 0, 1, -1]]), np.array([1.0, 0.6, 0.5, 0.4])
    truth = np.array([100.0, 60, 40, 40])
    size = reconcile(a, truth, sd).smallest_detectable[2]
    rng, hits = np.random.default_rng(11), 0
    for _ in range(1000):
        noisy = truth + sd * rng.normal(size=4) + np.array([0, 0, size, 0])
        answer = reconcile(a, noisy, sd)
        hits += bool(abs(answer.z_max_power[2]) > answer.critical_z)
    assert hits / 1000 == pytest.approx(0.9, abs=0.03)


STEAM = np.array(
    [[1, -1, 0, 1, 0, 1, 0], [0, 1, -1, 0, 0, 0, 0], [0, 0, 1, -1, -1, 0, 0],
     [0, 0, 0, 0, 1, -1, -1]], dtype=float,
)  # fmt: skip


@pytest.mark.parametrize("kinds", [("bias", "leak"), ("bias",), ("leak",)])
def test_noise_alone_is_rarely_suspected(kinds: tuple[str, ...]) -> None:
    """At 5 % the whole search names somebody in at most 5 % of noise-only months."""
    rng, runs = np.random.default_rng(3), 800
    sd = np.array([2.0, 2.5, 2.5, 1.0, 1.5, 0.5, 1.0])
    truth = np.array([50.0, 80, 80, 20, 60, 10, 50])
    assert np.allclose(STEAM @ truth, 0)
    alarms = sum(
        bool(suspects(reconcile(STEAM, truth + sd * rng.normal(size=7), sd), kinds=kinds))
        for _ in range(runs)
    )
    assert alarms / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_two_biases_are_found_one_after_the_other() -> None:
    """Serial compensation names both and estimates both sizes together."""
    truth = np.array([50.0, 80, 80, 20, 60, 10, 50])
    false = truth + np.array([0, 12.0, 0, 0, 0, -6.0, 0])
    found = suspects(reconcile(STEAM, false, np.ones(7)))
    assert [one.members for one in found] == [(1,), (5,)]
    assert [one.size[0] for one in found] == pytest.approx([12.0, -6.0])


def test_leak_inside_the_network_is_named() -> None:
    """A leak at a process without a stream to the outside is a leak, of the right size."""
    truth = np.array([50.0, 80, 74, 20, 54, 10, 44])
    (found,) = suspects(reconcile(STEAM, truth, np.full(7, 0.5)))
    assert (found.kind, found.members, found.also) == ("leak", (1,), ())
    assert found.size == pytest.approx((6.0,))
    assert suspects(reconcile(STEAM, truth, np.full(7, 0.5)), rows=[0], kinds=("leak",)) != (found,)


def test_merged_processes_share_a_leak() -> None:
    """Balances joined by an unmeasured stream cannot be told apart as leaks."""
    y = np.array([10.0, np.nan, 8.0])
    (found,) = suspects(reconcile([[1, -1, 0], [0, 1, -1]], y, [0.1, 1.0, 0.1]))
    assert found.members == (0, 2)
    assert found.also[0].members == (0, 1)
    assert found.also[0].size == pytest.approx((2.0, 2.0))


def test_fixed_values_stay_and_have_no_sd() -> None:
    """A stream with sd = 0 keeps its value and moves the others."""
    answer = reconcile([[1, -1, -1]], [10.0, 6.0, 5.0], [0.1, 0.0, 0.1])
    assert answer.value.tolist() == pytest.approx([10.5, 6.0, 4.5])
    assert answer.observability.tolist() == [0, Observability.FIXED, 0]
    assert (answer.sd[1], answer.redundancy) == (0.0, 1)
    assert np.isnan(answer.z_max_power[1])


def test_nothing_to_balance() -> None:
    """Without redundancy everything is as measured and no test fails."""
    answer = reconcile([[1, -1]], [10.0, np.nan], [0.1, np.nan])
    assert answer.value.tolist() == pytest.approx([10.0, 10.0])
    assert answer.sd.tolist() == pytest.approx([0.1, 0.1])
    assert (answer.redundancy, answer.p_value, answer.global_test_pass) == (0, 1.0, True)
    assert answer.observability.tolist() == [1, 2]
    assert np.isinf(answer.smallest_detectable[0])
    assert suspects(answer) == ()


def test_awful_meter_loses_no_digits() -> None:
    """A meter 1e7 times worse than the rest gets the sd of the balance, not of rounding."""
    answer = reconcile([[1, -1, -1]], [1e3, 6.0, 4.0], [1e6, 0.1, 0.1])
    assert answer.sd[0] == pytest.approx(np.hypot(0.1, 0.1), rel=1e-9)
    assert answer.value[0] == pytest.approx(10.0, rel=1e-9)


def test_values_alone() -> None:
    """Without uncertainties the values and the global test are the same."""
    case = network(12)
    one = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
    two = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"], uncertainty=False)
    np.testing.assert_array_equal(one.value, two.value)
    assert one.objective == two.objective
    assert np.isnan(two.sd).all()


def test_answer_travels_between_processes_and_prints() -> None:
    """Reconciliations pickle (the factor is rebuilt) and show themselves."""
    case = network(9)
    for rows in (-1, 48):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(system_module, "ORTHOGONAL_ROWS", rows)
            one = reconcile(case["a"], case["y"], case["sd"], rhs=case["b"])
        two = pickle.loads(pickle.dumps(one))  # noqa: S301
        np.testing.assert_allclose(sensitivity(one), sensitivity(two), rtol=1e-12, atol=1e-14)
    assert "degrees of freedom" in str(one)
    assert len(str(one).splitlines()) == 2 + len(case["y"])
