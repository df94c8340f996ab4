"""The sparse pieces against dense linear algebra: inverse, rank, pairs, large networks."""

import importlib
import time

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import null_space

from cupral.methods.reconcile import (
    Bilinear,
    group_covariance,
    reconcile,
    reconcile_nonlinear,
    sensitivity,
    suspects,
)
from cupral.methods.reconcile import cholesky as cholesky_module
from cupral.methods.reconcile import rank as rank_module
from cupral.methods.reconcile.cholesky import Cholesky, upper_triangle
from cupral.methods.reconcile.equivalence import collinear
from cupral.methods.reconcile.inverse import selected_inverse
from cupral.methods.reconcile.rank import independent
from cupral.methods.reconcile.settled import settled


def site(units: int, flows: int, seed: int) -> sparse.csr_array:
    """A random network, a tenth of the flows to or from the outside."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, units, flows)
    target = (source + rng.integers(1, 6, flows)) % units
    inner = np.flatnonzero(rng.random(flows) > 0.1)
    place = (np.concatenate([source, target[inner]]), np.concatenate([np.arange(flows), inner]))
    sign = np.concatenate([-np.ones(flows), np.ones(len(inner))])
    return sparse.csr_array((sign, place), shape=(units, flows))


def positive(size: int, seed: int) -> sparse.csc_array:
    """A random sparse positive definite matrix."""
    net = site(size, 3 * size, seed)
    return sparse.csc_array(net @ net.T + 0.01 * sparse.eye_array(size))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_selected_inverse_is_the_inverse(seed: int) -> None:
    """Every entry on the pattern of L agrees with the dense inverse (its specification)."""
    matrix = positive(60, seed)
    lower, pivot, order = Cholesky(upper_triangle(matrix)).factors()
    diagonal, inverse = selected_inverse(lower.indptr, lower.indices, lower.data, pivot)
    wanted = np.linalg.inv(matrix.toarray())[np.ix_(order, order)]
    np.testing.assert_allclose(diagonal, np.diagonal(wanted), rtol=1e-10)
    column = np.repeat(np.arange(60), np.diff(lower.indptr))
    np.testing.assert_allclose(inverse, wanted[lower.indices, column], rtol=1e-8, atol=1e-12)


def test_superlu_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where qdldl refuses, SuperLU gives the same solution and the same factors' inverse."""
    matrix = positive(40, 3)

    def refuse(_matrix: object, **_options: object) -> None:
        raise RuntimeError("refused")

    monkeypatch.setattr(cholesky_module.qdldl, "Solver", refuse)
    fallback = Cholesky(upper_triangle(matrix))
    right = np.arange(40.0)
    np.testing.assert_allclose(matrix @ fallback.solve(right), right, rtol=1e-9, atol=1e-9)
    lower, pivot, order = fallback.factors()
    diagonal, _ = selected_inverse(lower.indptr, lower.indices, lower.data, pivot)
    wanted = np.diagonal(np.linalg.inv(matrix.toarray()))[order]
    np.testing.assert_allclose(diagonal, wanted, rtol=1e-9)


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("seed", [4, 5, 6])
def test_rank_by_all_three_ways(general: bool, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting, pivoted QR and sparse pivots keep as many balances as the rank."""
    matrix = site(30, 80, seed).toarray()
    if general:
        matrix *= np.random.default_rng(seed).uniform(0.2, 5.0, matrix.shape)
        matrix = np.vstack([matrix, matrix[3] + 2 * matrix[8], 1e4 * matrix[5]])
    wanted = np.linalg.matrix_rank(matrix)
    columns = sparse.csc_array(matrix)
    for limit in (400, -1):
        monkeypatch.setattr(rank_module, "DENSE_ROWS", limit)
        rows = independent(columns)
        assert len(rows) == wanted == np.linalg.matrix_rank(matrix[rows])


def test_collinear_finds_planted_groups() -> None:
    """Among 20 000 columns exactly the planted multiples share a label."""
    rng = np.random.default_rng(7)
    columns = sparse.csc_array(site(8000, 20_000, 7))
    scale = rng.uniform(-3.0, 3.0, 50)
    planted = sparse.csc_array(sparse.hstack([columns, columns[:, 100:150] * scale]))
    planted.sort_indices()
    label = collinear(planted)
    assert (label[20_000:] == label[100:150]).all()
    one = columns[:, [100]].toarray().ravel()
    same = [j for j in range(20_000) if label[j] == label[100]]
    for j in same:
        other = columns[:, [j]].toarray().ravel()
        assert np.allclose(one, other) or np.allclose(one, -other)


@pytest.mark.parametrize("seed", range(20))
def test_settled_streams_are_those_no_meter_moves(seed: int) -> None:
    """Found again and again by looking at every balance; each has the sd 0 of its posterior."""
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((12, 20)) < 0.15, rng.choice([-2.0, 1.0, 3.0], (12, 20)), 0.0)
    dense = np.vstack([dense, np.eye(1, 20)])[rng.permutation(13)]
    wanted = np.zeros(20, dtype=bool)
    while (alone := np.count_nonzero(dense[:, ~wanted], axis=1) == 1).any():
        wanted |= (dense[alone] != 0).any(axis=0)
    padded = sparse.csc_array(np.ones_like(dense))
    padded.data = dense.T.ravel()
    np.testing.assert_array_equal(settled(padded), wanted)
    free = null_space(dense)
    np.testing.assert_allclose(free[wanted], 0.0, atol=1e-12)


def test_large_network_by_selected_inversion() -> None:
    """400 balances, correlated meters, missing meters: all numbers agree with the dense QR."""
    rng = np.random.default_rng(9)
    net = site(400, 1000, 9)
    truth = rng.uniform(10, 100, 1000)
    sd = 0.02 * truth
    y = truth + sd * rng.normal(size=1000)
    y[rng.random(1000) < 0.1] = np.nan
    covariance = group_covariance(sd, group=np.arange(1000) // 3, share=0.5)
    one = reconcile(net, y, sd, rhs=net @ truth, covariance=covariance)
    module = importlib.import_module("cupral.methods.reconcile.system")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ORTHOGONAL_ROWS", 10_000)
        patch.setattr(module, "ORTHOGONAL_STREAMS", 10_000)
        two = reconcile(net, y, sd, rhs=net @ truth, covariance=covariance)
    for name in ("value", "sd", "z_max_power", "z_adjustment", "smallest_detectable"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(two, name), rtol=1e-7, atol=1e-8, equal_nan=True
        )
    assert one.equivalent == two.equivalent
    slope = sensitivity(one)
    inner = covariance[one.system.measured][:, one.system.measured]
    spread = np.sqrt(np.einsum("ij,ij->i", slope @ inner.toarray(), slope))
    np.testing.assert_allclose(spread, one.sd, rtol=1e-6, atol=1e-9, equal_nan=True)


def test_perfect_correlation_is_refused_in_large_networks() -> None:
    """The sparse way checks the covariance as well."""
    net = site(100, 260, 2)
    sd = np.ones(260)
    covariance = group_covariance(sd, group=np.arange(260) // 2, share=1.0)
    with pytest.raises(ValueError, match="not positive definite"):
        reconcile(net, np.ones(260), sd, covariance=covariance)


def test_thousand_flows_are_quick() -> None:
    """A thousand flows with sd, tests and suspects: a loose guard on the bar of 50 ms."""
    rng = np.random.default_rng(12)
    net = site(400, 1000, 12)
    truth = rng.uniform(10, 100, 1000)
    sd = 0.02 * truth
    y = truth + sd * rng.normal(size=1000)
    y[77] += 2 * reconcile(net, truth, sd, rhs=net @ truth).smallest_detectable[77]
    shortest = np.inf
    for _ in range(4):
        begin = time.perf_counter()
        answer = reconcile(net, y, sd, rhs=net @ truth)
        found = suspects(answer)
        shortest = min(shortest, time.perf_counter() - begin)
    assert 77 in found[0].members
    assert shortest < 0.5


def test_bilinear_chain_at_scale() -> None:
    """A chain of 120 processes with two elements: closes, recovers the truth within its sd."""
    rng = np.random.default_rng(13)
    nodes = 120
    main, waste = np.arange(nodes + 1), nodes + 1 + np.arange(nodes)
    row = np.concatenate([np.arange(nodes)] * 3)
    column = np.concatenate([main[:-1], main[1:], waste])
    sign = np.concatenate([np.ones(nodes), -np.ones(2 * nodes)])
    net = sparse.csr_array((sign, (row, column)), shape=(nodes, 2 * nodes + 1))
    loss = 1.0 * np.ones(nodes)
    flow = np.concatenate([[1000.0], 1000.0 - np.cumsum(loss), loss])
    grade = np.empty((2 * nodes + 1, 2))
    grade[0] = 0.3, 0.2
    for k in range(nodes):
        grade[waste[k]] = 0.5 * grade[k]
        grade[k + 1] = (flow[k] * grade[k] - loss[k] * grade[waste[k]]) / flow[k + 1]
    truth = np.concatenate([flow, grade.ravel()])
    sd = 0.01 * truth
    y = truth + sd * rng.normal(size=len(truth))
    pairs = {"stream": np.repeat(np.arange(len(flow)), 2), "element": np.tile([0, 1], len(flow))}
    balances = Bilinear(net, **pairs)
    answer = reconcile_nonlinear(balances, y, sd, start=y)
    assert np.abs(balances(answer.value)[0]).max() < 1e-9
    assert answer.redundancy == 3 * nodes
    assert np.abs((answer.value - truth) / answer.sd).max() < 5
    assert answer.p_value > 1e-3
