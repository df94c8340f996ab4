"""Data reconciliation: flows that balance, how sure we are of them, and which meters lie."""

from cupral.methods.reconcile.bound import Bounded, bounded  # noqa: I001 (fits 40 lines)
from cupral.methods.reconcile.certificate import Certificate
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
from cupral.methods.reconcile.influence import Influence, influence, without
from cupral.methods.reconcile.loading import Loadings, group_covariance, loadings, sensitivity
from cupral.methods.reconcile.nonlinear import reconcile_nonlinear
from cupral.methods.reconcile.placement import (
    Metered, NextMeter, best_next_meters, redundancy_degree, sd_with_meter, with_meter,
)  # fmt: skip
from cupral.methods.reconcile.pool import Detectability, detectability, pooled_suspects
from cupral.methods.reconcile.problem import Problem, pose
from cupral.methods.reconcile.reconciliation import Observability, Reconciliation
from cupral.methods.reconcile.suspect import Suspect, suspects

__all__ = [
    "BalanceRow", "Bilinear", "Bounded", "Certificate", "Constraint", "ContradictionError",
    "ConvergenceError", "CovarianceError", "Detectability", "Influence", "Loadings", "Metered",
    "NextMeter", "NonFiniteError", "Observability", "Polynomial", "Problem", "ReconcileError",
    "Reconciliation", "ScaleError", "ShapeError", "SizeError", "Suspect", "UncertaintyError",
    "best_next_meters", "bounded", "detectability", "estimate", "group_covariance", "influence",
    "loadings", "pooled_suspects", "pose", "reconcile", "reconcile_nonlinear", "redundancy_degree",
    "sd_with_meter", "sensitivity", "suspects", "with_meter", "without",
]  # fmt: skip
