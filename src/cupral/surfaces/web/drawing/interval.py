"""Interval bar: a figure with its interval against the zone that a target accepts."""

from collections.abc import Callable
from dataclasses import dataclass

WIDTH, HEIGHT, EDGE = 240, 40, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the bar shows, in the target's unit."""

    value: float | None
    other: float | None = None
    """The same figure on the other basis (declared or reconciled)."""
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    accepted_low: float | None = None
    accepted_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The same in places of the drawing."""

    value: float | None
    other: float | None
    low: float | None
    high: float | None
    limit: float | None
    zone: tuple[float, float] | None
    width: int = WIDTH
    height: int = HEIGHT


def bar(scale: Scale) -> Bar | None:
    """Place the marks; None if there is nothing to draw.

    Examples
    --------
    >>> made = bar(Scale(value=35.0, low=33.0, high=37.0, limit=35.0, accepted_low=35.0))
    >>> made.value == made.limit, made.zone[1] > made.zone[0], made.low < made.value < made.high
    (True, True, True)
    """
    given = (scale.value, scale.other, scale.low, scale.high, scale.limit)
    marks = [m for m in (*given, scale.accepted_low, scale.accepted_high) if m is not None]
    if scale.value is None or len(marks) < 2:
        return None
    place = _placing(min(marks), max(marks))
    return Bar(
        value=_placed(scale.value, place), other=_placed(scale.other, place),
        low=_placed(scale.low, place), high=_placed(scale.high, place),
        limit=_placed(scale.limit, place), zone=_zone(scale, place),
    )  # fmt: skip


def _placing(first: float, last: float) -> Callable[[float], float]:
    spread = (last - first) or abs(last) or 1.0
    start, length = first - 0.12 * spread, 1.24 * spread
    return lambda mark: round(EDGE + (mark - start) / length * (WIDTH - 2 * EDGE), 1)


def _placed(mark: float | None, place: Callable[[float], float]) -> float | None:
    return None if mark is None else place(mark)


def _zone(scale: Scale, place: Callable[[float], float]) -> tuple[float, float] | None:
    if scale.accepted_low is None and scale.accepted_high is None:
        return None
    low = EDGE / 2 if scale.accepted_low is None else place(scale.accepted_low)
    high = WIDTH - EDGE / 2 if scale.accepted_high is None else place(scale.accepted_high)
    return (low, high)
