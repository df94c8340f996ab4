"""Where an element ends: in products, in losses, or out of sight; small networks by hand."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.registers import Network, Process, Stream
from cupral.systems.balance.compute.outlet import Outlets, outlets

PRODUCTS = frozenset({"cathode", "rod"})
Plan = Mapping[str, str]


def network(streams: Plan, **processes: str) -> Network:
    """Streams 'source>target material'; processes 'unit' or 'stock' with what they balance."""
    return Network(
        site="x",
        processes=tuple(
            Process(id=id, name_zh=id, name_en=id, kind=said.split()[0],
                    balances=tuple(said.split()[1:]))
            for id, said in processes.items()
        ),
        streams=tuple(_stream(id, said) for id, said in streams.items()),
        meters=(),
    )  # fmt: skip


def _stream(id: str, said: str) -> Stream:
    ends, material = said.split()
    source, target = ends.split(">")
    return Stream(id=id, name_zh=id, name_en=id, source=source, target=target, material=material)


def found(plan: Network, content: Mapping[str, float]) -> Outlets:
    """The outlets of copper."""
    return outlets(plan, "Cu", content, PRODUCTS)


def ids(streams: tuple[Stream, ...]) -> set[str]:
    """Their names."""
    return {stream.id for stream in streams}


SMELTER = {
    "CONC": "outside>furnace concentrate", "TAIL": "furnace>outside tailings",
    "METAL": "furnace>yard cathode", "SALES": "yard>outside cathode",
}  # fmt: skip
INSIDE = {"CONC": 100.0, "TAIL": 2.0, "METAL": 98.0}


def test_what_only_products_leave_holds_product() -> None:
    """The user's case: cathode enters a yard that balances mass only, sales have no composition."""
    ends = found(network(SMELTER, furnace="unit Cu", yard="stock mass"), INSIDE)
    assert (ids(ends.products), ids(ends.losses), ends.needs) == ({"METAL"}, {"TAIL"}, ())


def test_a_stock_with_known_contents_is_followed_to_the_sale() -> None:
    """Then what was sold counts, and what lies in the yard counts in neither."""
    content = {**INSIDE, "SALES": 90.0}
    ends = found(network(SMELTER, furnace="unit Cu", yard="stock mass"), content)
    assert (ids(ends.products), ids(ends.losses), ends.needs) == ({"SALES"}, {"TAIL"}, ())


@pytest.mark.parametrize(
    ("more", "processes", "content", "needs"),
    [
        ({"DROSS": "yard>outside dross"}, {}, {},
         "Cu beyond yard, which it enters in METAL and may leave in SALES, DROSS"),
        ({"BACK": "yard>furnace scrap"}, {}, {"BACK": 5.0}, "Cu beyond yard"),
        ({"CAST": "yard>hall cathode", "CHIPS": "hall>outside chips"}, {"hall": "unit mass"}, {},
         "may leave in SALES, CHIPS"),
        ({"PRE": "outside>mill ore", "MILLED": "mill>furnace ore", "ROCK": "mill>outside rock"},
         {"mill": "unit mass"}, {"MILLED": 5.0}, "Cu in mill, which passes it on"),
    ],
    ids=("dross beside", "scrap comes back", "further on", "a mill before"),
)  # fmt: skip
def test_what_may_be_lost_unseen_is_said(
    more: Plan, processes: Mapping[str, str], content: Mapping[str, float], needs: str
) -> None:
    """No share is told, and the process is named."""
    plan = network({**SMELTER, **more}, furnace="unit Cu", yard="stock mass", **processes)
    ends = found(plan, {**INSIDE, **content})
    assert any(needs in need for need in ends.needs), ends.needs


def test_a_known_zero_is_no_way_out() -> None:
    """Water that leaves the yard and is known to hold none does not hide copper."""
    streams = {**SMELTER, "WATER": "yard>outside water"}
    plan = network(streams, furnace="unit Cu", yard="stock mass")
    assert found(plan, {**INSIDE, "WATER": 0.0}).needs == ()
    assert found(plan, INSIDE).needs != ()


def test_a_yard_before_the_furnace_that_sells_some_of_its_ore_hides_nothing() -> None:
    """A stock loses nothing on the way; what is traded was not treated."""
    streams = {**SMELTER, "ORE": "outside>pile ore", "CONC": "pile>furnace ore",
               "TRADED": "pile>outside ore"}  # fmt: skip
    plan = network(streams, furnace="unit Cu", yard="stock mass", pile="stock mass")
    assert found(plan, INSIDE).needs == ()


def test_what_only_circulates_is_no_outlet() -> None:
    """Dust goes to a bin and comes back."""
    streams = {**SMELTER, "DUST": "furnace>bin dust", "AGAIN": "bin>furnace dust"}
    plan = network(streams, furnace="unit Cu", yard="stock mass", bin="unit mass")
    ends = found(plan, {**INSIDE, "DUST": 7.0, "AGAIN": 7.0})
    assert (ids(ends.products), ids(ends.losses), ends.needs) == ({"METAL"}, {"TAIL"}, ())


def test_a_dump_is_a_loss_and_a_last_yard_holds_product() -> None:
    """Nothing leaves them, so the stream's own material decides."""
    streams = {"CONC": "outside>furnace concentrate", "TAIL": "furnace>dump tailings",
               "METAL": "furnace>yard cathode"}  # fmt: skip
    for kept in ("stock mass", "stock mass Cu"):
        ends = found(network(streams, furnace="unit Cu", yard=kept, dump=kept), INSIDE)
        assert (ids(ends.products), ids(ends.losses), ends.needs) == ({"METAL"}, {"TAIL"}, ())


def test_nothing_follows_the_element() -> None:
    """Compositions alone are no balance."""
    ends = found(network(SMELTER, furnace="unit mass", yard="unit mass"), INSIDE)
    assert ends.needs == ("a process that balances Cu",)


def test_a_stream_that_does_not_name_the_element_carries_none_where_it_is_balanced() -> None:
    """The convention of the network; steam needs no composition."""
    streams = {**SMELTER, "STEAM": "furnace>outside steam"}
    plan = network(streams, furnace="unit Cu", yard="stock mass")
    assert "STEAM" not in ids(found(plan, INSIDE).losses)


def test_an_assay_that_is_missing_still_makes_an_outlet() -> None:
    """Its amount is not known; that it leaves is."""
    ends = found(network(SMELTER, furnace="unit Cu", yard="stock mass"),
                 {**INSIDE, "TAIL": math.nan})  # fmt: skip
    assert ids(ends.losses) == {"TAIL"}


@given(st.permutations(sorted(SMELTER)), st.integers(1, 6))
def test_neither_order_nor_length_of_the_way_matters(order: list[str], yards: int) -> None:
    """A row of yards that only pass cathode on is one yard."""
    streams = {name: SMELTER[name] for name in order if name != "SALES"}
    links = {f"PASS-{n}": f"{'yard' if n == 1 else f'yard-{n}'}>yard-{n + 1} cathode"
             for n in range(1, yards)}  # fmt: skip
    last = "yard" if yards == 1 else f"yard-{yards}"
    more = {f"yard-{n}": "stock mass" for n in range(2, yards + 1)}
    plan = network({**links, **streams, "SALES": f"{last}>outside cathode"},
                   furnace="unit Cu", yard="stock mass", **more)  # fmt: skip
    ends = found(plan, INSIDE)
    assert (ids(ends.products), ids(ends.losses), ends.needs) == ({"METAL"}, {"TAIL"}, ())
