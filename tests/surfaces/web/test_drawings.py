"""Network drawing, Sankey, tile map, interval bar."""

import json
from pathlib import Path

import pytest

from cupral.ledger.registers import Network, Process, Stream
from cupral.surfaces.web.drawing import label
from cupral.surfaces.web.drawing.interval import Scale, bar
from cupral.surfaces.web.drawing.network import BOX_HEIGHT, BOX_WIDTH, drawn
from cupral.surfaces.web.drawing.sankey import COLOURS, family, sankey
from cupral.surfaces.web.drawing.tilemap import city_names, tile_map


def network(*streams: tuple[str, str, str], stocks: tuple[str, ...] = ()) -> Network:
    """A network of some streams (id, source, target)."""
    ends = [end for _, source, target in streams for end in (source, target)]
    processes = [n for n in dict.fromkeys(ends) if n != "outside"]
    return Network(
        site="s",
        processes=tuple(
            Process(id=n, name_zh=n, name_en=n, kind="stock" if n in stocks else "unit")
            for n in processes
        ),
        streams=tuple(
            Stream(id=i, name_zh=i, name_en=i, source=s, target=t, material="copper")
            for i, s, t in streams
        ),
        meters=(),
    )


CHAIN = (("in", "outside", "a"), ("ab", "a", "b"), ("back", "b", "a"), ("out", "b", "outside"))


class TestNetwork:
    """The drawing of processes and streams."""

    def test_boxes_and_wires(self) -> None:
        made = drawn(network(*CHAIN))
        assert [box.id for box in made.boxes] == ["a", "b"]
        assert {w.id: w.backward for w in made.wires} == {"ab": False, "back": True}

    def test_what_crosses_the_fence_is_listed_at_its_process(self) -> None:
        a, b = drawn(network(*CHAIN)).boxes
        assert (a.entering, a.leaving) == (("in",), ())
        assert (b.entering, b.leaving) == ((), ("out",))

    def test_stocks_are_marked(self) -> None:
        made = drawn(network(*CHAIN, stocks=("b",)))
        assert [box.stock for box in made.boxes] == [False, True]

    def test_everything_lies_within_the_frame(self) -> None:
        made = drawn(network(*CHAIN))
        assert made.boxes
        assert made.wires
        for box in made.boxes:
            assert 0 <= box.x <= made.width - BOX_WIDTH
            assert 0 <= box.y <= made.height - BOX_HEIGHT
        for wire in made.wires:
            assert 0 <= wire.x <= made.width
            assert 0 <= wire.y <= made.height

    def test_boxes_do_not_overlap(self) -> None:
        streams = [(f"i{k}", "outside", f"p{k}") for k in range(6)]
        streams += [(f"m{k}", f"p{k}", "mix") for k in range(6)]
        boxes = drawn(network(*streams)).boxes
        assert len(boxes) >= 7
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                apart = abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
                assert apart, (one.id, other.id)

    @pytest.mark.parametrize("code", ["zh", "en"])
    def test_labels_cover_neither_boxes_nor_each_other(self, code: str) -> None:
        """Names as long as those of a potline, eight lines between two columns."""
        word = "整流交流电" if code == "zh" else "rectifier current"
        streams = [(f"s{n}", "a", f"b{n % 4}") for n in range(8)]
        streams += [(f"t{n}", f"b{n % 4}", "c") for n in range(4)] + [("r", "c", "a")]
        names = {id: f"{word} {id}" for id, _, _ in streams}
        made = drawn(network(*streams), names)
        shown = {wire.id: label.area((wire.x, wire.y), wire.label) for wire in made.wires}
        boxes = [label.Area(b.x, b.y, b.x + BOX_WIDTH, b.y + BOX_HEIGHT) for b in made.boxes]
        places = list(shown.values())
        for number, one in enumerate(places):
            assert 0 <= one.left < one.right <= made.width
            assert all(one.shared(other) == 0 for other in places[number + 1 :])
            assert all(one.shared(box) == 0 for box in boxes)

    def test_a_name_is_cut_only_if_it_is_very_long(self) -> None:
        names = {"ab": "sulphur in converter gas", "back": "x" * 90}
        said = {wire.id: wire.label for wire in drawn(network(*CHAIN), names).wires}
        assert said["ab"] == "sulphur in converter gas"
        assert said["back"].endswith("…")

    def test_an_empty_network_is_an_empty_drawing(self) -> None:
        made = drawn(network())
        assert (made.boxes, made.wires) == ((), ())


def row(stream: str, source: str, target: str, amount: float | None, **more: str) -> dict:
    """A row of a balance."""
    return {"stream": stream, "source": source, "target": target, "reconciled": amount,
            "unit": "t", "material": "matte", **more}  # fmt: skip


class TestSankey:
    """Nodes and links for the chart."""

    def test_each_outside_stream_has_a_node_of_its_own(self) -> None:
        made = sankey([row("in", "outside", "a", 5.0), row("out", "a", "outside", 5.0)], {})
        assert [n["name"] for n in made["nodes"]] == ["→ in", "a", "out →"]

    def test_unknown_and_empty_flows_are_not_drawn(self) -> None:
        rows = [row("x", "a", "b", None), row("y", "a", "b", 0.0), row("z", "a", "b", 1.0)]
        assert [link["stream"] for link in sankey(rows, {})["links"]] == ["z"]

    def test_a_circle_is_cut_open(self) -> None:
        rows = [row("i", "outside", "a", 9.0), row("ab", "a", "b", 9.0), row("ba", "b", "a", 1.0)]
        made = sankey(rows, {})
        assert made["links"][-1]["target"] == "↩ ba"
        graph = {(link["source"], link["target"]) for link in made["links"]}
        assert not any((t, s) in graph for s, t in graph)

    def test_names_are_in_the_readers_language(self) -> None:
        made = sankey([row("ab", "a", "b", 1.0)], {"a": "熔炼", "b": "精炼", "ab": "冰铜"})
        assert made["links"][0]["source"] == "熔炼"
        assert made["links"][0]["stream"] == "冰铜"

    def test_of_a_gas_only_the_sulphur_is_drawn_and_said(self) -> None:
        row = {"stream": "g", "source": "a", "target": "outside", "reconciled": 2.0, "unit": "t"}
        (gas,) = sankey([{**row, "material": "sulphur_in_gas"}], {})["links"]
        (acid,) = sankey([{**row, "material": "sulphuric_acid"}], {})["links"]
        assert (gas["unit"], acid["unit"]) == ("t S", "t")

    def test_the_result_is_json(self) -> None:
        made = sankey([row("ab", "a", "b", 1.0)], {})
        assert json.loads(json.dumps(made, allow_nan=False)) == made

    @pytest.mark.parametrize(
        ("material", "colours"),
        [
            ("copper_concentrate", "copper"), ("matte", "copper"), ("slag", "slag"),
            ("red_mud", "slag"), ("sulphuric_acid", "gas"), ("electricity", "gas"),
            ("alumina", "aluminium"), ("liquid_aluminium", "aluminium"),
        ],
    )  # fmt: skip
    def test_materials_have_the_colour_of_their_family(self, material: str, colours: str) -> None:
        assert family(material) == colours
        assert COLOURS[colours].startswith("#")


class TestTiles:
    """The schematic map of the 16 cities."""

    def test_sixteen_cities_on_different_tiles(self) -> None:
        tiles = tile_map({}).tiles
        assert len(tiles) == 16
        assert len({(t.x, t.y) for t in tiles}) == 16
        assert len({t.code for t in tiles}) == 16

    def test_they_are_the_cities_of_the_shared_file(self, shared: Path) -> None:
        path = shared / "data" / "platform" / "shandong_tiles.json"
        theirs = {c["code"]: c["city"] for c in json.loads(path.read_text())["cities"]}
        assert {t.code: f"{t.zh}市" for t in tile_map({}).tiles} == theirs

    def test_shades_grow_with_the_figure(self) -> None:
        made = tile_map({"滨州市": 100.0, "烟台": 50.0, "聊城": 1.0})
        shade = {t.zh: t.shade for t in made.tiles}
        assert shade["滨州"] == 5
        assert shade["滨州"] > shade["烟台"] > shade["聊城"] > shade["济南"] == 0

    def test_cities_without_a_figure_are_blank(self) -> None:
        assert {t.shade for t in tile_map({}).tiles} == {0}
        assert tile_map({"滨州": 0.0}).steps == ()

    def test_dark_tiles_ask_for_light_text(self) -> None:
        made = tile_map({"滨州": 100.0, "烟台": 10.0})
        assert {t.zh: t.dark for t in made.tiles if t.shade} == {"滨州": True, "烟台": False}

    def test_every_city_has_both_names(self) -> None:
        assert all(n["name_zh"] and n["name_en"] for n in city_names().values())

    def test_the_layout_says_where_it_comes_from(self) -> None:
        assert "own layout" in tile_map({}).source


class TestBar:
    """A figure with its interval against the accepted zone."""

    def test_places_keep_the_order_of_the_figures(self) -> None:
        made = bar(
            Scale(value=36.0, other=33.0, low=35.0, high=37.0, limit=34.0, accepted_low=34.0)
        )
        assert made is not None
        assert made.other < made.limit < made.low < made.value < made.high  # type: ignore[operator]

    def test_the_zone_of_more_than_runs_to_the_right_end(self) -> None:
        made = bar(Scale(value=1.0, limit=2.0, accepted_low=2.0))
        assert made is not None
        assert made.zone is not None
        assert made.zone[0] == made.limit
        assert made.zone[1] > made.zone[0]

    def test_the_zone_of_at_most_runs_from_the_left_end(self) -> None:
        made = bar(Scale(value=1.0, limit=2.0, accepted_high=2.0))
        assert made is not None
        assert made.zone is not None
        assert made.zone[0] < made.limit == made.zone[1]  # type: ignore[operator]

    def test_about_has_two_ends(self) -> None:
        made = bar(Scale(value=5.0, limit=5.0, accepted_low=4.7, accepted_high=5.3))
        assert made is not None
        assert made.zone is not None
        assert made.zone[0] < made.value < made.zone[1]  # type: ignore[operator]

    def test_everything_lies_within_the_drawing(self) -> None:
        made = bar(Scale(value=-1e9, other=1e9, low=-2e9, high=3e9, limit=0.0))
        assert made is not None
        places = (made.value, made.other, made.low, made.high, made.limit)
        assert all(0 <= place <= made.width for place in places)  # type: ignore[operator]

    def test_equal_figures_are_no_division_by_nothing(self) -> None:
        made = bar(Scale(value=35.0, limit=35.0))
        assert made is not None
        assert made.value == made.limit

    def test_without_a_figure_there_is_no_bar(self) -> None:
        assert bar(Scale(value=None, limit=35.0)) is None
        assert bar(Scale(value=35.0)) is None
