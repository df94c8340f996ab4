"""Revision: what the difference of two versions tells."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.methods.secrecy import Column, Rule, axis, difference, entries, lattice, singled

MADE = lattice([axis({"all": ["a", "b", "c"]}, "all")])
CELLS = {"all": 0, "a": 1, "b": 2, "c": 3}
FILED = {("a", n): 100.0 + n for n in range(5)} | {("b", 5): 60.0} | {
    ("c", n): 40.0 + n for n in (6, 7, 8)}  # fmt: skip
HIDDEN = np.array([False, False, True, True])


def table(changed: dict[Any, float]) -> Column:
    """The table with some filings changed (None = not filed)."""
    filed = {**FILED, **changed}
    kept = [key for key in filed if filed[key] is not None]
    leaf = np.array([CELLS[place] for place, _ in kept])
    holder = np.array([n for _, n in kept])
    return MADE.panel([leaf], [holder], [np.array([filed[k] for k in kept])], 12).columns[0]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, set()),
        ({("a", 0): 120.0}, {(0, False), (1, False)}),
        ({("a", 0): 120.0, ("a", 1): 80.0}, {(0, False), (1, False)}),
        ({("a", 0): 120.0, ("a", 1): 80.0, ("a", 2): 115.0}, set()),
        # one of three changes by far the most
        ({("a", 0): 900.0, ("a", 1): 102.0, ("a", 2): 103.0}, {(0, False), (1, False)}),
        # the rest of the total over its open part is the lone firm's
        ({("a", 0): 120.0, ("a", 1): 121.0, ("a", 2): 122.0, ("b", 5): 75.0}, {(0, True)}),
        # the open part is still, and three of the hidden ones change
        ({("b", 5): 75.0, ("c", 6): 60.0, ("c", 7): 61.0}, set()),
        # a late filing is a change of its whole amount
        ({("a", 9): 50.0}, {(0, False), (1, False)}),
    ],
)
def test_what_a_revision_gives_away(changed: dict[Any, float], found: set[Any]) -> None:
    """Solved by hand: (cell, whether it is the hidden rest)."""
    relations = MADE.relations
    got = singled(table({}), table(changed), relations, HIDDEN, Rule())
    assert {(one.cell, one.rest) for one in got if not one.rest or (one.cell, True) in found} == (
        found
    )


@given(st.dictionaries(st.sampled_from(sorted(FILED)), st.floats(1.0, 1e6), max_size=5))
def test_a_difference_adds_to_the_first_version(changed: dict[Any, float]) -> None:
    """Value by value, and names only those who changed."""
    before, after = table({}), table(changed)
    change = difference(before, after)
    assert before.value + change.value == pytest.approx(after.value, rel=1e-6)
    movers = {n for (place, n), new in changed.items() if abs(new - FILED[place, n]) > 1e-2}
    assert movers <= set(change.holder.tolist())


def test_versions_of_the_same_content_differ_by_nothing() -> None:
    """Nor does rounding in the last digit count."""
    one = entries(1, np.array([0]), np.array([0]), np.array([1e9]))
    two = entries(1, np.array([0]), np.array([0]), np.array([1e9 + 1e-3]))
    assert difference(one, two).cell.size == 0
