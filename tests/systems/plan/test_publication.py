"""Published targets: which headline values the public sees."""

from typing import Any

import pytest

from cupral.ledger.errors import CannotDecide
from cupral.ledger.ledger import Ledger
from cupral.ledger.release import BASIS, KIND
from cupral.methods.secrecy import Rule
from cupral.system import ask, open_ledger, order
from cupral.systems.plan.compute import publishing
from tests.systems.plan.province import THROUGH, build

RULE = Rule()
ROW: dict[str, Any] = {
    "target": "T2", "test_id": "T2-level", "indicator_zh": "产量", "indicator_en": "output",
    "figure": "level", "relation": "左右", "threshold": 170.0, "unit": "万吨",
    "judged_on_zh": "全年", "judged_on_en": "full year", "decided_by": "reconciled",
    "declared": 171.0, "reconciled": 170.126, "verdict": "met",
}  # fmt: skip


def line(firm: str, value: float, **more: Any) -> dict[str, Any]:
    """One contribution."""
    return {"basis": "reconciled", "kind": "sum", "element": "", "enterprise": firm,
            "value": value, **more}  # fmt: skip


def shown(rows: list[dict[str, Any]], before: list[Any] | None = None) -> tuple[Any, Any]:
    """What the public sees of these contributions."""
    groups = publishing.given(rows, "reconciled")
    return publishing.shown(ROW, groups, before or [], RULE, "2026-01..2026-04")


FOUR = [line("a", 50.0), line("a", 10.0), line("b", 55.0), line("c", 45.0), line("d", 40.0)]


def test_a_figure_of_four_is_shown_rounded_and_by_no_name() -> None:
    """Its value, verdict and how many contribute."""
    row, mine = shown(FOUR)
    assert (row["value"], row["verdict"], row["enterprises"], row["mark"]) == (170.13, "met", 4, "")
    assert mine["a"] == [60.0, 60.0, 0.0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [line("a", 50.0), line("b", 50.0)],
        [line("a", 900.0), line("b", 50.0), line("c", 50.0)],
        # a share: capacities count, not the points that one line adds
        [line("a", 0.1, capacity=900.0), line("b", 0.0, capacity=50.0),
         line("c", 0.0, capacity=50.0)],
        # a lowest element of which two plants have assays, beside one that all have
        [*(line(f, 0.9, kind="mean", weight=1.0, element="Au") for f in "abcd"),
         *(line(f, 0.8, kind="mean", weight=1.0, element="Re") for f in "ab")],
        # four now, but last year one made all of it: growth would tell
        [line("a", 50.0, base=50.0), *(line(f, 50.0, base=1.0) for f in "bcd")],
    ],
    ids=["none", "two", "dominated", "capacity", "element", "base"],
)  # fmt: skip
def test_a_figure_of_too_few_is_withheld_with_its_verdict(rows: list[dict[str, Any]]) -> None:
    """The verdict would bound it."""
    row, mine = shown(rows)
    assert (row["value"], row["verdict"], row["enterprises"], row["mark"]) == (None, "", None, "x")
    assert row["note_en"] == "suppressed: needs at least three enterprises, none dominant"
    assert mine == {}


def test_a_step_of_one_firm_keeps_the_earlier_figure() -> None:
    """That of three is shown; each version before counts."""
    row, mine = shown(FOUR)
    before = [{"given": mine, "row": row}]
    moved = [line("a", 70.0), *FOUR[2:]]
    held, _ = shown(moved, before)
    assert (held["value"], held["mark"], held["note_en"]) == (170.13, "*", publishing.HELD_EN)
    assert shown(FOUR, before)[0]["mark"] == ""
    three = [line("a", 70.0), line("b", 64.0), line("c", 53.0), line("d", 40.0)]
    assert shown(three, before)[0]["mark"] == ""
    after = [*before, {"given": shown(three, before)[1], "row": row}]
    back = [line("a", 70.0), line("b", 55.0), line("c", 45.0), line("d", 40.0)]
    assert shown(back, after)[0]["mark"] == "*"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The small province of five works, published: no product has three makers."""
    ledger = build(open_ledger(tmp_path_factory.mktemp("publication") / "ledger"))
    order(ledger, "plan.publish_status", author="department", through=THROUGH)
    return ledger


def test_the_small_province_shows_what_three_contribute_to(published: Ledger) -> None:
    """No product of it has three makers; all five firms grow, three make the copper value."""
    rows = ask(published, "plan.published_status").parts
    assert len(rows) == 10
    assert {row["target"] for row in rows if row["mark"] != "x"} == {"T1", "T4"}
    assert all(row["value"] is None and row["verdict"] == "" for row in rows if row["mark"] == "x")


def test_the_public_reads_the_release_only(published: Ledger) -> None:
    """Live figures are not asked for."""
    with published.reading() as read:
        ask(published, "plan.published_status")
    assert {scope[0] for scope in read.scopes} == {f"document:{KIND}"}


def test_publishing_again_makes_no_new_version(published: Ledger) -> None:
    """And what it stands on stays with the department."""
    document = order(published, "plan.publish_status", author="department", through=THROUGH)
    (basis,) = published.documents(BASIS)
    assert (document.version, document.party, basis.party) == (1, "public", "department")


def test_nothing_is_published_at_first(built: Ledger) -> None:
    """The public is told so."""
    with pytest.raises(CannotDecide, match="no release plan:"):
        ask(built, "plan.published_status")
