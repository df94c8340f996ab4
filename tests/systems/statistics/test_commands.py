"""Filing of returns: what is posted, what is refused, and that nothing is half done."""

from dataclasses import replace
from typing import Any

import pytest

from cupral.ledger.errors import Conflict, InputError, RowFaults
from cupral.ledger.ledger import Ledger
from cupral.system import ask
from cupral.systems.statistics.commands import file_returns
from tests.systems.statistics.filings import FIRMS, file, filing, item, register


@pytest.fixture
def firms(ledger: Ledger) -> Ledger:
    """Three registered firms."""
    register(ledger)
    return ledger


def rows(ledger: Ledger, **filters: Any) -> list[dict[str, Any]]:
    """Current declared rows."""
    found: list[dict[str, Any]] = ledger.flows(origin="declared", **filters).to_pylist()
    return found


def test_a_return_becomes_declared_rows_and_a_document(firms: Ledger) -> None:
    """Stream, material, ends, unit and group as the contract of returns says."""
    lines = [
        item("line_output", 50.0, "t", site="cu-a-site", line="L", product="cathode_copper"),
        item("line_energy", 90.0, "MWh", site="cu-a-site", line="L", boundary="comprehensive"),
    ]
    given = filing("cu-a", "2026-03", 100.0, value_added_rate=0.2)
    given["items"] += lines
    done = file(firms, [given])
    assert (done.status, done.returns, done.rows, done.warnings) == ("posted", 1, 6, ())
    found = {row["stream"]: row for row in rows(firms)}
    assert {
        stream: (r["site"], r["source"], r["target"], r["material"], r["amount"], r["unit"])
        for stream, r in found.items()
    } == {
        "return:output:cathode_copper":
            ("cu-a", "cu-a", "outside", "cathode_copper", 100.0, "t"),
        "return:revenue": ("cu-a", "outside", "cu-a", "revenue", 1100.0, "CNY"),
        "return:gross_output_value":
            ("cu-a", "cu-a", "outside", "gross_output_value", 1000.0, "CNY"),
        "return:value_added": ("cu-a", "cu-a", "outside", "value_added", 200.0, "CNY"),
        "return:line:L:output":
            ("cu-a-site", "cu-a-site", "outside", "cathode_copper", 50.0, "t"),
        "return:line:L:comprehensive":
            ("cu-a-site", "outside", "cu-a-site", "energy", 90.0, "MWh"),
    }  # fmt: skip
    assert {r["correlation_group"] for r in found.values()} == {"returns:cu-a"}
    assert {r["meter"] for r in found.values()} == {"return"}
    assert found["return:revenue"]["sd"] == pytest.approx(11.0)
    assert found["return:line:L:output"]["sd"] == pytest.approx(0.25)
    document = firms.document("return", "cu-a:2026-03")
    assert (document.party, document.state, document.posting) == ("cu-a", "filed", done.posting)
    assert document.body["value_added_rate"] == 0.2
    assert document.body["above_designated_size"] is True


def test_units_are_converted_where_they_enter(firms: Ledger) -> None:
    """万吨, 亿元, 万千瓦时 become t, CNY, MWh."""
    given = filing("cu-a", "2026-03", 1.0)
    given["items"] = [
        item("output", 1.5, "万吨", product="cathode_copper"),
        item("revenue", 2.0, "亿元"),
        item("line_energy", 3.0, "万千瓦时", site="cu-a-site", line="L", boundary="comprehensive"),
    ]
    file(firms, [given])
    amounts = {row["stream"]: row["amount"] for row in rows(firms)}
    assert amounts == {
        "return:output:cathode_copper": pytest.approx(15000.0),
        "return:revenue": pytest.approx(2e8),
        "return:line:L:comprehensive": pytest.approx(30.0),
    }


def test_value_added_follows_from_output_value_and_rate(firms: Ledger) -> None:
    """Not given but the rate is: gross output value x rate."""
    given = filing("cu-a", "2026-03", 1.0, value_added_rate=0.17)
    given["items"] = [item("gross_output_value", 1000.0, "CNY")]
    file(firms, [given])
    assert [r["amount"] for r in rows(firms, stream="return:value_added")] == [pytest.approx(170)]


def test_january_february_may_be_merged(firms: Ledger) -> None:
    """One row from 1 January to 1 March."""
    file(firms, [filing("cu-a", "2026-JF", 200.0)])
    (row,) = rows(firms, stream="return:revenue")
    assert (row["start"].month, row["start"].day, row["end"].month) == (1, 1, 3)


FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "unknown firm": ({"enterprise": "cu-x"}, "column enterprise.*not registered.*did you mean cu-"),
    "no firm": ({"enterprise": ""}, "register the enterprise first"),
    "no period": ({"period": "March"}, "column period.*write a month 2026-03 or 2026-JF"),
    "quarter": ({"period": "2026-Q1"}, "a quarter is no period of a return"),
    "year": ({"period": "2026"}, "a year is no period of a return"),
    "list unstated": ({"above_designated_size": None}, "above_designated_size.*true or false"),
    "list as text": ({"above_designated_size": "yes"}, "above_designated_size.*true or false"),
    "rate above one": ({"value_added_rate": 17}, "value_added_rate.*a fraction from 0 to 1"),
    "rate negative": ({"value_added_rate": -0.1}, "value_added_rate.*a fraction from 0 to 1"),
    "rate not a number": ({"value_added_rate": "a"}, "value_added_rate.*a fraction"),
    "index as growth": ({"price_index": 1.5}, "price_index.*100 = last year"),
    "unknown key": ({"colour": "red"}, "column colour: unknown column"),
    "no rows": ({"items": []}, "column items: no rows"),
    "rows as text": ({"items": "x"}, "column items: no rows"),
    "restated what": ({"restated": {"profit": 3}}, "restated.*unknown figure"),
    "restated negative": ({"restated": {"revenue": -3}}, "revenue is not a number >= 0"),
    "item": ({"items": [item("profit", 1.0, "CNY")]}, "column item.*unknown item"),
    "row key": ({"items": [item("revenue", 1.0, "CNY", note="x")]}, "column note: unknown column"),
    "product": ({"items": [item("output", 1.0, "t", product="gnome")]}, "unknown product"),
    "no product": ({"items": [item("output", 1.0, "t")]}, "unknown product"),
    "unit": ({"items": [item("revenue", 1.0, "bananas")]}, "column unit.*bananas"),
    "no unit": ({"items": [item("revenue", 1.0, "")]}, "revenue is in CNY"),
    "dimension": ({"items": [item("revenue", 1.0, "t")]}, "column unit.*revenue is in CNY"),
    "negative": ({"items": [item("revenue", -1.0, "CNY")]}, "column amount.*negative"),
    "text": ({"items": [item("revenue", "much", "CNY")]}, "column amount.*no number"),
    "nothing": ({"items": [item("revenue", None, "CNY")]}, "write digits, 0 if there was none"),
    "truth": ({"items": [item("revenue", True, "CNY")]}, "column amount.*no number"),
    "twice": ({"items": [item("revenue", 1, "CNY"), item("revenue", 2, "CNY")]}, "given twice"),
    "line": (
        {"items": [item("line_output", 1, "t", site="cu-a-site", line="X",
                        product="cathode_copper")]},
        "column line.*not registered.*lines: cu-a-site L",
    ),
    "site of another": (
        {"items": [item("line_output", 1, "t", site="al-a-site", line="L",
                        product="primary_aluminium")]},
        "belongs to al-a",
    ),
    "product of the line": (
        {"items": [item("line_output", 1, "t", site="cu-a-site", line="L", product="alumina")]},
        "line L makes cathode_copper",
    ),
    "boundary": (
        {"items": [item("line_energy", 1, "MWh", site="cu-a-site", line="L", boundary="ac")]},
        "unknown boundary.*liquid_ac",
    ),
}  # fmt: skip
"""What is wrong with a return and how the error says so."""


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_return_names_row_column_and_cure(firms: Ledger, name: str) -> None:
    """The second return is faulty: it is named, and the good first one is not posted."""
    changes, match = FAULTY[name]
    good, bad = filing("cu-b", "2026-03", 1.0), filing("cu-a", "2026-03", 1.0) | changes
    with pytest.raises(RowFaults, match=rf"(?s)row 2, .*{match}"):
        file(firms, [good, bad])
    assert (firms.head, firms.documents("return")) == (0, [])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"price_index": float("inf")}, "price_index.*100 = last year"),
        ({"items": [item("revenue", float("nan"), "CNY")]}, "column amount.*no number"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(
    firms: Ledger, changes: dict[str, Any], match: str
) -> None:
    """Called directly, without the audit that refuses them already."""
    with pytest.raises(RowFaults, match=match):
        file_returns(firms, author="t", returns=[filing("cu-a", "2026-03", 1.0) | changes])


def test_all_faults_are_told_at_once(firms: Ledger) -> None:
    """Not one per attempt."""
    with pytest.raises(RowFaults) as caught:
        file(firms, [filing("cu-x", "2026", 1.0), filing("cu-a", "2026-03", -1.0)])
    assert {(fault.row, fault.column) for fault in caught.value.faults} == {
        (1, "enterprise"), (1, "period"), (2, "amount"),
    }  # fmt: skip


def test_no_returns_are_an_error(firms: Ledger) -> None:
    """An empty list is a mistake of the caller."""
    with pytest.raises(InputError, match="no returns"):
        file(firms, [])


@pytest.mark.parametrize(
    ("one", "other"), [("2026-03", "2026-03"), ("2026-JF", "2026-01"), ("2026-02", "2026-JF")]
)
def test_a_period_is_filed_once(firms: Ledger, one: str, other: str) -> None:
    """Not twice in a batch, and not both merged and single."""
    with pytest.raises(RowFaults, match="is also in return 1"):
        file(firms, [filing("cu-a", one, 1.0), filing("cu-a", other, 2.0)])


@pytest.mark.parametrize(("one", "other"), [("2026-JF", "2026-01"), ("2026-02", "2026-JF")])
def test_merged_and_single_months_collide_across_batches(
    firms: Ledger, one: str, other: str
) -> None:
    """Also with supersede: a different period corrects nothing."""
    file(firms, [filing("cu-a", one, 1.0)])
    for supersede in (False, True):
        with pytest.raises(RowFaults, match="already filed as cu-a:"):
            file(firms, [filing("cu-a", other, 2.0)], supersede=supersede)


def test_filing_the_same_again_changes_nothing(firms: Ledger) -> None:
    """Idempotent: 'already', no new posting."""
    given = [filing("cu-a", "2026-03", 1.0)]
    first, again = file(firms, given), file(firms, given)
    assert (first.status, again.status, again.posting) == ("posted", "already", first.posting)
    assert len(firms.postings()) == 1


def test_filing_something_else_for_the_same_month_is_a_conflict(firms: Ledger) -> None:
    """It says how to correct."""
    file(firms, [filing("cu-a", "2026-03", 1.0)])
    with pytest.raises(Conflict, match=r"cu-a:2026-03.*with supersede"):
        file(firms, [filing("cu-a", "2026-03", 2.0)])


def test_a_correction_supersedes_the_whole_return(firms: Ledger) -> None:
    """Old rows are countered, the document has a new version, history stays."""
    file(firms, [filing("cu-a", "2026-03", 1.0), filing("cu-b", "2026-03", 5.0)])
    file(firms, [filing("cu-a", "2026-03", 2.0)], supersede=True)
    revenues = {row["site"]: row["amount"] for row in rows(firms, stream="return:revenue")}
    assert revenues == {"cu-a": pytest.approx(22.0), "cu-b": pytest.approx(55.0)}
    before = rows(firms, stream="return:revenue", site="cu-a", as_of=1)
    assert [row["amount"] for row in before] == [pytest.approx(11.0)]
    assert firms.document("return", "cu-a:2026-03").version == 2


def test_a_correction_must_mention_what_it_drops(firms: Ledger) -> None:
    """Leaving out a row would leave the old figure standing."""
    file(firms, [filing("cu-a", "2026-03", 1.0)])
    short = filing("cu-a", "2026-03", 2.0)
    short["items"] = short["items"][:2]
    with pytest.raises(RowFaults, match=r"had return:gross_output_value of cu-a.*amount 0"):
        file(firms, [short], supersede=True)


def test_a_dry_run_checks_and_posts_nothing(firms: Ledger) -> None:
    """Counts and faults as in earnest."""
    done = file(firms, [filing("cu-a", "2026-03", 1.0)], dry_run=True)
    assert (done.status, done.returns, done.rows) == ("dry run", 1, 4)
    assert firms.head == 0
    with pytest.raises(RowFaults):
        file(firms, [filing("cu-x", "2026-03", 1.0)], dry_run=True)
    file(firms, [filing("cu-a", "2026-03", 1.0)])
    with pytest.raises(Conflict):
        file(firms, [filing("cu-a", "2026-03", 2.0)], dry_run=True)


def test_outliers_are_questioned_with_a_hint_at_the_unit(firms: Ledger) -> None:
    """Ten thousand times last year looks like 万吨 for t; 40 % more is not questioned."""
    file(firms, [filing("cu-a", "2025-03", 10.0), filing("cu-b", "2025-03", 10.0)])
    done = file(firms, [filing("cu-a", "2026-03", 1e5), filing("cu-b", "2026-03", 14.0)])
    assert len(done.warnings) == 4
    assert all("is the unit right (a factor 1e4)?" in text for text in done.warnings)
    assert all(text.startswith("cu-a ") for text in done.warnings)


def test_outliers_are_found_within_one_batch_and_for_merged_months(firms: Ledger) -> None:
    """Both years filed together, January-February merged."""
    done = file(firms, [filing("cu-a", "2025-JF", 10.0), filing("cu-a", "2026-JF", 30.0)])
    assert len(done.warnings) == 4
    assert "3 times last year" in done.warnings[0]


def test_a_rate_that_does_not_fit_is_questioned(firms: Ledger) -> None:
    """Value added 2 of output value 10 is no rate of 0.3."""
    done = file(firms, [filing("cu-a", "2026-03", 1.0, value_added_rate=0.3)])
    assert done.warnings == (
        "cu-a:2026-03: value added / gross output value is 0.200, rate says 0.3",
    )


def test_what_is_questioned_and_refused_are_parameters(firms: Ledger) -> None:
    """Amended, they hold at once: a tolerance of 20 points, an index up to 900."""
    changed = {"statistics.value_added_rate_tolerance": 0.2,
               "statistics.price_index_range": {"low": 20, "high": 900}}  # fmt: skip
    book = firms.book
    news = [replace(dated, value=changed[id]) for id in changed for dated in book.dated(id)]
    amended = replace(firms, shipped=book.amended(news))
    given = [filing("cu-a", "2026-03", 1.0, value_added_rate=0.3, price_index=800.0)]
    with pytest.raises(RowFaults, match=r"price_index.*from 20 to 500"):
        file(firms, given)
    assert file(amended, given).warnings == ()


def test_every_filing_is_audited(firms: Ledger) -> None:
    """Also the one that fails."""
    file(firms, [filing("cu-a", "2026-03", 1.0)])
    with pytest.raises(Conflict):
        file(firms, [filing("cu-a", "2026-03", 2.0)])
    outcomes = [row["outcome"] for row in firms.records.audit()]
    assert outcomes[0] == "done" or outcomes[-1] == "done"
    assert any(text.startswith("Conflict") for text in outcomes)


def test_demonstration_firms_mark_their_rows(ledger: Ledger) -> None:
    """The flag travels from the register to rows, documents and results."""
    register(ledger, ["cu-a"])
    firm = ledger.enterprise("cu-a")
    ledger.register(type(firm)(id="cu-a", name_zh="a", name_en="a", chain="copper",
                               demonstration=True), author="t")  # fmt: skip
    file(ledger, [filing("cu-a", "2026-03", 1.0)])
    assert all(row["demonstration"] for row in rows(ledger))
    assert ledger.document("return", "cu-a:2026-03").demonstration
    assert ask(ledger, "statistics.output", product="cathode_copper", year=2026).demonstration


def test_the_firms_of_the_tests_are_what_they_seem() -> None:
    """Guards the fixtures: both chains occur."""
    assert set(FIRMS.values()) == {"copper", "aluminium"}


# -- faults told as faults -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"items": [1]}, "column items.*is no row"),
        ({"restated": [1]}, "column restated.*write a table"),
        ({"items": [item("revenue", 1e308, "万元")]}, "column amount.*too large"),
    ],
)
def test_values_of_another_kind_are_faults(
    firms: Ledger, changes: dict[str, Any], match: str
) -> None:
    """Not a crash."""
    with pytest.raises(RowFaults, match=match):
        file(firms, [filing("cu-a", "2026-03", 1.0) | changes])


def test_a_return_that_is_no_table_is_a_fault(firms: Ledger) -> None:
    """The list may hold anything."""
    with pytest.raises(RowFaults, match=r"row 1.*is no return"):
        file_returns(firms, author="t", returns=["x"])  # type: ignore[list-item]


def test_a_change_beyond_all_measure_is_questioned(firms: Ledger) -> None:
    """1e300 over 1e-300 overflows; it is a question all the same."""
    file(firms, [filing("cu-a", "2025-03", 1e-300)])
    assert len(file(firms, [filing("cu-a", "2026-03", 1e300)]).warnings) == 4
