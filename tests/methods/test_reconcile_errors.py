"""What cannot be answered is refused by name: what, where, what is allowed, what next."""

import numpy as np
import pytest

from cupral.methods import reconcile as package
from cupral.methods.reconcile import (
    Bilinear,
    ContradictionError,
    ConvergenceError,
    CovarianceError,
    NonFiniteError,
    Polynomial,
    ReconcileError,
    ScaleError,
    ShapeError,
    SizeError,
    UncertaintyError,
    elimination,
    group_covariance,
    loading,
    loadings,
    reconcile,
    reconcile_nonlinear,
    sensitivity,
    suspects,
)

NAN = float("nan")
SPLIT = [[1.0, -1.0, -1.0]]
Y, SD = [10.0, 6.0, 4.0], [0.1, 0.1, 0.1]


def test_public_names_exist_and_are_sorted() -> None:
    """`__all__` is what the package offers."""
    assert sorted(package.__all__) == package.__all__
    assert all(hasattr(package, name) for name in package.__all__)


@pytest.mark.parametrize("name", [n for n in package.__all__ if n.endswith("Error")])
def test_all_errors_are_value_errors(name: str) -> None:
    """One `except ReconcileError` catches them all."""
    assert issubclass(getattr(package, name), ReconcileError)
    assert issubclass(ReconcileError, ValueError)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((SPLIT, Y[:2], SD), ShapeError, r"measured has shape \(2,\).*\(3,\)"),
        ((SPLIT, Y, SD[:1]), ShapeError, r"sd has shape"),
        (("network", Y, SD), ShapeError, r"incidence is not a matrix"),
        ((SPLIT, Y, ["a", 1, 1]), ReconcileError, r"sd is not an array of numbers"),
        (([[1.0, NAN, -1.0]], Y, SD), NonFiniteError, r"incidence is not finite in row 0"),
        ((SPLIT, [np.inf, 6.0, 4.0], SD), NonFiniteError, r"measured is infinite at stream 0"),
        ((SPLIT, Y, [0.1, NAN, 0.1]), UncertaintyError, r"sd is missing.*stream 1"),
        ((SPLIT, Y, [0.1, 0.1, -0.1]), UncertaintyError, r"sd is negative at stream 2"),
        ((SPLIT, Y, [0.1, np.inf, 0.1]), NonFiniteError, r"sd is infinite at stream 1.*NaN"),
        ((SPLIT, Y, [0.1, 1e-200, 0.1]), UncertaintyError, r"double precision at stream 1"),
    ],
)
def test_bad_arrays(arguments: tuple[object, ...], error: type[Exception], match: str) -> None:
    """Shapes and numbers are checked before any arithmetic."""
    with pytest.raises(error, match=match):
        reconcile(*arguments)  # type: ignore[arg-type]


def test_bad_rhs_and_level() -> None:
    """The right-hand side and the level are checked too."""
    with pytest.raises(NonFiniteError, match="rhs is not finite at row 0"):
        reconcile(SPLIT, Y, SD, rhs=[NAN])
    with pytest.raises(ShapeError, match="rhs has shape"):
        reconcile(SPLIT, Y, SD, rhs=[0.0, 0.0])
    for level in (0.0, 1.0, NAN):
        with pytest.raises(ReconcileError, match="level"):
            reconcile(SPLIT, Y, SD, level=level)


def test_bad_covariance() -> None:
    """Covariance must fit sd, be symmetric and positive definite."""
    good = np.diag(np.square(SD))
    with pytest.raises(CovarianceError, match="diagonal is not sd squared at stream 1"):
        reconcile(SPLIT, Y, SD, covariance=good * [1, 2, 1])
    with pytest.raises(ShapeError, match="covariance has shape"):
        reconcile(SPLIT, Y, SD, covariance=good[:2, :2])
    lopsided = good.copy()
    lopsided[0, 1] = 0.005
    with pytest.raises(CovarianceError, match="not symmetric"):
        reconcile(SPLIT, Y, SD, covariance=lopsided)
    lopsided[0, 1] = lopsided[1, 0] = 0.01
    with pytest.raises(CovarianceError, match=r"not positive definite.*perfectly correlated"):
        reconcile(SPLIT, Y, SD, covariance=lopsided)


def test_contradictory_fixed_values() -> None:
    """Fixed values that break a balance are refused with the balance and the gap."""
    with pytest.raises(ContradictionError, match=r"balance 1 .*open by 1\b"):
        reconcile([[1, -1, 0, 0], [0, 0, 1, -1]], [5.0, 5.1, 3.0, 2.0], [0.1, 0.1, 0.0, 0.0])
    with pytest.raises(ContradictionError, match="balance"):
        reconcile([[1, -1], [1, -1]], [5.0, 5.1], [0.1, 0.1], rhs=[0.0, 1.0])
    with pytest.raises(ContradictionError, match="balance 0, 1"):
        reconcile([[1, 0], [1, 0]], [NAN, 5.0], [NAN, 0.1], rhs=[1.0, 2.0])


def test_consistent_fixed_values_pass() -> None:
    """Rounding in fixed values is no contradiction."""
    answer = reconcile([[1, -1, -1]], [0.3, 0.1, 0.2], [0.0, 0.0, 0.0])
    assert answer.redundancy == 0


def test_hopeless_scaling_is_refused() -> None:
    """Two balances that differ only by something 1e17 times smaller cannot be told apart."""
    with pytest.raises(ScaleError, match=r"too unequal.*sd = 0"):
        reconcile([[1, -1, 0], [1, 0, -1]], [1.0, 1.0, 1.0], [1e20, 1e-20, 1e-20])


def test_large_unmeasured_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of unmeasured streams above the dense limit is refused with advice."""
    monkeypatch.setattr(elimination, "BLOCK_LIMIT", 1)
    with pytest.raises(SizeError, match="2 balances by 1 streams"):
        reconcile([[1, -2, 0], [0, 1, -1]], [10.0, NAN, 8.0], [0.1, NAN, 0.1])


def test_large_sensitivity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense answers above the limit are refused."""
    answer = reconcile(SPLIT, Y, SD)
    monkeypatch.setattr(loading, "DENSE_ENTRIES", 8)
    with pytest.raises(SizeError, match="9 entries"):
        sensitivity(answer)


def test_loadings_arguments() -> None:
    """Groups are whole numbers, shares lie in 0..1."""
    answer = reconcile(SPLIT, Y, SD)
    with pytest.raises(ShapeError, match="group"):
        loadings(answer, group=[0, 1], share=0.5)
    with pytest.raises(ShapeError, match="group"):
        loadings(answer, group=[0.5, 1.0, 2.0], share=0.5)
    with pytest.raises(ShapeError, match="share"):
        loadings(answer, group=[0, 0, 0], share=[0.5, 0.5])
    with pytest.raises(UncertaintyError, match=r"0\.\.1"):
        group_covariance(SD, group=[0, 0, 0], share=1.5)


def test_suspect_arguments() -> None:
    """Unknown kinds, rows and levels are named."""
    answer = reconcile(SPLIT, Y, SD)
    with pytest.raises(ReconcileError, match="allowed are"):
        suspects(answer, kinds=("theft",))  # type: ignore[arg-type]
    with pytest.raises(ReconcileError, match=r"rows must lie in 0\.\.0"):
        suspects(answer, rows=[3])
    with pytest.raises(ReconcileError, match="level"):
        suspects(answer, level=2.0)
    assert suspects(answer, kinds=()) == ()


SQUARE = Polynomial([[[1.0, {0: 1}], [-1.0, {1: 2}]]], variables=2)


def test_nonlinear_arguments() -> None:
    """Start, shapes and domains are checked at the start."""
    with pytest.raises(NonFiniteError, match="start is not finite at variable 1"):
        reconcile_nonlinear(SQUARE, [4.0, 2.0], [0.1, 0.1], start=[4.0, NAN])
    with pytest.raises(ShapeError, match="must all be"):
        reconcile_nonlinear(SQUARE, [4.0, 2.0], [0.1, 0.1], start=[4.0])
    with pytest.raises(ShapeError, match="constraints gave"):
        reconcile_nonlinear(SQUARE, [4.0, 2.0, 1.0], np.ones(3), start=np.ones(3))
    root = Polynomial([[[1.0, {0: 0.5}], [-2.0, {}]]], variables=1)
    with pytest.raises(NonFiniteError, match=r"balance 0.*domain"):
        reconcile_nonlinear(root, [4.0], [0.1], start=[-4.0])


def test_no_real_answer() -> None:
    """x squared = -1 is refused, naming the balance that cannot close."""
    impossible = Polynomial([[[1.0, {0: 2}], [1.0, {}]]], variables=1)
    with pytest.raises(ConvergenceError, match=r"worst balance 0"):
        reconcile_nonlinear(impossible, [1.0], [0.1], start=[1.0])


def test_too_few_iterations() -> None:
    """The message tells how far it came."""
    with pytest.raises(ConvergenceError, match=r"no answer after 1 steps.*Start nearer"):
        reconcile_nonlinear(SQUARE, [4.1, 2.0], [0.1, 0.1], start=[9.0, 9.0], max_iterations=1)


def test_constraint_arguments() -> None:
    """Ready-made constraints check their arrays."""
    with pytest.raises(ShapeError, match="names variable 5"):
        Polynomial([[[1.0, {5: 1}]]], variables=2)
    with pytest.raises(NonFiniteError, match="coefficient"):
        Polynomial([[[NAN, {0: 1}]]], variables=2)
    with pytest.raises(ShapeError, match="equally long"):
        Bilinear([[1, -1]], stream=[0, 1], element=[0])
    with pytest.raises(ShapeError, match="occurs twice"):
        Bilinear([[1, -1]], stream=[0, 0], element=[1, 1])
    with pytest.raises(ShapeError, match=r"stream must lie in 0\.\.1"):
        Bilinear([[1, -1]], stream=[2], element=[0])
    with pytest.raises(ShapeError, match="mass has shape"):
        Bilinear([[1, -1]], stream=[0], element=[0], mass=[True, True])
    with pytest.raises(ShapeError, match=r"closed streams \[1\]"):
        Bilinear([[1, -1]], stream=[0], element=[0], closed=[1])
