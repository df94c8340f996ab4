"""A site's network by YAML or workbook: defined, refused with line and field, written back."""

import io
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from cupral.ledger.errors import RowFaults
from cupral.ledger.ledger import Ledger
from cupral.systems.balance.commands import define_network, network_file, network_from
from tests.systems.balance.works import SITE, WORKS, folder


def define(ledger: Ledger, text: str, name: str = "works.yaml") -> str:
    """Status of a definition."""
    return define_network(ledger, author="e", content=text.encode(), filename=name).status


def test_a_yaml_file_registers_site_and_network(ledger: Ledger) -> None:
    """Names default to each other, units to the stream's, kinds to the usual."""
    assert define(ledger, WORKS) == "posted"
    network, site = ledger.network(SITE), ledger.site(SITE)
    assert (site.name_zh, site.city) == ("小厂", "玉溪")
    assert network.stream("product").composition == (("Cu", 0.99, 0.0),)
    assert network.stream("power").unit == "MWh"
    assert network.processes[0].balances == ("mass", "Cu")
    assert {meter.id: meter.unit for meter in network.meters}["E1"] == "kWh"
    assert network.author == "e"


def test_the_same_file_makes_no_new_version_and_a_changed_one_does(ledger: Ledger) -> None:
    """Versions count changes, not uploads."""
    define(ledger, WORKS)
    assert define(ledger, WORKS) == "already"
    assert ledger.network(SITE).version == 1
    assert define(ledger, WORKS.replace("sd_absolute: 20", "sd_absolute: 30")) == "posted"
    assert ledger.network(SITE).version == 2
    assert ledger.network(SITE, 1).meters[-1].sd_absolute == 20.0


def test_a_fuel_is_weighed_and_energy_given_away_is_written_with_a_minus(ledger: Ledger) -> None:
    """Coal in tonnes enters no energy balance; a line may subtract a stream."""
    coal = WORKS.replace("carrier: energy", "carrier: energy, unit: t").replace("kWh", "t")
    line = "lines: [{id: L, product: anode_copper, capacity: 9, metal_stream: sold,"
    assert define(ledger, coal + line + ' energy_streams: "comprehensive=-power"}]\n') == "posted"
    assert ledger.network(SITE).stream("power").unit == "t"
    assert ledger.site(SITE).lines[0].energy_streams == (("comprehensive", "-power"),)


def test_a_dry_run_registers_nothing(ledger: Ledger) -> None:
    """It only checks."""
    report = define_network(
        ledger, author="e", content=WORKS.encode(), filename="w.yaml", dry_run=True
    )
    assert (report.status, report.rows_posted, ledger.networks()) == ("dry run", 0, [])


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
@pytest.mark.parametrize("source", ["works", "caletones"])
def test_a_network_written_to_a_file_reads_back_equal(form: str, source: str) -> None:
    """Nothing is lost on the way, so a page can edit it and save."""
    caletones = folder("examples") / "caletones" / "network.yaml"
    content = WORKS.encode() if source == "works" else caletones.read_bytes()
    site, network, _rows = network_from(content, "first.yaml")
    written = network_file(network, site, form)  # type: ignore[arg-type]
    again_site, again, _rows = network_from(written, f"second.{form}")
    assert (again_site, again) == (site, network)


def test_lines_priors_correlations_and_demonstration_survive(ledger: Ledger) -> None:
    """The seldom used fields too."""
    text = WORKS.replace(
        "city: 玉溪", "city: 玉溪, demonstration: yes, valid_from: 2026-01"
    ).replace("kind: stock}", "kind: stock, stock_prior: {mass: 50, Cu: 40}}") + (
        "lines:\n  - {id: L1, product: cathode_copper, capacity: 1e5, metal_stream: product,"
        " energy_streams: {comprehensive: power}, operating: no}\n"
    )
    text = text.replace(
        "sd_relative: 0.02}", "sd_relative: 0.02, correlation_group: lab, correlation: 0.3}"
    )
    site, network, _rows = network_from(text.encode(), "w.yaml")
    (line,) = site.lines
    assert (line.capacity, line.operating, line.compliant) == (1e5, False, True)
    assert line.energy_streams == (("comprehensive", "power"),)
    assert network.processes[1].stock_prior == (("mass", 50.0), ("Cu", 40.0))
    assert (network.demonstration, site.demonstration, network.valid_from) == (
        True,
        True,
        "2026-01",
    )
    again_site, again, _rows = network_from(network_file(network, site, "xlsx"), "w.xlsx")
    assert (again_site.lines, replace(again, demonstration=True)) == (site.lines, network)


FAULTS = (
    ("indentation", "site: {id: a\nprocesses", "row 2", "not YAML"),
    ("tab", "site:\n\tid: a\n", "row 2", "not YAML"),
    ("no sections", "- a\n- b\n", "row 1", "named sections"),
    ("alias", "site: &x {id: a}\nprocesses: *x\n", "row 1", "anchors and aliases"),
    ("nested without end", "site: " + "[" * 100_000, "row 1", "lists stand 21 deep in each other"),
    ("executable tag", "site: !!python/object/apply:os.system ['echo']\n", "row 1", "no mapping"),
    ("given twice", WORKS.replace("city: 玉溪", "id: again"), "row 2", "given twice"),
    ("unknown section", WORKS + "pumps: []\n", "row 19", "no section is called 'pumps'"),
    ("unknown field", WORKS.replace("city: 玉溪", "town: x"), "row 2, column site.town", "have no"),
    ("missing section", WORKS.split("meters:")[0], "column meters", "is missing"),
    ("list for a mapping", WORKS.replace("  - {id: store", "  - [store]\n  - {id: s"), "row 5",
     "no mapping"),
    ("empty id", WORKS.replace("{id: F1,", "{id: '',"), "row 13, column meters.id", "empty"),
    ("id twice", WORKS.replace("{id: P1,", "{id: F1,"),
     "row 14, column meters.id", "used in row 13"),
    ("process unknown", WORKS.replace("smelter, target: store", "smelt, target: store"),
     "row 8, column streams.source", "did you mean 'smelter'"),
    ("stream unknown", WORKS.replace("stream: feed, sd", "stream: fed, sd"),
     "row 13, column meters.stream", "did you mean 'feed'"),
    ("stocktake on a stream", WORKS.replace("stream: store,", "stream: feed,"),
     "row 18, column meters.stream", "process 'feed' is not defined"),
    ("starts where it ends", WORKS.replace("target: store", "target: smelter"),
     "row 8, column streams.target", "ends where it starts"),
    ("no uncertainty", WORKS.replace("stream: feed, sd_relative: 0.01", "stream: feed"),
     "row 13, column meters.sd_relative", "no uncertainty"),
    ("negative sd", WORKS.replace("0.01}", "-0.01}"), "row 13, column meters.sd_relative",
     "negative"),
    ("not a number", WORKS.replace("0.01}", "one percent}"), "row 13, column meters.sd_relative",
     "not a number"),
    ("assay without element", WORKS.replace(", element: Cu, sd_relative", ", sd_relative"),
     "row 16, column meters.element", "needs its element"),
    ("kind unknown", WORKS.replace("kind: stocktake", "kind: tank"), "row 18, column meters.kind",
     "not one of the words"),
    ("unit of another kind", WORKS.replace("unit: kWh", "unit: t"), "row 15, column meters.unit",
     "its stream is kept in MWh"),
    ("energy in tonnes where it is balanced",
     WORKS.replace("carrier: energy", "carrier: energy, unit: t").replace(
         "[mass, Cu]", "[mass, Cu, energy]"),
     "row 11, column streams.unit", "units of energy"),
    ("composition above one", WORKS.replace("Cu: 0.99", "Cu: 99"),
     "row 8, column streams.composition", "at most 1"),
    ("outside defined", WORKS.replace("{id: store,", "{id: outside,"),
     "row 5, column processes.id", "always there"),
    ("multiplier zero", WORKS.replace("multiplier: 200", "multiplier: 0"),
     "row 15, column meters.multiplier", "above 0"),
    ("line of no stream", WORKS + "lines: [{id: L, product: x, capacity: 1, metal_stream: y}]\n",
     "row 19, column lines.metal_stream", "'y' is not defined"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where", "what"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_wrong_network_file_is_refused_with_its_line(
    ledger: Ledger, text: str, where: str, what: str
) -> None:
    """Section and field are named, nothing is registered."""
    with pytest.raises(RowFaults) as refused:
        define(ledger, text)
    found = [line for line in map(str, refused.value.faults) if where in line and what in line]
    assert found, str(refused.value)
    assert (ledger.networks(), ledger.sites()) == ([], [])


def test_all_faults_of_a_file_are_named_at_once(ledger: Ledger) -> None:
    """Nobody wants to learn of them one by one."""
    text = WORKS.replace("stream: feed", "stream: fed").replace("target: store", "target: shop")
    with pytest.raises(RowFaults) as refused:
        define(ledger, text)
    assert len(refused.value.faults) == 3


def test_a_faulty_workbook_names_sheet_row_and_column() -> None:
    """As the spreadsheet shows them."""
    site, network, _rows = network_from(WORKS.encode(), "w.yaml")
    book = load_workbook(io.BytesIO(network_file(network, site, "xlsx")))
    book["meters"]["B2"] = "fed"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(RowFaults, match=r"row 2, column meters\.stream \('fed'\)"):
        network_from(out.getvalue(), "w.xlsx")


def test_a_sheet_of_another_name_is_refused_with_a_suggestion() -> None:
    """A misspelt sheet would otherwise be a missing one."""
    site, network, _rows = network_from(WORKS.encode(), "w.yaml")
    book = load_workbook(io.BytesIO(network_file(network, site, "xlsx")))
    book["meters"].title = "metres"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(RowFaults, match="did you mean 'meters'"):
        network_from(out.getvalue(), "w.xlsx")
