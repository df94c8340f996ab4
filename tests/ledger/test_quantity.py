"""Units convert through one registry; the ledger keeps one unit for each dimension."""

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
     ("A*h", "kA*h"), ("", "1"), ("mV", "V")],
)  # fmt: skip
def test_each_dimension_is_kept_in_one_unit(unit: str, kept: str) -> None:
    assert canonical_unit(unit) == kept


@pytest.mark.parametrize("unit", CANONICAL)
def test_canonical_units_keep_themselves(unit: str) -> None:
    assert canonical_unit(unit) == unit
    assert factor(unit, unit) == 1.0


@pytest.mark.parametrize("unit", ["tonnn", "万里", "t/(", "kg kg)", "1 +"])
def test_a_unit_nobody_knows_is_refused(unit: str) -> None:
    with pytest.raises(InputError, match=r"unit .* (is not known; write for example t, kg|cannot)"):
        canonical_unit(unit)


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
