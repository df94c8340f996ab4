"""The layout of networks: order, recycles, long edges."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.surfaces.web.drawing.layers import Edge, backward_edges, is_bend, layered


def edges(*pairs: str) -> list[Edge]:
    """Edges from texts such as 'ab' (a to b); '-' is the outside."""
    names = {"-": "outside"}
    return [
        Edge(f"e{number}", names.get(pair[0], pair[0]), names.get(pair[1], pair[1]))
        for number, pair in enumerate(pairs)
    ]


def depth(made: object) -> dict[str, int]:
    """Layer of each node."""
    return {n: k for k, layer in enumerate(made.layers) for n in layer}  # type: ignore[attr-defined]


def test_a_chain_is_one_node_a_layer() -> None:
    assert layered(["a", "b", "c"], edges("-a", "ab", "bc", "c-")).layers == (
        ("a",),
        ("b",),
        ("c",),
    )


def test_what_the_outside_feeds_stands_first_whatever_the_order() -> None:
    made = layered(["c", "b", "a"], edges("-a", "ab", "bc", "c-"))
    assert depth(made)["a"] == 0
    assert made.backward == frozenset()


def test_a_recycle_runs_backward() -> None:
    made = layered(["a", "b", "c"], edges("-a", "ab", "bc", "ca"))
    assert made.backward == {"e3"}


def test_two_nodes_that_feed_each_other() -> None:
    made = layered(["a", "b"], edges("ab", "ba"))
    assert len(made.backward) == 1


def test_a_long_edge_bends_in_every_layer_between() -> None:
    made = layered(["a", "b", "c"], edges("ab", "bc", "ac"))
    assert made.routes["e2"] == ("a", "e2~1", "c")
    assert is_bend("e2~1")
    assert not is_bend("c")
    assert "e2~1" in made.layers[1]


def test_lines_that_need_not_cross_do_not() -> None:
    made = layered(["a", "b", "x", "y"], edges("ay", "bx"))
    left, right = made.layers
    assert (left.index("a") < left.index("b")) == (right.index("y") < right.index("x"))


def test_nothing_is_laid_out_as_nothing() -> None:
    assert layered([], []).layers == ()


def test_a_stream_to_itself_is_not_drawn() -> None:
    assert layered(["a"], [Edge("e", "a", "a")]).routes == {}


def test_a_network_of_many_nodes_does_not_recurse() -> None:
    nodes = [f"n{k}" for k in range(2000)]
    chain = [Edge(f"e{k}", f"n{k}", f"n{k + 1}") for k in range(1999)]
    assert backward_edges(nodes, chain) == set()


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 12), lines=st.integers(0, 30), seed=st.integers(0, 10_000))
def test_forward_edges_always_run_to_the_right(count: int, lines: int, seed: int) -> None:
    chance = random.Random(seed)
    nodes = [f"n{k}" for k in range(count)]
    made_of = [
        Edge(f"e{k}", chance.choice([*nodes, "outside"]), chance.choice([*nodes, "outside"]))
        for k in range(lines)
    ]
    made = layered(nodes, made_of)
    where = depth(made)
    assert sorted(n for n in where if not is_bend(n)) == sorted(nodes)
    for route in made.routes.values():
        steps = [where[node] for node in route]
        assert steps == list(range(steps[0], steps[0] + len(steps)))


@pytest.mark.parametrize("seed", range(5))
def test_the_layout_does_not_change_from_run_to_run(seed: int) -> None:
    chance = random.Random(seed)
    nodes = [f"n{k}" for k in range(8)]
    lines = [Edge(f"e{k}", *chance.sample(nodes, 2)) for k in range(14)]
    assert layered(nodes, lines) == layered(nodes, lines)
