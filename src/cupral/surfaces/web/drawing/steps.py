"""Steps: how a parameter's numbers hold over time, each from its day to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 640, 200, 64, 120, 12, 26
MOST_LINES = 6
"""Of a table's keys; the twin below shows all."""
_YEAR = 365
FAR = 20.0
"""Ratio of two numbers of a table from which one scale does not serve both."""
LETTERS = 12
"""Height of a line of letters."""


Span = tuple[int, int, Mapping[str, float]]
"""First day, day after the last (ordinals), and numbers by name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One number over time."""

    name: str
    path: str
    at: float
    """Height of its end, where its name stands."""
    dash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The picture, in places of the drawing."""

    lines: tuple[Line, ...]
    days: tuple[tuple[float, str], ...]
    """Where each value begins, and its day."""
    levels: tuple[tuple[float, float], ...]
    """Height and number of the grid."""
    relative: bool = False
    """Whether each number is drawn over its own first value."""
    left: float = LEFT
    right: float = WIDTH - RIGHT
    foot: float = HEIGHT - FOOT
    width: int = WIDTH
    height: int = HEIGHT


def steps(rows: Sequence[Mapping[str, Any]], today: date) -> Steps | None:
    """The curve of values in force ({valid_from, valid_to, value}); None without numbers.

    Examples
    --------
    >>> made = steps([{"valid_from": "2024-01-01", "valid_to": "", "value": 2.0},
    ...               {"valid_from": "2025-01-01", "valid_to": "", "value": 3.0}], date(2026, 1, 1))
    >>> [label for _, label in made.days], made.lines[0].path.count("V")
    (['2024-01-01', '2025-01-01'], 1)
    """
    spans = _spans(rows, today)
    names = list(dict.fromkeys(name for _, _, numbers in spans for name in numbers))[:MOST_LINES]
    relative = _far_apart(spans, names)
    if relative:
        spans = _over_first(spans, names)
    values = [numbers[name] for _, _, numbers in spans for name in names if name in numbers]
    if not values:
        return None
    first, last = spans[0][0], max(end for _, end, _ in spans)
    low, high = min(values), max(values)
    room = (high - low) or abs(high) or 1.0
    across = _scale(first, max(last, first + 1), LEFT, WIDTH - RIGHT)
    up = _scale(low - 0.1 * room, high + 0.1 * room, HEIGHT - FOOT, TOP)
    begun = dict.fromkeys(start for start, _, _ in spans)
    return Steps(
        relative=relative,
        lines=_apart([_line(name, n, spans, across, up) for n, name in enumerate(names)]),
        days=tuple((across(start), date.fromordinal(start).isoformat()) for start in begun),
        levels=tuple((up(level), level) for level in dict.fromkeys((low, high))),
    )


def _spans(rows: Sequence[Mapping[str, Any]], today: date) -> list[Span]:
    """First day, day after the last, and numbers of each value, where the next one cuts it."""
    held = sorted(rows, key=lambda row: str(row["valid_from"]))
    starts = [date.fromisoformat(row["valid_from"]).toordinal() for row in held]
    horizon = max([today.toordinal(), *(start + _YEAR for start in starts)], default=0)
    found: list[Span] = []
    for number, (row, start) in enumerate(zip(held, starts, strict=True)):
        until = date.fromisoformat(row["valid_to"]).toordinal() if row["valid_to"] else horizon
        ends = [until, *starts[number + 1 : number + 2]]
        found.append((start, min(ends), _numbers(row["value"])))
    return found


def _far_apart(spans: Sequence[Span], names: Sequence[str]) -> bool:
    firsts = [
        abs(numbers[name]) for _, _, numbers in spans[:1] for name in names if name in numbers
    ]
    return len(firsts) > 1 and min(firsts) > 0 and max(firsts) > FAR * min(firsts)


def _over_first(spans: Sequence[Span], names: Sequence[str]) -> list[Span]:
    """Each number over its first value."""
    first = spans[0][2]
    return [
        (start, end, {n: numbers[n] / first[n] for n in names if n in numbers and n in first})
        for start, end, numbers in spans
    ]


def _apart(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with their names below one another where these would overlap."""
    placed, last = dict[str, Line](), -float(LETTERS)
    for line in sorted(lines, key=lambda line: line.at):
        last = max(line.at, last + LETTERS)
        placed[line.name] = replace(line, at=last)
    return tuple(placed[line.name] for line in lines)


def _numbers(value: Any) -> dict[str, float]:
    table = value if isinstance(value, Mapping) else {"": value}
    return {
        str(name): float(item)
        for name, item in table.items()
        if isinstance(item, int | float) and not isinstance(item, bool)
    }


def _scale(first: float, last: float, start: float, end: float) -> Any:
    return lambda mark: round(start + (mark - first) / (last - first) * (end - start), 1)


def _line(name: str, number: int, spans: Sequence[Span], across: Any, up: Any) -> Line:
    path, before, height = "", None, 0.0
    for start, end, numbers in spans:
        if name in numbers:
            height = up(numbers[name])
            joined = before == start
            path += f"V{height}" if joined else f"M{across(start)} {height}"
            path += f"H{across(end)}"
            before = end
    return Line(name, path, height, number)
