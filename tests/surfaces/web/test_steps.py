"""The curve of a parameter: each value holds from its day to the next one's, none before."""

import itertools
import re
from datetime import date
from typing import Any

import pytest

from cupral.surfaces.web.drawing.steps import LETTERS, MOST_LINES, Steps, steps

TODAY = date(2026, 6, 1)


def row(valid_from: str, value: Any, valid_to: str = "") -> dict[str, Any]:
    """One value of a parameter."""
    return {"valid_from": valid_from, "valid_to": valid_to, "value": value}


def drawn(*rows: dict[str, Any]) -> Steps:
    """The picture, which there must be."""
    made = steps(rows, TODAY)
    assert made is not None
    return made


def corners(path: str) -> list[float]:
    """Places across at which a path begins or turns."""
    return [float(x) for x in re.findall(r"[MH]([\d.]+)", path)]


def test_a_value_holds_until_the_next_begins() -> None:
    """The order of the rows does not matter."""
    rows = [row("2025-01-01", 3.0), row("2024-01-01", 2.0, "2030-01-01")]
    (line,) = drawn(*rows).lines
    assert drawn(*reversed(rows)).lines == (line,)
    begin, turn, end = corners(line.path)
    (first, _), (second, _) = drawn(*rows).days
    assert (begin, turn) == (first, second)
    assert end > turn


def test_where_nothing_holds_nothing_is_drawn() -> None:
    (line,) = drawn(row("2020-01-01", 1.0, "2021-01-01"), row("2024-01-01", 2.0)).lines
    assert line.path.count("M") == 2


def test_higher_numbers_stand_higher_and_within_the_picture() -> None:
    made = drawn(row("2024-01-01", {"low": 1.0, "high": 2.0}))
    heights = {line.name: float(line.path.partition(" ")[2].partition("H")[0])
               for line in made.lines}  # fmt: skip
    assert 0 < heights["high"] < heights["low"] < made.foot


def test_numbers_far_apart_are_drawn_over_their_first() -> None:
    made = drawn(row("2024-01-01", {"gold": 7e8, "acid": 500}),
                 row("2025-01-01", {"gold": 7.7e8, "acid": 450}))  # fmt: skip
    assert made.relative
    assert [level for _, level in made.levels] == pytest.approx([0.9, 1.1])
    assert not drawn(row("2024-01-01", {"a": 1, "b": 2})).relative


def test_names_do_not_overlap_and_are_few() -> None:
    made = drawn(row("2024-01-01", {f"n{number}": 5.0 for number in range(9)}))
    places = sorted(line.at for line in made.lines)
    assert len(places) == MOST_LINES
    assert all(b - a >= LETTERS for a, b in itertools.pairwise(places))


@pytest.mark.parametrize("value", [["Au"], {"左右": "near"}, "text", True])
def test_what_is_no_number_is_not_drawn(value: Any) -> None:
    assert steps([row("2024-01-01", value)], TODAY) is None
    assert steps([], TODAY) is None
