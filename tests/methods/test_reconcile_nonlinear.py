"""Nonlinear balances: derivatives, closed compositions, what stays unobservable, unlike sizes."""

import numpy as np
import pytest
from scipy import sparse

from cupral.methods.reconcile import Bilinear, Observability, reconcile_nonlinear
from cupral.methods.reconcile.elimination import eliminate


def test_bilinear_jacobian_is_the_derivative() -> None:
    """Each column of the Jacobian agrees with finite differences; rows say what they balance."""
    rng = np.random.default_rng(2)
    net = [[1, -1, -1, 0], [0, 1, 0, -1]]
    stream, element = [0, 0, 1, 1, 2, 3, 3], [0, 1, 0, 1, 0, 0, 1]
    balances = Bilinear(net, stream=stream, element=element, mass=[True, False], closed=[0, 3])
    x = rng.uniform(0.1, 1.0, 11)
    _, jacobian = balances(x)
    assert [(r.node, r.element, r.stream) for r in balances.rows] == [
        (0, -1, -1), (0, 0, -1), (0, 1, -1), (1, 0, -1), (1, 1, -1), (-1, -1, 0), (-1, -1, 3),
    ]  # fmt: skip
    assert balances.shape == jacobian.shape == (7, 11)
    for j in range(11):
        step = np.zeros(11)
        step[j] = 1e-6
        slope = (balances(x + step)[0] - balances(x - step)[0]) / 2e-6
        np.testing.assert_allclose(jacobian.toarray()[:, j], slope, atol=1e-9)


def test_bilinear_with_total_mass_and_closed_compositions() -> None:
    """Redundant rows (mass is the sum of its elements) are recognised; kg and ppm live together."""
    rng = np.random.default_rng(8)
    net = np.array([[1.0, 1, -1, -1], [0, 0, 1, 0]])[:1]
    flows = np.array([6e5, 4e5, 9.9e5, 1e4])
    copper = np.array([0.3, 0.25, 0.0, 0.9])
    copper[2] = (flows[:2] @ copper[:2] - flows[3] * copper[3]) / flows[2]
    gold = np.array([3e-6, 1e-6, 0.0, 1e-4])
    gold[2] = (flows[:2] @ gold[:2] - flows[3] * gold[3]) / flows[2]
    truth = np.concatenate([flows, copper, gold, 1 - copper - gold])
    sd = truth * 0.01
    measured = truth + sd * rng.normal(size=16)
    measured[[2, 12, 13, 14, 15]] = np.nan
    pairs = {"stream": np.tile(np.arange(4), 3), "element": np.repeat(np.arange(3), 4)}
    balances = Bilinear(net, **pairs, closed=range(4))
    answer = reconcile_nonlinear(balances, measured, sd, start=truth)
    assert answer.redundancy == 2
    assert (answer.observability[12:] == Observability.OBSERVABLE).all()
    assert np.abs(answer.residual[0]) < 1e-6
    assert abs((answer.value - truth) / answer.sd).max() < 4


def test_unobservable_variables_of_a_nonlinear_problem() -> None:
    """A flow and a grade of which only the product is known come back as NaN."""
    balances = Bilinear([[1, -1]], stream=[0, 1], element=[0, 0], mass=[False])
    measured, sd = [100.0, np.nan, 0.3, np.nan], [1.0, np.nan, 0.003, np.nan]
    answer = reconcile_nonlinear(balances, measured, sd, start=[100.0, 50.0, 0.3, 0.5])
    assert answer.observability.tolist() == [1, 3, 1, 3]
    assert np.isnan(answer.value[[1, 3]]).all()


def test_eliminated_balances_are_not_mixed_needlessly() -> None:
    """Each row left by the elimination is one balance less those it repeats, no more.

    An orthonormal basis puts the rounding of a mass balance (2e5 t) into the balance of its
    silver (130 t), and Gauss-Newton on a smelter's month then never came to rest.
    """
    # one unmeasured matte between two processes: its mass, copper and silver on both sides
    column = np.array([[-1.0], [1.0], [-0.3], [0.3], [-4e-4], [4e-4]])
    found = eliminate(sparse.csc_array(column), np.ones(6))
    assert found.rank == 1
    np.testing.assert_allclose(found.projector @ column, 0.0, atol=1e-16)
    assert np.linalg.matrix_rank(found.projector.toarray()) == 5
    assert np.diff(found.projector.indptr).tolist() == [2] * 5


@pytest.mark.parametrize("factor", [10.0, 1000.0, 0.001])
def test_a_gross_error_does_not_make_the_steps_creep(factor: float) -> None:
    """Tonnes written as kilograms bend the balances: Gauss-Newton swung 200 steps, now a few."""
    # feed a of grade c parts into b of grade d and a tail of grade e
    balances = Bilinear([[1, -1, -1]], stream=[0, 1, 2], element=[0, 0, 0])
    truth = np.array([1000.0, 280.0, 720.0, 0.285, 0.99, 0.0108333333333333])
    measured = truth.copy()
    measured[1] *= factor
    answer = reconcile_nonlinear(balances, measured, 0.01 * truth, start=truth)
    assert answer.iterations <= 40
    residual, jacobian = balances(answer.value)
    assert (np.abs(residual) <= 1e-11 * (abs(jacobian) @ np.abs(answer.value))).all()
    # nothing near it is better: the gradient lies in the rows of the balances
    gradient = (answer.value - measured) / (0.01 * truth) ** 2
    multiplier = np.linalg.lstsq(jacobian.toarray().T, gradient, rcond=None)[0]
    left = (gradient - jacobian.T @ multiplier) * 0.01 * truth
    assert np.abs(left).max() <= 1e-7 * np.abs(gradient * 0.01 * truth).max()
