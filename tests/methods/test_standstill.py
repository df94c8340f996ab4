"""Stuck, silent, standing, repeated and turned registers: chance is counted, faults are found."""

import itertools

import numpy as np
import pytest
from scipy.signal import lfilter

from cupral.methods.standstill import repeated, silent, standing, stuck, turned
from cupral.methods.symptom import SymptomError


def signals(rng: np.random.Generator, runs: int, n: int, phi: float, digit: float) -> np.ndarray:
    """Moving series (runs, n) of sd 1 round 100, written to a last digit."""
    noise = lfilter([1.0], [1.0, -phi], rng.normal(size=(runs, n + 200)), axis=1)[:, 200:]
    return np.asarray(100.0 + digit * np.round(noise * np.sqrt(1 - phi**2) / digit))


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.95])
@pytest.mark.parametrize("digit", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("n", [12, 60, 400])
def test_moving_series_are_hardly_ever_stuck(phi: float, digit: float, n: int) -> None:
    """False alarms stay at the level, for coarse digits and sluggish signals too."""
    rng, runs = np.random.default_rng(1), 150
    alarms = sum(bool(stuck(row)) for row in signals(rng, runs, n, phi, digit))
    assert alarms <= 0.01 * runs + 3 * np.sqrt(0.01 * runs)


def test_chance_is_exact_for_two_values() -> None:
    """Beside brute force: all continuations of a coin of unknown rate, uniform before."""
    tail = np.array([1.0, 2.0, 1.0, 2.0, 1.0, 2.0])
    series = np.concatenate([np.full(30, 3.0), tail])
    (found,) = stuck(series)
    # 29 repeats in a run; outside 0 of 6 pairs repeat, the commonest value is 2 of 5 others
    rate = np.linspace(0.0, 1.0, 200_001)
    after = rate**2 * (1 - rate) ** 3
    wanted = np.trapezoid(rate**29 * after, rate) / np.trapezoid(after, rate)
    assert found.evidence == pytest.approx((36 - 29) * wanted, rel=1e-6)
    assert found.members == (0, 29)


@pytest.mark.parametrize(("digit", "length"), [(0.01, 6), (0.1, 8), (0.3, 14)])
def test_planted_runs_are_found(digit: float, length: int) -> None:
    """A held value in 200 samples is found at its place, the coarser the digit the longer."""
    rng, hits = np.random.default_rng(2), 0
    for row in signals(rng, 100, 200, 0.0, digit):
        first = int(rng.integers(0, 200 - length))
        row[first : first + length] = row[first]
        found = stuck(row)
        hits += bool(found) and found[0].members[0] <= first <= found[0].members[1]
        assert all(one.kind == "stuck" and one.evidence <= 0.01 for one in found)
    assert hits >= 90


def test_a_line_at_rest_is_not_stuck() -> None:
    """Zeros and constants by nature need a reference that moved meanwhile."""
    rng = np.random.default_rng(3)
    moving = rng.normal(size=100).round(2) + 10.0
    off = moving.copy()
    off[40:70] = 0.0
    assert stuck(off) == ()
    assert stuck(np.zeros(50)) == ()
    assert stuck(np.full(50, 7.0)) == ()
    (found,) = stuck(off, reference=moving)
    assert found.members == (40, 69)
    assert stuck(off, reference=np.where(off == 0.0, 0.0, moving)) == ()
    (always,) = stuck(np.full(100, 7.0), reference=moving)
    assert always.members == (0, 99)
    assert stuck(np.full(100, 7.0), reference=np.full(100, 3.0)) == ()


def test_unit_and_direction_change_nothing() -> None:
    """The same run in other units, and read backward."""
    row = signals(np.random.default_rng(4), 1, 80, 0.0, 0.125)[0]
    row[20:34] = row[20]
    one, two, back = stuck(row), stuck(row * 1024.0), stuck(row[::-1])
    assert [s.members for s in one] == [s.members for s in two] == [(20, 33)]
    assert one[0].evidence == two[0].evidence
    assert back[0].members == (79 - 33, 79 - 20)


def test_two_stuck_runs_are_both_found() -> None:
    """The longer run does not hide the other."""
    row = signals(np.random.default_rng(5), 1, 400, 0.0, 0.01)[0]
    row[50:80], row[200:212] = row[50], row[200]
    assert [one.members for one in stuck(row)] == [(50, 79), (200, 211)]


def test_silent_meters() -> None:
    """More intervals than allowed, the latest first; a meter that never spoke is the latest."""
    found = silent([99.0, 90.0, 50.0, -np.inf], [1.0, 1.0, 24.0, 1.0], now=100.0, allowed=2.0)
    assert [(one.members, one.evidence) for one in found] == [
        ((3,), np.inf), ((1,), 10.0), ((2,), 50.0 / 24.0),
    ]  # fmt: skip
    assert silent([98.0], [1.0], now=100.0, allowed=2.0) == ()


def test_standing_registers() -> None:
    """A register that stands while its stream flows, but not when the flow may be nothing."""
    register = np.array([10.0, 14.0, 14.0, 14.0, 14.0, 18.0])
    flow = np.array([4.0, 4.0, 4.0, 4.0, 4.0])
    (found,) = standing(register, flow, np.full(5, 0.5), resolution=1.0)
    assert found.members == (1, 4)
    assert found.evidence == pytest.approx((12.0 - 1.0) / np.sqrt(3 * 0.25))
    assert "3 readings while 12 passes" in found.meaning
    assert standing(register, 0.01 * flow, np.full(5, 0.5), resolution=1.0) == ()
    assert standing(register, flow, np.full(5, 9.0), resolution=1.0) == ()
    assert standing(np.arange(6.0), flow, np.full(5, 0.5), resolution=1.0) == ()


def test_standing_false_alarms() -> None:
    """A stream at rest whose flow is known with noise only: 3 sd, one side."""
    rng, runs = np.random.default_rng(6), 3000
    alarms = sum(
        bool(standing(np.zeros(2), rng.normal(size=1), np.ones(1), resolution=0.0))
        for _ in range(runs)
    )
    assert alarms / runs == pytest.approx(0.00135, abs=0.002)


def test_repeated_periods() -> None:
    """The old file again, whole or with few corrections; honest months are not."""
    rng = np.random.default_rng(7)
    last = np.round(rng.uniform(1.0, 900.0, 40), 1)
    last[:5] = 0.0
    (found,) = repeated(last, last)
    assert found.members == tuple(range(5, 40))
    assert found.evidence == 35.0
    touched = last.copy()
    touched[[10, 20]] += 1.0
    assert repeated(touched, last) == ()
    (mostly,) = repeated(touched, last, share=0.9)
    assert mostly.evidence == 33.0
    assert "33 of 35 rows" in mostly.meaning
    for _ in range(200):
        month = np.round(last * (1 + 0.05 * rng.normal(size=40)), 1)
        assert repeated(month, last, share=0.5) == ()


def test_constant_rows_are_no_repeated_file() -> None:
    """Zeros, gaps and one agreed value everywhere prove nothing."""
    assert repeated(np.zeros(30), np.zeros(30)) == ()
    assert repeated(np.full(30, 12.0), np.full(30, 12.0)) == ()
    assert repeated(np.full(30, np.nan), np.full(30, np.nan)) == ()
    few = np.array([1.0, 2.0, 3.0, 4.0])
    assert repeated(few, few) == ()
    assert len(repeated(few, few, least=4)) == 1


def test_every_way_a_register_falls() -> None:
    """Brute force over small registers: what is named is possible, what is possible is named."""
    for before, after, most in itertools.product(range(1, 10), range(9), range(1, 10)):
        if after >= before:
            continue
        found = turned([before, after], [most], capacity=10.0)
        kinds = {one.kind for one in found}
        assert ("rollover" in kinds) == (after + 10 - before <= most)
        assert ("reset" in kinds) == (after <= most)
        assert ("backward" in kinds) == (len(kinds) == 1 and "backward" in kinds)
        assert kinds
        assert all(one.members == (1,) for one in found)


def test_counting_registers_never_fall() -> None:
    """A year of daily readings turning over twice: exactly the two days, with their advance."""
    rng = np.random.default_rng(8)
    advance = rng.uniform(2000.0, 6000.0, 365)
    total = np.concatenate([[0.0], np.cumsum(advance)])
    found = turned(total % 500_000.0, np.full(365, 7000.0), capacity=500_000.0)
    over = [one for one in found if one.kind == "rollover"]
    assert len(over) == int(total[-1] // 500_000.0)
    assert all(one.evidence == pytest.approx(advance[one.members[0] - 1]) for one in over)
    assert turned(total, np.full(365, 7000.0), capacity=1e7) == ()


def test_refusals() -> None:
    """Lengths, gaps and ranges are checked."""
    with pytest.raises(SymptomError, match="at least 3 finite"):
        stuck([1.0, np.nan, 2.0])
    with pytest.raises(SymptomError, match="reference has 3 samples, value 4"):
        stuck([1.0, 2.0, 3.0, 4.0], reference=[1.0, 2.0, 3.0])
    with pytest.raises(SymptomError, match="level is"):
        stuck([1.0, 2.0, 3.0], level=0.0)
    with pytest.raises(SymptomError, match="interval > 0"):
        silent([1.0], [0.0], now=2.0, allowed=2.0)
    with pytest.raises(SymptomError, match="after now"):
        silent([3.0], [1.0], now=2.0, allowed=2.0)
    with pytest.raises(SymptomError, match="one entry less"):
        standing([1.0, 2.0], [1.0, 2.0], [1.0, 1.0], resolution=0.1)
    with pytest.raises(SymptomError, match="passed_sd must be > 0"):
        standing([1.0, 2.0], [1.0], [0.0], resolution=0.1)
    with pytest.raises(SymptomError, match="must be the same rows"):
        repeated([1.0, 2.0], [1.0])
    with pytest.raises(SymptomError, match="least must be >= 2"):
        repeated([1.0], [1.0], least=1)
    with pytest.raises(SymptomError, match="one entry > 0 less"):
        turned([1.0, 2.0], [1.0, 1.0], capacity=10.0)
    with pytest.raises(SymptomError, match=r"0\.\.capacity \(10\)"):
        turned([1.0, 12.0], [1.0], capacity=10.0)
