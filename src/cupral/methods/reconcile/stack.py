"""Periods side by side: one system whose S is block-diagonal, whatever each network is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile.problem import Columns, Index, Vector
from cupral.methods.reconcile.system import System


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Systems of one or more periods, rows one below the other.

    Noise is independent between periods, save for errors that last: each column of `lasting` is
    the imbalance that one sd of such an error makes in all periods, so that
    ``S = blockdiag(S_t) + C C^T``, solved by Woodbury's identity.
    """

    systems: tuple[System, ...]
    lasting: NDArray[np.float64]
    """C, (P, g)."""
    weighed: NDArray[np.float64]
    """``blockdiag(S_t)^-1 C``, (P, g)."""
    core: NDArray[np.float64]
    """``(I + C^T blockdiag(S_t)^-1 C)^-1``, (g, g)."""

    @property
    def edges(self) -> Index:
        """First row of each period, and the number of all rows, (T + 1,)."""
        return _edges(self.systems)

    @property
    def residual(self) -> Vector:
        """Imbalances of the raw measurements, (P,)."""
        return np.concatenate([system.residual for system in self.systems])

    def solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        """``S^-1 r`` for a vector or the columns of a matrix."""
        taken = self.weighed @ (self.core @ (self.weighed.T @ right))
        return np.asarray(_solve(self.systems, right) - taken)

    def quadratic(self, columns: Columns) -> Vector:
        """``h^T S^-1 h`` for each sparse column h (P, K)."""
        if len(self.systems) == 1:
            total = self.systems[0].factor.quadratic(columns)
        else:
            total = self._by_period(columns)
        if self.core.size:
            met = columns.T @ self.weighed
            total = total - np.einsum("ij,jk,ik->i", met, self.core, met)
        return total

    def _by_period(self, columns: Columns) -> Vector:
        """``h^T blockdiag(S_t)^-1 h``."""
        rows, edges, total = sparse.csr_array(columns), self.edges, np.zeros(columns.shape[1])
        for system, a, b in zip(self.systems, edges, edges[1:], strict=False):
            part: Columns = sparse.csc_array(rows[a:b])
            part.sort_indices()
            total += system.factor.quadratic(part)
        return total

    def noise(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Imbalances of `count` windows in which every meter is honest, (P, count)."""
        own = np.concatenate([_noise(system, rng, count) for system in self.systems])
        if not self.core.size:
            return own
        return np.asarray(own + self.lasting @ rng.standard_normal((len(self.core), count)))


def stacked(systems: Sequence[System], lasting: Sequence[NDArray[np.float64]]) -> Stack:
    """Systems one below the other; `lasting` are the errors (n, g) of each that last [unit]."""
    parts = [
        system.balance @ error[system.measured]
        for system, error in zip(systems, lasting, strict=True)
    ]
    shared = np.concatenate(parts)
    weighed = _solve(systems, shared)
    core = np.asarray(np.linalg.inv(np.eye(shared.shape[1]) + shared.T @ weighed))
    return Stack(tuple(systems), shared, weighed, core)


def _edges(systems: Sequence[System]) -> Index:
    return np.cumsum([0, *(system.balance.shape[0] for system in systems)])


def _solve(systems: Sequence[System], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """``blockdiag(S_t)^-1 r``."""
    result, edges = np.empty_like(right), _edges(systems)
    for system, a, b in zip(systems, edges, edges[1:], strict=False):
        result[a:b] = system.factor.solve(right[a:b])
    return result


def _noise(system: System, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draws from N(0, S) of one period."""
    if system.covariance is None:
        error = rng.standard_normal((len(system.measured), count))
        return np.asarray(system.balance @ (np.sqrt(system.variance)[:, None] * error))
    root = np.linalg.cholesky((system.cross @ system.balance.T).toarray())
    return np.asarray(root @ rng.standard_normal((len(root), count)))
