"""Recoveries that the ledger tells of the demonstration's sites, beside the generator's truth."""

from collections.abc import Mapping

import pytest

from cupral.demonstration.build import AUTHOR, _register
from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.meters import Readings, meter_files
from cupral.demonstration.province import PLACES
from cupral.demonstration.sketch import Plant
from cupral.demonstration.truth import Truth
from cupral.ledger.errors import CannotDecide
from cupral.ledger.ledger import Ledger
from cupral.system import ask, open_ledger

PERIOD = "2025-11..2026-10"
WINDOW = slice(MONTHS.index(202511), None)
ORE = {"Cu": 0.0005, "Au": 0.0005, "Ag": 0.0005, "S": 0.002}
"""How far from the truth a recovery of an ore smelter may lie [1]; three sd or so of each."""
FOLLOWED: Mapping[str, Mapping[str, float]] = {
    "copper_smelter": ORE, "secondary_copper_smelter": {"Cu": 0.0005},
    "potline": {"Al": 0.004}, "alumina_refinery": {"Al": 0.005},
}  # fmt: skip
CASES = [
    (place.id, element, within)
    for place in PLACES
    for element, within in FOLLOWED.get(place.kind, {}).items()
]
LOST = {
    "Cu": {"TAIL", "SLAG"}, "Au": {"TAIL"}, "Ag": {"TAIL"}, "S": {"TAIL", "TAILGAS", "FUGITIVE"},
    "Al": {"ALLOSS", "DROSS", "MUD"},
}  # fmt: skip
SOLD = {
    "Cu": {"SALES", "SLIMES", "BLEED"}, "Au": {"SLIMES"}, "Ag": {"SLIMES"}, "S": {"ACID"},
    "Al": {"SALES", "LIQUID"},
}  # fmt: skip
"""Streams in which each element leaves, as a metallurgist would list them (series numbers off)."""


@pytest.fixture(scope="module")
def province(known: Truth, read: Readings, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """All networks and meter readings, planted faults too."""
    ledger = open_ledger(tmp_path_factory.mktemp("province"))
    _register(ledger, known)
    for month, file in meter_files(known, read).items():
        if month in MONTHS[WINDOW] or month == MONTHS[WINDOW.start - 1]:
            ledger.post(f"meters:{month}", author=AUTHOR, flows=file.flows, assays=file.assays,
                        stocktakes=file.stocktakes)  # fmt: skip
    return ledger


def left(plant: Plant, element: str, streams: set[str]) -> float:
    """True content of an element in streams that leave the site [t]."""
    return sum(
        float((plant.amounts[s.id] * plant.fractions[s.id, element])[WINDOW].sum())
        for s in plant.network.streams
        if s.target == "outside" and s.id.rstrip("-0123456789") in streams
    )


@pytest.mark.parametrize(("site", "element", "within"), CASES)
def test_a_recovery_is_that_of_the_truth(
    province: Ledger, known: Truth, site: str, element: str, within: float
) -> None:
    """Cathode and ingots count, so does every loss."""
    plant = known.plant(site)
    sold, lost = left(plant, element, SOLD[element]), left(plant, element, LOST[element])
    result = ask(province, "balance.recoveries", site=site, period=PERIOD)
    (row,) = [r for r in result.parts if r["element"] == element and r["product"] == "all products"]
    assert row["needs"] == ""
    assert row["recovery"] == pytest.approx(sold / (sold + lost), abs=within)
    assert 0.0 < row["sd"] < within
    parts = [r for r in result.parts if r["element"] == element and r is not row]
    assert sum(r["recovery"] for r in parts) == pytest.approx(row["recovery"], rel=1e-9)
    losses = ask(province, "balance.losses", site=site, period=PERIOD).parts
    shares = sum(r["share"] for r in losses if r["element"] == element)
    assert shares == pytest.approx(1.0 - row["recovery"], rel=1e-9)


@pytest.mark.parametrize("site", [place.id for place in PLACES if place.kind == "works"])
def test_works_that_follow_no_element_say_so(province: Ledger, site: str) -> None:
    """They balance mass only; an empty answer would read as 'nothing to tell'."""
    for question in ("balance.recoveries", "balance.losses"):
        with pytest.raises(CannotDecide, match=f"at {site}: no element is followed") as caught:
            ask(province, question, site=site, period="2026-03")
        assert "compositions" in caught.value.needs[0]


def test_copper_and_its_losses_in_one_month_are_those_of_practice(province: Ledger) -> None:
    """The user's question; cathode sold, slimes and bleed together."""
    result = ask(province, "balance.recoveries", site="cu-yt-1", period="2026-03")
    rows = {r["product"]: r["recovery"] for r in result.parts if r["element"] == "Cu"}
    assert set(rows) == {"all products", "SALES", "SLIMES", "BLEED"}
    assert 0.985 < rows["all products"] < 0.995
    assert rows["SALES"] > 0.98
    assert result.status == "ok"
