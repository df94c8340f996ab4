"""Bounded reconciliation beside peers, its laws, its certificate, and its refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog, lsq_linear

from benchmarks.reconcile_speed import network
from cupral.methods.reconcile import (
    Bounded,
    ContradictionError,
    NonFiniteError,
    Polynomial,
    ReconcileError,
    ShapeError,
    bounded,
    reconcile,
    reconcile_nonlinear,
)

SPLITTER = ([[1.0, -1.0, -1.0, -1.0]], [10.0, 9.0, 1.4, 0.05], [0.1, 0.05, 0.05, 0.2])
NAN, INF = float("nan"), float("inf")


def solve(a: Any, y: Any, sd: Any, *, lower: Any = -INF, upper: Any = INF, **more: Any) -> Bounded:
    """Reconcile, then bound."""
    return bounded(reconcile(a, y, sd, **more), lower=lower, upper=upper)


# --- oracle: a hand-solved case --------------------------------------------------------------


def test_a_loss_that_goes_negative() -> None:
    """Case BND-LOSS: not what clipping gives (which would leave the balance open)."""
    answer = solve(*SPLITTER, lower=0.0)
    np.testing.assert_allclose(answer.value, [154 / 15, 134 / 15, 4 / 3, 0.0], rtol=1e-14)
    assert answer.objective == pytest.approx(10.729166666666696, rel=1e-12)
    assert answer.active.tolist() == [0, 0, 0, -1]
    assert answer.value[3] == 0.0


# --- oracle: peers and brute force for every kind of stream -------------------------------------


def random_problem(seed: int) -> tuple[Any, ...]:
    """Dense balances with unmeasured, fixed and correlated streams, and bounds around a truth."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 7))
    a = rng.integers(-1, 2, (int(rng.integers(1, n)), n)).astype(float)
    truth = rng.integers(0, 5, n).astype(float)
    lower = np.where(rng.random(n) < 0.7, 0.0, -INF)
    upper = np.where(rng.random(n) < 0.3, truth + rng.integers(0, 3, n), INF)
    sd = rng.uniform(0.2, 2.0, n)
    y = truth + 3.0 * sd * rng.normal(size=n)
    kind = rng.random(n)
    y = np.where(kind < 0.25, NAN, np.where(kind > 0.9, truth, y))
    sd = np.where(kind > 0.9, 0.0, sd)
    covariance = np.diag(sd**2)
    pair = np.flatnonzero((kind >= 0.25) & (kind <= 0.9))[:2]
    if len(pair) == 2:
        covariance[pair[0], pair[1]] = covariance[pair[1], pair[0]] = 0.6 * sd[pair].prod()
    return a, a @ truth, y, sd, covariance, lower, upper


def reference(a: Any, b: Any, y: Any, covariance: Any, lower: Any, upper: Any) -> np.ndarray:
    """Bounded-variable least squares (Stark and Parker) with the balances weighted in."""
    known = np.isfinite(y) & (np.diag(covariance) > 0)
    weight = np.linalg.inv(np.linalg.cholesky(covariance[np.ix_(known, known)]))
    fixed = np.isfinite(y) & ~known
    low, high = np.where(fixed, y, lower), np.where(fixed, y, upper)
    moving = ~fixed
    heavy = 1e5
    rows = np.vstack([heavy * a[:, moving], weight @ np.eye(len(y))[np.ix_(known, moving)]])
    right = np.concatenate([heavy * (b - a[:, fixed] @ y[fixed]), weight @ y[known]])
    x = np.where(fixed, y, 0.0)
    found = lsq_linear(rows, right, (low[moving], high[moving] + 1e-300), method="bvls", tol=1e-15)
    x[moving] = found.x
    return x


@pytest.mark.parametrize("seed", range(60))
def test_unmeasured_fixed_and_correlated_streams(seed: int) -> None:
    """Measured flows are those of a bounded-variable least squares with very heavy balances."""
    a, b, y, sd, covariance, lower, upper = random_problem(seed)
    answer = solve(a, y, sd, rhs=b, covariance=covariance, lower=lower, upper=upper)
    known = np.isfinite(y)
    if not (sd[known] > 0).any():
        return
    wanted = reference(a, b, y, covariance, lower, upper)
    np.testing.assert_allclose(answer.value[known], wanted[known], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_unmeasured_flows_are_given_exactly_where_they_are_unique(seed: int) -> None:
    """A linear programme finds the range of each unmeasured flow: a point, or NaN is right."""
    a, b, y, sd, covariance, lower, upper = random_problem(seed)
    answer = solve(a, y, sd, rhs=b, covariance=covariance, lower=lower, upper=upper)
    known = np.isfinite(y)
    limits: Any = np.stack((lower, upper), axis=1)[~known]
    right = b - a[:, known] @ answer.value[known]
    for position, stream in enumerate(np.flatnonzero(~known)):
        goal = np.eye(len(limits))[position]
        ends = [
            linprog(sign * goal, A_eq=a[:, ~known], b_eq=right, bounds=limits) for sign in (1, -1)
        ]
        low, high = (
            sign * e.fun if e.status == 0 else NAN for sign, e in zip((1, -1), ends, strict=True)
        )
        unique = bool(abs(high - low) < 1e-6)
        assert np.isfinite(answer.value[stream]) == unique
        if unique:
            assert answer.value[stream] == pytest.approx(low, abs=1e-6)


@pytest.mark.parametrize("flows", [1000, 3000])
@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_a_site_network_agrees_with_clarabel(flows: int, noise: float) -> None:
    """A general interior-point solver finds the same flows to its own accuracy."""
    engine = pytest.importorskip("clarabel")
    a, y, sd = site_network(flows, noise)
    answer = solve(a, y, sd, lower=0.0, upper=60.0)
    n, m = len(y), a.shape[0]
    rows = sparse.vstack(
        [sparse.csc_matrix(a * sd), -sparse.eye(n), sparse.diags(sd)], format="csc"
    )
    settings_ = engine.DefaultSettings()
    settings_.verbose, settings_.tol_gap_abs = False, 1e-12
    settings_.tol_gap_rel = settings_.tol_feas = 1e-12
    right = np.concatenate([np.zeros(m + n), np.full(n, 60.0)])
    cones = [engine.ZeroConeT(m), engine.NonnegativeConeT(2 * n)]
    peer = engine.DefaultSolver(
        sparse.eye(n, format="csc"), -y / sd, rows, right, cones, settings_
    ).solve()
    assert np.count_nonzero(answer.active) > 50
    np.testing.assert_allclose(answer.value / sd, np.asarray(peer.x), atol=2e-4, rtol=1e-6)


def site_network(flows: int, noise: float, seed: int = 4) -> tuple[Any, np.ndarray, np.ndarray]:
    """A network with a balanced truth between 0 and 50, and noise."""
    rng = np.random.default_rng(seed)
    a = network(flows)
    n = a.shape[1]
    found = linprog(
        -rng.uniform(0.1, 1.0, n), A_eq=a, b_eq=np.zeros(a.shape[0]),
        bounds=np.stack((np.zeros(n), rng.integers(0, 50, n)), axis=1),
    )  # fmt: skip
    truth = np.round(found.x)
    sd = noise * np.maximum(truth, 1.0)
    return a, truth + sd * rng.normal(size=n), sd


# --- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_every_condition_of_the_optimum_holds_on_a_network(noise: float) -> None:
    """Recomputed here from the answer alone: closure, bounds, and no cheaper feasible direction."""
    a, y, sd = site_network(2000, noise)
    answer = solve(a, y, sd, lower=0.0)
    x = answer.value
    assert x.min() >= 0.0
    assert np.abs(a @ x).max() <= 1e-11 * np.abs(x).max()
    assert answer.certificate.worst <= 1e-10
    # first order: no feasible direction lowers the cost (a linear programme over all of them)
    slope = 2.0 * (x - y) / sd
    limits: Any = np.stack((np.where(x > 0, -1.0, 0.0), np.ones(len(x))), axis=1)
    steepest = linprog(slope, A_eq=a * sd, b_eq=np.zeros(a.shape[0]), bounds=limits)
    assert steepest.fun >= -1e-6 * np.abs(slope).sum()


def test_sd_ratio_of_a_million() -> None:
    """Uncertainties from 1e-3 to 1e3, measurements a thousand times beyond the bounds."""
    rng = np.random.default_rng(8)
    a, y, _ = site_network(300, 0.02)
    sd = 10.0 ** rng.uniform(-3.0, 3.0, len(y))
    answer = solve(a, y + 30.0 * sd * rng.normal(size=len(y)), sd, lower=0.0, upper=60.0)
    assert answer.certificate.worst <= 1e-10
    assert np.count_nonzero(answer.active) > 100


def test_idle_sites_degenerate_to_exact_zeros() -> None:
    """What nothing feeds gives nothing, down a chain; the multipliers still prove it."""
    chain = [[1, -1, 0, 0, 0], [0, 1, -1, -1, 0], [0, 0, 1, 1, -1]]
    answer = solve(chain, [0.0, 0.3, -0.2, 0.1, 0.4], [0.0, 0.1, 0.1, 0.1, 0.1], lower=0.0)
    assert answer.value.tolist() == [0.0] * 5
    assert answer.certificate.worst <= 1e-14


def test_dependent_balances_do_no_harm() -> None:
    """A repeated balance changes nothing."""
    once = solve(*SPLITTER, lower=0.0)
    twice = solve(SPLITTER[0] * 2, *SPLITTER[1:], lower=0.0)
    np.testing.assert_allclose(twice.value, once.value, rtol=1e-13)


def test_bounds_that_do_not_bind_change_nothing() -> None:
    """The unbounded answer comes back, with no step taken."""
    free = reconcile(*SPLITTER)
    answer = bounded(free, lower=-1.0, upper=[20.0, 20.0, 20.0, 20.0])
    assert answer.value.tolist() == free.value.tolist()
    assert (answer.iterations, answer.active.any()) == (0, False)
    assert answer.objective == pytest.approx(free.objective, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6))
def test_permutation_and_units(seed: int, unit: float) -> None:
    """The order of streams and balances and the unit of flow change nothing else."""
    a, b, y, sd, _, lower, upper = random_problem(seed)
    first = solve(a, y, sd, rhs=b, lower=lower, upper=upper)
    rng = np.random.default_rng(seed)
    column, row = rng.permutation(len(y)), rng.permutation(len(a))
    second = solve(
        a[row][:, column], unit * y[column], unit * sd[column], rhs=unit * b[row],
        lower=unit * lower[column], upper=unit * upper[column],
    )  # fmt: skip
    np.testing.assert_allclose(
        second.value / unit, first.value[column], rtol=1e-8, atol=1e-8, equal_nan=True
    )


def test_separate_networks_are_answered_as_if_alone() -> None:
    """Two problems side by side."""
    a, y, sd = SPLITTER
    both = solve(np.kron(np.eye(2), a), np.tile(y, 2), np.tile(sd, 2), lower=0.0)
    alone = solve(a, y, sd, lower=0.0)
    np.testing.assert_allclose(both.value, np.tile(alone.value, 2), rtol=1e-13)


def test_multiplier_is_the_price_of_the_bound() -> None:
    """A finite difference of the objective in the bound."""
    at = [solve(*SPLITTER, lower=[0, 0, 0, v]).objective for v in (0.0, 1e-6)]
    answer = solve(*SPLITTER, lower=0.0)
    assert answer.multiplier[3] == pytest.approx((at[1] - at[0]) / 1e-6, rel=1e-4)
    assert (answer.multiplier[:3] == 0.0).all()
    capped = solve([[1, -1]], [5.0, 5.0], [1.0, 1.0], upper=[4.0, INF])
    assert capped.multiplier.tolist() == pytest.approx([-4.0, 0.0])
    assert capped.active.tolist() == [1, 0]


def test_tighter_bounds_never_cost_less() -> None:
    """The objective grows as the box shrinks, from J of the unbounded problem."""
    free = reconcile(*SPLITTER)
    costs = [bounded(free, lower=low).objective for low in (-1.0, -0.2, 0.0, 0.1, 0.3)]
    assert costs[0] == pytest.approx(free.objective)
    assert costs == sorted(costs)


def test_the_unbounded_sd_bounds_the_spread_but_not_the_error() -> None:
    """Of 300 noisy months; a sum of many clipped flows is biased by more than its sd."""
    rng = np.random.default_rng(11)
    count = 24
    a = np.hstack([[[1.0]], -np.ones((1, count))])
    sd = np.concatenate([[5.0], np.full(count, 0.5)])
    truth = np.zeros(count + 1)
    draws = np.array(
        [solve(a, truth + sd * rng.normal(size=count + 1), sd, lower=0.0).value for _ in range(300)]
    )
    unbounded = reconcile(a, truth, sd).sd
    assert (draws.std(axis=0) <= unbounded * 1.15).all()
    assert draws[:, 0].mean() > unbounded[0]


def test_a_flow_that_only_touches_its_bound_is_free() -> None:
    """Measured at the bound and balanced: nothing pulls."""
    answer = solve([[1, -1, -1]], [3.0, 3.0, 0.0], [1.0, 1.0, 1.0], lower=0.0)
    assert not answer.active.any()
    assert answer.objective == 0.0


def test_unmeasured_flows_respect_their_bounds() -> None:
    """The everyday case: a negative unmeasured flow means that the meters are wrong."""
    answer = solve([[1, -1, -1]], [10.0, 11.0, NAN], [1.0, 1.0, NAN], lower=0.0)
    np.testing.assert_allclose(answer.value, [10.5, 10.5, 0.0], rtol=1e-12, atol=1e-12)
    assert answer.active.tolist() == [0, 0, -1]
    assert answer.multiplier[2] == pytest.approx(1.0)


def test_bounds_can_make_an_unobservable_flow_unique() -> None:
    """Two unmeasured outlets of a process that nothing enters are zero; else they stay unknown."""
    split = [[1, -1, -1]]
    idle = solve(split, [-3.0, NAN, NAN], [1.0, NAN, NAN], lower=0.0)
    assert idle.value.tolist() == [0.0, 0.0, 0.0]
    busy = solve(split, [3.0, NAN, NAN], [1.0, NAN, NAN], lower=0.0)
    assert busy.value[0] == pytest.approx(3.0)
    assert np.isnan(busy.value[1:]).all()
    full = solve(split, [9.0, NAN, NAN], [1.0, NAN, NAN], lower=0.0, upper=[INF, 3.0, 4.0])
    np.testing.assert_allclose(full.value, [7.0, 3.0, 4.0], rtol=1e-12)


def test_it_prints_itself_as_a_table() -> None:
    """Bounds, values, what holds them."""
    lines = str(solve(*SPLITTER, lower=0.0)).splitlines()
    assert "10.7292 (3.68182 without bounds), bounds that hold a flow: 1" in lines[0]
    assert "lower" in lines[-1]
    assert len({len(line) for line in lines[1:]}) == 1


# --- refusals -----------------------------------------------------------------------------------


def test_a_balance_its_bounds_keep_open_is_named() -> None:
    """Balance 1 of two: everything enters, nothing may leave."""
    with pytest.raises(ContradictionError, match=r"closes balance 1 \(row from 0\).*stream 2, 3"):
        solve(
            [[1, -1, 0, 0], [0, 0, 1, -1]], [1.0, 1.0, 5.0, 5.0], [1.0] * 4,
            lower=[0, 0, 3, 0], upper=[9, 9, 9, 2],
        )  # fmt: skip


def test_a_conflict_along_a_chain_names_the_chain() -> None:
    """At least 5 enter far away from where at most 4 leave; no single balance shows it."""
    n = 60
    chain = np.eye(n, n + 1) - np.eye(n, n + 1, 1)
    low, high = np.zeros(n + 1), np.full(n + 1, 9.0)
    low[10], high[13] = 5.0, 4.0
    with pytest.raises(ContradictionError, match=r"balance 10, 11, 12 \(row.*stream 10, 13 "):
        solve(chain, np.full(n + 1, 4.5), np.ones(n + 1), lower=low, upper=high)


def test_a_tangled_conflict_is_refused() -> None:
    """More is demanded of a network than may enter it."""
    a, y, sd = site_network(300, 0.02)
    balanced = a.toarray()
    outlets = (balanced != 0).sum(axis=0) == 1
    low, high = np.zeros(len(y)), np.full(len(y), INF)
    last = outlets & (balanced.sum(axis=0) < 0)
    high[outlets & ~last], low[last] = 1.0, 2.0
    with pytest.raises(ContradictionError, match="no flow within the bounds"):
        solve(a, y, sd, lower=low, upper=high)


@pytest.mark.parametrize(
    ("lower", "upper", "error", "message"),
    [
        ([0, 0], INF, ShapeError, "lower must be one number or one for each of the 4"),
        (-INF, [1, 2, NAN, NAN], NonFiniteError, r"upper is NaN at stream 2, 3 \(from 0\)"),
        ([0, 0, 5, 0], 4.0, ContradictionError, "lower 5 and upper 4 leave nothing at stream 2"),
        (INF, INF, ContradictionError, "leave nothing"),
        ("low", INF, ShapeError, "lower must be"),
    ],
)
def test_malformed_bounds(lower: Any, upper: Any, error: type[Exception], message: str) -> None:
    """Each refusal names the place."""
    with pytest.raises(error, match=message):
        solve(*SPLITTER, lower=lower, upper=upper)


def test_a_fixed_stream_outside_its_bounds() -> None:
    """Exact values are not moved into their bounds."""
    with pytest.raises(
        ContradictionError, match=r"fixed value 3 is outside its bounds at stream 0"
    ):
        solve([[1, -1]], [3.0, 3.0], [0.0, 1.0], upper=[2.0, 9.0])


def test_nonlinear_answers_are_bounded_only_where_nothing_binds() -> None:
    """A bound that binds would need the nonlinear balances again."""
    square = Polynomial([[[1.0, {0: 1}], [-1.0, {1: 2}]]], variables=2)
    free = reconcile_nonlinear(square, [4.1, 2.0], [0.1, 0.1], start=[4.1, 2.0])
    assert bounded(free, lower=0.0).value == pytest.approx(free.value)
    with pytest.raises(ReconcileError, match="nonlinear answer breaks the bounds at stream 1"):
        bounded(free, upper=[9.0, 2.0])
