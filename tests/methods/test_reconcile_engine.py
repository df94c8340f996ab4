"""The engines behind large problems, against dense algebra: fronts, parts, gradients."""

import importlib
import pickle

import numpy as np
import pytest
from scipy import sparse

from cupral.methods.reconcile import ScaleError, SizeError, reconcile
from cupral.methods.reconcile.cholesky import Cholesky, upper_triangle
from cupral.methods.reconcile.dissection import Dissected, dissect
from cupral.methods.reconcile.factor import schur
from cupral.methods.reconcile.front import fronts
from cupral.methods.reconcile.gradient import Gradient, gradient
from cupral.methods.reconcile.laplacian import normal, product
from cupral.methods.reconcile.tangle import Tangle

factor_module = importlib.import_module("cupral.methods.reconcile.factor")
laplacian_module = importlib.import_module("cupral.methods.reconcile.laplacian")


def chain(sites: int, units: int, seed: int, shuffle: bool = False) -> sparse.csr_array:
    """Incidence of sites in a row: dense inside, two streams to the next, some to the outside."""
    rng = np.random.default_rng(seed)
    source, target = [], []
    for site in range(sites):
        inside = rng.integers(0, units, (3 * units, 2)) + site * units
        source += inside[:, 0].tolist()
        target += inside[:, 1].tolist()
        if site + 1 < sites:
            source += (rng.integers(0, units, 2) + site * units).tolist()
            target += (rng.integers(0, units, 2) + (site + 1) * units).tolist()
    source, target = np.array(source), np.array(target)
    keep = source != target
    source, target = source[keep], target[keep]
    nodes = rng.permutation(sites * units) if shuffle else np.arange(sites * units)
    outside = nodes[:: units // 2]
    count = len(source)
    row = np.concatenate([nodes[source], nodes[target], outside])
    column = np.concatenate([np.arange(count), np.arange(count), count + np.arange(len(outside))])
    sign = np.concatenate([-np.ones(count), np.ones(count + len(outside))])
    return sparse.csr_array((sign, (row, column)), shape=(sites * units, count + len(outside)))


def laplacian(network: sparse.csr_array, seed: int) -> sparse.csc_array:
    """Upper triangle of ``A V A^T``, every node grounded a little."""
    variance = np.random.default_rng(seed).uniform(0.5, 2.0, network.shape[1])
    ground = 0.1 * sparse.eye_array(network.shape[0])
    return upper_triangle(network @ sparse.diags_array(variance) @ network.T + ground)


def dense(upper: sparse.csc_array) -> np.ndarray:
    """Both triangles."""
    array = upper.toarray()
    return array + np.triu(array, 1).T


@pytest.mark.parametrize("seed", range(4))
def test_edges_give_the_matrix_product(seed: int) -> None:
    """The Laplacian from edges equals ``A V A^T``, entry for entry and in pattern."""
    network = chain(4, 9, seed)
    variance = np.random.default_rng(seed).uniform(0.1, 9.0, network.shape[1])
    found = normal(sparse.csc_array(network), variance)
    wanted = np.triu((network.toarray() * variance) @ network.toarray().T)
    np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-14, atol=1e-14)
    assert found.nnz == np.count_nonzero(wanted)


def test_general_rows_and_correlations_take_the_product() -> None:
    """Coefficients other than +-a, and correlated meters, give ``B V B^T`` all the same."""
    rng = np.random.default_rng(3)
    rows = sparse.csc_array(rng.normal(size=(6, 20)) * (rng.random((6, 20)) < 0.4))
    root = rng.normal(size=(20, 20))
    covariance = sparse.csc_array(root @ root.T)
    variance = covariance.diagonal()
    dense_rows = rows.toarray()
    np.testing.assert_allclose(
        normal(rows, variance).toarray(), np.triu((dense_rows * variance) @ dense_rows.T)
    )
    np.testing.assert_allclose(
        normal(rows, variance, covariance).toarray(),
        np.triu(dense_rows @ covariance.toarray() @ dense_rows.T),
        rtol=1e-12,
    )


@pytest.mark.parametrize("seed", range(3))
def test_fronts_are_the_nodes_seen_but_not_taken(seed: int) -> None:
    """Front sizes agree with their definition, counted one node at a time."""
    upper = laplacian(chain(3, 8, seed), seed)
    crossed = fronts(upper, np.inf)
    joined = dense(upper) != 0
    for place in range(joined.shape[0]):
        taken = crossed.position <= place
        seen = joined[taken].any(axis=0) & ~taken
        assert crossed.size[place] == np.count_nonzero(seen)


@pytest.mark.parametrize("seed", range(3))
def test_another_order_is_found_for_a_shuffled_chain(seed: int) -> None:
    """Shuffled names hide the chain; Cuthill-McKee or depth first finds a narrow front again."""
    upper = laplacian(chain(60, 12, seed, shuffle=True), seed)
    given, found = fronts(upper, np.inf), fronts(upper, 1.0)
    assert found.work < 0.05 * given.work
    assert sorted(found.position.tolist()) == list(range(upper.shape[0]))


def test_the_fill_of_a_factor_stays_below_its_prediction() -> None:
    """qdldl never needs more entries than the front of the order given predicts, on chains."""
    for seed in range(5):
        upper = laplacian(chain(40, 10, seed), seed)
        assert Cholesky(upper).factors()[0].nnz <= fronts(upper, np.inf).fill


@pytest.mark.parametrize("part", [60, 25])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_parts_solve_and_invert_as_the_whole(seed: int, shuffle: bool, part: int) -> None:
    """Solutions and entries of the inverse agree with dense algebra, also after an update."""
    network = chain(12, 10, seed, shuffle)
    first, second = laplacian(network, seed), laplacian(network, seed + 100)
    parts = dissect(first, fronts(first, 1.0 if shuffle else np.inf), part)
    assert parts is not None
    assert len(parts.parts) > (1 if part > 30 else 2)
    assert sum(len(one.inside) for one in parts.parts) + len(parts.border) == first.shape[0]
    engine = Dissected(first, parts)
    rng = np.random.default_rng(seed)
    for upper in (first, second):
        if upper is second:
            engine.update(second)
        right = rng.normal(size=upper.shape[0])
        inverse = np.linalg.inv(dense(upper))
        np.testing.assert_allclose(engine.solve(right), inverse @ right, rtol=1e-9, atol=1e-10)
        row, column = rng.integers(0, upper.shape[0], (2, 400))
        value, known = engine.inverse().at(row, column)
        np.testing.assert_allclose(value[known], inverse[row, column][known], rtol=1e-8, atol=1e-12)
        assert (value[~known] == 0.0).all()
        joined = upper.tocoo()
        _, near = engine.inverse().at(*(np.asarray(c) for c in joined.coords))
        assert near.all()


def test_separate_parts_need_no_border() -> None:
    """Networks that do not meet are cut between them."""
    one = laplacian(chain(2, 20, 1), 1)
    both = upper_triangle(sparse.block_diag([one, one]))
    parts = dissect(both, fronts(both, np.inf), 40)
    assert parts is not None
    assert len(parts.border) == 0
    right = np.arange(both.shape[0], dtype=np.float64)
    engine = pickle.loads(pickle.dumps(Dissected(both, parts)))  # noqa: S301
    np.testing.assert_allclose(dense(both) @ engine.solve(right), right, rtol=1e-9, atol=1e-9)


def test_a_tangle_has_no_small_border() -> None:
    """A random graph is not cut."""
    rng = np.random.default_rng(5)
    tangle = sparse.random_array((400, 1200), density=0.005, rng=rng, format="csr")
    upper = upper_triangle(tangle @ tangle.T + sparse.eye_array(400))
    assert dissect(upper, fronts(upper, 1.0), 100) is None


def test_refactoring_keeps_the_order_and_forgets_the_numbers() -> None:
    """`former` is reused on the same pattern and passed over on another."""
    rng = np.random.default_rng(8)
    rows = sparse.csc_array(chain(60, 10, 2))
    rows.data *= rng.uniform(0.5, 2.0, rows.nnz)  # no network: S is a product
    variance = rng.uniform(0.5, 2.0, rows.shape[1])
    former = schur(rows, variance)
    changed = rows.copy()
    changed.data *= rng.uniform(0.5, 2.0, rows.nnz)
    again = schur(changed, variance, former=former)
    assert again.engine is former.engine
    right = np.arange(600.0)
    whole = (changed.toarray() * variance) @ changed.toarray().T
    np.testing.assert_allclose(whole @ again.solve(right), right, rtol=1e-8, atol=1e-8)
    other = schur(rows[:500], variance, former=again)
    assert other.engine is not again.engine


def test_update_falls_back_when_qdldl_refuses() -> None:
    """An engine whose solver cannot update factors anew."""
    network = chain(4, 10, 2)
    engine = Cholesky(laplacian(network, 1))
    engine._solver = None
    engine.update(laplacian(network, 2))
    right = np.arange(40.0)
    np.testing.assert_allclose(dense(laplacian(network, 2)) @ engine.solve(right), right, atol=1e-8)


@pytest.mark.parametrize("engine", [Gradient, Tangle])
def test_a_tangled_network_is_solved_without_a_factor(
    engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the affordable work values come from gradients and equal those of the factor."""
    monkeypatch.setattr(factor_module, "is_compiling", lambda: engine is Tangle)
    network = chain(40, 60, 4)
    rng = np.random.default_rng(4)
    truth = rng.uniform(10, 100, network.shape[1])
    measured = truth + 0.02 * truth * rng.normal(size=len(truth))
    problem = (network, measured, 0.02 * truth)
    wanted = reconcile(*problem, rhs=network @ truth, uncertainty=False)
    monkeypatch.setattr(factor_module, "AFFORDABLE", 1.0)
    found = reconcile(*problem, rhs=network @ truth, uncertainty=False)
    assert isinstance(found.system.factor.engine, engine)
    np.testing.assert_allclose(found.value, wanted.value, rtol=1e-11)
    assert found.objective == pytest.approx(wanted.objective, rel=1e-10)
    assert np.abs(found.residual).max() < 1e-10 * truth.max()
    # sd are still to be had while a factor is bearable, and refused with a reason beyond
    assert np.isfinite(reconcile(*problem, rhs=network @ truth).sd).all()
    monkeypatch.setattr(factor_module, "BEARABLE", 1.0)
    with pytest.raises(SizeError, match=r"too tangled.*uncertainty=False"):
        reconcile(*problem, rhs=network @ truth)


def test_gradients_that_do_not_arrive_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer within the steps allowed is an error, not a number."""
    monkeypatch.setattr("cupral.methods.reconcile.gradient.STEPS", 3)
    upper = laplacian(chain(20, 10, 1), 1)
    with pytest.raises(ScaleError, match="no answer in 3 steps"):
        gradient(upper, 1.0).solve(np.arange(200.0))


@pytest.mark.parametrize("seed", range(3))
def test_all_engines_give_the_same_reconciliation(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one piece or in parts: values, sd, tests and detectable biases agree."""
    monkeypatch.setattr("cupral.methods.reconcile.dissection.LARGEST_BORDER", 64)
    network = chain(30, 20, seed)
    rng = np.random.default_rng(seed)
    truth = rng.uniform(10, 100, network.shape[1])
    measured = truth + 0.02 * truth * rng.normal(size=len(truth))
    measured[rng.random(len(truth)) < 0.05] = np.nan
    answers = []
    for plain in (10_000, 1):
        monkeypatch.setattr(factor_module, "PLAIN", plain)
        monkeypatch.setattr(factor_module, "DIVIDED", plain)
        answers.append(reconcile(network, measured, 0.02 * truth, rhs=network @ truth))
    one, two = answers
    assert isinstance(two.system.factor.engine, Dissected)
    for name in ("value", "sd", "z_max_power", "z_adjustment", "smallest_detectable"):
        np.testing.assert_allclose(
            getattr(two, name), getattr(one, name), rtol=1e-8, atol=1e-9, equal_nan=True
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_compiled_product_is_the_matrix_product(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As machine code and as plain Python it equals ``B V B^T``, on a pattern that B decides."""
    rng = np.random.default_rng(seed)
    rows = sparse.csc_array(rng.integers(-2, 3, (40, 90)) * (rng.random((40, 90)) < 0.08) * 1.0)
    variance = rng.uniform(0.5, 2.0, 90)
    wanted = np.triu((rows.toarray() * variance) @ rows.toarray().T)
    for plain in (False, True):
        if plain:
            monkeypatch.setattr(laplacian_module, "compiled", lambda function: function)
        found = product(rows, variance)
        np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-13, atol=1e-13)
        assert all(
            (np.diff(found.indices[begin:end]) > 0).all()
            for begin, end in zip(found.indptr, found.indptr[1:], strict=False)
        )
        joined = np.triu(np.abs(rows.toarray()) @ np.abs(rows.toarray()).T > 0)
        assert found.nnz == np.count_nonzero(joined)
