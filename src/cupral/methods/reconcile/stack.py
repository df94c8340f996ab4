"""Periods side by side: one system whose S is block-diagonal, whatever each network is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile.problem import Columns, Index, Vector
from cupral.methods.reconcile.system import System


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Systems of one or more periods with independent noise, rows one below the other."""

    systems: tuple[System, ...]

    @property
    def edges(self) -> Index:
        """First row of each period, and the number of all rows, (T + 1,)."""
        return np.cumsum([0, *(system.balance.shape[0] for system in self.systems)])

    @property
    def residual(self) -> Vector:
        """Imbalances of the raw measurements, (P,)."""
        return np.concatenate([system.residual for system in self.systems])

    def solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        """``S^-1 r`` for a vector or the columns of a matrix."""
        result, edges = np.empty_like(right), self.edges
        for system, a, b in zip(self.systems, edges, edges[1:], strict=False):
            result[a:b] = system.factor.solve(right[a:b])
        return result

    def quadratic(self, columns: Columns) -> Vector:
        """``h^T S^-1 h`` for each sparse column h (P, K)."""
        if len(self.systems) == 1:
            return self.systems[0].factor.quadratic(columns)
        rows, edges, total = sparse.csr_array(columns), self.edges, np.zeros(columns.shape[1])
        for system, a, b in zip(self.systems, edges, edges[1:], strict=False):
            part: Columns = sparse.csc_array(rows[a:b])
            part.sort_indices()
            total += system.factor.quadratic(part)
        return total

    def noise(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Imbalances of `count` windows in which every meter is honest, (P, count)."""
        return np.concatenate([_noise(system, rng, count) for system in self.systems])


def _noise(system: System, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draws from N(0, S) of one period."""
    if system.covariance is None:
        error = rng.standard_normal((len(system.measured), count))
        return np.asarray(system.balance @ (np.sqrt(system.variance)[:, None] * error))
    root = np.linalg.cholesky((system.cross @ system.balance.T).toarray())
    return np.asarray(root @ rng.standard_normal((len(root), count)))
