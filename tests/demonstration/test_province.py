"""Who exists: fictional, spread over the plan's cities and clusters, with redundant meters."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cupral.demonstration.parameters import book, parameter, value
from cupral.demonstration.power import Load, supply
from cupral.demonstration.province import (
    ENTRANT,
    PLACES,
    SENTENCE_EN,
    SENTENCE_ZH,
    enterprises,
)
from cupral.demonstration.sketch import Plant, Sketch, zero
from cupral.demonstration.truth import Truth
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.registers import Network

SITES = [place.id for place in PLACES]
LAYERS = {"energy": ("energy",), "mass": ("mass", "Al", "Cu", "S", "Fe", "SiO2", "Au", "Ag")}


class Equations:
    """Balances of one layer, linearised at the truth of the first month (test's own algebra)."""

    def __init__(self, plant: Plant, balances: tuple[str, ...]) -> None:
        self.plant = plant
        self.columns: dict[tuple[str, ...], int] = {}
        self.rows: list[dict[int, float]] = []
        self.metered = {(meter.kind, meter.stream, meter.element) for meter in plant.network.meters}
        for process in plant.network.processes:
            for balance in process.balances:
                if balance in balances:
                    self.rows.append(self.row(process, balance))

    def row(self, process, balance: str) -> dict[int, float]:
        row: dict[int, float] = {}
        carrier = "energy" if balance == "energy" else "mass"
        for stream in self.plant.network.streams:
            if stream.carrier != carrier or process.id not in (stream.source, stream.target):
                continue
            sign = 1.0 if stream.target == process.id else -1.0
            self.add(row, stream, balance, sign)
        if process.kind == "stock":
            row[self.column("opening", process.id)] = 1.0
            row[self.column("closing", process.id)] = -1.0
        return row

    def add(self, row: dict[int, float], stream, balance: str, sign: float) -> None:
        amount = self.plant.amounts[stream.id][0]
        if balance in ("mass", "energy"):
            row[self.column("flow", stream.id)] = sign
            return
        fraction = self.plant.fractions[stream.id, balance][0]
        row[self.column("flow", stream.id)] = sign * fraction
        exact = {e for e, _, sd in stream.composition if sd == 0.0}
        if balance not in exact:
            row[self.column("assay", stream.id, balance)] = sign * amount

    def column(self, *key: str) -> int:
        return self.columns.setdefault(key, len(self.columns))

    def is_metered(self, key: tuple[str, ...]) -> bool:
        if key[0] in ("opening", "closing"):
            return ("stocktake", key[1], "") in self.metered
        return (key[0], key[1], key[2] if len(key) > 2 else "") in self.metered

    @property
    def redundancy(self) -> int:
        """Independent equations left when the unmeasured variables are eliminated."""
        matrix = np.zeros((len(self.rows), len(self.columns)))
        for number, row in enumerate(self.rows):
            for column, coefficient in row.items():
                matrix[number, column] = coefficient
        scale = np.abs(matrix).max(axis=0, initial=0.0)
        matrix = matrix / np.where(scale > 0, scale, 1.0)
        hidden = [c for key, c in self.columns.items() if not self.is_metered(key)]
        full = np.linalg.matrix_rank(matrix, tol=1e-9)
        return int(full - (np.linalg.matrix_rank(matrix[:, hidden], tol=1e-9) if hidden else 0))


@pytest.mark.parametrize("layer", list(LAYERS))
@pytest.mark.parametrize("site", SITES)
def test_each_site_has_redundancy_in_both_layers(known: Truth, site: str, layer: str) -> None:
    assert Equations(known.plant(site), LAYERS[layer]).redundancy > 0


@pytest.mark.parametrize(
    ("site", "energy", "mass"),
    [("al-yt-1", 3, 6), ("al-bz-1", 4, 7), ("cu-dy-1", 1, 23), ("cs-dy-1", 1, 3)],
)
def test_redundancy_is_the_one_counted_by_hand(
    known: Truth, site: str, energy: int, mass: int
) -> None:
    """A potline of n series: bus and n rectifiers; silo, anode yard, furnaces, yard, n pots.

    A smelter: bus; six elements at furnace, converter and slag mill with its mass, three at the
    tankhouse, sulphur at the acid plant, three yards, less matte and two gases unmeasured.
    """
    plant = known.plant(site)
    assert Equations(plant, LAYERS["energy"]).redundancy == energy
    assert Equations(plant, LAYERS["mass"]).redundancy == mass


def test_taking_a_meter_away_lowers_redundancy(known: Truth) -> None:
    equations = Equations(known.plant("al-yt-1"), LAYERS["energy"])
    before = equations.redundancy
    equations.metered.discard(("flow", "AC-2", ""))
    assert equations.redundancy == before - 1


def test_matte_is_deliberately_unmeasured_but_assayed(known: Truth) -> None:
    meters = known.plant("cu-dy-1").network.meters
    kinds = Counter(meter.kind for meter in meters if meter.stream == "MATTE")
    assert kinds == {"assay": 5}


@pytest.mark.parametrize("site", SITES)
def test_only_matte_and_furnace_gases_have_no_flow_meter(known: Truth, site: str) -> None:
    network = known.plant(site).network
    metered = {meter.stream for meter in network.meters if meter.kind == "flow"}
    bare = {stream.id for stream in network.streams} - metered
    assert bare <= {"MATTE", "GAS", "CGAS"}


@pytest.mark.parametrize("site", SITES)
def test_every_stock_is_taken(known: Truth, site: str) -> None:
    network = known.plant(site).network
    stocks = {process.id for process in network.processes if process.kind == "stock"}
    assert stocks == {meter.stream for meter in network.meters if meter.kind == "stocktake"}


@pytest.mark.parametrize("site", SITES)
def test_every_balanced_element_is_known_on_every_stream_it_can_ride(
    known: Truth, site: str
) -> None:
    plant = known.plant(site)
    balanced = {b for process in plant.network.processes for b in process.balances}
    assert bool(plant.fractions) == bool(balanced - {"mass", "energy"})
    for process in plant.network.processes:
        for element in set(process.balances) - {"mass", "energy"}:
            for stream in plant.network.streams:
                if stream.carrier == "mass" and process.id in (stream.source, stream.target):
                    assert (stream.id, element) in plant.fractions


def test_meters_have_ids_of_their_own_across_the_province(plants: tuple[Plant, ...]) -> None:
    ids = [meter.id for plant in plants for meter in plant.network.meters]
    assert len(ids) == len(set(ids))


def test_uncertainties_are_those_of_meter_classes(plants: tuple[Plant, ...]) -> None:
    allowed = set(value("meter_classes").values())
    assert all(plant.network.meters for plant in plants)
    for plant in plants:
        for meter in plant.network.meters:
            assert meter.sd_relative in allowed | {0.0}
            assert (meter.sd_absolute > 0) == (meter.kind == "stocktake")


def test_some_meters_share_a_calibration(plants: tuple[Plant, ...]) -> None:
    groups = Counter(
        meter.correlation_group
        for plant in plants
        for meter in plant.network.meters
        if meter.correlation_group
    )
    assert set(groups.values()) == {2}
    assert len(groups) == 11


@pytest.mark.parametrize("site", SITES)
def test_lines_name_streams_that_exist(known: Truth, site: str) -> None:
    plant = known.plant(site)
    assert plant.site.lines
    for line in plant.site.lines:
        assert plant.network.stream(line.metal_stream).carrier == "mass"
        for _, stream in line.energy_streams:
            assert plant.network.stream(stream.removeprefix("-")).carrier == "energy"


def test_potline_lines_have_three_boundaries(known: Truth) -> None:
    assert known.plant("al-bz-1").site.lines
    for line in known.plant("al-bz-1").site.lines:
        assert {name for name, _ in line.energy_streams} == {
            "liquid_ac", "dc", "liquid_comprehensive_ac"
        }  # fmt: skip


def test_steam_sold_counts_against_the_energy_of_a_smelter(known: Truth) -> None:
    (line,) = known.plant("cu-dy-1").site.lines
    assert ("comprehensive", "-STEAM") in line.energy_streams
    assert ("comprehensive", "COAL") in line.energy_streams


def test_the_cast_is_the_one_asked_for(plants: tuple[Plant, ...]) -> None:
    kinds = Counter(plant.site.kind for plant in plants)
    products = Counter(line.product for plant in plants for line in plant.site.lines)
    assert kinds == {"potline": 7, "copper_smelter": 3, "secondary_copper_smelter": 1,
                     "alumina_refinery": 2, "works": 12}  # fmt: skip
    assert products == {"primary_aluminium": 13, "cathode_copper": 4, "copper_semis": 5,
                        "aluminium_semis": 5, "alumina": 2, "recycled_aluminium": 2}  # fmt: skip


def test_six_enterprises_make_primary_aluminium() -> None:
    makers = {place.enterprise for place in PLACES if place.product == "primary_aluminium"}
    assert len(makers) == 6
    assert {e.id for e in enterprises()} == {place.enterprise for place in PLACES}
    assert ENTRANT in {e.id for e in enterprises()}


def test_everything_is_flagged_and_named_as_fictional(plants: tuple[Plant, ...]) -> None:
    for noun in (*enterprises(), *(plant.site for plant in plants)):
        assert noun.demonstration
        assert noun.name_zh.startswith("示范")
        assert noun.name_en.startswith("Demo")
    assert all(plant.network.demonstration for plant in plants)


def test_enterprises_belong_to_the_chain_of_their_products() -> None:
    chains = {firm.id: firm.chain for firm in enterprises()}
    for place in PLACES:
        copper = place.product in ("cathode_copper", "copper_semis")
        assert chains[place.enterprise] == ("copper" if copper else "aluminium")


def test_shares_of_each_product_sum_to_one() -> None:
    for product in ("copper_semis", "aluminium_semis", "alumina", "recycled_aluminium"):
        assert sum(p.share for p in PLACES if p.product == product) == pytest.approx(1.0)
    assert sum(s["share"] for s in value("smelter_share").values()) == pytest.approx(1.0)


def test_cities_are_tiles_and_clusters_are_the_plans(
    plants: tuple[Plant, ...], shared: Path
) -> None:
    tiles = json.loads((shared / "data/platform/shandong_tiles.json").read_text("utf-8"))
    cities = {tile["city"] for tile in tiles["cities"]}
    plan = json.loads((shared / "data/policy/plan.json").read_text("utf-8"))
    clusters = {cluster for task in plan["tasks"] for cluster in task["clusters"]}
    assert {plant.site.city for plant in plants} <= cities
    assert {plant.site.cluster for plant in plants} <= clusters
    assert len({plant.site.cluster for plant in plants}) == 8


def test_no_real_firm_is_named(plants: tuple[Plant, ...], shared: Path) -> None:
    text = (shared / "data/policy/shandong_plants.csv").read_text("utf-8")
    assert len(text.splitlines()) > 10
    assert plants
    for plant in plants:
        assert plant.site.name_zh not in text
        assert plant.site.name_en not in text


def test_the_sentence_says_fictional_and_the_base_in_both_languages() -> None:
    assert "虚构" in SENTENCE_ZH
    assert "165.0" in SENTENCE_ZH
    assert "fictional" in SENTENCE_EN
    assert "1.650 Mt" in SENTENCE_EN


def test_every_number_has_a_source_and_only_published_ones_are_confirmed() -> None:
    confirmed = {id for id, values in book().values.items() if values[0].confirmed}
    assert confirmed == {"demonstration.electrolysis", "demonstration.refining",
                         "demonstration.remelting"}  # fmt: skip
    assert all(v.source for values in book().values.values() for v in values)


def test_confirmed_numbers_stand_in_the_published_inventory(shared: Path) -> None:
    rows = (shared / "data/carbon/al_lci_2015.csv").read_text("utf-8").splitlines()
    listed = {(r[0], r[2]): (float(r[4]), float(r[5])) for r in (x.split(",") for x in rows[1:])}
    assert value("electrolysis")["anode_net_high"] == listed["electrolysis", "anode net"][0]
    assert value("electrolysis")["anode_net_low"] == listed["electrolysis", "anode net"][1]
    assert value("refining")["bauxite_high"] == listed["alumina_refining", "bauxite"][0]
    assert value("refining")["bauxite_low"] == listed["alumina_refining", "bauxite"][1]
    assert value("refining")["coal_MJ"] == listed["alumina_refining", "coal"][0]
    assert value("remelting")["scrap"] == listed["recycling_remelt", "Al scrap"][0]
    casting = listed["ingot_casting", "natural gas"][0] / 35.6
    assert value("electrolysis")["casting_gas"] == pytest.approx(casting, abs=0.05)
    kwh = listed["ingot_casting", "electricity"][0]
    assert value("electrolysis")["casting_electricity"] == pytest.approx(kwh / 1000)


def test_remelters_take_what_the_inventory_says() -> None:
    unit = value("fabrication")["recycled_aluminium"]
    inventory = value("remelting")
    assert unit["loss"] == pytest.approx(inventory["scrap"] - 1.0)
    assert unit["electricity"] == inventory["electricity"]
    assert unit["gas"] == pytest.approx(inventory["gas_MJ"] / 35.6, rel=1e-3)


def test_an_unknown_number_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match="that system has: demonstration"):
        parameter("weather")


def test_series_capacities_are_those_registered(known: Truth) -> None:
    assert value("series_capacity")
    for site, series in value("series_capacity").items():
        lines = known.plant(site).site.lines
        assert [line.capacity for line in lines] == [capacity for capacity, _ in series]


def test_advanced_and_planted_capacity_straddle_the_target() -> None:
    capacity: Counter[str] = Counter()
    for series in value("series_capacity").values():
        for tonnes, kind in series:
            capacity[kind] += tonnes
    total = capacity.total()
    assert (
        capacity["advanced"] / total < 0.35 < ((capacity["advanced"] + capacity["planted"]) / total)
    )


def test_a_supply_with_one_feeder_carries_everything_on_it() -> None:
    sketch = Sketch("x", np.random.default_rng(1))
    loads = [Load(f"L{n}", "负荷|load", "outside", np.full(22, float(n)), "submeter")
             for n in (1, 2)]  # fmt: skip
    supply(sketch, loads, feeders=1)
    assert sketch.amounts["F-1"].tolist() == [3.0] * 22
    assert "F-2" not in sketch.amounts


@pytest.mark.parametrize("feeders", [2, 3, 4])
def test_feeders_share_the_load_and_sum_to_it(feeders: int) -> None:
    sketch = Sketch("x", np.random.default_rng(1))
    supply(sketch, [Load("L", "负荷|load", "outside", np.full(22, 9.0), "submeter")], feeders)
    parts = [sketch.amounts[f"F-{n + 1}"] for n in range(feeders)]
    assert np.sum(parts, axis=0) == pytest.approx(np.full(22, 9.0))
    assert min(part.min() for part in parts) > 0


def test_a_store_gives_the_change_of_its_stock() -> None:
    sketch = Sketch("x", np.random.default_rng(1))
    change = sketch.store("bin", "料仓|bin", "ore", 100.0)
    assert change.tolist() == np.diff(sketch.stocks["bin"]).tolist()
    assert sketch.materials == {"bin": "ore"}
    assert sketch.meters[0].kind == "stocktake"


def test_a_sketch_with_a_dangling_stream_is_refused_when_finished(known: Truth) -> None:
    sketch = Sketch("x", np.random.default_rng(1))
    sketch.flow("A", "流|flow", "outside>nowhere", "ore", np.ones(22), meter="belt")
    with pytest.raises(InputError, match="nowhere"):
        sketch.finish(known.plants[0].site)


def test_a_stream_of_known_composition_has_that_true_fraction() -> None:
    sketch = Sketch("x", np.random.default_rng(1))
    sketch.flow("A", "流|flow", "outside>outside2", "ore", np.ones(22),
                known={"Cu": (0.3, 0.0), **zero("Fe")})  # fmt: skip
    assert set(sketch.fractions["A", "Cu"]) == {0.3}
    assert set(sketch.fractions["A", "Fe"]) == {0.0}


def test_a_specification_with_an_uncertainty_misses_the_truth_by_it() -> None:
    offsets = []
    for seed in range(300):
        sketch = Sketch("x", np.random.default_rng(seed))
        sketch.flow("A", "流|flow", "outside>b", "ore", np.ones(22), known={"Cu": (0.3, 0.01)})
        offsets.append(float(sketch.fractions["A", "Cu"][0]) - 0.3)
    assert np.std(offsets) == pytest.approx(0.01, rel=0.15)


def test_networks_are_nouns_of_the_ledger(plants: tuple[Plant, ...]) -> None:
    assert all(isinstance(plant.network, Network) for plant in plants)
    assert {plant.network.site for plant in plants} == set(SITES)
