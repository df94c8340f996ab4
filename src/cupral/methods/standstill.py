"""Faults that a series of readings shows by itself: stuck, silent, standing, repeated, turned over.

Values are compared exactly, as the meter wrote them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cupral.methods.symptom import Symptom, SymptomError

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


def stuck(
    value: ArrayLike, *, reference: ArrayLike | None = None, level: float = 0.01
) -> tuple[Symptom, ...]:
    """Which runs of identical values are too long for chance?

    Counted outside the run: how often this series repeats a value, how often it repeats this
    very value (if mostly), how common its commonest value is. The probability that the next
    values are all equal follows from those counts (beta-binomial, the largest), times the
    number of places where a run could start.
    A series that never moves, and a run of zeros, is a line at rest unless the reference
    moved meanwhile as it usually does. A last digit coarser than twice the sd of a sluggish
    signal leaves more false alarms than `level`: such a series needs a reference.

    Parameters
    ----------
    value : (n,) [unit]
        In order of time, as written.
    reference : (n,) [any unit], optional
        Another series at the same times that moves when this stream does.
    level : float
        Probability of calling a moving series stuck.

    Returns
    -------
    tuple of Symptom
        The least likely first; `members` are the first and last sample of the run, `evidence`
        the bound of its probability by chance.

    Raises
    ------
    SymptomError

    Examples
    --------
    >>> hours = [5.12, 5.07, 5.21, 5.18, 5.18, 5.18, 5.18, 5.18, 5.18, 5.18, 5.02, 5.11, 5.16]
    >>> (run,) = stuck(hours)
    >>> run.members, round(run.evidence, 4)
    ((3, 9), 0.0076)
    """
    series = _series(value, "value", 3)
    other = None if reference is None else _series(reference, "reference", 3)
    if other is not None and other.shape != series.shape:
        raise SymptomError(f"reference has {len(other)} samples, value {len(series)}.")
    if not 0.0 < level < 1.0:
        raise SymptomError(f"level is {level}; it must lie between 0 and 1.")
    found = []
    runs = sorted(_runs(np.diff(series) == 0), key=lambda run: run[0] - run[1])
    for first, last in runs:
        if _at_rest(series, other, first, last):
            continue
        chance = _chance(series, other, first, last)
        if chance > level:
            break  # shorter runs are likelier
        found.append(_stuck(first, last, chance))
    return tuple(sorted(found, key=lambda symptom: symptom.evidence))


def silent(
    last_new: ArrayLike, interval: ArrayLike, *, now: float, allowed: float
) -> tuple[Symptom, ...]:
    """Whose last new value is older than the meter's own reporting interval allows?

    Parameters
    ----------
    last_new : (n,) [h]
        Time of each meter's last new value, -inf for none ever.
    interval : (n,) [h]
        How often each meter reports.
    now : float [h]
        On the same clock.
    allowed : float [1]
        How many intervals may pass, >= 1.

    Returns
    -------
    tuple of Symptom
        One a meter, the latest first; `evidence` is the number of intervals missed.

    Raises
    ------
    SymptomError

    Examples
    --------
    >>> [(one.members, one.evidence) for one in silent([95.0, 40.0], [1.0, 24.0], now=100.0,
    ...                                                allowed=3.0)]
    [((0,), 5.0)]
    """
    time, every = np.asarray(last_new, np.float64), np.asarray(interval, np.float64)
    if time.ndim != 1 or time.shape != every.shape or not (every > 0).all() or not allowed >= 1:
        raise SymptomError("last_new and interval must be (n,), interval > 0, allowed >= 1.")
    if not np.isfinite(now) or not (time <= now).all():
        raise SymptomError("a last new value lies after now, or is missing; correct the clock.")
    missed = (now - time) / every
    late = np.flatnonzero(missed > allowed)
    return tuple(
        Symptom(
            "silent", (int(i),), float(missed[i]),
            f"no new value for {missed[i]:.3g} of its reporting intervals",
            "power, network and collector of this meter; do not carry the old value on",
        )
        for i in late[np.argsort(-missed[late], kind="stable")]
    )  # fmt: skip


def standing(
    register: ArrayLike,
    passed: ArrayLike,
    passed_sd: ArrayLike,
    *,
    resolution: float,
    within: float = 3.0,
) -> tuple[Symptom, ...]:
    """Where does a register not advance although its stream flows?

    Parameters
    ----------
    register : (t + 1,) [unit]
        Readings of the register.
    passed, passed_sd : (t,) [unit]
        What passed between two readings by other evidence (reconciled without this meter).
    resolution : float [unit]
        Last digit of the register: less than this need not show.
    within : float [1]
        How many sd of flow may be mere uncertainty.

    Returns
    -------
    tuple of Symptom
        `members` are the first and last reading, `evidence` the sd by which the flow exceeds
        one digit.

    Raises
    ------
    SymptomError

    Examples
    --------
    >>> (one,) = standing([10.0, 14.0, 14.0, 14.0], [4.1, 3.9, 4.0], [0.2, 0.2, 0.2],
    ...                   resolution=0.1)
    >>> one.members, one.meaning
    ((1, 3), 'does not advance at 2 readings while 7.9 passes')
    """
    reading, flow = _series(register, "register", 2), _series(passed, "passed", 1)
    spread = _series(passed_sd, "passed_sd", 1)
    if not len(reading) - 1 == len(flow) == len(spread):
        raise SymptomError("passed and passed_sd must have one entry less than register.")
    if not ((spread > 0).all() and resolution >= 0):
        raise SymptomError("passed_sd must be > 0 and resolution >= 0.")
    found = []
    for first, last in _runs(np.diff(reading) == 0):
        total = float(flow[first:last].sum())
        excess = (total - resolution) / float(np.linalg.norm(spread[first:last]))
        if excess > within:
            found.append(_standing(first, last, total, excess))
    return tuple(found)


def repeated(
    current: ArrayLike, previous: ArrayLike, *, least: int = 5, share: float = 1.0
) -> tuple[Symptom, ...]:
    """Are the rows of this period those of the last one again?

    Parameters
    ----------
    current, previous : (n,) [unit of each row]
        The same rows in both periods, NaN where missing.
    least : int
        So many different values other than zero must be equal.
    share : float [1]
        Least share of equal rows among those present in both and not zero in both.

    Returns
    -------
    tuple of Symptom
        None or one; `members` are the equal rows, `evidence` their number.

    Raises
    ------
    SymptomError

    Examples
    --------
    >>> month = [812.4, 77.31, 0.0, 15.2, 640.0, 3.55]
    >>> repeated(month, month)[0].meaning
    '5 of 5 rows equal those of the period before'
    """
    one, two = np.asarray(current, np.float64), np.asarray(previous, np.float64)
    if one.ndim != 1 or one.shape != two.shape:
        raise SymptomError(f"current {one.shape} and previous {two.shape} must be the same rows.")
    if least < 2 or not 0.0 < share <= 1.0:
        raise SymptomError("least must be >= 2 and share lie in 0..1.")
    compared = np.isfinite(one) & np.isfinite(two) & ((one != 0) | (two != 0))
    equal = np.flatnonzero(compared & (one == two))
    count, total = len(equal), int(np.count_nonzero(compared))
    if len(np.unique(one[equal])) < least or count < share * total:
        return ()
    return (
        Symptom(
            "repeated", tuple(int(i) for i in equal), float(count),
            f"{count} of {total} rows equal those of the period before",
            "whether the old file was sent again; ask the sender for this period's",
        ),
    )  # fmt: skip


def turned(register: ArrayLike, largest: ArrayLike, *, capacity: float) -> tuple[Symptom, ...]:
    """Where did a counting register turn over, start again, or run backward?

    Parameters
    ----------
    register : (t + 1,) [unit]
        Readings of a register that only counts up.
    largest : (t,) [unit]
        Most that can pass between two readings.
    capacity : float [unit]
        Where the register turns to zero, such as 1e6.

    Returns
    -------
    tuple of Symptom
        At each fall, `members` is the reading after it. "rollover" and "reset" carry the
        advance they imply as `evidence` [unit] (both when both are possible), "backward" the
        fall.

    Raises
    ------
    SymptomError

    Examples
    --------
    >>> falls = turned([999_400.0, 999_900.0, 350.0], [600.0, 600.0], capacity=1e6)
    >>> [(one.kind, one.members, one.evidence) for one in falls]
    [('rollover', (2,), 450.0), ('reset', (2,), 350.0)]
    """
    reading, most = _series(register, "register", 2), _series(largest, "largest", 1)
    if len(most) != len(reading) - 1 or not (most > 0).all():
        raise SymptomError("largest must have one entry > 0 less than register.")
    if not (reading >= 0).all() or not (reading <= capacity).all():
        raise SymptomError(f"register must lie in 0..capacity ({capacity:g}).")
    found: list[Symptom] = []
    for i in np.flatnonzero(np.diff(reading) < 0):
        before, after = float(reading[i]), float(reading[i + 1])
        found.extend(_fall(int(i) + 1, before, after, float(most[i]), capacity))
    return tuple(found)


def _series(value: ArrayLike, name: str, least: int) -> Vector:
    """Finite numbers in order."""
    series = np.asarray(value, dtype=np.float64)
    if series.ndim != 1 or len(series) < least or not np.isfinite(series).all():
        raise SymptomError(
            f"{name} must be at least {least} finite numbers in order of time; leave out missing "
            "samples."
        )
    return series


def _runs(same: Mask) -> Iterator[tuple[int, int]]:
    """First and last sample of each run of equal samples."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield int(first), int(last)


def _at_rest(series: Vector, other: Vector | None, first: int, last: int) -> bool:
    """A constant by nature: zero or never moving, unless the reference moved meanwhile."""
    if other is None:
        return bool(series[first] == 0.0 or last - first == len(series) - 1)
    moves = np.diff(other) != 0
    inside = moves[first:last].mean()
    return bool(inside == 0.0 or inside < 0.5 * moves.mean())


def _chance(series: Vector, other: Vector | None, first: int, last: int) -> float:
    """Bound of the probability that such a run occurs anywhere by chance."""
    again = last - first
    whole = again == len(series) - 1
    basis = other if whole and other is not None else series
    same, before = np.diff(basis) == 0, basis[:-1]
    if not whole:
        same, before = (np.delete(part, np.s_[first:last]) for part in (same, before))
    # given one sample of the commonest value, so many of the others equal it
    commonest = int(np.unique(before, return_counts=True)[1].max()) - 1
    counts = [(int(same.sum()), len(same)), (commonest, len(before) - 1)]
    here = same[before == series[first]]
    if 2 * here.sum() > len(here):  # fewer repeats are pooled: counts of one value are small
        counts.append((int(here.sum()), len(here)))
    likeliest = max(_all_alike(again, hits, trials) for hits, trials in counts)
    return min(1.0, (len(series) - again) * likeliest)


def _all_alike(again: int, hits: int, trials: int) -> float:
    """Probability of so many hits in a row after these trials, all rates equally likely before."""
    before = special.betaln(hits + 1, trials - hits + 1)
    return float(np.exp(special.betaln(hits + again + 1, trials - hits + 1) - before))


def _stuck(first: int, last: int, chance: float) -> Symptom:
    """The symptom of one run."""
    return Symptom(
        "stuck", (first, last), chance,
        f"{last - first + 1} samples are identical, probability by chance <= {chance:.2g}",
        "transmitter, hold function and collector of this meter; compare with its local display",
    )  # fmt: skip


def _standing(first: int, last: int, total: float, excess: float) -> Symptom:
    """The symptom of one standing stretch."""
    return Symptom(
        "standing", (first, last), excess,
        f"does not advance at {last - first} readings while {total:.6g} passes",
        "the register's drive or pulse line; whether the stream took a bypass",
    )  # fmt: skip


def _fall(
    place: int, before: float, after: float, most: float, capacity: float
) -> Iterator[Symptom]:
    """What one fall of a register can be."""
    check = "the meter's log and last inspection; book the advance only when confirmed"
    over = after + capacity - before
    if over <= most:
        meaning = f"turned over at {capacity:g}: {over:.6g} passed"
        yield Symptom("rollover", (place,), over, meaning, check)
    if after <= most:
        meaning = f"started again from zero: at least {after:.6g} passed"
        yield Symptom("reset", (place,), after, meaning, check)
    if min(over, after) > most:
        fall = before - after
        yield Symptom("backward", (place,), fall, f"fell by {fall:.6g}, which no flow does", check)
