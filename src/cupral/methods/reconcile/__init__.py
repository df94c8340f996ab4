"""Data reconciliation: flows that balance, how sure we are of them, and which meters lie."""

from cupral.methods.reconcile.constraint import BalanceRow, Bilinear, Constraint, Polynomial
from cupral.methods.reconcile.errors import (
    ContradictionError,
    ConvergenceError,
    CovarianceError,
    NonFiniteError,
    ReconcileError,
    ScaleError,
    ShapeError,
    SizeError,
    UncertaintyError,
)
from cupral.methods.reconcile.estimate import estimate, reconcile
from cupral.methods.reconcile.loading import Loadings, group_covariance, loadings, sensitivity
from cupral.methods.reconcile.nonlinear import reconcile_nonlinear
from cupral.methods.reconcile.problem import Problem, pose
from cupral.methods.reconcile.reconciliation import Observability, Reconciliation
from cupral.methods.reconcile.suspect import Suspect, suspects

__all__ = [
    "BalanceRow", "Bilinear", "Constraint", "ContradictionError", "ConvergenceError",
    "CovarianceError", "Loadings", "NonFiniteError", "Observability", "Polynomial", "Problem",
    "ReconcileError", "Reconciliation", "ScaleError", "ShapeError", "SizeError", "Suspect",
    "UncertaintyError", "estimate", "group_covariance", "loadings", "pose", "reconcile",
    "reconcile_nonlinear", "sensitivity", "suspects",
]  # fmt: skip
