"""Tangled networks: the sampled factor against its specification, answers against exact ones."""

import importlib

import numpy as np
import pytest
from scipy import sparse

from cupral.methods.reconcile import ScaleError, bounded, reconcile
from cupral.methods.reconcile.factor import Schur, schur
from cupral.methods.reconcile.gradient import Gradient
from cupral.methods.reconcile.sampling import MODULUS, MULTIPLIER, SEED, Sampled, sample
from cupral.methods.reconcile.tangle import Tangle

factor_module = importlib.import_module("cupral.methods.reconcile.factor")
sampling_module = importlib.import_module("cupral.methods.reconcile.sampling")
tangle_module = importlib.import_module("cupral.methods.reconcile.tangle")
estimate_module = importlib.import_module("cupral.methods.reconcile.estimate")

Graph = tuple[np.ndarray, np.ndarray, np.ndarray, int]


@pytest.fixture
def iterated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network that is not small enough for a QR counts as tangled."""
    monkeypatch.setattr(factor_module, "PLAIN", 0)
    monkeypatch.setattr(factor_module, "LED", 0.0)
    monkeypatch.setattr("cupral.methods.reconcile.system.DENSE_ROWS", 0)
    monkeypatch.setattr("cupral.methods.reconcile.system.ORTHOGONAL_ROWS", 0)


def graph(nodes: int, seed: int, spread: float = 1.0) -> Graph:
    """Random edges, some doubled, a tenth to the ground (node `nodes`)."""
    rng = np.random.default_rng(seed)
    first = np.concatenate([np.arange(1, nodes), rng.integers(0, nodes, 2 * nodes)])
    second = np.concatenate([np.arange(nodes - 1), rng.integers(0, nodes, 2 * nodes)])
    first = np.where(rng.random(len(first)) < 0.1, nodes, first)
    keep = first != second
    return first[keep], second[keep], 10 ** rng.uniform(-spread, spread, keep.sum()), nodes


def tangled(units: int, seed: int) -> sparse.csr_array:
    """Incidence of streams between any two units, a tenth of them from the outside."""
    first, second, _, _ = graph(units, seed)
    inner, count = np.flatnonzero(first < units), np.arange(len(first))
    place = (np.concatenate([second, first[inner]]), np.concatenate([count, inner]))
    sign = np.concatenate([np.ones(len(first)), -np.ones(len(inner))])
    return sparse.csr_array((sign, place), shape=(units, len(first)))


def grounded(first: np.ndarray, second: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    """The Laplacian without the row and column of the ground."""
    whole = np.zeros((size + 1, size + 1))
    np.add.at(whole, (first, second), -weight)
    np.add.at(whole, (second, first), -weight)
    np.fill_diagonal(whole, -whole.sum(axis=1))
    return whole[:size, :size]


def lower(factor: Sampled) -> np.ndarray:
    """L, rows in order of elimination."""
    size = len(factor.pivot)
    column = np.repeat(np.arange(size), np.diff(factor.start))
    below = sparse.coo_array((-factor.share, (factor.row, column)), shape=(size, size))
    return np.eye(size) + below.toarray()


def elimination(edges: Graph, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The specification: pivots, and shares (node, neighbour), of sampled elimination.

    A weight for each pair of nodes; where an edge is drawn beside one that is there, both count.
    """
    first, second, weight, size = edges
    near: list[dict[int, float]] = [{} for _ in range(size + 1)]
    for i, j, w in zip(first, second, weight, strict=True):
        near[i][j] = near[j][i] = near[i].get(j, 0.0) + w
    pivot, share, draw = np.zeros(size), np.zeros((size, size + 1)), SEED
    for i in order:
        around = sorted(near[i], key=lambda j, i=i: near[i][j])
        sums = np.cumsum([near[i][j] for j in around])
        pivot[i] = sums[-1]
        for p, j in enumerate(around):
            weight_here = near[i][j]
            share[i, j] = weight_here / sums[-1]
            del near[j][i]
            draw = MULTIPLIER * draw % MODULUS
            if p + 1 < len(around):
                rest = sums[-1] - sums[p]
                reached = sums[p + 1 :] >= sums[p] + rest * (draw / MODULUS)
                k = around[p + 1 + (int(np.argmax(reached)) if reached.any() else -1)]
                added = weight_here * rest / sums[-1]
                near[j][k] = near[k][j] = near[j].get(k, 0.0) + added
    return pivot, share


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_sampled_factor_equals_its_specification(
    seed: int, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As machine code and as plain Python: the same draws give the same pivots and shares."""
    if plain:
        monkeypatch.setattr(sampling_module, "compiled", lambda function: function)
    edges = graph(80, seed, 3.0)
    found = sample(*edges)
    pivot, share = elimination(edges, found.order)
    np.testing.assert_allclose(found.pivot, pivot[found.order], rtol=1e-12)
    wanted = share[found.order][:, found.order]
    np.testing.assert_allclose(np.eye(80) - lower(found), wanted.T, rtol=1e-12, atol=0.0)
    right = np.random.default_rng(seed).normal(size=80)
    product = lower(found) @ (found.pivot * (lower(found).T @ found.solve(right)))
    np.testing.assert_allclose(product, right, rtol=1e-9, atol=1e-9)


def test_the_sampled_factor_is_right_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of ``L D L^T`` over the draws is the Laplacian (the martingale of the source)."""
    monkeypatch.setattr(sampling_module, "compiled", lambda function: function)
    edges = graph(12, 1)
    wanted, total, draws = grounded(*edges), np.zeros((12, 12)), 3_000
    for seed in np.random.default_rng(0).integers(1, MODULUS, draws):
        monkeypatch.setattr(sampling_module, "SEED", int(seed))
        found = sample(*edges)
        back = np.argsort(found.order)
        half = lower(found) * np.sqrt(found.pivot)
        total += (half @ half.T)[np.ix_(back, back)]
    scale = np.sqrt(np.diagonal(wanted))
    apart = (total / draws - wanted) / np.outer(scale, scale)
    assert np.abs(apart).max() < 0.05


@pytest.mark.parametrize("spread", [0.0, 3.0, 9.0])
def test_chains_are_factored_exactly(spread: float) -> None:
    """Nodes with two neighbours leave one edge, which no draw can change."""
    rng = np.random.default_rng(3)
    before = np.where(np.arange(200) % 20 == 0, 200, np.arange(200) - 1)
    edges = (before, np.arange(200), 10 ** rng.uniform(-spread, spread, 200), 200)
    found = sample(*edges)
    left = grounded(*edges)[np.ix_(found.order, found.order)]
    product = lower(found) * found.pivot @ lower(found).T
    np.testing.assert_allclose(product, left, rtol=1e-12, atol=1e-14 * np.abs(left).max())


def test_the_same_bits_on_each_run() -> None:
    """Draws have a fixed seed, and no edge without a weight is ever met."""
    first, second, weight, size = graph(500, 2, 6.0)
    one, two = (sample(first, second, weight, size) for _ in range(2))
    idle = (np.append(first, 3), np.append(second, 9), np.append(weight, 0.0), size)
    for name in ("order", "start", "row", "share", "pivot"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert np.isfinite(sample(*idle).share).all()
    assert len(one.row) < 3 * len(weight)


def exact(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Reconciled values by dense elimination without subtractions, in extended precision.

    Source
    ------
    Grassmann, Taksar and Heyman 1985, Oper. Res. 33:1107, for grounded Laplacians.
    """
    rows, wide = incidence.toarray().astype(np.longdouble), sd.astype(np.longdouble) ** 2
    size = len(rows)
    weight = np.zeros((size, size + 1), dtype=np.longdouble)
    for column, w in zip(rows.T, wide, strict=True):
        i, j = (*np.flatnonzero(column), size)[:2]
        weight[i, j] += w
        if j < size:
            weight[j, i] += w
    pivot, share = np.zeros(size, np.longdouble), np.zeros((size, size), np.longdouble)
    for i in range(size):
        pivot[i] = weight[i, i + 1 :].sum()
        share[i, i + 1 :] = weight[i, i + 1 : size] / pivot[i]
        weight[i + 1 :, i + 1 :] += np.outer(share[i, i + 1 :], weight[i, i + 1 :])
        np.fill_diagonal(weight[i + 1 :, i + 1 :], 0.0)
    value = measured.astype(np.longdouble)
    for _ in range(4):
        potential = rows @ value
        for i in range(size):
            potential[i + 1 :] += share[i, i + 1 :] * potential[i]
        potential /= pivot
        for i in range(size - 1, -1, -1):
            potential[i] += share[i, i + 1 :] @ potential[i + 1 :]
        value -= wide * (rows.T @ potential)
    return value


@pytest.mark.usefixtures("iterated")
@pytest.mark.parametrize("spread", [0.1, 3.0, 6.0])
@pytest.mark.parametrize("units", [60, 300])
def test_a_tangled_network_is_reconciled_as_exactly(units: int, spread: float) -> None:
    """sd up to twelve orders of magnitude apart: values to 1e-10 sd of the exact ones."""
    network = tangled(units, units)
    rng = np.random.default_rng(units)
    sd = 10 ** rng.uniform(-spread, spread, network.shape[1])
    measured = sd * rng.normal(size=len(sd))
    wanted = exact(network, measured, sd)
    found = reconcile(network, measured, sd, uncertainty=False)
    assert isinstance(found.system.factor, Schur)
    assert isinstance(found.system.factor.engine, Tangle)
    assert np.abs((found.value - wanted) / sd).max() < 1e-10
    assert found.objective == pytest.approx(float((((measured - wanted) / sd) ** 2).sum()))
    flow = abs(network) @ np.maximum(np.abs(found.value), np.abs(measured))
    assert np.all(np.abs(found.residual) <= 1e-10 * flow)
    again = reconcile(network, measured, sd, uncertainty=False)
    np.testing.assert_array_equal(found.value, again.value)


@pytest.mark.usefixtures("iterated")
def test_steps_do_not_grow_with_the_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty steps do for 5,000 balances whose sd are nine orders apart."""
    monkeypatch.setattr(tangle_module, "STEPS", 60)
    network = tangled(5_000, 1)
    rng = np.random.default_rng(1)
    sd = rng.lognormal(0.0, 3.0, network.shape[1])
    found = reconcile(network, sd * rng.normal(size=len(sd)), sd, uncertainty=False)
    assert found.objective == pytest.approx(found.redundancy, rel=0.1)


@pytest.mark.usefixtures("iterated")
def test_unmeasured_fixed_and_isolated_parts() -> None:
    """Merged balances, held values and a part without an outside: as by the factor."""
    network = sparse.block_diag([tangled(300, 5), [[1, -1, 1], [-1, 1, -1]]], format="csr")
    rng = np.random.default_rng(5)
    sd = 10 ** rng.uniform(-2, 2, network.shape[1])
    measured = sd * rng.normal(size=len(sd))
    measured[rng.random(len(sd)) < 0.2] = np.nan
    measured[-3:], sd[7] = [1.0, 2.0, 3.0], 0.0
    wanted = reconcile(network, measured, sd)
    found = reconcile(network, measured, sd, uncertainty=False)
    assert isinstance(found.system.factor.engine, Tangle)
    assert not isinstance(wanted.system.factor.engine, Tangle)
    seen = np.where(sd > 0, sd, 1.0)
    np.testing.assert_allclose(found.value / seen, wanted.value / seen, atol=1e-8, rtol=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_bounds_on_a_tangled_network(seed: int, request: pytest.FixtureRequest) -> None:
    """An interior point draws a factor for each step, and finds the same optimum."""
    network = tangled(200, 6 + seed)
    rng = np.random.default_rng(seed)
    sd = 10 ** rng.uniform(-1, 1, network.shape[1])
    measured = np.abs(rng.normal(size=len(sd)))
    wanted = bounded(reconcile(network, measured, sd, uncertainty=False), lower=0.0)
    request.getfixturevalue("iterated")
    found = bounded(reconcile(network, measured, sd, uncertainty=False), lower=0.0)
    np.testing.assert_allclose(found.value / sd, wanted.value / sd, atol=1e-7)
    assert found.certificate.worst < 1e-8


def test_a_former_graph_is_drawn_again() -> None:
    """The same pattern stays a graph; correlated meters on it do not."""
    network = sparse.csc_array(tangled(60, 7))
    variance = np.random.default_rng(7).uniform(0.5, 2.0, network.shape[1])
    old = factor_module.PLAIN, factor_module.LED
    factor_module.PLAIN, factor_module.LED = 0, 0.0
    try:
        former = schur(network, variance, uncertainty=False)
    finally:
        factor_module.PLAIN, factor_module.LED = old
    again = schur(network, 2.0 * variance, uncertainty=False, former=former)
    right = np.arange(60.0)
    assert isinstance(again.engine, Tangle)
    whole = (network.toarray() * (2.0 * variance)) @ network.toarray().T
    np.testing.assert_allclose(whole @ again.solve(right), right, atol=1e-8)
    joint = schur(network, variance, sparse.diags_array(variance).tocsc(), former=former)
    assert not isinstance(joint.engine, Tangle)


@pytest.mark.usefixtures("iterated")
def test_an_answer_that_does_not_arrive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few steps, a distance nothing comes under, a balance without any variance."""
    network = tangled(100, 8)
    sd = np.random.default_rng(8).lognormal(0.0, 2.0, network.shape[1])
    with monkeypatch.context() as few:
        few.setattr(tangle_module, "STEPS", 3)
        with pytest.raises(ScaleError, match="no answer in 3 steps"):
            reconcile(network, sd, sd, uncertainty=False)
    with monkeypatch.context() as strict:
        strict.setattr(estimate_module, "CLOSE", -1.0)
        reconcile(network, sd, sd, uncertainty=False)  # as near as rounding lets it come
        strict.setattr(estimate_module, "FAR", -1.0)
        with pytest.raises(ScaleError, match=r"flows stay .* sd from the answer"):
            reconcile(network, sd, sd, uncertainty=False)
    idle = np.where(network[[5]].toarray()[0] != 0, 0.0, sd)
    with pytest.raises(ScaleError, match="too unequal"):
        schur(sparse.csc_array(network), idle, uncertainty=False)


@pytest.mark.usefixtures("iterated")
def test_without_a_compiler_the_diagonal_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain loops would be slow: scipy's iteration takes their place."""
    monkeypatch.setattr(factor_module, "is_compiling", lambda: False)
    monkeypatch.setattr(factor_module, "AFFORDABLE", 0.0)
    network = tangled(100, 9)
    sd = np.random.default_rng(9).uniform(0.5, 2.0, network.shape[1])
    found = reconcile(network, sd, sd, uncertainty=False)
    assert isinstance(found.system.factor.engine, Gradient)
    assert np.abs(found.value - exact(network, sd, sd)).max() < 1e-10
