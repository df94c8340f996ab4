"""Unmeasured streams from the right-hand side, ``x_U = T c``, kept as sparse factors of T."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile.errors import SizeError
from cupral.methods.reconcile.problem import Index, Matrix

ENTRIES = 30_000_000
"""Most entries of T that are ever written out (12 bytes each)."""


@dataclass(frozen=True, slots=True, eq=False)
class Solver:
    """T, (u, m), as a product of sparse matrices.

    In a chain each stream follows from all balances beyond it: T would have a number of entries
    that grows with the square of its length, its factors hardly more than the chain. Vectors and
    dense matrices meet the factors one by one; beside a sparse matrix T is written out.
    """

    factors: tuple[Matrix, ...]
    """No two products that make an entry of T have opposite signs."""

    __array_ufunc__ = None
    """numpy leaves ``array @ solver`` to this class."""

    def __matmul__(self, right: Any) -> Any:
        """``T M`` for a vector, a dense or a sparse matrix."""
        if sparse.issparse(right):
            written: Any = self[np.arange(self.factors[0].shape[0])]
            return written @ right
        for factor in reversed(self.factors):
            right = factor @ right
        return right

    def __rmatmul__(self, left: NDArray[np.float64]) -> NDArray[np.float64]:
        """``M T`` for a vector or a dense matrix."""
        for factor in self.factors:
            left = left @ factor
        return left

    def __abs__(self) -> "Solver":
        """Magnitudes of T."""
        return Solver(tuple(abs(factor) for factor in self.factors))

    def __getitem__(self, rows: Index) -> Matrix:
        """Rows of T written out.

        Raises
        ------
        SizeError
            They have more than `ENTRIES` entries.
        """
        first, *others = self.factors
        chosen = sparse.csr_array(first[rows])
        self._refuse_large(chosen)
        for factor in others:
            chosen = sparse.csr_array(chosen @ factor)
        return chosen

    def _refuse_large(self, chosen: Matrix) -> None:
        """Count the entries before they are made."""
        reach = np.ones(self.factors[-1].shape[1])
        for factor in reversed(self.factors[1:]):
            reach = (factor != 0) @ reach
        entries = int(np.diff(chosen.indptr).sum() and reach[chosen.indices].sum())
        if entries > ENTRIES:
            raise SizeError(
                f"{chosen.shape[0]} unmeasured streams follow from {entries} balances in all, "
                f"along chains as long as {int(reach.max())} processes; allowed are {ENTRIES}. "
                "Measure some streams along these chains, or reconcile without uncertainty "
                "(uncertainty=False)."
            )
