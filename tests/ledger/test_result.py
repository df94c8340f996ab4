"""A Result is plain content with one canonical text, and shows itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.result import Result, Versions, result_key


def a_result(**changed: object) -> Result:
    """A Result with everything in it."""
    values = {
        "query": "plan.status", "subject": "T8", "period": "2026-03", "value": 0.31, "unit": "1",
        "sd": 0.02, "low": 0.27, "high": 0.34, "badges": ("proposal",), "needs": ("x.y",),
        "parts": ({"site": "A", "share": 0.2}, {"site": "B", "share": 0.11}),
        "tables": {"summary": ({"rows": 2},)},
        "lineage": ("flows:p/0", "parameter:s.norm@2023-01-01"),
        "versions": Versions(3, "p", "c"), "arguments": {"through": "2026-03"},
    }  # fmt: skip
    return Result(**{**values, **changed})  # type: ignore[arg-type]


def test_a_result_comes_back_from_its_document() -> None:
    assert Result.from_document(a_result().document()) == a_result()


def test_equal_content_has_equal_hash_and_any_change_another() -> None:
    assert a_result().sha256 == a_result().sha256
    changes = {
        "value": 0.32, "status": "met", "badges": (), "demonstration": True,
        "versions": Versions(4, "p", "c"), "lineage": ("flows:p/1",),
    }  # fmt: skip
    for name, value in changes.items():
        assert a_result(**{name: value}).sha256 != a_result().sha256, name


def test_numpy_numbers_become_plain() -> None:
    assert a_result(value=np.float64(0.31)).document() == a_result().document()
    assert a_result(parts=({"n": np.int64(2)},)).document()["parts"] == [{"n": 2}]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"plan.status.value is .*: a Result says None where"):
        a_result(value=wrong).document()
    with pytest.raises(ValueError, match=r"a Result says None where there is no number"):
        a_result(parts=({"x": wrong},)).document()


def test_a_result_prints_value_parts_and_sources() -> None:
    text = str(a_result(demonstration=True))
    assert text.splitlines()[0] == (
        "plan.status  T8 2026-03: 0.31 ± 0.02 1  [0.27, 0.34]  ok  (demonstration)"
    )
    assert "  site A  share 0.2" in text
    assert "  from parameter:s.norm@2023-01-01" in text
    assert "—" in str(a_result(value=None, low=None))


def test_versions_of_a_statement_share_the_key() -> None:
    assert a_result().key == a_result(value=1.0, versions=Versions(9)).key
    assert a_result().key == "plan.status?through=2026-03"
    assert result_key("plan.status", {}) == "plan.status"
    assert result_key("q", {"a": None, "b": True, "c": [1, "铜"]}) == 'q?b=true&c=[1, "铜"]'


def test_an_argument_cannot_pass_for_two() -> None:
    one, other = {"a": "1&b=2", "b": "3"}, {"a": "1", "b": "2&b=3"}
    assert result_key("q", one) != result_key("q", other)
    assert result_key("q", {"a": "1%262"}) != result_key("q", {"a": "1&2"})


texts = st.dictionaries(st.sampled_from("abc"), st.text("&=%26a", max_size=6), max_size=3)


@given(texts, texts)
def test_two_questions_never_read_alike(first: dict[str, str], second: dict[str, str]) -> None:
    assert (result_key("q", first) == result_key("q", second)) == (first == second)
