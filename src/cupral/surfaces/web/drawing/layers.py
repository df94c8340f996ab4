"""Layers: a network of processes and streams laid out from left to right.

Raw materials enter at the left, products leave at the right. A stream that runs back
(a recycle) is laid out against the order and drawn as an arc below.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

OUTSIDE = "outside"
_SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Edge:
    """A stream to be laid out; `source` or `target` may be the outside world."""

    id: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Layers:
    """Nodes by layer in drawing order, and the edges that run backwards."""

    layers: tuple[tuple[str, ...], ...]
    backward: frozenset[str]
    routes: Mapping[str, tuple[str, ...]]
    """Nodes that a forward edge passes, its ends included; a bend is named 'edge~layer'."""


def layered(nodes: Sequence[str], edges: Sequence[Edge]) -> Layers:
    """Lay out nodes so that edges run from left to right where they can.

    Examples
    --------
    >>> made = layered(["a", "b"], [Edge("1", "a", "b"), Edge("2", "b", "a")])
    >>> made.layers, sorted(made.backward)
    ((('a',), ('b',)), ['2'])
    """
    inner = [e for e in edges if OUTSIDE not in (e.source, e.target) and e.source != e.target]
    backward = backward_edges(nodes, inner, edges)
    forward = [edge for edge in inner if edge.id not in backward]
    depth = _depths(nodes, forward)
    routes = {edge.id: _route(edge, depth) for edge in forward}
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        layers[depth[node]].append(node)
    for edge in forward:
        for number, bend in enumerate(routes[edge.id][1:-1], start=depth[edge.source] + 1):
            layers[number].append(bend)
    ordered = _ordered(layers, routes)
    return Layers(tuple(tuple(layer) for layer in ordered), frozenset(backward), routes)


def is_bend(node: str) -> bool:
    """Whether a place in a layer is only a bend of a long edge."""
    return "~" in node


def _route(edge: Edge, depth: Mapping[str, int]) -> tuple[str, ...]:
    between = range(depth[edge.source] + 1, depth[edge.target])
    return (edge.source, *(f"{edge.id}~{layer}" for layer in between), edge.target)


def backward_edges(
    nodes: Sequence[str], inner: Sequence[Edge], edges: Sequence[Edge] = ()
) -> set[str]:
    """Edges that close a cycle when walking from the nodes that the outside feeds."""
    fed = {edge.target for edge in edges if edge.source == OUTSIDE}
    leaving: dict[str, list[Edge]] = defaultdict(list)
    for edge in inner:
        leaving[edge.source].append(edge)
    entered = {edge.target for edge in inner}
    start = sorted(nodes, key=lambda node: (node in entered, node not in fed, nodes.index(node)))
    state: dict[str, int] = {}
    backward: set[str] = set()
    for node in start:
        if node not in state:
            _walk(node, leaving, state, backward)
    return backward


def _walk(
    first: str, leaving: dict[str, list[Edge]], state: dict[str, int], backward: set[str]
) -> None:
    """Depth first; state 1 = on the present path, 2 = done."""
    state[first] = 1
    path = [(first, iter(leaving[first]))]
    while path:
        node, remaining = path[-1]
        edge = next(remaining, None)
        if edge is None:
            state[node] = 2
            path.pop()
        elif state.get(edge.target) == 1:
            backward.add(edge.id)
        elif edge.target not in state:
            state[edge.target] = 1
            path.append((edge.target, iter(leaving[edge.target])))


def _depths(nodes: Sequence[str], forward: Sequence[Edge]) -> dict[str, int]:
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        moved = False
        for edge in forward:
            if depth[edge.target] < depth[edge.source] + 1:
                depth[edge.target] = depth[edge.source] + 1
                moved = True
        if not moved:
            break
    return depth


def _ordered(layers: list[list[str]], routes: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Fewer crossings: each layer by the mean place of its neighbours, swept to and fro."""
    near: dict[str, list[str]] = defaultdict(list)
    for route in routes.values():
        for one, two in pairwise(route):
            near[one].append(two)
            near[two].append(one)
    for _ in range(_SWEEPS):
        for layer in [*layers, *reversed(layers)]:
            place = {n: (k + 0.5) / len(row) for row in layers for k, n in enumerate(row)}
            layer.sort(key=lambda node: _mean([place[n] for n in near[node]], place[node]))
    return layers


def _mean(values: list[float], usual: float) -> float:
    return sum(values) / len(values) if values else usual
