"""Label: where the name of each line of a drawing stands, so that no two cover each other."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
HEIGHT, WIDE, NARROW = 14.0, 12.0, 6.4
"""Of a letter [px]: height, width of a Chinese one and of any other."""
BESIDE = (-3.0, 12.0, -18.0, 26.0)
"""How far below the line its name stands [px], best first."""
STEPS = (0.5, 0.36, 0.64, 0.24, 0.76, 0.14, 0.86)
"""Shares of a stretch at which a label may stand, the middle first."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle that something covers."""

    left: float
    top: float
    right: float
    bottom: float

    def shared(self, other: "Area") -> float:
        """What two rectangles have in common [px²].

        Examples
        --------
        >>> Area(0, 0, 2, 2).shared(Area(1, 1, 5, 5)), Area(0, 0, 1, 1).shared(Area(2, 0, 3, 1))
        (1, 0.0)
        """
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * high if wide > 0 and high > 0 else 0.0


def width(text: str) -> float:
    """Width of a text as it is drawn [px].

    Examples
    --------
    >>> width("ab"), width("铜")
    (12.8, 12.0)
    """
    return sum(WIDE if unicodedata.east_asian_width(sign) in "WF" else NARROW for sign in text)


def area(at: Point, text: str, *, middle: bool = True) -> Area:
    """What a text covers whose middle (or beginning) stands on a point of its base line."""
    x, y = at
    left = x - width(text) / 2 if middle else x
    return Area(left, y - HEIGHT + 3, left + width(text), y + 3)


def along(start: Point, end: Point) -> list[Point]:
    """Places on a line that leaves and arrives level: a little above it, else beside it."""
    (x0, y0), (x1, y1) = start, end
    on = []
    for t in STEPS:
        ends, middles = ((1 - t) ** 3, t**3), (3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2)
        x = ends[0] * x0 + ends[1] * x1 + sum(middles) * (x0 + x1) / 2
        on.append((x, (ends[0] + middles[0]) * y0 + (ends[1] + middles[1]) * y1))
    return [(x, y + beside) for beside in BESIDE for x, y in on]


def placed(
    candidates: Mapping[str, Sequence[Point]], texts: Mapping[str, str], taken: Iterable[Area],
    right: float,
) -> dict[str, Point]:  # fmt: skip
    """A place for each label: the first that is free, else the one that covers least.

    Parameters
    ----------
    candidates : places of each label, best first
    texts : what each label says
    taken : what boxes and lists cover
    right : right edge of the drawing, which no label crosses [px]
    """
    occupied, places = list(taken), {}
    for name in sorted(candidates, key=lambda name: len(candidates[name])):
        inside = [_inside(place, texts[name], right) for place in candidates[name]]
        covered = [
            sum(area(place, texts[name]).shared(other) for other in occupied) for place in inside
        ]
        places[name] = inside[covered.index(min(covered))]
        occupied.append(area(places[name], texts[name]))
    return places


def _inside(place: Point, text: str, right: float) -> Point:
    half = width(text) / 2
    return (max(half, min(place[0], right - half)), place[1])
