"""What a page must know of rows that came from any query."""

import pytest

from cupral.surfaces.web.tables import (
    badge_counts,
    column_names,
    is_numeric,
    is_reference,
    is_references,
)


def test_columns_come_in_their_order_without_empty_ones() -> None:
    rows = [{"zeta": 1, "alpha": None, "beta": ""}, {"zeta": 2, "gamma": [], "delta": 0}]
    assert column_names(rows) == ["zeta", "delta"]


def test_what_a_row_is_about_stands_first() -> None:
    rows = [{"intensity": 1.0, "value": 2.0, "line": "b", "site": "a"}]
    assert column_names(rows) == ["site", "line", "value", "intensity"]


def test_the_other_language_is_left_out() -> None:
    rows = [{"name_zh": "铜", "name_en": "copper", "text_zh": "只有"}]
    assert column_names(rows, "en") == ["name_en", "text_zh"]
    assert column_names(rows, "zh") == ["name_zh", "text_zh"]


def test_the_demonstration_flag_is_no_column() -> None:
    assert column_names([{"a": 1, "demonstration": True}]) == ["a"]


def test_numbers_and_gaps_are_numeric() -> None:
    rows = [{"a": 1.0, "b": "x", "c": True}, {"a": None, "b": 2, "c": False}]
    assert is_numeric(rows, "a")
    assert not is_numeric(rows, "b")
    assert not is_numeric(rows, "c")


@pytest.mark.parametrize(
    "text",
    ["flows:p/1", "assays:a:b/0", "parameter:x.y@2020-01-01", "result:q?a=1", "network:s@2",
     "posting:p", "document:clause/x", "stocktakes:p/3"],
)  # fmt: skip
def test_references_are_known_by_their_kind(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["", "flows:", "flow:p/1", "a flows:p/1", "result: x", 3, None])
def test_other_texts_are_no_references(text: object) -> None:
    assert not is_reference(text)


def test_lists_of_references() -> None:
    assert is_references(["flows:p/1", "flows:p/2"])
    assert not is_references([])
    assert not is_references(["flows:p/1", "x"])


def test_badges_are_counted_by_kind() -> None:
    badges = ["unconfirmed: a", "set aside as suspect: m (202601)", "unconfirmed: b"]
    assert badge_counts(badges) == [("unconfirmed", 2), ("set aside as suspect", 1)]
