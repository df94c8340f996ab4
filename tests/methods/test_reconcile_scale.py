"""Numbers of very unequal size: the sparse way against the dense one, together against alone."""

import importlib

import numpy as np
import pytest
from scipy import sparse

from cupral.methods.reconcile import (
    CovarianceError,
    ReconcileError,
    ScaleError,
    ShapeError,
    group_covariance,
    reconcile,
)

system_module = importlib.import_module("cupral.methods.reconcile.system")


def chain(units: int) -> sparse.csc_array:
    """Every process passes on what it gets."""
    ends = [np.ones(units), -np.ones(units)]
    return sparse.diags_array(ends, offsets=[0, 1], shape=(units, units + 1)).tocsc()


def network(units: int, seed: int) -> tuple[sparse.csc_array, np.ndarray]:
    """Layers of processes, a random truth that closes with its right-hand side."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, units, 3 * units)
    target = (source + rng.integers(1, 8, 3 * units)) % (units + units // 6)
    inner = np.flatnonzero(target < units)
    place = (np.concatenate([source, target[inner]]), np.concatenate([np.arange(3 * units), inner]))
    sign = np.concatenate([-np.ones(3 * units), np.ones(len(inner))])
    truth = 10 ** rng.uniform(0, 2, 3 * units)
    return sparse.csc_array((sign, place), shape=(units, 3 * units)), truth


def dense(case: tuple[object, ...], monkeypatch: pytest.MonkeyPatch, **more: object):
    """The same by QR."""
    with monkeypatch.context() as patch:
        patch.setattr(system_module, "ORTHOGONAL_ROWS", 10_000)
        patch.setattr(system_module, "ORTHOGONAL_STREAMS", 10_000)
        return reconcile(*case, **more)


@pytest.mark.parametrize("ratio", [1.0, 1e2, 1e3])
@pytest.mark.parametrize("seed", range(3))
def test_a_few_poor_meters_do_not_blur_the_sd(
    seed: int, ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One meter in twenty up to a thousand times worse: sd to 1e-6, tests to 1e-7."""
    a, truth = network(150, seed)
    rng = np.random.default_rng(seed)
    sd = 0.02 * truth
    sd[rng.random(len(sd)) < 0.05] *= ratio
    case, rhs = (a, truth + sd * rng.normal(size=len(sd)), sd), a @ truth
    one, two = reconcile(*case, rhs=rhs), dense(case, monkeypatch, rhs=rhs)
    np.testing.assert_allclose(one.sd, two.sd, rtol=1e-6)
    np.testing.assert_allclose(one.z_max_power, two.z_max_power, rtol=1e-7, atol=1e-7)
    assert np.max(np.abs(one.value - two.value) / sd) < 1e-9


def test_sites_together_are_as_sure_as_each_alone() -> None:
    """Seven separate chains with sd 1 beside 1e-5: joined sd used to come out as zero."""
    sd = np.ones(9)
    sd[::3] = 1e-5
    y = 100.0 + sd * np.random.default_rng(0).normal(size=9)
    alone = reconcile(chain(8), y, sd)
    together = reconcile(sparse.block_diag([chain(8)] * 7), np.tile(y, 7), np.tile(sd, 7))
    np.testing.assert_allclose(together.sd, np.tile(alone.sd, 7), rtol=1e-9)
    np.testing.assert_allclose(alone.sd, (1 / sd**2).sum() ** -0.5, rtol=1e-9)
    np.testing.assert_allclose(together.value, np.tile(alone.value, 7), rtol=1e-14)


@pytest.mark.parametrize(("units", "near"), [(60, 1e-4), (60, 1e-8), (300, 1e-6)])
def test_a_chain_is_the_weighted_mean(units: int, near: float) -> None:
    """Every stream of a chain is the weighted mean of all readings, with its sd."""
    sd = np.ones(units + 1)
    sd[::7] = near
    y = 100.0 + sd * np.random.default_rng(1).normal(size=units + 1)
    found = reconcile(chain(units), y, sd)
    weight = 1 / sd**2
    mean, spread = (weight @ y) / weight.sum(), weight.sum() ** -0.5
    assert np.max(np.abs(found.value - mean)) < 1e-3 * spread
    np.testing.assert_allclose(found.sd, spread, rtol=1e-6)


def test_what_has_lost_its_digits_is_refused() -> None:
    """A long chain of unlike meters: an error, where values were once off by most of an sd."""
    sd = np.ones(3001)
    sd[::7] = 1e-6
    with pytest.raises(ScaleError, match="too unequal"):
        reconcile(chain(3000), 100.0 + sd, sd)


def test_long_columns_of_a_large_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of 200 meters that share an error agrees with the dense way."""
    a, truth = network(150, 4)
    sd = 0.02 * truth
    group = np.where(np.arange(len(sd)) < 200, 0, -1)
    covariance = group_covariance(sd, group=group, share=0.3)
    noise = np.random.default_rng(4).normal(size=len(sd))
    case, more = (a, truth + sd * noise, sd), {"rhs": a @ truth, "covariance": covariance}
    one, two = reconcile(*case, **more), dense(case, monkeypatch, **more)
    for name in ("value", "sd", "z_adjustment", "z_max_power"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-7, atol=1e-8)


def test_a_flow_balanced_to_nothing_that_reads_nothing() -> None:
    """A dependent balance and a meter at zero are no contradiction."""
    found = reconcile([[1, -1], [-1, 0], [0, 1]], [0.0, 44.7], [1.0, 1.0])
    np.testing.assert_allclose(found.value, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("a", "y", "sd", "error", "match"),
    [
        ([[1, -1]], [1e300, 1.0], [1e100, 1.0], ScaleError, "leave double precision"),
        ([[1e200, -1]], [1.0, 1.0], [1.0, 1.0], ScaleError, "leave double precision"),
        ([[1j, -1]], [1.0, 1.0], [1.0, 1.0], ShapeError, "complex"),
    ],
)
def test_numbers_beyond_arithmetic_are_refused(
    a: object, y: list[float], sd: list[float], error: type[ReconcileError], match: str
) -> None:
    """Each by name, without a warning on the way."""
    with pytest.raises(error, match=match):
        reconcile(a, y, sd)


def test_a_covariance_askew_beside_a_huge_one_is_seen() -> None:
    """Asymmetry is measured against the two meters it is between."""
    covariance = np.diag([1e12, 1e12, 1.0, 1.0])
    covariance[2, 3] = 0.5
    with pytest.raises(CovarianceError, match="not symmetric"):
        reconcile([[1, -1, -1, 0], [0, 0, 1, -1]], [1e7, 9e6, 100, 103], [1e6, 1e6, 1, 1],
                  covariance=covariance)  # fmt: skip
