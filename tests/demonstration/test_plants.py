"""Each kind of plant against arithmetic done by hand, and over several seeds."""

import numpy as np
import pytest

from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.parameters import value
from cupral.demonstration.potline import potline
from cupral.demonstration.power import Load, supply
from cupral.demonstration.refinery import ALUMINA_RECOVERY, refinery
from cupral.demonstration.secondary import secondary
from cupral.demonstration.semis import FEEDS, semis
from cupral.demonstration.sketch import Sketch
from cupral.demonstration.smelter import ELEMENTS, SULPHUR_IN_ACID, smelter
from cupral.demonstration.tankhouse import anodes, tankhouse

SITE = {"gold": 3e-6, "own": 0.3, "energy": 1.0}
SEEDS = (1, 2, 3, 4, 5)


def sketch(seed: int = 1) -> Sketch:
    return Sketch("x", np.random.default_rng(seed))


def a_smelter(seed: int = 1, cathode: float = 5e4, **site: float) -> Sketch:
    drawn = sketch(seed)
    smelter(drawn, np.full(22, cathode), {**SITE, **site})
    return drawn


def held(drawn: Sketch, stream: str, element: str) -> np.ndarray:
    return drawn.amounts[stream] * drawn.fractions[stream, element]


def test_sulphur_in_acid_is_that_of_the_atomic_weights() -> None:
    """H2SO4: 2 x 1.008 + 32.06 + 4 x 15.999 = 98.072; the rounding is in the fifth digit."""
    assert pytest.approx(32.06 / 98.072, rel=1e-4) == SULPHUR_IN_ACID


def test_anodes_by_hand() -> None:
    """100 t cathode, 0.15 % bled, 15.5 % scrap, slimes 0.62 % of what dissolves at 16 % Cu."""
    unit = value("tankhouse")
    made = anodes(sketch(), np.full(22, 100.0))
    dissolved = made.charged - made.returned
    copper = dissolved * (made.copper - unit["slimes"] * unit["slimes_Cu"])
    np.testing.assert_allclose(copper, 100.0 * (unit["cathode_Cu"] + unit["bleed"]), rtol=1e-12)
    assert made.returned / made.charged == pytest.approx(np.full(22, 0.155), rel=0.15)


def test_anodes_scale_with_cathodes() -> None:
    one, three = anodes(sketch(), np.full(22, 1.0)), anodes(sketch(), np.full(22, 3.0))
    np.testing.assert_allclose(three.charged, 3.0 * one.charged, rtol=1e-12)
    np.testing.assert_allclose(three.produced, 3.0 * one.produced, rtol=1e-12)


def test_gold_of_the_anodes_ends_in_the_slimes() -> None:
    drawn = sketch()
    made = anodes(drawn, np.full(22, 100.0))
    tankhouse(drawn, made, {"Au": np.full(22, 2e-5), "Ag": np.full(22, 6e-4)}, "furnace")
    into = held(drawn, "CHARGED", "Au") - held(drawn, "SCRAP", "Au")
    np.testing.assert_allclose(held(drawn, "SLIMES", "Au"), into, rtol=1e-12)
    assert not held(drawn, "CATHODE", "Au").any()


def test_a_tankhouse_without_noble_metals_balances_copper_only() -> None:
    drawn = sketch()
    tankhouse(drawn, anodes(drawn, np.full(22, 100.0)), {}, "furnace")
    (process,) = [p for p in drawn.processes if p.id == "tankhouse"]
    assert process.balances == ("Cu",)


def test_cathodes_are_sold_or_stored() -> None:
    drawn = a_smelter()
    stored = np.diff(drawn.stocks["cathode-yard"])
    np.testing.assert_allclose(
        drawn.amounts["CATHODE"], drawn.amounts["SALES"] + stored, rtol=1e-12
    )


def test_converter_slag_takes_all_iron_of_the_matte() -> None:
    drawn = a_smelter()
    np.testing.assert_allclose(held(drawn, "CSLAG", "Fe"), held(drawn, "MATTE", "Fe"), rtol=1e-12)


def test_converter_gas_takes_all_sulphur_of_the_matte() -> None:
    drawn = a_smelter()
    np.testing.assert_allclose(drawn.amounts["CGAS"], held(drawn, "MATTE", "S"), rtol=1e-12)


def test_flux_makes_up_the_silica_of_the_slag() -> None:
    drawn = a_smelter()
    into = sum(held(drawn, stream, "SiO2") for stream in ("CONC", "FLUX", "SCONC"))
    np.testing.assert_allclose(into, held(drawn, "SLAG", "SiO2"), rtol=1e-12)


def test_the_slag_mill_splits_each_element_by_its_recovery() -> None:
    drawn, mill = a_smelter(), value("slag_mill")
    for element in ELEMENTS:
        fed = held(drawn, "SLAG", element) + held(drawn, "CSLAG", element)
        np.testing.assert_allclose(held(drawn, "SCONC", element), mill[element] * fed, rtol=1e-12)
        np.testing.assert_allclose(
            held(drawn, "TAIL", element), (1 - mill[element]) * fed, rtol=1e-12
        )


def test_own_and_bought_concentrate_are_all_that_comes() -> None:
    drawn = a_smelter(own=0.45)
    received = drawn.amounts["CONC-OWN"] + drawn.amounts["CONC-BUY"]
    np.testing.assert_allclose(drawn.amounts["CONC-OWN"] / received, 0.45, rtol=1e-12)
    stored = np.diff(drawn.stocks["concentrate-yard"])
    np.testing.assert_allclose(received - stored, drawn.amounts["CONC"], rtol=1e-12)


def test_richer_gold_concentrate_makes_richer_slimes_in_proportion() -> None:
    poor, rich = a_smelter(gold=1e-6), a_smelter(gold=5e-6)
    np.testing.assert_allclose(
        rich.fractions["SLIMES", "Au"], 5.0 * poor.fractions["SLIMES", "Au"], rtol=1e-12
    )
    assert np.array_equal(rich.amounts["CONC"], poor.amounts["CONC"])


def test_the_energy_factor_scales_every_carrier() -> None:
    one, more = a_smelter(energy=1.0), a_smelter(energy=1.1)
    for stream in ("E-SMELT", "E-TANK", "COAL", "NGAS", "STEAM"):
        np.testing.assert_allclose(more.amounts[stream], 1.1 * one.amounts[stream], rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_matte_and_slag_lie_where_smelters_work(seed: int) -> None:
    drawn = a_smelter(seed)
    assert 0.65 < drawn.fractions["MATTE", "Cu"].mean() < 0.76
    assert 0.002 < drawn.fractions["TAIL", "Cu"].mean() < 0.007
    assert 0.18 < drawn.fractions["SCONC", "Cu"].mean() < 0.30
    assert drawn.amounts["FLUX"].min() > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_smelter_scales_with_its_cathodes(seed: int) -> None:
    one, two = a_smelter(seed, 5e4), a_smelter(seed, 1e5)
    for stream, amount in one.amounts.items():
        np.testing.assert_allclose(two.amounts[stream], 2.0 * amount, rtol=1e-9)


def test_a_secondary_smelter_loses_copper_only_to_slag_bleed_and_slimes() -> None:
    drawn = sketch()
    secondary(drawn, np.full(22, 2e4), SITE)
    made = np.diff(drawn.stocks["anode-yard"]) * drawn.fractions["ANODE", "Cu"]
    lost = sum(held(drawn, stream, "Cu") for stream in ("SLAG", "BLEED", "SLIMES"))
    left = held(drawn, "CATHODE", "Cu") + lost + made
    np.testing.assert_allclose(held(drawn, "CHARGE", "Cu"), left, rtol=1e-12)


def test_a_secondary_smelter_sells_no_steam_and_makes_no_acid() -> None:
    drawn = sketch()
    secondary(drawn, np.full(22, 2e4), SITE)
    assert {"STEAM", "ACID", "MATTE"} & set(drawn.amounts) == set()
    assert not any(stream.startswith("-") for _, stream in drawn.lines[0].energy_streams)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refinery_loses_a_seventh_of_its_aluminium_to_mud(seed: int) -> None:
    drawn = sketch(seed)
    refinery(drawn, np.full(22, 1e6))
    share = held(drawn, "ALUMINA", "Al") / held(drawn, "BAUXITE", "Al")
    assert share == pytest.approx(np.full(22, ALUMINA_RECOVERY), rel=0.02)
    rest = held(drawn, "MUD", "Al") + held(drawn, "ALLOSS", "Al") + held(drawn, "ALUMINA", "Al")
    np.testing.assert_allclose(rest, held(drawn, "BAUXITE", "Al"), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_bauxite_per_tonne_lies_between_the_inventories(seed: int) -> None:
    drawn = sketch(seed)
    refinery(drawn, np.full(22, 1e6))
    assert 2.10 < drawn.amounts["BAUXITE"].mean() / 1e6 < 2.90


@pytest.mark.parametrize("product", list(FEEDS))
def test_works_take_their_feed_and_use_their_energy(product: str) -> None:
    drawn, unit = sketch(), value("fabrication")[product]
    semis(drawn, product, np.full(22, 1000.0))
    assert {s.material for s in drawn.streams if s.id == "CHARGE"} == {FEEDS[product]}
    electricity = drawn.amounts["E-MELT"] + drawn.amounts["E-MILL"]
    assert electricity.mean() / 1000.0 == pytest.approx(unit["electricity"], rel=0.02)
    assert drawn.amounts["LOSS"].mean() / 1000.0 == pytest.approx(unit["loss"], rel=0.05)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_potline_site_has_streams_for_each_series(count: int) -> None:
    drawn = sketch()
    potline(drawn, [(1e5 * (n + 1), "ordinary") for n in range(count)])
    assert [line.capacity for line in drawn.lines] == [1e5 * (n + 1) for n in range(count)]
    for number in range(1, count + 1):
        wanted = {f"{name}-{number}" for name in ("AC", "DC", "RLOSS", "AUX", "FEED", "METAL")}
        assert wanted <= set(drawn.amounts)
    assert f"AC-{count + 1}" not in drawn.amounts


@pytest.mark.parametrize("kind", ["advanced", "ordinary", "near", "planted"])
@pytest.mark.parametrize("seed", SEEDS)
def test_twelve_months_of_a_series_use_what_its_class_allows(kind: str, seed: int) -> None:
    drawn, ranges = sketch(seed), value("electrolysis_power")
    potline(drawn, [(2e5, kind)])
    used = drawn.amounts["AC-1"][-12:].sum() / drawn.amounts["METAL-1"][-12:].sum()
    assert ranges[f"{kind}_low"] <= 1000.0 * used + 1e-6
    assert 1000.0 * used - 1e-6 <= ranges[f"{kind}_high"]


def test_a_series_runs_below_its_capacity() -> None:
    drawn = sketch()
    potline(drawn, [(2e5, "ordinary")])
    assert 0.96 < drawn.amounts["METAL-1"][:12].sum() / 2e5 < 0.99


def test_metal_of_all_series_is_cast_sold_liquid_or_dross() -> None:
    drawn = sketch()
    potline(drawn, [(2e5, "ordinary"), (3e5, "advanced")])
    tapped = drawn.amounts["METAL-1"] + drawn.amounts["METAL-2"]
    out = drawn.amounts["INGOT"] + drawn.amounts["LIQUID"] + drawn.amounts["DROSS"]
    np.testing.assert_allclose(tapped - np.diff(drawn.stocks["casthouse"]), out, rtol=1e-12)


def test_alumina_received_is_fed_or_stays_in_the_silo() -> None:
    drawn = sketch()
    potline(drawn, [(2e5, "ordinary"), (3e5, "advanced")])
    fed = drawn.amounts["FEED-1"] + drawn.amounts["FEED-2"]
    np.testing.assert_allclose(
        drawn.amounts["ALUMINA"] - np.diff(drawn.stocks["silo"]), fed, rtol=1e-12
    )


def test_every_load_has_the_meter_it_asks_for() -> None:
    drawn = sketch()
    supply(drawn, [Load("A", "甲|a", "outside", np.ones(22), "rectifier"),
                   Load("B", "乙|b", "outside", np.ones(22), "submeter")])  # fmt: skip
    kinds = {meter.stream: meter.id.rsplit(".", 1)[1] for meter in drawn.meters}
    assert kinds == {"F-1": "feeder", "F-2": "feeder", "A": "rectifier", "B": "submeter"}


def test_a_minor_assay_is_less_certain_than_a_major_one_and_purity_is_surest() -> None:
    drawn = sketch()
    for id, fraction in (("A", 0.001), ("B", 0.3), ("C", 0.99)):
        drawn.flow(id, "流|flow", "outside>b", "ore", np.ones(22),
                   assays={"Cu": np.full(len(MONTHS), fraction)})  # fmt: skip
    minor, major, purity = (meter.sd_relative for meter in drawn.meters)
    assert minor > major > purity > 0
