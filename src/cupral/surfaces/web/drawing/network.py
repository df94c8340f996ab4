"""Network drawing: processes as boxes from left to right, streams as lines between them.

What comes from or goes to the outside stands as a list above or below its process, so a
drawing of forty streams stays legible; recycles run below all boxes.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cupral.ledger.registers import Network, Stream
from cupral.surfaces.web.drawing import label
from cupral.surfaces.web.drawing.label import Point
from cupral.surfaces.web.drawing.layers import OUTSIDE, Edge, Layers, is_bend, layered

BOX_WIDTH, BOX_HEIGHT, LINE, STUB, GAP, MARGIN, LANE = 136, 48, 17, 16, 26, 26, 20
BETWEEN = (100.0, 160.0)
"""Least and most room between two columns, for the names of the lines there."""
SHEET = 1340.0
"""Width up to which a drawing is legible on a wide screen."""
LONGEST = 160.0
"""Width of a name that is not cut."""


@dataclass(frozen=True, slots=True)
class Box:
    """A process at its place, with the streams that cross the site's fence there."""

    id: str
    x: float
    y: float
    stock: bool
    entering: tuple[str, ...]
    leaving: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """A stream between two processes: an SVG path and the place of its label."""

    id: str
    path: str
    x: float
    y: float
    backward: bool
    label: str = ""
    places: tuple[Point, ...] = ()
    """Where its label may stand, best first."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and wires in a frame."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Upper left corner of each box (or bend) and the lowest line used."""

    at: Mapping[str, tuple[float, float]]
    bottom: float


def drawn(network: Network, names: Mapping[str, str] | None = None) -> Drawing:
    """Lay out a site's network, with the names of its streams in the reader's language."""
    nodes = [p.id for p in network.processes if p.id != OUTSIDE and p.kind != "outside"]
    outer = {p.id for p in network.processes} - set(nodes) | {OUTSIDE}
    edges = [_edge(stream, outer) for stream in network.streams]
    layout = layered(nodes, edges)
    entering, leaving = _crossing(edges)
    texts = {s.id: (names or {}).get(s.id, s.id) for s in network.streams}
    column = BOX_WIDTH + _between([texts[id] for id in layout.routes], len(layout.layers))
    places = _placed(layout, entering, leaving, column)
    stocks = {process.id for process in network.processes if process.kind == "stock"}
    boxes = tuple(
        Box(n, *places.at[n], n in stocks, tuple(entering[n]), tuple(leaving[n])) for n in nodes
    )
    wires = _wires(layout, edges, places)
    lanes = sum(wire.backward for wire in wires)
    width = MARGIN * 2 + (len(layout.layers) - 1) * column + BOX_WIDTH if nodes else MARGIN * 2
    height = places.bottom + lanes * LANE + MARGIN
    return Drawing(boxes, _labelled(wires, boxes, texts, width), width, height)


def _between(texts: Sequence[str], layers: int) -> float:
    """Room between two columns: for the longest name, if the drawing does not grow too wide."""
    least, most = BETWEEN
    free = (SHEET - 2 * MARGIN - layers * BOX_WIDTH) / max(layers - 1, 1)
    wanted = max((label.width(text) + 12 for text in texts), default=least)
    return max(least, min(wanted, most, free))


def _labelled(
    wires: Sequence[Wire], boxes: Sequence[Box], texts: Mapping[str, str], right: float
) -> tuple[Wire, ...]:
    """The wires with their labels where they cover neither each other nor a box."""
    taken = [area for box in boxes for area in _covered(box, texts)]
    shown = {wire.id: _cut(texts[wire.id]) for wire in wires}
    at = label.placed({wire.id: wire.places for wire in wires}, shown, taken, right)
    return tuple(
        replace(wire, x=at[wire.id][0], y=at[wire.id][1], label=shown[wire.id]) for wire in wires
    )


def _cut(text: str) -> str:
    """As much of a name as a line can bear."""
    while label.width(text) > LONGEST:
        text = f"{text.removesuffix('…')[:-1]}…"
    return text


def _covered(box: Box, texts: Mapping[str, str]) -> list[label.Area]:
    """What a box and the lists above and below it cover."""
    above = [box.y - 6 - LINE * n for n in range(len(box.entering))][::-1]
    below = [box.y + BOX_HEIGHT + 14 + LINE * n for n in range(len(box.leaving))]
    lines = zip((*above, *below), (*box.entering, *box.leaving), strict=True)
    return [
        label.Area(box.x, box.y, box.x + BOX_WIDTH, box.y + BOX_HEIGHT),
        *(label.area((box.x + 24, y), f"● {texts[id]}", middle=False) for y, id in lines),
    ]


def _edge(stream: Stream, outer: set[str]) -> Edge:
    source = OUTSIDE if stream.source in outer else stream.source
    return Edge(stream.id, source, OUTSIDE if stream.target in outer else stream.target)


def _crossing(edges: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    entering: dict[str, list[str]] = defaultdict(list)
    leaving: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.source == OUTSIDE and edge.target != OUTSIDE:
            entering[edge.target].append(edge.id)
        elif edge.target == OUTSIDE and edge.source != OUTSIDE:
            leaving[edge.source].append(edge.id)
    return entering, leaving


def _placed(
    layout: Layers, entering: Mapping[str, list[str]], leaving: Mapping[str, list[str]],
    column: float,
) -> _Places:  # fmt: skip
    def above(node: str) -> float:
        return len(entering.get(node, ())) * LINE + (STUB if entering.get(node) else 0)

    def below(node: str) -> float:
        return len(leaving.get(node, ())) * LINE + (STUB if leaving.get(node) else 0)

    def tall(node: str) -> float:
        return GAP if is_bend(node) else above(node) + BOX_HEIGHT + below(node) + GAP

    heights = [sum(tall(node) for node in layer) for layer in layout.layers]
    tallest = max(heights, default=0.0)
    at: dict[str, tuple[float, float]] = {}
    for number, layer in enumerate(layout.layers):
        y = MARGIN + (tallest - heights[number]) / 2
        for node in layer:
            at[node] = (MARGIN + number * column, y + above(node))
            y += tall(node)
    return _Places(at, MARGIN + tallest)


def _wires(layout: Layers, edges: Sequence[Edge], places: _Places) -> list[Wire]:
    ports = _Ports(edges, layout.backward, places)
    wires, lane = [], 0
    for edge in edges:
        if edge.id in layout.backward:
            lane += 1
            wires.append(_returning(edge, places, places.bottom + lane * LANE - LANE / 2, lane))
        elif edge.id in layout.routes:
            wires.append(_forward(edge, layout.routes[edge.id], places, ports))
    return wires


class _Ports:
    """Where lines leave and enter the sides of boxes: spread, in the order of the far ends."""

    def __init__(self, edges: Sequence[Edge], backward: frozenset[str], places: _Places) -> None:
        inner = [e for e in edges if OUTSIDE not in (e.source, e.target) and e.id not in backward]
        self._leaving = Counter(edge.source for edge in inner)
        self._entering = Counter(edge.target for edge in inner)
        self._rank: dict[tuple[str, str], int] = {}
        by_far_end = sorted(inner, key=lambda e: (places.at[e.target][1], places.at[e.source][1]))
        self._number("out", [(edge.source, edge.id) for edge in by_far_end])
        by_near_end = sorted(inner, key=lambda e: (places.at[e.source][1], places.at[e.target][1]))
        self._number("in", [(edge.target, edge.id) for edge in by_near_end])

    def _number(self, side: str, ends: list[tuple[str, str]]) -> None:
        seen: Counter[str] = Counter()
        for node, edge in ends:
            self._rank[side, edge] = seen[node]
            seen[node] += 1

    def out(self, edge: Edge) -> float:
        """Height on the right side of the source at which an edge leaves."""
        return BOX_HEIGHT * (self._rank["out", edge.id] + 1) / (self._leaving[edge.source] + 1)

    def into(self, edge: Edge) -> float:
        """Height on the left side of the target at which an edge enters."""
        return BOX_HEIGHT * (self._rank["in", edge.id] + 1) / (self._entering[edge.target] + 1)


def _forward(edge: Edge, route: Sequence[str], places: _Places, ports: _Ports) -> Wire:
    points = []
    for node in route:
        x, y = places.at[node]
        if is_bend(node):
            points += [(x, y + GAP / 2), (x + BOX_WIDTH, y + GAP / 2)]
        elif node == edge.source:
            points.append((x + BOX_WIDTH, y + ports.out(edge)))
        else:
            points.append((x - 5, y + ports.into(edge)))
    steps = [f"M{points[0][0]:.0f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        steps.append(f"C{middle:.0f} {y0:.1f} {middle:.0f} {y1:.1f} {x1:.0f} {y1:.1f}")
    stretches = list(pairwise(points))
    level = stretches[1::2]  # through a bend a line runs level, where a name reads best
    spots = [at for start, end in (*level, *stretches[::2]) for at in label.along(start, end)]
    return Wire(edge.id, " ".join(steps), *spots[0], False, places=tuple(spots))


def _returning(edge: Edge, places: _Places, level: float, lane: int) -> Wire:
    """Out at the right side, down between the columns, back below all boxes, up, in at the left."""
    (x0, y0), (x1, y1) = places.at[edge.source], places.at[edge.target]
    right, left = x0 + BOX_WIDTH, x1 - 5
    down, up = right + 8 + 5 * (lane % 3), left - 5 - 5 * (lane % 3)
    height = BOX_HEIGHT - 5
    path = (
        f"M{right:.0f} {y0 + height:.1f} H{down - 5:.0f}"
        f" Q{down:.0f} {y0 + height:.1f} {down:.0f} {y0 + height + 5:.1f}"
        f" V{level - 5:.1f} Q{down:.0f} {level:.1f} {down - 5:.0f} {level:.1f} H{up + 5:.0f}"
        f" Q{up:.0f} {level:.1f} {up:.0f} {level - 5:.1f} V{y1 + height + 5:.1f}"
        f" Q{up:.0f} {y1 + height:.1f} {up + 5:.0f} {y1 + height:.1f} H{left:.0f}"
    )
    shares = (down + (up - down) * step for step in label.STEPS)
    spots = tuple((x, level - 3) for x in shares)
    return Wire(edge.id, path, *spots[0], True, places=spots)
