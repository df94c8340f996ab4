"""Data reconciliation: flows that balance, how sure we are of them, and which meters lie."""

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
from cupral.methods.reconcile.estimate import reconcile
from cupral.methods.reconcile.problem import Problem
from cupral.methods.reconcile.reconciliation import Observability, Reconciliation
