"""Laws of contributions, gaps, roll-ups, moves and changes."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.registers import Site
from cupral.ledger.result import Result
from cupral.systems.plan.compute import changes, contributing, moving
from cupral.systems.plan.model import Source

positive = st.floats(1e-3, 1e9)


def _row(value: float, **more: Any) -> dict[str, Any]:
    place = {"city": "c", "cluster": "k", "enterprise": "e", "site": "s", "line": "L"}
    return {**place, "basis": "declared", "kind": "sum", "element": "", "unit": "t",
            "value": value, "base": None, "weight": 1.0, **more}  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(1, 1e6)), min_size=1, max_size=8), positive)
def test_gaps_of_a_sum_add_up_to_the_gap(parts: list[tuple[float, float]], required: float) -> None:
    """What the parts lack is what the whole lacks."""
    rows = [_row(value, base=base) for value, base in parts]
    gaps = contributing.sum_gaps(rows, required, 1.2)
    whole = required - 1.2 * sum(value for value, _ in parts)
    assert math.fsum(gap["gap"] for gap in gaps) == pytest.approx(whole, rel=1e-9, abs=1e-6)
    assert [gap["gap"] for gap in gaps] == sorted((gap["gap"] for gap in gaps), reverse=True)
    assert {gap["by"] for gap in gaps} == {"last year's base"}


def test_without_a_base_the_present_share_is_due() -> None:
    """One unknown base: every part is due by what it gives now."""
    gaps = contributing.sum_gaps([_row(1.0, base=None), _row(3.0, base=2.0)], 8.0, 1.0)
    assert {gap["by"]: gap["gap"] for gap in gaps[:1]} == {"present share": 3.0}


@given(st.lists(st.tuples(st.floats(100, 400), st.floats(1, 1e4)), min_size=1, max_size=8))
def test_gaps_of_a_mean_add_up_to_its_distance(parts: list[tuple[float, float]]) -> None:
    """Weight times distance, summed, is the mean's distance from the threshold."""
    rows = [_row(value, weight=weight, kind="mean") for value, weight in parts]
    gaps = contributing.mean_gaps(rows, 210.0)
    mean = sum(v * w for v, w in parts) / sum(w for _, w in parts)
    assert math.fsum(gap["gap"] for gap in gaps) == pytest.approx(mean - 210.0, abs=1e-6)


def test_the_next_line_to_cross_the_benchmark_comes_first() -> None:
    """Lines that do not count yet, nearest first; those without a figure last."""
    rows = [
        _row(0.0, line="far", capacity=2.0, intensity=13300.0),
        _row(0.0, line="idle", capacity=1.0, intensity=None),
        _row(0.5, line="counts", capacity=5.0, intensity=12900.0),
        _row(0.0, line="near", capacity=2.0, intensity=13010.0),
    ]
    gaps = contributing.gaps(rows, 0.35)
    assert [(gap["line"], gap["gap"]) for gap in gaps] == [
        ("near", 0.2), ("far", 0.2), ("idle", 0.1)
    ]  # fmt: skip


def test_nobody_holds_the_gap_of_a_ratio_of_elements() -> None:
    """A worst-element ratio is not a sum of its plants; nothing is invented."""
    assert contributing.gaps([_row(0.9, element="Au")], 0.98) == []
    assert contributing.gaps([], 1.0) == []


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.floats(0.0, 1e6)), min_size=1, max_size=9))
def test_roll_ups_lose_nothing(parts: list[tuple[str, float]]) -> None:
    """Cities add up to the province, and their shares to 1."""
    rows = [_row(value, city=city) for city, value in parts]
    rolled = contributing.rolled(rows, "city")
    total = math.fsum(value for _, value in parts)
    assert math.fsum(row["value"] for row in rolled) == pytest.approx(total)
    if total > 0:
        assert math.fsum(row["share"] for row in rolled) == pytest.approx(1.0)


def test_means_are_weighted_when_rolled_up() -> None:
    """A city's specific energy is its output-weighted mean; it has no share of a sum."""
    rows = [_row(200.0, weight=3.0, kind="mean"), _row(240.0, weight=1.0, kind="mean")]
    (row,) = contributing.rolled(rows, "city")
    assert (row["value"], row["share"]) == (210.0, None)


def test_an_enterprise_with_sites_in_two_cities_lies_in_several() -> None:
    """Its declared figure is not put into one of them."""
    sites = [Site(id=n, name_zh=n, name_en=n, enterprise="e", city=f"city-{n}") for n in "ab"]
    source = Source(query="q.q", basis="declared", parts={"value": "to_date"}, unit="t")
    result = Result(query="q", subject="", parts=({"enterprise": "e", "to_date": 4.0}, {"x": 1}))
    (row,) = contributing.of_parts(result, source, sites)
    assert (row["city"], row["site"], row["value"]) == ("several", "several", 4.0)
    one = contributing.of_parts(result, source, sites[:1])
    assert one[0]["city"] == "city-a"
    assert contributing.of_parts(result, replace(source, parts={}), sites) == []


def test_only_sites_that_moved_are_named() -> None:
    """Against the declared value of the same line, else against its own meter."""
    rows = [
        _row(5.0, site="same"), _row(5.0, site="same", basis="reconciled"),
        _row(5.0, site="moved"), _row(4.0, site="moved", basis="reconciled"),
        _row(4.0, site="metered", basis="reconciled", measured=4.5),
        _row(4.0, site="several", basis="reconciled", measured=1.0),
    ]  # fmt: skip
    found = moving.moved(rows)
    assert {site: move.amount for site, move in found.items()} == {"moved": -1.0, "metered": -0.5}


def test_doubts_are_grouped_over_months_and_direct_ones_come_first() -> None:
    """Twelve months of one doubt are one row; meters on the line's own streams lead."""
    rows = [{"group": ["far"], "kind": "bias", "size": 9.0, "unit": "t", "month": 202601}] + [
        {"group": ["own", "own"], "kind": "bias", "size": size, "unit": "t", "month": month}
        for size, month in ((1.0, 202601), (3.0, 202602))
    ]
    balance = Result(query="q", subject="site", tables={"suspects": tuple(rows)})
    found = moving.doubts(balance, {"own"}, moving.Move(-1.0, "t"), "T2")
    assert [(row["meters"], row["months"], row["size"]) for row in found] == [
        (["own"], [202601, 202602], 2.0), (["far"], [202601], 9.0),
    ]  # fmt: skip
    assert [row["moved"] for row in found] == [-1.0, None], "a far meter moved nothing by itself"
    assert [row["meters"] for row in moving.telling(found)] == [["own"]]


def test_changes_name_what_was_and_what_is() -> None:
    """Only figures that differ, with the posting they stood on."""
    old = {"test_id": "A", "target": "T1", "unit": "%", "declared": 4.0, "met_declared": "not met",
           "reconciled": 5.0, "met_reconciled": "met"}  # fmt: skip
    new = {**old, "reconciled": 3.0, "met_reconciled": "not met"}
    (row,) = changes.changes([old], [new], 7)
    assert (row["figure"], row["was"], row["now"]) == ("reconciled", 5.0, 3.0)
    assert (row["was_met"], row["now_met"], row["since"]) == ("met", "not met", 7)
    assert changes.changes([new], [new], 7) == ()
    assert changes.changes([new], [{**new, "reconciled": 3.0 + 1e-13}], 7) == (), "only noise"
    assert len(changes.changes([], [new], 7)) == 2, "a new test has no past"
    gone = {**new, "reconciled": None, "met_reconciled": "cannot decide"}
    assert changes.changes([new], [gone], 7)[0]["now"] is None
    versions = [{"body": {"parts": [new]}, "seq": 9}, {"body": {"parts": [old]}, "seq": 7}]
    found = changes.latest_other(versions, [new])
    assert found is not None
    assert found["seq"] == 7
    assert changes.latest_other(versions[:1], [new]) is None
