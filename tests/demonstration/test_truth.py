"""The truth balances exactly, has the plan's totals, and is the same for the same seed."""

import json
from pathlib import Path

import numpy as np
import pytest

from cupral.demonstration.calendar import DAYS, FIRST_YEAR, MONTHS, run, wobble
from cupral.demonstration.faults import FAULTS, KEY
from cupral.demonstration.parameters import value
from cupral.demonstration.province import PLACES
from cupral.demonstration.sketch import Plant
from cupral.demonstration.truth import Truth, consumption, load, save, truth
from cupral.ledger.flow import OUTSIDE
from tests.demonstration.closure import closures

SITES = [place.id for place in PLACES]
POTLINES = [place.id for place in PLACES if place.kind == "potline"]
ORE = [place.id for place in PLACES if place.kind == "copper_smelter"]
WORKS = [place.id for place in PLACES if place.kind == "works"]


def balance_of(plant: Plant, process: str, element: str = "") -> np.ndarray:
    """In less out of a process, counted here and not by the code under test."""
    total = np.zeros(len(MONTHS))
    for stream in plant.network.streams:
        if stream.carrier != "mass" or process not in (stream.source, stream.target):
            continue
        amount = plant.amounts[stream.id]
        if element:
            amount = amount * plant.fractions[stream.id, element]
        total += amount if stream.target == process else -amount
    return total


@pytest.mark.parametrize("site", SITES)
def test_every_balance_closes_to_1e_9(known: Truth, site: str) -> None:
    found = list(closures(known.plant(site)))
    assert found
    assert max(closure.relative for closure in found) < 1e-9


@pytest.mark.parametrize("site", SITES)
def test_every_balance_of_the_network_is_checked(known: Truth, site: str) -> None:
    plant = known.plant(site)
    wanted = {(p.id, b) for p in plant.network.processes for b in p.balances}
    assert {(c.process, c.balance) for c in closures(plant)} == wanted


def test_a_disturbed_truth_does_not_close(known: Truth) -> None:
    plant = truth().plant("cu-dy-1")
    plant.amounts["CATHODE"][3] *= 1.001
    broken = {c.process for c in closures(plant) if c.relative > 1e-5}
    assert broken == {"tankhouse", "cathode-yard"}


@pytest.mark.parametrize("site", SITES)
def test_amounts_are_positive_and_fractions_lie_between_0_and_1(known: Truth, site: str) -> None:
    plant = known.plant(site)
    assert all((amount > 0).all() for amount in plant.amounts.values())
    assert all((stock > 0).all() for stock in plant.stocks.values())
    assert all(((f >= 0) & (f <= 1)).all() for f in plant.fractions.values())


@pytest.mark.parametrize("site", SITES)
def test_shapes_are_months_and_stocks_have_one_more(known: Truth, site: str) -> None:
    plant = known.plant(site)
    assert {amount.shape for amount in plant.amounts.values()} == {(22,)}
    assert {fraction.shape for fraction in plant.fractions.values()} <= {(22,)}
    assert {stock.shape for stock in plant.stocks.values()} <= {(23,)}


@pytest.mark.parametrize("site", SITES)
def test_every_stream_has_a_true_amount_and_nothing_else_has(known: Truth, site: str) -> None:
    plant = known.plant(site)
    assert set(plant.amounts) == {stream.id for stream in plant.network.streams}


@pytest.mark.parametrize("element", ["Cu", "S", "Fe", "SiO2", "Au", "Ag"])
@pytest.mark.parametrize("site", ORE)
def test_smelting_conserves_each_element_as_counted_here(
    known: Truth, site: str, element: str
) -> None:
    plant = known.plant(site)
    for process in ("furnace", "converter", "slag-mill"):
        rest = balance_of(plant, process, element)
        through = plant.amounts["CONC"] * plant.fractions["CONC", element]
        assert np.abs(rest / through).max() < 1e-9, process


@pytest.mark.parametrize("site", ORE)
def test_sulphur_leaves_as_acid_tail_gas_or_with_the_tailings(known: Truth, site: str) -> None:
    plant = known.plant(site)
    out = sum(
        plant.amounts[stream] * plant.fractions[stream, "S"]
        for stream in ("ACID", "TAILGAS", "FUGITIVE", "TAIL")
    )
    fed = plant.amounts["CONC"] * plant.fractions["CONC", "S"]
    np.testing.assert_allclose(out, fed, rtol=1e-12)


@pytest.mark.parametrize("site", ORE)
def test_acid_holds_most_of_the_sulphur(known: Truth, site: str) -> None:
    plant = known.plant(site)
    caught = plant.amounts["ACID"] * plant.fractions["ACID", "S"]
    share = caught / (plant.amounts["CONC"] * plant.fractions["CONC", "S"])
    assert ((share > 0.95) & (share < 1.0)).all()


@pytest.mark.parametrize("element", ["Au", "Ag"])
@pytest.mark.parametrize("site", ORE)
def test_gold_and_silver_end_in_slimes_or_tailings(known: Truth, site: str, element: str) -> None:
    plant = known.plant(site)
    fed = (plant.amounts["CONC"] * plant.fractions["CONC", element]).sum()
    won = (plant.amounts["SLIMES"] * plant.fractions["SLIMES", element]).sum()
    lost = (plant.amounts["TAIL"] * plant.fractions["TAIL", element]).sum()
    assert 0.9 < won / fed < 1.02
    assert 0 < lost / fed < 0.05


@pytest.mark.parametrize("site", ORE)
def test_copper_recovery_is_that_of_practice(known: Truth, site: str) -> None:
    plant = known.plant(site)
    fed = (plant.amounts["CONC"] * plant.fractions["CONC", "Cu"]).sum()
    assert 0.95 < plant.amounts["CATHODE"].sum() / fed < 0.995


@pytest.mark.parametrize("site", POTLINES)
def test_alumina_per_tonne_lies_in_the_inventory_band(known: Truth, site: str) -> None:
    plant = known.plant(site)
    for number in range(1, len(plant.site.lines) + 1):
        ratio = plant.amounts[f"FEED-{number}"] / plant.amounts[f"METAL-{number}"]
        assert ((ratio > 1.91) & (ratio < 1.93)).all()


@pytest.mark.parametrize("site", POTLINES)
def test_net_anode_lies_between_the_two_inventories(known: Truth, site: str) -> None:
    plant, unit = known.plant(site), value("electrolysis")
    for number in range(1, len(plant.site.lines) + 1):
        ratio = plant.amounts[f"ANODE-{number}"] / plant.amounts[f"METAL-{number}"]
        assert ratio.min() >= unit["anode_net_low"] - 1e-12
        assert ratio.max() <= unit["anode_net_high"] + 1e-12


@pytest.mark.parametrize("site", POTLINES)
def test_direct_current_is_alternating_current_less_the_rectifier_loss(
    known: Truth, site: str
) -> None:
    plant = known.plant(site)
    for number in range(1, len(plant.site.lines) + 1):
        ac, dc = plant.amounts[f"AC-{number}"], plant.amounts[f"DC-{number}"]
        np.testing.assert_allclose(ac - dc, plant.amounts[f"RLOSS-{number}"], rtol=1e-9)
        assert ((dc / ac > 0.98) & (dc / ac < 0.99)).all()


@pytest.mark.parametrize("site", WORKS)
def test_metal_charged_is_product_scrap_and_loss(known: Truth, site: str) -> None:
    amounts = known.plant(site).amounts
    np.testing.assert_allclose(
        amounts["CHARGE"], amounts["OUTPUT"] + amounts["SCRAP"] + amounts["LOSS"], rtol=1e-12
    )


@pytest.mark.parametrize("site", SITES)
def test_feeders_carry_what_the_bus_gives_away(known: Truth, site: str) -> None:
    plant = known.plant(site)
    given = sum(plant.amounts[s.id] for s in plant.network.streams if s.source == "bus")
    taken = sum(plant.amounts[s.id] for s in plant.network.streams if s.target == "bus")
    np.testing.assert_allclose(taken, given, rtol=1e-12)


def output(plants: tuple[Plant, ...], product: str, window: slice) -> float:
    """True output of a product [t]."""
    return sum(
        plant.amounts[line.metal_stream][window].sum()
        for plant in plants
        for line in plant.site.lines
        if line.product == product
    )


@pytest.mark.parametrize(
    ("product", "total"),
    [("cathode_copper", 1.650e6), ("copper_semis", 5.77e5), ("aluminium_semis", 1.5e7),
     ("alumina", 2.85e7), ("recycled_aluminium", 1.5e6)],
)  # fmt: skip
def test_totals_of_2025_are_the_base(plants: tuple[Plant, ...], product: str, total: float) -> None:
    assert output(plants, product, slice(0, 12)) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("product", list(value("growth")))
def test_outputs_grow_as_stated_over_the_same_months(
    plants: tuple[Plant, ...], product: str
) -> None:
    growth = output(plants, product, slice(12, 22)) / output(plants, product, slice(0, 10)) - 1.0
    assert growth == pytest.approx(value("growth")[product], abs=1e-9)


def test_the_base_of_copper_is_the_one_derived_from_the_plan(shared: Path) -> None:
    plan = json.loads((shared / "data/policy/plan.json").read_text(encoding="utf-8"))
    bases = {target["id"]: target.get("base_2025_derived") for target in plan["targets"]}
    totals = value("totals")
    assert totals["cathode_copper"] == pytest.approx(bases["T2"] * 1e4)
    assert totals["copper_semis"] == pytest.approx(bases["T3"] * 1e4)


def test_the_true_share_above_benchmark_is_not_met(plants: tuple[Plant, ...]) -> None:
    above = total = 0.0
    for plant in plants:
        for number, line in enumerate(plant.site.lines):
            if line.product == "primary_aluminium":
                total += line.capacity
                if consumption(plant, number, "liquid_ac", 202511, 202610) <= 13.0:
                    above += line.capacity
    assert total == pytest.approx(6.5e6)
    assert 0.33 < above / total < 0.345


def test_no_series_is_within_a_tenth_of_a_percent_of_the_benchmark(
    plants: tuple[Plant, ...],
) -> None:
    used = {
        (plant.site.id, line.id): consumption(plant, number, "liquid_ac", 202511, 202610)
        for plant in plants
        for number, line in enumerate(plant.site.lines)
        if line.product == "primary_aluminium"
    }
    assert len(used) > 5
    assert [key for key, value in used.items() if abs(value / 13.0 - 1.0) <= 1e-3] == []


def test_the_planted_series_is_above_the_benchmark_and_looks_below(known: Truth) -> None:
    used = consumption(known.plant(KEY.site), 1, "liquid_ac", 202511, 202610)
    assert used > 13.0
    assert used * (1.0 + KEY.size) < 13.0


def test_consumption_of_two_streams_adds(known: Truth) -> None:
    plant = known.plant("al-ly-1")
    alone = consumption(plant, 0, "liquid_ac", 202601, 202601)
    both = consumption(plant, 0, "liquid_comprehensive_ac", 202601, 202601)
    extra = plant.amounts["AUX-1"][12] / plant.amounts["METAL-1"][12]
    assert both - alone == pytest.approx(extra)


def test_the_same_seed_gives_the_same_truth_bit_for_bit(known: Truth) -> None:
    again = truth(known.seed)
    for one, other in zip(known.plants, again.plants, strict=True):
        assert one.network == other.network
        for stream, amount in one.amounts.items():
            assert amount.tobytes() == other.amounts[stream].tobytes()


def test_another_seed_gives_another_truth_that_balances_too(known: Truth) -> None:
    other = truth(known.seed + 1)
    assert not np.array_equal(
        other.plant("cu-dy-1").amounts["CONC"], known.plant("cu-dy-1").amounts["CONC"]
    )
    for plant in other.plants:
        assert max(closure.relative for closure in closures(plant)) < 1e-9
        assert all((amount > 0).all() for amount in plant.amounts.values())


def test_a_site_does_not_depend_on_its_neighbours(known: Truth) -> None:
    from cupral.demonstration.province import _plant

    alone = _plant(PLACES[7], known.seed, 7)
    assert np.array_equal(alone.amounts["CONC"], known.plant(PLACES[7].id).amounts["CONC"])


def test_truth_and_faults_are_kept_and_read_again(known: Truth, tmp_path: Path) -> None:
    path = save(known, [fault.document() for fault in FAULTS], tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["demonstration"] is True
    again, faults = load(tmp_path)
    assert again.seed == known.seed
    assert [fault["id"] for fault in faults] == [fault.id for fault in FAULTS]


def test_months_are_22_and_days_are_those_of_the_calendar() -> None:
    assert len(MONTHS) == 22
    assert (MONTHS[0], MONTHS[11], MONTHS[12], MONTHS[-1]) == (202501, 202512, 202601, 202610)
    assert DAYS[:FIRST_YEAR].sum() == 365
    assert DAYS[1] == 28


@pytest.mark.parametrize("growth", [-0.1, 0.0, 0.25])
def test_a_run_keeps_its_year_and_its_growth_whatever_the_unrest(growth: float) -> None:
    amounts = run(np.random.default_rng(3), 500.0, growth, unrest=0.1)
    assert amounts[:12].sum() == pytest.approx(500.0)
    assert amounts[12:].sum() == pytest.approx((1 + growth) * amounts[:10].sum())


def test_a_run_without_unrest_follows_the_days() -> None:
    amounts = run(np.random.default_rng(3), 365.0, 0.0, unrest=0.0)
    np.testing.assert_allclose(amounts, DAYS, rtol=1e-12)


def test_wobble_has_the_relative_sd_it_says() -> None:
    many = np.concatenate([wobble(np.random.default_rng(n), 10.0, 0.02) for n in range(200)])
    assert many.mean() == pytest.approx(10.0, abs=0.02)
    assert many.std() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("site", SITES)
def test_the_outside_world_is_an_end_of_some_stream(known: Truth, site: str) -> None:
    ends = {end for s in known.plant(site).network.streams for end in (s.source, s.target)}
    assert OUTSIDE in ends
