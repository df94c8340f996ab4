"""Serial search for gross errors: name the likeliest, take its effect away, look again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.methods.reconcile import limit
from cupral.methods.reconcile.candidate import SAME, Candidates
from cupral.methods.reconcile.errors import ReconcileError
from cupral.methods.reconcile.problem import Columns, Index, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Directions that explain one error equally well."""

    direction: int
    statistic: float
    same: Index
    """All of them, (s,)."""
    gain: Vector
    """Length of each along the direction, (s,)."""


class Search:
    """Scores ``h^T S^-1 r`` and information ``h^T S^-1 h`` of every direction, projected."""

    def __init__(self, found: Candidates, odds: float) -> None:
        """Score all directions before anything is named."""
        if not 1.0 <= odds < np.inf:
            raise ReconcileError(
                f"odds is {odds}; it must be 1 or more: how many times likelier a biased meter "
                "is than a leak before the measurements are seen."
            )
        self.stack, self.same, directions = found.stack, found.same, found.directions
        whole = len(directions) == found.columns.shape[1]
        self.columns: Columns = found.columns if whole else found.columns[:, directions]
        self.transposed = sparse.csr_array(self.columns.T)
        self.full = self.stack.quadratic(self.columns)
        self.raw = np.asarray(self.transposed @ self.stack.solve(self.stack.residual))
        self.score, self.information = self.raw.copy(), self.full.copy()
        # without biases, leaks compete with each other on equal terms
        self.penalty = 2.0 * np.log(odds) if found.bias else 0.0
        self.handicap = np.where(directions < found.bias, 0.0, self.penalty)
        self.draws: limit.Draws | None = None
        self.taken: list[tuple[int, Vector]] = []
        self.grams: dict[int, Vector] = {}
        self.named: list[tuple[Explanation, Explanation | None]] = []

    def run(self, level: float) -> None:
        """Name the likeliest direction until none is significant."""
        while (left := self.information > 0.0).any():
            power = np.where(left, self.score**2 / np.where(left, self.information, 1.0), 0.0)
            evidence = np.where(left, power - self.handicap, -np.inf)
            best = _first(evidence)
            if not self.exceeds(float(evidence[best]), level):
                return
            # odds decide for the bias, but the measurements themselves may speak for the leak
            rival = _first(power)
            chosen = self._explanation(best, power)
            other = self._explanation(rival, power) if rival not in chosen.same else None
            self.named.append((chosen, other))
            self._project(chosen)

    def exceeds(self, evidence: float, level: float) -> bool:
        """Whether noise alone gives this much evidence in less than `level` of all cases."""
        ceiling = self.ceiling(level)
        if evidence > ceiling:
            return True
        floor = limit.floor(level, self.handicap[self.information > 0.0])
        return evidence > floor and evidence > self.squared_limit(level)

    def ceiling(self, level: float) -> float:
        """A squared limit that is surely high enough."""
        freedom = int(self.stack.edges[-1]) - len(self.taken)
        return limit.ceiling(level, self.handicap[self.information > 0.0], freedom)

    def squared_limit(self, level: float) -> float:
        """Squared limit of a bias: exact, or the bound in large problems."""
        ceiling = self.ceiling(level)
        if len(self.full) > limit.LARGEST:
            return ceiling
        if self.draws is None:
            self.draws = limit.Draws(self.stack, self.columns)
            for taken in self.taken:
                self.draws.project(*taken)
        exact = self.draws.limit(level, ceiling, self.handicap, self.information)
        return min(exact, ceiling)

    def gram(self, direction: int) -> Vector:
        """``H^T S^-1 h`` of one direction with all, as it was before anything was named."""
        if direction not in self.grams:
            signature = self.columns[:, [direction]].toarray().ravel()
            self.grams[direction] = np.asarray(self.transposed @ self.stack.solve(signature))
        return self.grams[direction]

    def size(self, direction: int, others: list[int]) -> tuple[float, float]:
        """Error along one direction beside others, and its sd; infinite when they replace it."""
        score, information = self.beside([direction], others)
        if not information[0, 0] > SAME * self.full[direction]:
            return 0.0, float("inf")
        return float(score[0] / information[0, 0]), float(information[0, 0] ** -0.5)

    def beside(self, chosen: list[int], others: list[int]) -> tuple[Vector, NDArray[np.float64]]:
        """Scores and information matrix of some directions, with others projected away."""
        gram = np.stack([self.gram(one)[chosen + others] for one in chosen + others])
        cut = len(chosen)
        gain = np.linalg.solve(gram[cut:, cut:], gram[cut:, :cut]).T
        score = self.raw[chosen] - gain @ self.raw[others]
        return score, gram[:cut, :cut] - gain @ gram[cut:, :cut]

    def _explanation(self, best: int, power: Vector) -> Explanation:
        """A direction with all that cannot be told apart from it."""
        along = self._along(best)
        left = self.information - along**2
        same = np.flatnonzero((self.information > 0.0) & (left <= self.same * self.information))
        same = np.union1d(same, [best])
        return Explanation(best, float(np.sqrt(power[best])), same, along[same] / along[best])

    def _along(self, best: int) -> Vector:
        """Products of all directions with the unit vector of one, those named projected away."""
        product = self.gram(best).copy()
        for _, earlier in self.taken:
            product -= earlier * earlier[best]
        return np.asarray(product / np.sqrt(self.information[best]))

    def _project(self, chosen: Explanation) -> None:
        """Take the effect of one direction away from all others."""
        best = chosen.direction
        along = self._along(best)
        self.taken.append((best, along))
        self.score -= along * (self.score[best] / along[best])
        if self.draws is not None:
            self.draws.project(best, along)
        self.information = np.maximum(self.information - along**2, 0.0)
        self.information[self.information <= SAME * self.full] = 0.0
        self.information[chosen.same] = 0.0


def _first(values: NDArray[np.float64]) -> int:
    """The first of those that are largest but for rounding."""
    largest = values.max()
    return int(np.flatnonzero(values >= largest - 2e-9 * abs(largest))[0])
