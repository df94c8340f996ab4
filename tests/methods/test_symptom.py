"""Unit slips and swapped meters: planted ones are named, noise and plain biases are not."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.methods.reconcile import ReconcileError, reconcile, without
from cupral.methods.symptom import Factor, Symptom, SymptomError, swapped, unit_slips

FACTORS = (
    Factor("kg for t", 1e3), Factor("t for kg", 1e-3), Factor("GJ for MWh", 3.6),
    Factor("MWh for GJ", 1 / 3.6), Factor("short tons for t", 1.1023113),
    Factor("lb for t", 2204.6), Factor("long tons for t", 0.9842065), Factor("one decimal", 10.0),
    Factor("one decimal", 0.1), Factor("percent for fraction", 100.0), Factor("sign", -1.0),
    Factor("wet for dry", 1 / 0.92),
)  # fmt: skip
PRIOR = {"factors": FACTORS, "bias": 0.05, "slip_share": 0.2}


def odds_by_quadrature(y: float, sd: float, x: float, p: float, factor: Factor) -> float:
    """Oracle: the Cauchy of the bias integrated by hand against the noise."""
    noise, gamma = np.hypot(sd, p), PRIOR["bias"] * abs(x)
    e = np.linspace(-9, 9, 200_001) * noise
    normal = np.exp(-0.5 * (e / noise) ** 2) / (np.sqrt(2 * np.pi) * noise)
    cauchy = gamma / np.pi / ((y - x - e) ** 2 + gamma**2)
    plain = 0.8 * np.trapezoid(normal * cauchy, e)
    wide = np.hypot(sd, factor.factor * p)
    slip = np.exp(-0.5 * ((y - factor.factor * x) / wide) ** 2) / (np.sqrt(2 * np.pi) * wide)
    return float(0.2 * slip / len(FACTORS) / plain)


@pytest.mark.parametrize("factor", [f for f in FACTORS if abs(np.log(abs(f.factor))) > 0.2])
def test_planted_slips_are_named(factor: Factor) -> None:
    """Each far factor is named in most noisy readings, with the odds of its definition.

    The rest lies too far off (2 to 3 sd) for odds of 20: 3.6 is nearer to a huge bias than 1000.
    """
    rng, hits = np.random.default_rng(1), 0
    for _ in range(200):
        x = 50.0 + 0.5 * rng.normal()
        y = factor.factor * 50.0 * (1.0 + 0.01 * rng.normal())
        found = unit_slips(y, 0.01 * abs(y), x, 0.5, **PRIOR)
        hits += any(factor.name in one.meaning for one in found)
        for one in found[:1]:
            assert (one.kind, one.members) == ("unit slip", (0,))
            named = next(f for f in FACTORS if f"{f.name} (x {f.factor:g})" in one.meaning)
            wanted = odds_by_quadrature(y, 0.01 * abs(y), x, 0.5, named)
            assert one.evidence == pytest.approx(wanted, rel=1e-6)
    assert hits / 200 > (0.95 if abs(np.log(abs(factor.factor))) > 2 else 0.88)


def test_noise_and_plain_biases_are_no_slips() -> None:
    """Of 4000 honest or plainly biased readings hardly any is called a slip."""
    rng, noise, biased = np.random.default_rng(2), 0, 0
    for _ in range(4000):
        x = 50.0 + 0.5 * rng.normal()
        y = 50.0 + 0.5 * rng.normal()
        noise += bool(unit_slips(y, 0.5, x, 0.5, **PRIOR))
        y += 50.0 * 0.05 * float(rng.standard_cauchy())
        biased += bool(unit_slips(y, 0.5, x, 0.5, **PRIOR))
    assert noise / 4000 < 0.002
    assert biased / 4000 < 0.01


def test_near_factors_are_left_to_the_bias() -> None:
    """Ten percent too much is as well a bias as short tons or moisture: no name is given."""
    assert unit_slips(55.1, 0.5, 50.0, 0.5, **PRIOR) == ()
    assert unit_slips(49.2, 0.1, 50.0, 0.1, **PRIOR) == ()
    # very exact meters and a plant with many slips can tell
    sure = {**PRIOR, "slip_share": 0.8, "bias": 0.5}
    found = unit_slips(55.115, 0.01, 50.0, 0.01, **sure)
    assert [one.meaning[:27] for one in found] == ["reads like short tons for t"]


@pytest.mark.parametrize("reading", [0.0, 0.05, -1.4, 1.5])
def test_a_dead_meter_is_no_unit_slip(reading: float) -> None:
    """What cannot be told from zero is no thousandth of anything."""
    assert unit_slips(reading, 0.5, 50.0, 0.5, **PRIOR) == ()
    tiny = {**PRIOR, "factors": (Factor("t for kg", 1e-3),)}
    assert unit_slips(reading, 0.5, 50.0, 0.5, **tiny) == ()


def test_a_small_reading_that_is_known_well_is_still_a_slip() -> None:
    """Fifty kilograms written as 0.05 t, on scales that tell grams."""
    (found,) = unit_slips(0.05, 0.0005, 50.0, 0.5, **PRIOR)
    assert "t for kg" in found.meaning


def test_ambiguous_slips_are_all_named() -> None:
    """Kilograms and three decimals are the same number: both are listed, the likelier first."""
    twins = (Factor("kg for t", 1e3, weight=3.0), Factor("three decimals", 1e3), Factor("lb", 2.2))
    found = unit_slips(5e4, 500.0, 50.0, 0.5, factors=twins, bias=0.05, slip_share=0.2, meter=7)
    assert [one.members for one in found] == [(7,), (7,)]
    assert "kg for t" in found[0].meaning
    assert found[0].evidence == pytest.approx(3.0 * found[1].evidence)
    assert "unit on the meter" in found[0].check


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 1e4), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from(FACTORS))
def test_units_of_both_change_nothing(x: float, unit: float, factor: Factor) -> None:
    """The odds do not depend on the unit in which both are written."""
    y = factor.factor * x * 1.004
    one = unit_slips(y, 0.01 * abs(y), x, 0.01 * x, **PRIOR)
    two = unit_slips(y * unit, 0.01 * abs(y) * unit, x * unit, 0.01 * x * unit, **PRIOR)
    assert [a.meaning for a in one] == [b.meaning for b in two]
    np.testing.assert_allclose([a.evidence for a in one], [b.evidence for b in two], rtol=1e-9)


def test_slip_found_by_the_balances() -> None:
    """A meter in kg among tonnes, seen by what its neighbours say of it."""
    net = [[1.0, -1, -1, 0, 0], [0, 1, 0, -1, 0], [0, 0, 1, 0, -1]]
    y = np.array([100.0, 60.2e3, 40.1, 60.1, 39.8])
    sd = 0.01 * y
    others = without(reconcile(net, y, sd), [1])
    (found,) = unit_slips(y[1], sd[1], others.value[0], others.sd[0], **PRIOR, meter=1)
    assert found.members == (1,)
    assert "kg for t" in found.meaning


def test_swapped_meters_are_found_by_the_balances() -> None:
    """Two exchanged tags: their pair is named, and the pair downstream that looks just alike."""
    net = np.array(
        [[1.0, -1, -1, 0, 0, 0], [0, 1, 0, -1, 0, 0], [0, 0, 1, 0, -1, 0], [0, 0, 0, 1, 1, -1]]
    )
    truth, rng, runs = np.array([100.0, 60, 40, 60, 40, 100]), np.random.default_rng(3), 60
    sd, named = 0.01 * truth, dict.fromkeys(combinations(range(6), 2), 0)
    for _ in range(runs):
        y = truth + sd * rng.normal(size=6)
        y[[1, 2]] = y[[2, 1]]
        answer = reconcile(net, y, sd)
        for pair in named:
            try:
                others = without(answer, pair)
            except ReconcileError:
                continue
            at = list(pair)
            named[pair] += bool(swapped(y[at], sd[at], others.value, others.sd))
    assert named.pop((1, 2)) >= 0.95 * runs
    assert named.pop((3, 4)) >= 0.95 * runs
    assert sum(named.values()) == 0


def test_honest_meters_are_not_swapped() -> None:
    """Noise, single biases, and two streams of one size name no pair."""
    rng, truth = np.random.default_rng(4), np.array([10.0, 20.0, 20.1, 40.0])
    alarms = 0
    for _ in range(1000):
        y = truth * (1 + 0.01 * rng.normal(size=4))
        y[0] += 5.0
        x = truth * (1 + 0.01 * rng.normal(size=4))
        alarms += bool(swapped(y, 0.01 * truth, x, 0.01 * truth))
    assert alarms <= 2
    assert swapped([20.1, 20.0], [0.2, 0.2], [20.0, 20.1], [0.2, 0.2]) == ()
    (found,) = swapped([40.3, 20.0, 9.9], [0.4, 0.2, 0.1], [10.0, 20.0, 40.0], [0.1, 0.2, 0.4])
    assert found == Symptom("swapped", (0, 2), found.evidence, found.meaning, found.check)
    assert found.evidence == pytest.approx(0.1 / np.hypot(0.1, 0.1))


@pytest.mark.parametrize(
    "numbers", [(np.nan, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, -1), (1, 1, 1, np.inf)]
)
def test_bad_numbers(numbers: tuple[float, ...]) -> None:
    """What cannot be compared is refused."""
    with pytest.raises(SymptomError, match="must be finite"):
        unit_slips(*numbers, **PRIOR)
    with pytest.raises(SymptomError, match="must be finite"):
        swapped(*([number] for number in numbers))


def test_bad_arguments() -> None:
    """Priors and factors have their ranges."""
    for name, value in (("slip_share", 0.0), ("slip_share", 1.0), ("bias", 0.0), ("odds", 0.5)):
        with pytest.raises(SymptomError, match=r"slip_share must lie in 0\.\.1"):
            unit_slips(2.0, 0.1, 1.0, 0.1, **{**PRIOR, name: value})
    with pytest.raises(SymptomError, match="no factors are given"):
        unit_slips(2.0, 0.1, 1.0, 0.1, **{**PRIOR, "factors": ()})
    for factor in (0.0, 1.0, np.nan, np.inf):
        with pytest.raises(SymptomError, match="other than 0 and 1"):
            Factor("nothing", factor)
    with pytest.raises(SymptomError, match="weight > 0"):
        Factor("never", 2.0, weight=0.0)
    with pytest.raises(SymptomError, match=r"must all be \(n,\)"):
        swapped([1.0], [1.0], [1.0, 2.0], [1.0])
