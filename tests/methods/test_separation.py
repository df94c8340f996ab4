"""Two- and three-product formulas: balances, sensitivities, refusals (oracles elsewhere)."""

import numpy as np
import pytest

from cupral.methods.propagate import derivative
from cupral.methods.separation import SeparationError, three_product, two_product

GRADES = np.array([[0.7, 1.94], [24.6, 3.6], [0.4, 49.7], [0.18, 0.21]])


def test_metal_balances_close() -> None:
    """Concentrate and tailing hold what the feed held."""
    split = two_product(1.2, 28.5, 0.09)
    assert split.mass_pull * 28.5 + (1 - split.mass_pull) * 0.09 == pytest.approx(1.2)
    triple = three_product(*GRADES)
    masses = np.array([*triple.mass_pull, 1 - triple.mass_pull.sum()])
    np.testing.assert_allclose(masses @ GRADES[1:], GRADES[0], rtol=1e-12)


def test_units_of_grade_do_not_matter() -> None:
    """Percent or fraction."""
    one, two = two_product(0.8, 25.0, 0.15), two_product(0.008, 0.25, 0.0015)
    assert one.recovery == pytest.approx(two.recovery, rel=1e-12)
    np.testing.assert_allclose(one.recovery_slope, two.recovery_slope / 100, rtol=1e-12)


def test_two_product_slopes_are_derivatives() -> None:
    """Analytic sensitivities agree with differences."""
    slope = derivative(
        lambda g: [two_product(*g).recovery, two_product(*g).mass_pull], [0.8, 25.0, 0.15]
    )
    split = two_product(0.8, 25.0, 0.15)
    np.testing.assert_allclose(slope, [split.recovery_slope, split.mass_pull_slope], rtol=1e-8)


def test_three_product_slopes_are_derivatives() -> None:
    """Analytic sensitivities of pulls and all four recoveries agree with differences."""

    def formula(grades: np.ndarray) -> np.ndarray:
        triple = three_product(*grades.reshape(4, 2))
        return np.concatenate([triple.mass_pull, triple.recovery.ravel()])

    triple = three_product(*GRADES)
    slope = derivative(formula, GRADES.ravel())
    np.testing.assert_allclose(triple.mass_pull_slope.reshape(2, 8), slope[:2], atol=1e-8)
    np.testing.assert_allclose(triple.recovery_slope.reshape(4, 8), slope[2:], atol=1e-8)


def test_three_product_sd_by_simulation() -> None:
    """The sd of a recovery is what noisy assays show."""
    rng, sd = np.random.default_rng(6), 0.005 * GRADES
    triple = three_product(*GRADES, sd=sd)
    sample = [three_product(*(GRADES + sd * rng.normal(size=(4, 2)))) for _ in range(3000)]
    spread = np.std([s.recovery for s in sample], axis=0)
    np.testing.assert_allclose(spread, triple.recovery_sd, rtol=0.06)
    pulls = np.std([s.mass_pull for s in sample], axis=0)
    np.testing.assert_allclose(pulls, triple.mass_pull_sd, rtol=0.06)


def test_exact_grades_have_no_sd() -> None:
    """Without sd the sd is zero."""
    assert two_product(0.8, 25.0, 0.15).recovery_sd == 0.0
    assert three_product(*GRADES).recovery_sd.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("grades", [(0.1, 25.0, 0.15), (26.0, 25.0, 0.15), (0.5, 0.5, 0.5)])
def test_feed_must_lie_between(grades: tuple[float, float, float]) -> None:
    """A feed outside its products has no recovery."""
    with pytest.raises(SeparationError, match="must lie between"):
        two_product(*grades)


def test_refusals() -> None:
    """Negative, missing, unseparated or impossible assays are refused by name."""
    with pytest.raises(SeparationError, match="must be numbers >= 0"):
        two_product(-0.1, 25.0, 0.15)
    with pytest.raises(SeparationError, match=r"of shape \(3,\)"):
        two_product(0.8, 25.0, 0.15, sd=(0.1, 0.1))
    with pytest.raises(SeparationError, match="same proportions"):
        three_product([0.7, 1.9], [2.0, 4.0], [3.0, 6.0], [0.1, 0.2])
    with pytest.raises(SeparationError, match="negative mass"):
        three_product([0.1, 1.94], *GRADES[1:])
    with pytest.raises(SeparationError, match="holds none"):
        three_product([0.0, 1.94], *GRADES[1:])
    with pytest.raises(SeparationError, match="two metals"):
        three_product([0.7, 1.9, 1.0], [1, 2, 3], [3, 2, 1], [0, 0, 0])


def test_swapped_samples_are_refused() -> None:
    """Concentrate and tail in each other's bag gave a recovery of 18 % without a word."""
    with pytest.raises(SeparationError, match=r"a richer concentrate 0\.15.* samples are swapped"):
        two_product(0.8, 0.15, 25.0)


def test_what_the_concentrate_rejects_is_recovered_into_the_tail() -> None:
    """Silica: the tail is the richer product, and the shares add up to one."""
    into_tail = two_product(60.0, 70.0, 12.0)
    assert into_tail.recovery + (1 - into_tail.mass_pull) * 12.0 / 60.0 == pytest.approx(1.0)
