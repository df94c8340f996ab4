"""Units convert through one registry; the ledger keeps one unit for each dimension."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.errors import InputError
from cupral.ledger.quantity import CANONICAL, Quantity, canonical_unit, factor

FACTORS = [
    ("kg", "t", 1e-3), ("g", "t", 1e-6), ("吨", "t", 1.0), ("万吨", "t", 1e4),
    ("kWh", "MWh", 1e-3), ("万千瓦时", "MWh", 10.0), ("亿千瓦时", "MWh", 1e5),
    ("GJ", "MWh", 1 / 3.6), ("吉焦", "MWh", 1 / 3.6), ("MJ", "kWh", 1 / 3.6),
    ("Nm3", "m3", 1.0), ("万立方米", "m3", 1e4), ("L", "m3", 1e-3),
    ("元", "CNY", 1.0), ("万元", "CNY", 1e4), ("亿元", "CNY", 1e8),
    ("A*h", "kA*h", 1e-3), ("kAh", "kA*h", 1.0), ("%", "1", 0.01), ("mV", "V", 1e-3),
]  # fmt: skip


@pytest.mark.parametrize(("unit", "into", "expected"), FACTORS)
def test_factors_are_those_of_the_international_system(
    unit: str, into: str, expected: float
) -> None:
    assert factor(unit, into) == pytest.approx(expected, rel=1e-14)
    assert factor(into, unit) == pytest.approx(1 / expected, rel=1e-14)


@pytest.mark.parametrize(
    ("unit", "kept"),
    [("kg", "t"), ("万吨", "t"), ("GJ", "MWh"), ("度", "MWh"), ("L", "m3"), ("亿元", "CNY"),
     ("A*h", "kA*h"), ("%", "1"), ("mV", "V"), ("kg/kg", "1"), ("N*m", "MWh"),
     ("kg*m^2/s^2", "MWh"), ("m**3", "m3"), ("m³", "m3"), ("cm3", "m3"), ("1", "1")],
)  # fmt: skip
def test_each_dimension_is_kept_in_one_unit(unit: str, kept: str) -> None:
    assert canonical_unit(unit) == kept


@pytest.mark.parametrize("unit", CANONICAL)
def test_canonical_units_keep_themselves(unit: str) -> None:
    assert canonical_unit(unit) == unit
    assert factor(unit, unit) == 1.0


@pytest.mark.parametrize(
    "unit",
    ["tonnn", "万里", "t/(", "kg kg)", "1 +", "9**9**9", "10**10**10 t", "t**99999999", "t^400",
     "1e400 t", "nan t", "nan", "inf", "0 t", "-1 t", "3 t", "3t", "t*2", "1000", "2/t", "", " ",
     "t+t", "t--t", "__import__", "t**-0", "(t)", "t/", "*t", "t\n*t", "t" * 10_000,
     "/".join(["t"] * 500), "١", "t**٣"],
)  # fmt: skip
def test_a_unit_is_names_and_small_powers_and_nothing_is_computed(unit: str) -> None:
    with pytest.raises(InputError, match=r"unit .* is not known; write for example t, kg"):
        canonical_unit(unit)


@pytest.mark.parametrize("unit", ["ton", "tons", "kton", "Mtons", "kWh/ton", "ton*h"])
def test_a_ton_could_be_three_things(unit: str) -> None:
    """Of 2000 lb in North America, of 2240 lb in Britain; and many mean the tonne."""
    with pytest.raises(InputError, match=r"'tons?' may be 907, 1000 or 1016 kg; write t for the"):
        factor(unit, "t")


@pytest.mark.parametrize(
    ("unit", "kilograms"), [("t", 1000), ("tonne", 1000), ("metric_ton", 1000),
                            ("short_ton", 907.18474), ("long_ton", 1016.0469088)],
)  # fmt: skip
def test_tonnes_of_every_kind_have_a_name(unit: str, kilograms: float) -> None:
    assert factor(unit, "kg") == pytest.approx(kilograms, rel=1e-12)


@given(st.text(max_size=12) | st.text("0123456789*/^+-.eE tk", max_size=12))
def test_any_text_is_a_positive_finite_factor_or_is_refused(unit: str) -> None:
    try:
        scale = factor(unit, canonical_unit(unit))
    except InputError:
        return
    assert 0 < scale < math.inf


def test_mass_is_not_energy_and_speed_is_not_kept() -> None:
    with pytest.raises(InputError, match="'t' cannot be converted to 'MWh': different dimension"):
        factor("t", "MWh")
    with pytest.raises(InputError, match="unit 'm/s' measures nothing that the ledger keeps"):
        canonical_unit("m/s")


@pytest.mark.parametrize("unit", ["degC", "degF"])
def test_a_scale_with_another_zero_is_no_factor(unit: str) -> None:
    with pytest.raises(InputError, match="has another zero"):
        factor(unit, "K")


def test_a_quantity_converts_its_uncertainty_too() -> None:
    assert Quantity(2000.0, "kg", 10.0).to("t") == Quantity(2.0, "t", 0.01)
    assert str(Quantity(2.0, "t", 0.01)) == "2 ± 0.01 t"
    assert str(Quantity(2.0, "t")) == "2 t"


@given(st.sampled_from([row[:2] for row in FACTORS]), st.floats(-1e12, 1e12))
def test_there_and_back_is_the_same(units: tuple[str, str], value: float) -> None:
    there = Quantity(value, units[0], 1.0).to(units[1])
    back = there.to(units[0])
    assert back.value == pytest.approx(value, rel=1e-14)
    assert back.sd == pytest.approx(1.0, rel=1e-14)
