"""Errors of reconciliation, each saying what is wrong, where, what is allowed, what next.

::

    ReconcileError(ValueError)
    ├── ShapeError            arrays whose lengths do not belong together
    ├── NonFiniteError        infinite, or not a number where a number is needed
    ├── UncertaintyError      sd negative, or missing for a measured value
    ├── CovarianceError       covariance asymmetric, off its sd, or not positive definite
    ├── ContradictionError    known values that no flow can satisfy
    ├── ScaleError            numbers so unequal in size that double precision cannot answer
    ├── SizeError             a dense step asked of a problem too large for it
    └── ConvergenceError      the nonlinear iteration found no answer
"""

from typing import Any

from numpy.typing import NDArray


def listed(places: NDArray[Any]) -> str:
    """The first few places, for a message."""
    return ", ".join(str(i) for i in places[:5]) + (" ..." if len(places) > 5 else "")


class ReconcileError(ValueError):
    """A reconciliation problem that cannot be answered as it was put."""


class ShapeError(ReconcileError):
    """Arrays whose lengths do not belong together."""


class NonFiniteError(ReconcileError):
    """A number that is infinite, or missing where a number is needed."""


class UncertaintyError(ReconcileError):
    """A standard uncertainty that is negative, or missing for a measured value."""


class CovarianceError(ReconcileError):
    """A covariance that is asymmetric, disagrees with sd, or is not positive definite."""


class ContradictionError(ReconcileError):
    """Exactly known values which break a balance that nothing can adjust."""


class ScaleError(ReconcileError):
    """Numbers so unequal in size that double precision cannot answer."""


class SizeError(ReconcileError):
    """A dense step asked of a problem too large for it."""


class ConvergenceError(ReconcileError):
    """The nonlinear iteration ended without an answer."""
