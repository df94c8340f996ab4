"""What kind of fault a reading shows beside what it ought to be: a unit slip, or swapped meters.

Faults that a series shows by itself (stuck, standing, repeated) are in `standstill`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cupral.methods.reconcile.errors import ReconcileError

Vector = NDArray[np.float64]
Kind = Literal[
    "unit slip", "swapped", "stuck", "silent", "standing", "repeated", "rollover", "reset",
    "backward",
]  # fmt: skip


class SymptomError(ReconcileError):
    """Readings that cannot be examined as they were given."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One kind of fault that the readings show."""

    kind: Kind
    """What it looks like."""
    members: tuple[int, ...]
    """Meters (unit slip, swapped, silent), first and last sample (stuck, standing), the rows
    (repeated), or the sample (register faults), from 0."""
    evidence: float
    """How strongly, in the measure that `meaning` names."""
    meaning: str
    """What was found, in words."""
    check: str
    """What to look at next."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One way to write a reading in a wrong unit."""

    name: str
    """Such as "kg for t"."""
    factor: float
    """Reading / truth when it happens [1], not 0 and not 1."""
    weight: float = 1.0
    """How common it is beside the others [1]."""

    def __post_init__(self) -> None:
        """A factor of 1 is no slip."""
        if not (np.isfinite(self.factor) and self.factor not in {0.0, 1.0} and self.weight > 0):
            raise SymptomError(
                f"factor {self.name!r} is {self.factor} with weight {self.weight}; it must be a "
                "number other than 0 and 1, the weight > 0."
            )


def unit_slips(
    reading: float,
    sd: float,
    expected: float,
    expected_sd: float,
    *,
    factors: Sequence[Factor],
    bias: float,
    slip_share: float,
    within: float = 3.0,
    odds: float = 20.0,
    meter: int = 0,
) -> tuple[Symptom, ...]:
    """Which unit slips explain a reading that its right unit does not?

    A factor is named when the reading lies within so many sd of factor x expected, not within
    as many of expected itself, and when it is `odds` times likelier than a plain bias, which is
    taken as Cauchy: half of all biases are smaller than `bias` x expected, a few are huge.
    All factors that pass are named, for they cannot be told apart. A reading within as many sd
    of zero is a meter that stands still: a small factor would explain it, and any other as well.

    Parameters
    ----------
    reading, sd : float [unit]
        What the meter says, and the standard uncertainty of that number (of the reading as it
        stands: a meter of 1 % has 1 % of its reading).
    expected, expected_sd : float [unit]
        What the others say, as from `reconcile.without`.
    factors
        The candidates, from the plant's parameters.
    bias : float [1]
        Median size of an ordinary bias, as share of the expected value.
    slip_share : float [1]
        Share of false readings that are unit slips, of all factors together, 0 to 1.
    within : float [1]
        How many sd still explain a reading.
    odds : float [1]
        Least posterior odds against a plain bias; 20 is strong evidence.
    meter : int
        Named in `members`.

    Returns
    -------
    tuple of Symptom
        The likeliest first, empty when the right unit or a plain bias explains as well;
        `evidence` is the posterior odds against a plain bias.

    Raises
    ------
    SymptomError

    Source
    ------
    Kass and Raftery 1995, J. Am. Stat. Assoc. 90:773 (odds above 20 are strong evidence).

    Examples
    --------
    >>> slips = [Factor("kg for t", 1000.0), Factor("short tons for t", 1.10231)]
    >>> prior = {"factors": slips, "bias": 0.05, "slip_share": 0.2}
    >>> (one,) = unit_slips(50300.0, 500.0, 50.0, 0.6, **prior)
    >>> one.meaning
    'reads like kg for t (x 1000): posterior odds 1.9e+05 against a plain bias'
    >>> unit_slips(55.1, 0.6, 50.0, 0.6, **prior)   # a bias of 10 % explains as well
    ()
    >>> unit_slips(0.0, 0.5, 50.0, 0.5, **(prior | {"factors": [Factor("t for kg", 0.001)]}))
    ()
    """
    _check_numbers(reading, sd, expected, expected_sd)
    if not (0.0 < slip_share < 1.0 and bias > 0.0 and within > 0.0 and odds >= 1.0):
        raise SymptomError("slip_share must lie in 0..1, bias and within be > 0, odds >= 1.")
    if not factors:
        raise SymptomError("no factors are given; pass the unit slips that the plant knows.")
    gap = reading - expected
    spread = np.hypot(sd, expected_sd)
    if abs(gap) <= within * spread:
        return ()
    plain = float(special.voigt_profile(gap, spread, bias * abs(expected)))
    total = sum(one.weight for one in factors)
    dead = abs(reading) <= within * sd
    found = []
    for one in factors:
        if dead and abs(one.factor) < 1.0:
            continue
        wide = float(np.hypot(sd, one.factor * expected_sd))
        z = (reading - one.factor * expected) / wide
        density = np.exp(-0.5 * z**2) / (np.sqrt(2.0 * np.pi) * wide)
        ratio = slip_share * one.weight / total * density / ((1.0 - slip_share) * plain)
        if abs(z) <= within and ratio >= odds:
            found.append(_slip(one, float(ratio), meter))
    return tuple(sorted(found, key=lambda symptom: -symptom.evidence))


def swapped(
    reading: ArrayLike,
    sd: ArrayLike,
    expected: ArrayLike,
    expected_sd: ArrayLike,
    *,
    within: float = 3.0,
) -> tuple[Symptom, ...]:
    """Which pairs of meters read as if their tags were exchanged?

    Neither reading of the pair fits its own stream, and each fits the other's.

    Parameters
    ----------
    reading, sd : (n,) [unit]
        Readings and their standard uncertainties.
    expected, expected_sd : (n,) [unit]
        What is known of the streams without these meters: from `reconcile.without` of all
        doubted meters together, or of the two of a pair.
    within : float [1]
        How many sd still explain a reading.

    Returns
    -------
    tuple of Symptom
        One a pair; `evidence` is the larger misfit after exchanging [sd], the smallest first.
        Two streams of the same size are never told apart.

    Raises
    ------
    SymptomError

    Examples
    --------
    >>> (pair,) = swapped([30.2, 49.8, 10.0], [0.3, 0.5, 0.1], [50.0, 30.0, 10.0], [0.4, 0.4, 0.4])
    >>> pair.members, round(pair.evidence, 2)
    ((0, 1), 0.4)
    """
    y, q, x, p = (np.asarray(v, dtype=np.float64) for v in (reading, sd, expected, expected_sd))
    if y.ndim != 1 or not y.shape == q.shape == x.shape == p.shape:
        raise SymptomError("reading, sd, expected and expected_sd must all be (n,).")
    for numbers in zip(y, q, x, p, strict=True):
        _check_numbers(*(float(number) for number in numbers))
    misfit = np.abs(y[:, None] - x) / np.hypot(q[:, None], p)
    doubted = np.flatnonzero(np.diagonal(misfit) > within)
    pairs = [(max(misfit[i, j], misfit[j, i]), int(i), int(j)) for i, j in combinations(doubted, 2)]
    return tuple(
        Symptom(
            "swapped", (i, j), float(worst),
            f"each reads the other's stream, within {worst:.2g} sd",
            "compare tags, cable and channel lists, and the columns of the file",
        )
        for worst, i, j in sorted(pairs) if worst <= within
    )  # fmt: skip


def _slip(factor: Factor, ratio: float, meter: int) -> Symptom:
    """The symptom of one factor."""
    return Symptom(
        "unit slip", (meter,), ratio,
        f"reads like {factor.name} (x {factor.factor:g}): posterior odds {ratio:.2g} against a "
        "plain bias",
        "compare the unit on the meter's display, in its setting and in the file's header",
    )  # fmt: skip


def _check_numbers(reading: float, sd: float, expected: float, expected_sd: float) -> None:
    """Finite values, an sd that is positive, an expectation that is not zero."""
    numbers = (reading, sd, expected, expected_sd)
    if not all(np.isfinite(numbers)) or sd <= 0 or expected_sd < 0 or expected == 0:
        raise SymptomError(
            f"reading {reading} +- {sd} and expected {expected} +- {expected_sd} must be finite, "
            "sd > 0, expected_sd >= 0, expected not 0. Leave out streams that nothing else "
            "determines, and those that stand still."
        )
