"""Conjugate gradients for matrices too tangled to factor."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from cupral.methods.reconcile.cholesky import both_triangles
from cupral.methods.reconcile.errors import ScaleError, SizeError
from cupral.methods.reconcile.problem import Columns, Matrix, Vector

ACCURACY = 1e-13
"""Residual, relative to the right-hand side, at which the iteration ends."""
STEPS = 20_000
"""Steps allowed."""


@dataclass(slots=True, eq=False)
class Gradient:
    """Solves with a matrix of unit diagonal without factoring it; knows nothing of its inverse."""

    matrix: Columns
    """Upper triangle, (p, p)."""
    whole: Matrix
    """Both triangles."""
    fill: float
    """Predicted entries of the factor it does without."""

    def update(self, matrix: Columns) -> None:
        """Take another matrix of the same pattern."""
        self.matrix, self.whole = matrix, sparse.csr_array(both_triangles(matrix))

    def solve(self, right: Vector) -> Vector:
        """``S^-1 r`` for one right-hand side.

        Raises
        ------
        ScaleError
            No answer within `STEPS`.

        Source
        ------
        Hestenes and Stiefel 1952, J. Res. NBS 49:409.
        """
        answer, short = cg(self.whole, right, rtol=ACCURACY, atol=0.0, maxiter=STEPS)
        if short:
            raise unequal(self.fill, STEPS)
        return np.asarray(answer)

    def smallest_pivot(self) -> float:
        """No pivots are known; convergence is the check."""
        return np.inf

    def inverse(self) -> None:
        """Refused: entries of the inverse need a factor.

        Raises
        ------
        SizeError
        """
        raise no_inverse(self.fill)


def gradient(matrix: Columns, fill: float) -> Gradient:
    """Wrap an upper triangle of unit diagonal."""
    return Gradient(matrix, sparse.csr_array(both_triangles(matrix)), fill)


def unequal(fill: float, steps: int) -> ScaleError:
    """The error of an iteration that does not arrive."""
    return ScaleError(
        f"the balances are too tangled to factor ({fill:.1e} entries predicted) and "
        f"their uncertainties too unequal to iterate: no answer in {steps} steps. Leave "
        "near-useless meters unmeasured (NaN), or reconcile sites separately."
    )


def no_inverse(fill: float) -> SizeError:
    """The error of asking an iteration for entries of the inverse."""
    return SizeError(
        f"the balances are too tangled for standard uncertainties: a factor would have about "
        f"{fill:.1e} entries. Ask for values only (uncertainty=False), or reconcile sites "
        "or periods separately."
    )
