"""First-order propagation: laws and refusals (the published example is in the oracle file)."""

import numpy as np
import pytest

from cupral.methods.propagate import PropagateError, derivative, evaluate, propagate, repeated


def test_quadrature_of_independent_inputs() -> None:
    """Independent uncertainties add in squares."""
    sum_ = propagate([[1.0, 1.0, -1.0]], [2.0, 3.0, 6.0], value=[5.0])
    assert sum_.sd[0] == pytest.approx(7.0)
    assert sum_.value.tolist() == [5.0]


def test_two_results_share_an_input() -> None:
    """Results that share an input are correlated, as H.2 shows."""
    pair = propagate([[1.0, 1.0], [1.0, -1.0]], [3.0, 1.0])
    assert pair.correlation[0, 1] == pytest.approx(8.0 / 10.0)
    assert pair.covariance.tolist() == [[10.0, 8.0], [8.0, 10.0]]


def test_full_correlation_cancels_in_a_difference() -> None:
    """A shared error leaves a difference untouched, and doubles a sum."""
    ones = np.ones((2, 2))
    both = propagate([[1.0, -1.0], [1.0, 1.0]], [0.3, 0.3], correlation=ones)
    assert both.sd.tolist() == pytest.approx([0.0, 0.6])


def test_monte_carlo_agrees() -> None:
    """Small uncertainties: the first order is what a simulation shows."""
    rng = np.random.default_rng(4)
    relation = np.array([[1.0, 0.6], [0.6, 1.0]])
    sd = np.array([0.02, 0.03])
    wanted = evaluate(lambda x: [x[0] * x[1], x[0] / x[1]], [5.0, 2.0], sd, correlation=relation)
    draws = rng.multivariate_normal([5.0, 2.0], relation * np.outer(sd, sd), 40_000)
    sample = np.stack([draws[:, 0] * draws[:, 1], draws[:, 0] / draws[:, 1]])
    np.testing.assert_allclose(np.std(sample, axis=1), wanted.sd, rtol=0.02)
    np.testing.assert_allclose(np.corrcoef(sample), wanted.correlation, atol=0.02)


def test_derivative_is_accurate() -> None:
    """Fourth order: ten digits of smooth formulas, also at zero."""
    slope = derivative(lambda x: [np.exp(x[0]) * np.sin(x[1]), x[1] ** 3], [0.0, 1.2])
    wanted = [[np.sin(1.2), np.cos(1.2)], [0.0, 3 * 1.44]]
    np.testing.assert_allclose(slope, wanted, rtol=1e-10, atol=1e-12)


def test_repeated_is_the_covariance_of_the_means() -> None:
    """Sample covariance over N."""
    sample = np.random.default_rng(1).normal(size=(7, 3))
    readings = repeated(sample)
    np.testing.assert_allclose(readings.covariance, np.cov(sample.T) / 7, rtol=1e-12)


def test_exact_input_has_no_correlation() -> None:
    """A reading that never changes has sd 0 and correlation 0, not NaN."""
    readings = repeated([[1.0, 2.0], [1.0, 3.0]])
    assert readings.sd[0] == 0.0
    assert readings.correlation.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_refusals() -> None:
    """Each refusal says what is allowed."""
    with pytest.raises(PropagateError, match=r"jacobian \(1, 2\) and sd \(3,\) disagree"):
        propagate([[1.0, 2.0]], [1.0, 1.0, 1.0])
    with pytest.raises(PropagateError, match="not negative"):
        propagate([[1.0]], [-1.0])
    with pytest.raises(PropagateError, match="value has 2 entries for 1"):
        propagate([[1.0]], [1.0], value=[1.0, 2.0])
    with pytest.raises(PropagateError, match=r"it must be \(n, n\)"):
        propagate([[1.0]], [1.0], correlation=[[1.0, 0.0]])
    with pytest.raises(PropagateError, match="no negative eigenvalue"):
        propagate([[1.0, 1.0]], [1.0, 1.0], correlation=[[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(PropagateError, match="N >= 2"):
        repeated([[1.0, 2.0]])
    with pytest.raises(PropagateError, match="not finite near its input 0"):
        derivative(lambda x: [float("nan") * x[0]], [1.0])


def test_what_is_not_finite_is_refused() -> None:
    """A pole at the input, and a variance that overflows, which would else have counted as 0."""
    with pytest.raises(PropagateError, match="a result or its variance is not finite"):
        propagate([[1.0]], [1.0], value=[np.inf])
    with np.errstate(over="ignore"), pytest.raises(PropagateError, match="variance is not finite"):
        propagate([[1e10]], [1e200])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_an_input_of_nothing_is_moved_by_its_own_uncertainty(scale: float) -> None:
    """x / (x + k) at 0 has the slope 1/k, however small k is."""
    found = evaluate(lambda x: x / (x + scale), [0.0], [scale / 100])
    assert found.sd[0] == pytest.approx(0.01, rel=1e-5)
    slope = derivative(lambda x: x / (x + scale), [0.0], [scale / 100])
    assert slope[0, 0] == pytest.approx(1 / scale, rel=1e-5)
