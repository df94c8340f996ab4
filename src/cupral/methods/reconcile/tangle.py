"""Networks too tangled to factor: conjugate gradients led by a sampled factor.

S is handled as a graph, its edges the variances of the streams between balances, its ground
those of the streams to the outside. Products go by differences over edges, which keep the small
weights that the sums on the diagonal of S have lost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from cupral.methods.reconcile.cholesky import check_pivots
from cupral.methods.reconcile.compiled import compiled
from cupral.methods.reconcile.gradient import no_inverse, unequal
from cupral.methods.reconcile.problem import Columns, Matrix, Vector
from cupral.methods.reconcile.sampling import Sampled, sample

ACCURACY, ROUGH = 1e-12, 1e-4
"""Norm of the residual, relative to the right-hand side, at which the iteration ends, and where it
corrects an earlier answer."""
STEPS = 1_000
"""Steps allowed; about 40 are usual, whatever the weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Tangle:
    """Solves with the Laplacian of a grounded graph; knows nothing of its inverse."""

    matrix: Columns
    """Upper triangle of S, (p, p)."""
    edges: Matrix
    """Weight between each two nodes, both ways, in the order of the factor, (p, p)."""
    ground: Vector
    """Weight to the outside, in the order of the factor, (p,)."""
    sampled: Sampled
    fill: float
    """Predicted entries of the factor it does without."""

    def solve(self, right: Vector, accuracy: float = ACCURACY) -> Vector:
        """``S^-1 r`` for one right-hand side, the residual falling to a share of its `norm`.

        Raises
        ------
        ScaleError
            No answer within `STEPS`.

        Source
        ------
        Hestenes and Stiefel 1952, J. Res. NBS 49:409.
        """
        order = self.sampled.order
        left, answer = right[order], np.zeros(len(order))
        led = self.sampled.solve(left)
        way, product = led.copy(), np.empty(len(order))
        energy = float(left @ led)
        wanted = accuracy**2 * energy
        for _ in range(STEPS):
            if not energy > wanted:
                break
            self._multiply(way, product)
            length = energy / float(way @ product)
            answer += length * way
            left -= length * product
            led = self.sampled.solve(left)
            former, energy = energy, float(left @ led)
            way *= energy / former
            way += led
        if not energy <= wanted:
            raise unequal(self.fill, STEPS)
        result = np.empty(len(order))
        result[order] = answer
        return result

    def norm(self, gap: Vector) -> float:
        """``sqrt(r^T S^-1 r)``, about: S is that of the sampled factor."""
        left = gap[self.sampled.order]
        return float(np.sqrt(left @ self.sampled.solve(left)))

    def inverse(self) -> None:
        """Refused: entries of the inverse need a factor.

        Raises
        ------
        SizeError
        """
        raise no_inverse(self.fill)

    def _multiply(self, x: Vector, product: Vector) -> None:
        """``S x``."""
        edges = self.edges
        compiled(_flow)(edges.indptr, edges.indices, edges.data, self.ground, x, product)


def tangle(matrix: Columns, balance: Columns, variance: Vector, fill: float) -> Tangle:
    """Graph of a network whose upper triangle of S is known.

    Parameters
    ----------
    matrix : (p, p) csc
        Upper triangle of S; its diagonal is not looked at.
    balance : (p, k) csc
    variance : (k,) [unit squared]
    fill : float
        Predicted entries of the exact factor.

    Raises
    ------
    ScaleError
    """
    size, first = matrix.shape[0], balance.indptr[:-1]
    single = np.diff(balance.indptr) == 1
    place = first[single]
    to_ground = variance[single] * balance.data[place] ** 2
    ground = np.zeros(size)
    ground += np.bincount(balance.indices[place], to_ground, minlength=size)
    column = np.repeat(np.arange(size, dtype=np.int32), np.diff(matrix.indptr))
    inner, open_ = matrix.indices < column, np.flatnonzero(ground)
    above, beside, weight = matrix.indices[inner], column[inner], -matrix.data[inner]
    sampled = sample(
        np.concatenate((above, open_.astype(np.int32))),
        np.concatenate((beside, np.full(len(open_), size, dtype=np.int32))),
        np.concatenate((weight, ground[open_])),
        size,
    )
    check_pivots(np.where(np.isfinite(sampled.pivot), sampled.pivot, 0.0), 0.0)
    one, other = sampled.place[above], sampled.place[beside]
    ends = (np.concatenate((one, other)), np.concatenate((other, one)))
    edges: Matrix = sparse.csr_array((np.tile(weight, 2), ends), shape=(size, size))
    return Tangle(matrix, edges, ground[sampled.order], sampled, fill)


def _flow(indptr: Any, indices: Any, weight: Any, ground: Any, x: Any, product: Any) -> None:
    """What flows out of each node when x are the potentials."""
    for i in range(len(x)):
        total = ground[i] * x[i]
        for p in range(indptr[i], indptr[i + 1]):
            total += weight[p] * (x[i] - x[indices[p]])
        product[i] = total
