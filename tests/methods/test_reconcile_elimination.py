"""Elimination of unmeasured streams: classes against exact fractions, networks against the dense.

The oracle is the reduced row echelon form in rational numbers, coefficients as they are written
(0.1 is one tenth): a stream is determined when its row holds nothing but its pivot.
"""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cupral.methods.reconcile import (
    Observability,
    ScaleError,
    SizeError,
    best_next_meters,
    reconcile,
    solver,
)
from cupral.methods.reconcile.echelon import resolve
from cupral.methods.reconcile.elimination import Elimination, balance_scale, eliminate
from cupral.methods.reconcile.forest import span
from cupral.methods.reconcile.laplacian import is_network, plain

NAN = float("nan")
Column = dict[int, Fraction]
COEFFICIENTS = [Fraction(c) for c in ("0.1", "0.5", "2", "-3", "1e-3", "1e3", "1", "-1", "0.7")]


def subtract(row: Column, lead: Column, pivot: int) -> None:
    """Clear one entry of a row by the row of its pivot."""
    factor = row.get(pivot, Fraction(0))
    if not factor:
        return
    for j, value in lead.items():
        left = row.get(j, Fraction(0)) - factor * value
        if left:
            row[j] = left
        else:
            row.pop(j, None)


def determined(columns: list[Column], rows: int) -> tuple[list[bool], int]:
    """Which unknowns have the same value in every solution, and the rank, in fractions."""
    open_rows: list[Column] = [{} for _ in range(rows)]
    for j, column in enumerate(columns):
        for i, value in column.items():
            if value:
                open_rows[i][j] = value
    done: dict[int, Column] = {}
    while open_rows := sorted(filter(None, open_rows), key=len, reverse=True):
        row = open_rows.pop()
        pivot = min(row)
        lead = {j: value / row[pivot] for j, value in row.items()}
        for other in (*open_rows, *done.values()):
            subtract(other, lead, pivot)
        done[pivot] = lead
    return [len(done.get(j, {0: 1, 1: 1})) == 1 for j in range(len(columns))], len(done)


def cascade(rng: np.random.Generator, kind: str, stages: int) -> tuple[list[Column], int]:
    """Streams of a cascade, a closed cycle, a tree, or balances of a few near streams each."""
    count = {"cascade": stages + 1, "cycle": stages, "tree": stages + 1, "mixed": stages + 2}[kind]
    columns: list[Column] = [{} for _ in range(count)]
    for i in range(stages):
        if kind == "mixed":
            streams = {int(j) for j in rng.integers(max(0, i - 3), i + 3, rng.integers(1, 4))}
        else:
            before = int(rng.integers(max(0, i - 4), i + 1)) if kind == "tree" else i
            streams = {before, (i + 1) % count}
        for j in streams:
            columns[j][i] = COEFFICIENTS[rng.integers(len(COEFFICIENTS))]
    return columns, stages


def dense(columns: list[Column], rows: int) -> np.ndarray:
    """The same in floating point."""
    result = np.zeros((rows, len(columns)))
    for j, column in enumerate(columns):
        for i, value in column.items():
            result[i, j] = float(value)
    return result


def eliminated(matrix: np.ndarray) -> Elimination:
    """All streams of a matrix unmeasured."""
    columns = sparse.csc_array(matrix)
    columns.eliminate_zeros()
    return eliminate(columns, balance_scale(columns, np.arange(matrix.shape[1])))


@pytest.mark.parametrize("kind", ["cascade", "cycle", "tree", "mixed"])
@pytest.mark.parametrize("seed", range(25))
def test_every_class_is_the_exact_one(kind: str, seed: int) -> None:
    """Up to 60 stages of factors 1e-3..1e3: classes, rank, and P A = 0, T A = I where determined.

    What counts as determined may fade to 1e-180 of the stream it hangs on.
    """
    rng = np.random.default_rng(seed)
    columns, rows = cascade(rng, kind, int(rng.integers(1, 61)))
    expected, rank = determined(columns, rows)
    matrix = dense(columns, rows)
    found = eliminated(matrix)
    assert found.observable.tolist() == expected
    assert found.rank == rank
    assert found.projector.shape == (rows - rank, rows)
    size = abs(found.projector) @ np.abs(matrix)
    if found.bound is not None:
        size = 1e-12 * size + 2e-15 * (found.bound @ np.abs(matrix))
    assert (np.abs(found.projector @ matrix) <= size).all()
    again = (found.solver @ matrix)[expected]
    terms = (abs(found.solver) @ np.abs(matrix))[expected]
    gap = np.abs(again - np.eye(len(columns))[expected])
    assert (gap <= 1e-11 * (1.0 + terms)).all()


@pytest.mark.parametrize(("factor", "stages"), [(0.1, 9), (0.1, 60), (0.5, 40), (3.0, 200)])
def test_nothing_is_determined_in_an_unmeasured_cascade(factor: float, stages: int) -> None:
    """x[i + 1] = factor x[i]: the last streams fade, or swamp the first, but all are open."""
    rows = np.arange(stages)
    matrix = np.zeros((stages, stages + 1))
    matrix[rows, rows], matrix[rows, rows + 1] = factor, -1.0
    answer = reconcile(matrix, np.full(stages + 1, NAN), np.ones(stages + 1))
    assert (answer.observability == Observability.UNOBSERVABLE).all()
    assert np.isnan(answer.value).all()
    assert np.isnan(answer.sd).all()


def test_a_fed_cascade_with_an_unmeasured_head_is_open() -> None:
    """Each stage passes a tenth on and is fed 1 (measured): the ninth is 1.111 + head / 1e9."""
    stages = np.arange(9)
    matrix = np.zeros((9, 19))
    matrix[stages, stages], matrix[stages, stages + 1], matrix[stages, stages + 10] = 0.1, -1, 1
    measured = np.concatenate((np.full(10, NAN), np.ones(9)))
    answer = reconcile(matrix, measured, np.full(19, 0.02))
    assert np.isnan(answer.value[:10]).all()
    headed = measured.copy()
    headed[0] = 5.0
    answer = reconcile(matrix, headed, np.full(19, 0.02))
    expected = 5.0
    for stage in range(1, 10):
        expected = 0.1 * expected + 1.0
        assert answer.value[stage] == pytest.approx(expected, rel=1e-12)


def test_a_cycle_whose_gain_is_one_is_open() -> None:
    """2 x 0.5 x 0.1 x 10 = 1 leaves the cycle open; a gain of 0.999 closes it."""
    gains = np.array([2.0, 0.5, 0.1, 10.0])
    matrix = np.diag(gains) - np.roll(np.eye(4), 1, axis=1)
    assert not resolve(matrix).determined.any()
    matrix[0, 0] = 1.998
    assert resolve(matrix).determined.all()


def test_a_solution_is_the_shortest() -> None:
    """Where streams stay open T is the pseudo-inverse."""
    matrix = np.array([[1.0, 0.5, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(resolve(matrix).inverse[:, [2]], np.linalg.pinv(matrix)[:, [2]])
    right = matrix @ [1.0, 2.0, 3.0]
    np.testing.assert_allclose(resolve(matrix).inverse @ right, np.linalg.pinv(matrix) @ right)


def test_a_cascade_beyond_double_precision_is_refused() -> None:
    """(1e-3)^120 is no double: no class is guessed."""
    rows = np.arange(120)
    matrix = np.zeros((120, 121))
    matrix[rows, rows], matrix[rows, rows + 1] = 1e-3, -1.0
    with pytest.raises(ScaleError, match=r"cannot tell from zero\. Measure a stream"):
        reconcile(matrix, np.full(121, NAN), np.ones(121))


@st.composite
def networks(draw: st.DrawFn) -> np.ndarray:
    """Plain columns: between processes or to the outside, loops, duplicates, other sizes."""
    rows, streams = draw(st.integers(1, 7)), draw(st.integers(1, 12))
    matrix = np.zeros((rows, streams))
    for j in range(streams):
        size = draw(st.sampled_from([1.0, 1.0, 1.0, 0.25, 3.0]))
        for sign in (size, -size):
            unit = draw(st.integers(-1, rows - 1))
            if unit >= 0:
                matrix[unit, j] += sign
    return matrix


@settings(max_examples=300, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_a_network_is_solved_like_any_matrix(matrix: np.ndarray, seed: int) -> None:
    """Merging along a forest gives the classes, rank, row space and flows of a dense solution."""
    found = eliminated(matrix)
    oracle, inverse = np.linalg.matrix_rank(matrix), np.linalg.pinv(matrix)
    null = np.eye(matrix.shape[1]) - inverse @ matrix
    assert found.observable.tolist() == (np.abs(null).max(axis=1) < 1e-9).tolist()
    assert found.rank == oracle
    assert found.bound is None
    projector = found.projector.toarray()
    assert np.abs(projector @ matrix).max(initial=0.0) == 0.0
    assert np.linalg.matrix_rank(projector) == len(matrix) - oracle == len(projector)
    right = matrix @ np.random.default_rng(seed).normal(size=matrix.shape[1])
    np.testing.assert_allclose(matrix @ (found.solver @ right), right, atol=1e-12)
    seen = found.observable
    np.testing.assert_allclose((found.solver @ right)[seen], (inverse @ right)[seen], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_a_solver_acts_like_its_matrix(matrix: np.ndarray) -> None:
    """Rows, magnitudes, and products from either side agree with T written out."""
    operator = eliminated(matrix).solver
    written = operator @ np.eye(len(matrix))
    rows = np.arange(0, matrix.shape[1], 2)
    assert operator[rows].toarray().tolist() == written[rows].tolist()
    assert (abs(operator) @ np.eye(len(matrix))).tolist() == np.abs(written).tolist()
    left = np.arange(2.0 * len(written)).reshape(2, -1)
    np.testing.assert_allclose(left @ operator, left @ written, atol=1e-12)
    sparse_product = operator @ sparse.csc_array(matrix)
    np.testing.assert_allclose(sparse_product.toarray(), written @ matrix, atol=1e-12)


def test_networks_and_other_blocks_side_by_side() -> None:
    """One block of each kind and an untouched balance: each is solved as if alone."""
    network = np.array([[-1.0, 0.0], [1.0, -1.0], [0.0, 1.0]])
    other = np.array([[0.1, -1.0], [0.2, -2.0]])
    matrix = np.zeros((6, 4))
    matrix[:3, :2], matrix[4:, 2:] = network, other
    found = eliminated(matrix)
    assert found.observable.tolist() == [True, True, False, False]
    assert found.rank == 3
    projector = found.projector.toarray()
    assert projector[:2].tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]]
    assert (projector[2, :4] == 0.0).all()
    np.testing.assert_allclose(projector @ matrix, 0.0, atol=1e-16)
    assert found.bound is not None
    assert found.bound.shape == (3, 6)
    assert found.bound[[0, 1]].nnz == 0


def test_plain_columns() -> None:
    """Empty, single, and cancelling columns are plain; others are not."""
    matrix = sparse.csc_array([[0.0, 2.0, 3.0, 1.0, 1.0], [0, 0, -3, 1, -1], [0, 0, 0, 0, 1]])
    assert plain(matrix).tolist() == [True, True, True, False, False]
    assert not is_network(matrix)
    assert is_network(matrix[:, [0, 1, 2]])


def test_a_forest_takes_the_stream_of_larger_coefficient() -> None:
    """Of two parallel streams the smaller would have to move more."""
    columns = sparse.csc_array([[1.0, 5.0, 2.0], [-1.0, -5.0, -2.0]])
    forest = span(columns, np.array([0]))
    assert forest.process.tolist() == [1]
    assert forest.stream.tolist() == [1]
    assert forest.coefficient.tolist() == [-5.0]
    assert forest.next.tolist() == [2, 0]


def tree(parent: np.ndarray) -> tuple[sparse.csc_array, np.ndarray]:
    """Processes joined by unmeasured streams, each fed from and drained to the outside."""
    size = len(parent) + 1
    stream = np.arange(size - 1)
    place = (np.concatenate((parent, stream + 1)), np.concatenate((stream, stream)))
    joined = sparse.coo_array((np.repeat([-1.0, 1.0], size - 1), place), shape=(size, size - 1))
    eye = sparse.eye_array(size)
    measured = np.concatenate((np.full(size - 1, NAN), 100.0 + stream % 7, [100.0], [100.0] * size))
    return sparse.hstack([joined, eye, -eye], format="csc"), measured


@pytest.mark.parametrize("reach", [1, 8, 100_000])
def test_a_hundred_thousand_unmeasured_streams(reach: int) -> None:
    """A chain, a deep and a flat tree: one balance is left, every stream is found."""
    rng = np.random.default_rng(0)
    parent = np.array([rng.integers(max(0, i - reach), i) for i in range(1, 100_001)])
    incidence, measured = tree(parent)
    answer = reconcile(incidence, measured, np.ones(len(measured)), uncertainty=False)
    assert answer.redundancy == 1
    assert (answer.observability[:100_000] == Observability.OBSERVABLE).all()
    # the root keeps the rounding of the one balance left, a sum of 200,002 readings near 100
    root, others = np.abs(answer.residual[0]), np.abs(answer.residual[1:])
    assert root <= 1e-12 * np.nansum(measured)
    assert others.max() <= 1e-14 * np.nansum(measured)


def test_sd_along_a_chain_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sd of each stream of a chain hangs on all meters beyond it: a limit, and a way out."""
    incidence, measured = tree(np.arange(50))
    answer = reconcile(incidence, measured, np.ones(len(measured)))
    assert answer.sd[0] == pytest.approx(answer.sd[49])
    monkeypatch.setattr(solver, "ENTRIES", 1000)
    with pytest.raises(SizeError, match=r"50 unmeasured .* from 1275 balances.*uncertainty=False"):
        reconcile(incidence, measured, np.ones(len(measured)))
    values = reconcile(incidence, measured, np.ones(len(measured)), uncertainty=False)
    np.testing.assert_array_equal(values.value, answer.value)


def test_a_meter_in_an_unmeasured_network() -> None:
    """Nothing is known: each meter opens its own branch, without a warning."""
    nothing = np.full(3, NAN)
    answer = reconcile([[1, -1, 0], [0, 1, -1]], nothing, nothing)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best = best_next_meters(answer, 0.1)
    assert [(meter.opened, meter.before, meter.after) for meter in best] == [(3, 0.0, 0.0)] * 3
