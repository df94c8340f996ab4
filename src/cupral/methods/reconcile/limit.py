"""The limit of the strongest of many correlated statistics, as exact as noise can tell.

A direction j alarms when ``z_j^2 - x_j > c2``; its handicap x_j is 0, or what a leak must bring
beyond a bias. The chance that noise alarms at all is ``sum_j P(j alarms) E[1/N | j alarms]``
with N the number of alarms: an expectation near 1, estimated well from few draws however small
the level is.

Source
------
Sidak 1967, J. Am. Stat. Assoc. 62:626 (bound); Naiman and Priebe 2001, J. Comput. Graph.
Stat. 10:296, Adler, Blanchet and Liu 2012, Ann. Appl. Probab. 22:1167 (the estimator).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from cupral.methods.reconcile.problem import Columns, Index, Vector
from cupral.methods.reconcile.stack import Stack

LARGEST = 4_000
"""Up to this many directions the limit is computed, beyond it Sidak's bound stands."""
ENTRIES = 2**18
"""Numbers drawn: directions times noise windows."""
FEWEST, MOST = 256, 8_192
"""Noise windows drawn, at least and at most."""
SEED = 1967
"""Every limit is drawn alike: the same problem always has the same limit."""


def tail(squared: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance that ``z^2`` of noise exceeds each value; 1 where it is negative."""
    return np.asarray(special.erfc(np.sqrt(np.maximum(squared, 0.0) / 2.0)))


def floor(level: float, handicap: Vector) -> float:
    """No limit lies below that of the easiest direction alone."""
    return float(special.chdtri(1, level)) - float(handicap.min())


def ceiling(level: float, handicap: Vector, freedom: int) -> float:
    """Sidak's limit, or the chi-square limit of all directions there are if that is lower."""
    sizes, counts = np.unique(handicap, return_counts=True)
    goal = -np.log1p(-level)
    sidak = _root(lambda c2: float(-counts @ np.log1p(-tail(c2 + sizes))) - goal, level, handicap)
    return min(sidak, float(special.chdtri(freedom, level)) - float(sizes[0]))


def _level_at(weight: Vector, handicap: Vector, level: float) -> float:
    """Squared limit at which the weighted tails add up to the level."""

    def excess(c2: float) -> float:
        return float(weight @ tail(c2 + handicap)) - level

    return _root(excess, level, handicap)


def _root(excess: Callable[[float], float], level: float, handicap: Vector) -> float:
    """Where the chance of an alarm comes down to the level; Bonferroni's limit is above."""
    low = floor(level, handicap)
    high = floor(level / len(handicap), handicap) + 1e-9
    if excess(low) <= 0.0:
        return low
    return float(optimize.brentq(excess, low, high, xtol=1e-12))


class Draws:
    """Scores of simulated honest windows, to be projected as the real ones are."""

    def __init__(self, stack: Stack, columns: Columns) -> None:
        """Draw windows and choose the directions that alarm in them."""
        rng = np.random.default_rng(SEED)
        count = columns.shape[1]
        windows = int(np.clip(ENTRIES // count, FEWEST, MOST))
        self.alarmed: Index = np.arange(count)
        if count > windows:
            self.alarmed = np.sort(rng.choice(count, windows, replace=False))
        each = max(1, windows // count)
        chosen, transposed = len(self.alarmed), sparse.csr_array(columns.T)
        noise = stack.noise(rng, chosen * each)
        score = np.asarray(transposed @ stack.solve(noise))
        self.score = score.reshape(count, chosen, each)
        signature = columns[:, self.alarmed].toarray()
        self.gram = np.asarray(transposed @ stack.solve(signature))
        self.place = (np.arange(each) + rng.random((chosen, each))) / each

    def project(self, best: int, along: Vector) -> None:
        """Take one direction away, given its product with all."""
        pull = self.score[best] / along[best]
        self.score -= along[:, None, None] * pull
        self.gram -= np.outer(along, along[self.alarmed])

    def limit(self, level: float, start: float, handicap: Vector, information: Vector) -> float:
        """Squared limit c2 over the directions that still have information.

        Standard error of c about 0.4 per mille up to 100 directions, 0.9 per mille at 1,000.
        """
        open_ = np.flatnonzero(information > 0.0)
        kept = np.flatnonzero(np.isin(self.alarmed, open_))
        itself = np.searchsorted(open_, self.alarmed[kept])
        handicap, length = handicap[open_], np.sqrt(information[open_])
        # single precision counts alarms as well, in half the time
        score = (self.score[open_] / length[:, None, None]).astype(np.float32)[:, kept]
        correlation = (self.gram[open_] / length[:, None]).astype(np.float32)[:, kept]
        correlation /= length[itself].astype(np.float32)
        c2 = start
        for _ in range(8):
            share = _shares(handicap + c2, score, correlation, itself, self.place[kept])
            weight = _weights(handicap, handicap[itself], share)
            before, c2 = c2, _level_at(weight, handicap, level)
            if abs(c2 - before) < 1e-3:
                break
        return c2


def _shares(
    threshold: Vector,
    score: NDArray[np.float32],
    correlation: NDArray[np.float32],
    itself: Index,
    place: NDArray[np.float64],
) -> Vector:
    """``E[1/N]`` given that each chosen direction alarms."""
    own = score[itself, np.arange(len(itself))]
    # the chosen direction is moved into its tail, the others follow by their correlation
    alarm = -special.ndtri(0.5 * tail(threshold[itself])[:, None] * place)
    moved = correlation[:, :, None] * (alarm - own).astype(np.float32)
    moved += score
    np.abs(moved, out=moved)
    least = np.sqrt(np.maximum(threshold, 0.0)).astype(np.float32)
    number = np.count_nonzero(moved > least[:, None, None], axis=0)
    return np.asarray((1.0 / np.maximum(number, 1)).mean(axis=1))


def _weights(handicap: Vector, chosen: Vector, share: Vector) -> Vector:
    """The mean share of its kind for each direction; 1, the bound, where none was drawn."""
    weight = np.ones(len(handicap))
    for size in np.unique(chosen):
        weight[handicap == size] = share[chosen == size].mean()
    return weight
