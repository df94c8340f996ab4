"""Registers keep every version of an enterprise, a site and a network; a network never contradicts
itself."""

from dataclasses import replace

import pytest

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise, Line, Meter, Network, Process, Site, Stream

ENTERPRISE = Enterprise(id="E1", name_zh="甲铜业", name_en="Copper One", chain="copper")
SITE = Site(
    id="A", name_zh="甲厂", name_en="Plant A", enterprise="E1", city="Kunming",
    lines=(
        Line(id="L1", product="cathode_copper", capacity=2e5, metal_stream="S2",
             energy_streams=(("comprehensive", "AC"), ("comprehensive", "-STEAM"))),
    ),
)  # fmt: skip


def process(id: str, **more: object) -> Process:
    """A process of that id."""
    return Process(id=id, name_zh=id, name_en=id, **more)  # type: ignore[arg-type]


def stream(id: str, source: str, target: str, **more: object) -> Stream:
    """A stream between two processes."""
    values = {"id": id, "name_zh": id, "name_en": id, "source": source, "target": target}
    return Stream(**{**values, "material": "matte", **more})  # type: ignore[arg-type]


def network(**changed: object) -> Network:
    """A small network without fault."""
    values: dict[str, object] = {
        "site": "A",
        "processes": (process("smelt", balances=("mass", "Cu")), process("yard", kind="stock")),
        "streams": (
            stream("S1", "outside", "yard"),
            stream("S2", "yard", "smelt", composition=(("Cu", 0.25, 0.001),)),
            stream("S3", "smelt", "outside"),
        ),
        "meters": (
            Meter(id="M1", stream="S1", sd_relative=0.01, rollover=1e6, multiplier=10.0),
            Meter(id="LAB", stream="S2", kind="assay", element="Cu", sd_absolute=0.001),
            Meter(id="Y", stream="yard", kind="stocktake", sd_absolute=5.0),
        ),
    }
    return Network(**{**values, **changed})  # type: ignore[arg-type]


def test_what_is_registered_comes_back_equal(ledger: Ledger) -> None:
    for noun in (ENTERPRISE, SITE, network()):
        assert ledger.register(noun, author="me") == 1  # type: ignore[arg-type]
    assert ledger.enterprise("E1") == ENTERPRISE
    assert ledger.enterprises() == [ENTERPRISE]
    assert ledger.site("A") == SITE
    assert ledger.sites() == [SITE]
    assert ledger.network("A") == replace(network(), version=1, author="me")
    assert ledger.networks() == ["A"]


def test_an_equal_noun_keeps_its_version_and_a_changed_one_gets_the_next(ledger: Ledger) -> None:
    ledger.register(network(), author="me")
    assert ledger.register(ledger.network("A"), author="you") == 1
    assert ledger.register(network(note="new scale"), author="you") == 2
    assert ledger.network("A").note == "new scale"
    assert ledger.network("A", 1).note == ""
    assert ledger.network("A").author == "you"


def test_lists_hold_the_latest_version_of_each_in_order(ledger: Ledger) -> None:
    for id in ("B", "A", "C"):
        ledger.register(replace(SITE, id=id), author="me")
    ledger.register(replace(SITE, id="B", city="Chuxiong"), author="me")
    assert [(site.id, site.city) for site in ledger.sites()] == [
        ("A", "Kunming"), ("B", "Chuxiong"), ("C", "Kunming"),
    ]  # fmt: skip


def test_an_unknown_noun_is_told_which_are_known(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="no site 'Z'; registered: none"):
        ledger.site("Z")
    ledger.register(network(), author="me")
    with pytest.raises(NotFound, match="no network 'A' version 7; registered: A"):
        ledger.network("A", 7)


def test_a_stream_is_found_by_its_id() -> None:
    assert network().stream("S2").source == "yard"
    with pytest.raises(InputError, match=r"network A has no stream 'S9'; it has S1, S2, S3 \.\.\."):
        network().stream("S9")


WRONG = [
    ({"processes": (process("smelt"), process("smelt"))}, "two process rows are called 'smelt'"),
    ({"processes": (process(""),)}, "a process has no id; give it a short unique one"),
    ({"streams": (stream("S1", "outside", "mill"),)}, "ends at process 'mill', which is not def"),
    ({"streams": (stream("S1", "yard", "yard"),), "meters": ()}, "starts and ends at yard"),
    ({"meters": (Meter(id="M", stream="S9", sd_relative=0.1),)}, "stands on stream 'S9'"),
    ({"meters": (Meter(id="M", stream="S1", kind="stocktake", sd_relative=0.1),)},
     "stands on process 'S1'"),
    ({"meters": (Meter(id="M", stream="S1", kind="assay", sd_relative=0.1),)}, "names no element"),
    ({"meters": (Meter(id="M", stream="S1", sd_relative=-0.1),)}, "needs sd >= 0"),
    ({"meters": (Meter(id="M", stream="S1", sd_relative=0.1, correlation=1.1),)}, "within 0..1"),
    ({"meters": (Meter(id="M", stream="S1"),)}, "has no uncertainty; give sd_relative or"),
    ({"meters": (Meter(id="M", stream="S1", sd_relative=0.1),) * 2}, "two meter rows are called"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_a_network_that_contradicts_itself_is_refused(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        network(**changed)


def test_a_line_gives_its_energy_with_signs_by_boundary() -> None:
    """A leading minus is energy given away; boundaries keep the order in which they are written."""
    line = Line(
        id="L", product="cathode_copper", capacity=1.0, metal_stream="M",
        energy_streams=(("comprehensive", "E"), ("dc", "D"), ("comprehensive", "-STEAM")),
    )  # fmt: skip
    assert line.boundaries == ("comprehensive", "dc")
    assert line.energy("comprehensive") == ((1.0, "E"), (-1.0, "STEAM"))
    assert line.energy("dc") == ((1.0, "D"),)
    assert line.energy("none") == ()
