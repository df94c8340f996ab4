"""The ledger: postings are idempotent, corrected by counter-rows, read now or as of a number."""

# budget: the one suite of the one facade; its fixtures are used throughout

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from cupral.ledger.audit import verify
from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from tests.ledger.rows import assay, flow, stocktake
from tests.ledger.server import again


def amounts(ledger: Ledger, **asked: object) -> dict[str, float]:
    """Current amount by stream."""
    rows = ledger.flows(**asked).to_pylist()  # type: ignore[arg-type]
    found = {row["stream"]: row["amount"] for row in rows}
    assert len(found) == len(rows), "a stream stands twice"
    return found


# -- posting ---------------------------------------------------------------------------------


def test_what_is_posted_is_read_back_whole(ledger: Ledger) -> None:
    receipt = ledger.post(
        "p1", author="me", flows=[flow(lineage="a.csv line 2")], assays=[assay()],
        stocktakes=[stocktake()],
    )  # fmt: skip
    assert (receipt.seq, receipt.status, receipt.rows) == (1, "posted", 3)
    assert str(receipt) == "posted p1: number 1, 3 rows"
    row = ledger.flows().to_pylist()[0]
    recorded_at = row.pop("recorded_at")
    assert recorded_at > datetime(2026, 1, 1)
    assert row == {
        "month": 202601, "posting": "p1", "row": 0, "sign": 1, "corrects": "",
        "site": "A", "stream": "S1", "source": "outside", "target": "smelting",
        "material": "concentrate", "amount": 10.0, "unit": "t", "start": datetime(2026, 1, 1),
        "end": datetime(2026, 2, 1), "origin": "measured", "sd": 0.5, "meter": "M-S1",
        "correlation_group": "", "correlation": 0.0, "demonstration": False,
        "lineage": "a.csv line 2",
    }  # fmt: skip
    assert ledger.assays(element="Cu").column("fraction").to_pylist() == [0.25]
    assert ledger.stocktakes(process="yard").column("amount").to_pylist() == [500.0]


def test_posting_again_says_already_and_other_content_is_a_conflict(ledger: Ledger) -> None:
    first = ledger.post("p1", author="me", flows=[flow()])
    again = ledger.post("p1", author="me", flows=[flow()])
    assert (again.status, again.seq, again.rows) == ("already", 1, 1)
    assert again.content_sha == first.content_sha
    with pytest.raises(
        Conflict, match=r"posting 'p1' exists \(number 1\) with other content; give"
    ):
        ledger.post("p1", author="me", flows=[flow(amount=10.000001)])
    assert amounts(ledger) == {"S1": 10.0}
    assert ledger.head == 1


def test_posting_again_with_supersede_says_already_too(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    ledger.post("p2", author="me", flows=[flow(amount=12.0)], supersede=True)
    again = ledger.post("p2", author="me", flows=[flow(amount=12.0)], supersede=True)
    assert (again.status, again.rows) == ("already", 2)
    assert amounts(ledger) == {"S1": 12.0}


def test_amounts_are_kept_in_the_canonical_unit(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[
        flow("S1", 1000.0, unit="kg", sd=50.0), flow("S2", 3.6, unit="GJ", sd=0.36),
        flow("S3", 2.0, unit="万元"), flow("S4", 7.0, unit="t"),
    ], stocktakes=[stocktake(amount=5000.0, unit="kg", sd=10.0)])  # fmt: skip
    rows = {row["stream"]: row for row in ledger.flows().to_pylist()}
    kept = {name: (row["amount"], row["unit"]) for name, row in rows.items()}
    assert kept == {"S1": (1.0, "t"), "S2": (1.0, "MWh"), "S3": (2e4, "CNY"), "S4": (7.0, "t")}
    assert rows["S1"]["sd"] == pytest.approx(0.05)
    assert rows["S2"]["sd"] == pytest.approx(0.1)
    assert ledger.stocktakes().column("sd").to_pylist() == [pytest.approx(0.01)]


def test_negative_amounts_are_rows_like_others(ledger: Ledger) -> None:
    """A net correction of a month, or a flow that ran against its stream."""
    ledger.post("p1", author="me", flows=[flow(amount=-3.0)])
    assert amounts(ledger) == {"S1": -3.0}
    ledger.reverse("p1", author="me", reason="typing error")
    assert amounts(ledger) == {}


BAD = [
    ({"amount": float("nan")}, "flows.amount row 1 is not a finite number"),
    ({"amount": float("inf")}, "flows.amount row 1 is not a finite number"),
    ({"sd": -1.0}, "flows.sd row 1 is negative; a standard uncertainty is >= 0"),
    ({"sd": float("nan")}, "flows.sd row 1 is not a finite number"),
    ({"end": datetime(2026, 1, 1)}, "flows.end row 1 is not after start"),
    ({"origin": "guessed"}, r"flows.origin \['guessed'\] unknown; use \['measured', 'declared'"),
    ({"unit": "parsec"}, "unit 'parsec' measures nothing that the ledger keeps"),
    ({"unit": "xyz"}, "unit 'xyz' is not known"),
    ({"unit": None}, "flows.unit has 1 empty values; none is allowed"),
    ({"site": ""}, "flows.site row 1 is empty; give its id"),
    ({"correlation": 1.5}, r"flows.correlation row 1 lies outside 0\.\.1"),
    ({"amount": "ten"}, "flows.amount cannot be read as double"),
    ({"start": "January"}, r"flows.start cannot be read as timestamp\[us\]"),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_a_row_that_is_not_allowed_posts_nothing(
    ledger: Ledger, changed: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        ledger.post("p1", author="me", flows=[flow("S0"), flow(**changed)], assays=[assay()])
    assert ledger.head == 0
    assert ledger.flows().num_rows == 0
    assert not list(ledger.folder.rglob("*.parquet"))


@pytest.mark.parametrize("fraction", [5.0, 1.0001, -0.01])
def test_a_mass_fraction_lies_between_0_and_1(ledger: Ledger, fraction: float) -> None:
    with pytest.raises(InputError, match=r"assays.fraction row 0 lies outside 0\.\.1; it"):
        ledger.post("p1", author="me", assays=[assay(fraction=fraction)])
    ledger.post("p2", author="me", assays=[assay("S1", 0.0), assay("S2", 1.0)])


def test_rows_of_another_noun_are_refused(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="flows takes Flow rows, not Assay"):
        ledger.post("p1", author="me", flows=[assay()])


def test_a_posting_needs_content_an_id_and_an_author(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="posting 'p1' holds no rows and settles nothing"):
        ledger.post("p1", author="me")
    for id, author in (("", "me"), ("p1", ""), (" p1", "me"), ("p\n1", "me"), ("p1", "a\0b")):
        with pytest.raises(InputError, match=r"a posting needs an (id|author) of printable"):
            ledger.post(id, author=author, flows=[flow()])
    with pytest.raises(InputError, match="'reverse:' marks what `reverse` posts"):
        ledger.post("reverse:p1", author="me", flows=[flow()])


@pytest.mark.parametrize(
    "id", ["upload/2026/01", "它's", 'a"b', "x; drop table posting", "p:1#2@3"]
)
def test_ids_may_hold_any_printable_text(ledger: Ledger, id: str) -> None:
    ledger.post(id, author="me", flows=[flow(meter=id, site=id)])
    ledger.post("next", author="me", flows=[flow(meter=id, site=id, amount=11.0)], supersede=True)
    row = ledger.flows(site=id, meter=[id]).to_pylist()[0]
    assert (row["amount"], row["corrects"]) == (11.0, f"{id}/0")
    assert ledger.reverse("next", author="me", reason="x").rows == 2
    assert amounts(ledger, site=id) == {"S1": 10.0}


# -- Arrow tables ----------------------------------------------------------------------------


def table(count: int = 4) -> pa.Table:
    """Flows as an Arrow table, as another program would send them."""
    noun = flow()
    names = [name for name in type(noun).__slots__ if name != "stream"]
    columns: dict[str, object] = {name: [getattr(noun, name)] * count for name in names}
    columns["stream"] = [f"S{number}" for number in range(count)]
    return pa.table(columns)


def replaced(rows: pa.Table, name: str, column: object) -> pa.Table:
    """The table with another column of that name."""
    return rows.set_column(rows.schema.get_field_index(name), name, column)


def test_a_table_is_posted_like_nouns(ledger: Ledger, tmp_path: object) -> None:
    by_table = ledger.post("p1", author="me", flows=table(2))
    nouns = [flow("S0", meter="M-S1"), flow("S1")]
    assert ledger.post("p1", author="me", flows=nouns).content_sha == by_table.content_sha


@pytest.mark.parametrize(
    ("name", "kind"),
    [("site", pa.dictionary(pa.int8(), pa.string())),
     ("unit", pa.dictionary(pa.int32(), pa.string())),
     ("unit", pa.large_string()), ("material", pa.string_view()), ("amount", pa.int16()),
     ("sd", pa.float32()), ("start", pa.timestamp("ns")), ("start", pa.timestamp("s"))],
)  # fmt: skip
def test_columns_of_other_types_say_the_same(ledger: Ledger, name: str, kind: pa.DataType) -> None:
    first = ledger.post("p1", author="me", flows=table())
    column = table().column(name).combine_chunks()
    encoded = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
    again = ledger.post("p1", author="me", flows=replaced(table(), name, encoded))
    assert (again.status, again.content_sha) == ("already", first.content_sha)


def test_times_with_a_zone_become_plant_time(ledger: Ledger) -> None:
    utc = pa.array([datetime(2025, 12, 31, 16)] * 4, pa.timestamp("us", "UTC"))
    ledger.post("p1", author="me", flows=replaced(table(), "start", utc))
    assert ledger.flows().column("start").to_pylist() == [datetime(2026, 1, 1)] * 4
    aware = flow("S9", start=datetime(2025, 12, 31, 16, tzinfo=UTC))
    ledger.post("p2", author="me", flows=[aware])
    row = ledger.flows(stream="S9").to_pylist()[0]
    assert (row["start"], row["month"]) == (datetime(2026, 1, 1), 202601)


def test_dictionaries_convert_their_unit(ledger: Ledger) -> None:
    units = pa.array(["kg", "t", "kg", "GJ"]).dictionary_encode()
    ledger.post("p1", author="me", flows=replaced(table(), "unit", units))
    assert amounts(ledger) == pytest.approx({"S0": 0.01, "S1": 10, "S2": 0.01, "S3": 10 / 3.6})
    assert ledger.flows().column("unit").to_pylist() == ["t", "t", "t", "MWh"]


def test_a_table_that_lacks_a_column_or_cannot_be_read_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InputError, match=r"flows rows lack the columns \['unit', 'sd'\]; needed"):
        ledger.post("p1", author="me", flows=table().drop(["unit", "sd"]))
    with pytest.raises(InputError, match=r"flows\.amount cannot be read as double: Failed"):
        ledger.post("p1", author="me", flows=replaced(table(1), "amount", pa.array(["1,5"])))
    with pytest.raises(InputError, match="nothing to post"):
        ledger.post("p1", author="me", flows=table().slice(0, 0))


def test_an_empty_detection_limit_may_be_nan_but_not_infinite(ledger: Ledger) -> None:
    ledger.post("p1", author="me", assays=[
        assay("S1"), assay("S2", detection_limit=float("nan")), assay("S3", detection_limit=1e-6),
    ])  # fmt: skip
    assert ledger.assays().column("detection_limit").to_pylist() == [None, None, 1e-6]
    with pytest.raises(InputError, match=r"assays\.detection_limit row 0 is not a finite number"):
        ledger.post("p2", author="me", assays=[assay(detection_limit=float("inf"))])


# -- corrections -----------------------------------------------------------------------------


def test_a_correction_replaces_only_the_row_with_its_key(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow("S1", 1.0), flow("S2", 2.0), flow("S3", 3.0)])
    receipt = ledger.post("p2", author="me", flows=[flow("S2", 20.0)], supersede=True)
    assert receipt.rows == 2
    assert amounts(ledger) == {"S1": 1.0, "S2": 20.0, "S3": 3.0}
    assert ledger.flows(stream="S2").column("corrects").to_pylist() == ["p1/1"]


@pytest.mark.parametrize(
    "other",
    [{"site": "B"}, {"stream": "S2"}, {"meter": "M2"}, {"material": "matte"},
     {"origin": "declared"}, {"end": datetime(2026, 3, 1)}, {"start": datetime(2026, 1, 2)}],
)  # fmt: skip
def test_a_row_with_another_key_is_not_replaced(ledger: Ledger, other: dict[str, object]) -> None:
    ledger.post("p1", author="me", flows=[flow(amount=1.0)])
    ledger.post("p2", author="me", flows=[flow(amount=2.0, **other)], supersede=True)
    assert sorted(ledger.flows().column("amount").to_pylist()) == [1.0, 2.0]


def test_assays_and_stocktakes_are_corrected_too(ledger: Ledger) -> None:
    ledger.post("p1", author="me", assays=[assay()], stocktakes=[stocktake()])
    ledger.post(
        "p2", author="me", assays=[assay(fraction=0.3)], stocktakes=[stocktake(amount=1.0)],
        supersede=True,
    )  # fmt: skip
    assert ledger.assays().column("fraction").to_pylist() == [0.3]
    assert ledger.stocktakes().column("amount").to_pylist() == [1.0]


def test_a_chain_of_corrections_leaves_the_last(ledger: Ledger) -> None:
    for number in range(5):
        ledger.post(f"p{number}", author="me", flows=[flow(amount=number)], supersede=True)
    assert amounts(ledger) == {"S1": 4.0}
    assert ledger.totals(by=["stream"]).to_pylist()[0]["rows"] == 1


def test_a_row_that_stands_twice_is_replaced_twice(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow(amount=1.0)])
    ledger.post("p2", author="me", flows=[flow(amount=1.0)])
    receipt = ledger.post("p3", author="me", flows=[flow(amount=5.0)], supersede=True)
    assert receipt.rows == 3
    assert amounts(ledger) == {"S1": 5.0}


def test_reversing_undoes_a_posting_and_restores_what_it_had_replaced(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow("S1", 1.0), flow("S2", 2.0)])
    ledger.post("p2", author="me", flows=[flow("S2", 20.0), flow("S3", 30.0)], supersede=True)
    receipt = ledger.reverse("p2", author="you", reason="wrong file")
    assert (receipt.id, receipt.rows) == ("reverse:p2", 3)
    assert amounts(ledger) == {"S1": 1.0, "S2": 2.0}
    assert ledger.postings()[-1]["note"] == "wrong file"


def test_reversing_twice_says_already(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    first = ledger.reverse("p1", author="me", reason="wrong")
    again = ledger.reverse("p1", author="me", reason="wrong")
    assert (again.status, again.seq, again.rows) == ("already", first.seq, 1)


def test_a_reversal_can_be_reversed_again_and_again(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow(amount=1.0)])
    ledger.post("p2", author="me", flows=[flow(amount=2.0)], supersede=True)
    expected, id = [1.0, 2.0, 1.0, 2.0], "p2"
    for amount in expected:
        id = ledger.reverse(id, author="me", reason="changed my mind").id
        assert amounts(ledger) == {"S1": amount}
        assert ledger.totals(by=["stream"]).to_pylist()[0]["amount"] == amount


def test_what_stands_again_can_be_reversed_again(ledger: Ledger) -> None:
    """'already' is said only where nothing stands."""
    ledger.post("p1", author="me", flows=[flow(amount=7.0)])
    ids = []
    for _ in range(3):
        undone = ledger.reverse("p1", author="me", reason="wrong")
        ids.append((undone.id, undone.status))
        assert amounts(ledger) == {}
        assert ledger.reverse("p1", author="me", reason="wrong").status == "already"
        assert ledger.reverse(undone.id, author="me", reason="right after all").status == "posted"
        assert amounts(ledger) == {"S1": 7.0}
    assert ids == [(f"{'reverse:' * times}p1", "posted") for times in (1, 3, 5)]
    assert verify(ledger, 2).intact


def test_a_reversal_that_was_reversed_and_replaced_is_no_longer_already(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow(amount=1.0)])
    ledger.reverse("p1", author="me", reason="wrong")
    ledger.reverse("reverse:p1", author="me", reason="right")
    ledger.post("p2", author="me", flows=[flow(amount=2.0)], supersede=True)
    with pytest.raises(InputError, match="nothing of posting 'p1' stands any more"):
        ledger.reverse("p1", author="me", reason="wrong")


def test_a_reversed_posting_is_not_posted_already(ledger: Ledger) -> None:
    """Its number is used up; the cures that the error names both work."""
    ledger.post("p1", author="me", flows=[flow(amount=7.0)])
    ledger.reverse("p1", author="me", reason="wrong")
    told = (
        "posting 'p1' was posted .number 1. and reversed by 'reverse:p1': nothing of it stands;"
        " reverse 'reverse:p1', or give the content an id of its own"
    )
    with pytest.raises(Conflict, match=told):
        ledger.post("p1", author="me", flows=[flow(amount=7.0)])
    ledger.reverse("reverse:p1", author="me", reason="right after all")
    assert ledger.post("p1", author="me", flows=[flow(amount=7.0)]).status == "already"
    assert amounts(ledger) == {"S1": 7.0}
    ledger.reverse("p1", author="me", reason="wrong")
    with pytest.raises(Conflict, match="reversed by 'reverse:reverse:reverse:p1'"):
        ledger.post("p1", author="me", flows=[flow(amount=7.0)])
    assert ledger.post("p1 again", author="me", flows=[flow(amount=7.0)]).status == "posted"
    assert amounts(ledger) == {"S1": 7.0}


def test_a_posting_that_was_replaced_row_by_row_is_posted_already(ledger: Ledger) -> None:
    """A retry whose rows others have corrected since is no new statement."""
    ledger.post("p1", author="me", flows=[flow(amount=7.0)])
    ledger.post("p2", author="me", flows=[flow(amount=8.0)], supersede=True)
    assert ledger.post("p1", author="me", flows=[flow(amount=7.0)]).status == "already"


def test_other_content_under_a_used_id_needs_an_id_of_its_own(ledger: Ledger) -> None:
    """Reversing the old posting would not free its id, so nobody is sent that way."""
    ledger.post("p1", author="me", flows=[flow()])
    with pytest.raises(Conflict) as refused:
        ledger.post("p1", author="me", flows=[flow(amount=2.0)])
    assert "give the new content an id of its own" in str(refused.value)
    assert "first" not in str(refused.value)


def test_reversing_what_was_replaced_since_leaves_the_replacement(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow("S1", 1.0), flow("S2", 2.0)])
    ledger.post("p2", author="me", flows=[flow("S2", 20.0)], supersede=True)
    assert ledger.reverse("p1", author="me", reason="wrong").rows == 1
    assert amounts(ledger) == {"S2": 20.0}


def test_reversing_needs_a_reason_a_posting_and_something_that_stands(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    ledger.post("p2", author="me", flows=[flow(amount=2.0)], supersede=True)
    with pytest.raises(InputError, match="reversing 'p1' needs a reason; say why it was wrong"):
        ledger.reverse("p1", author="me", reason=" ")
    with pytest.raises(NotFound, match="no posting 'p9'; `cupral audit postings` lists them"):
        ledger.reverse("p9", author="me", reason="x")
    with pytest.raises(InputError, match="nothing of posting 'p1' stands any more"):
        ledger.reverse("p1", author="me", reason="x")


def test_a_posting_over_many_months_is_reversed_whole(ledger: Ledger) -> None:
    months = [202511, 202512, 202601, 202602]
    ledger.post("p1", author="me", flows=[flow(f"S{m}", 1.0, m) for m in months])
    assert ledger.reverse("p1", author="me", reason="x").rows == 4
    assert ledger.flows().num_rows == 0


# -- reading ---------------------------------------------------------------------------------


@pytest.fixture
def history(ledger: Ledger) -> Ledger:
    """Four postings: entry, correction, reversal, another month."""
    ledger.post("p1", author="me", flows=[flow("S1", 1.0), flow("S2", 2.0)])
    ledger.post("p2", author="me", flows=[flow("S1", 10.0)], supersede=True)
    ledger.reverse("p2", author="me", reason="wrong")
    ledger.post("p3", author="me", flows=[flow("S1", 5.0, 202602)])
    return ledger


def test_the_ledger_is_read_as_of_any_posting(history: Ledger) -> None:
    january = {"period": "2026-01"}
    assert amounts(history, as_of=0) == {}
    assert amounts(history, as_of=1, **january) == {"S1": 1.0, "S2": 2.0}
    assert amounts(history, as_of=2, **january) == {"S1": 10.0, "S2": 2.0}
    assert amounts(history, as_of=3, **january) == {"S1": 1.0, "S2": 2.0}
    assert history.flows(as_of=3).num_rows == 2
    assert history.flows(as_of=4).equals(history.flows())


@pytest.mark.parametrize("seq", [-1, 5])
def test_a_posting_that_is_not_there_cannot_be_read_as_of(history: Ledger, seq: int) -> None:
    with pytest.raises(InputError, match=rf"no posting number {seq}; give one from 0 to 4"):
        history.flows(as_of=seq)


def test_filters_take_one_several_or_no_values(history: Ledger) -> None:
    assert history.flows(stream="S1").num_rows == 2
    assert history.flows(stream=["S1", "S2"], period="2026-01").num_rows == 2
    assert history.flows(stream=[]).num_rows == 0
    assert history.flows(site="B").num_rows == 0
    assert history.flows(material="concentrate", origin="measured", meter="M-S2").num_rows == 1
    assert history.totals(by=["site"], site=[]).num_rows == 0


def test_files_of_other_sites_are_not_missed(ledger: Ledger) -> None:
    """Files are chosen by their first and last site; the filter is exact."""
    ledger.post("p1", author="me", flows=[flow(site=site) for site in ("B", "D", "F")])
    ledger.post("p2", author="me", flows=[flow(site="铜厂")])
    for site in ("B", "D", "F", "铜厂"):
        assert ledger.flows(site=site).num_rows == 1
    assert ledger.flows(site=["A", "C", "D", "G"]).column("site").to_pylist() == ["D"]
    assert ledger.flows(site=["F", "铜厂"]).num_rows == 2


def test_a_row_belongs_to_the_period_in_which_it_starts(ledger: Ledger) -> None:
    merged = Period.parse("2026-JF")
    ledger.post("p1", author="me", flows=[flow("JF", start=merged.start, end=merged.end)])
    for period in ("2026-JF", "2026-01", "2026-Q1", "2026", "2025-12..2026-01", "2026-01-01"):
        assert ledger.flows(period=period).num_rows == 1, period
    for period in ("2026-02", "2025-12", "2025", "2026-Q2", "2026-01-02"):
        assert ledger.flows(period=period).num_rows == 0, period


def test_days_and_hours_are_cut_within_the_month(ledger: Ledger) -> None:
    hours = [datetime(2026, 1, 1, 0), datetime(2026, 1, 1, 23), datetime(2026, 1, 2, 0)]
    ledger.post("p1", author="me", flows=[
        flow(f"S{n}", start=hour, end=hour.replace(minute=30)) for n, hour in enumerate(hours)
    ], stocktakes=[stocktake()])  # fmt: skip
    assert set(amounts(ledger, period="2026-01-01")) == {"S0", "S1"}
    assert set(amounts(ledger, period="2026-01-01T23")) == {"S1"}
    assert ledger.totals(by=["site"], period="2026-01-02").to_pylist()[0]["rows"] == 1
    assert ledger.stocktakes(period="2026-01-31").num_rows == 1
    assert ledger.stocktakes(period="2026-01-30").num_rows == 0


def test_totals_are_the_sums_of_the_rows_that_stand(ledger: Ledger) -> None:
    random = np.random.default_rng(7)
    for number in range(6):
        rows = [
            flow(f"S{s}", float(random.normal(100, 50)), 202601 + number % 2, sd=float(s) / 10)
            for s in range(20)
        ]
        ledger.post(f"p{number}", author="me", flows=rows, supersede=number > 3)
    ledger.reverse("p4", author="me", reason="x")
    for as_of in (None, 3, 5):
        rows = ledger.flows(as_of=as_of).to_pylist()
        totals = ledger.totals(by=["stream", "month"], as_of=as_of).to_pylist()
        assert len(totals) == 40
        for total in totals:
            key = (total["stream"], total["month"])
            mine = [row for row in rows if (row["stream"], row["month"]) == key]
            assert total["rows"] == len(mine)
            assert total["amount"] == pytest.approx(sum(r["amount"] for r in mine), abs=1e-12)
            assert total["variance"] == pytest.approx(sum(r["sd"] ** 2 for r in mine), abs=1e-12)


def test_what_is_undone_leaves_exactly_nothing(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow(f"S{n}", 0.1 * n, sd=0.3) for n in range(1, 50)])
    ledger.reverse("p1", author="me", reason="x")
    total = ledger.totals(by=["site"]).to_pylist()[0]
    assert (total["amount"], total["variance"], total["rows"]) == (0.0, 0.0, 0)


def test_totals_never_mix_origins_or_units(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[
        flow("S1", 1.0), flow("S1", 2.0, origin="reconciled"), flow("S1", 4.0, unit="MWh"),
    ])  # fmt: skip
    found = {(r["origin"], r["unit"]): r["amount"] for r in ledger.totals(by=["site"]).to_pylist()}
    assert found == {("measured", "t"): 1.0, ("reconciled", "t"): 2.0, ("measured", "MWh"): 4.0}


def test_totals_by_an_unknown_column_are_refused(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    with pytest.raises(InputError, match=r"flows cannot be summed by \['colour'\]; use columns of"):
        ledger.totals(by=["site", "colour"])


# -- documents -------------------------------------------------------------------------------


def test_a_posting_settles_documents_in_its_transaction(ledger: Ledger) -> None:
    ticket = Document(kind="ticket", id="T1", party="P", body={"weight": 3.5}, state="settled")
    ledger.post("p1", author="me", flows=[flow()], documents=[ticket])
    kept = ledger.document("ticket", "T1")
    assert (kept.version, kept.posting, kept.author) == (1, "p1", "me")
    assert dict(kept.body) == {"weight": 3.5}
    assert ledger.post("p1", author="me", flows=[flow()], documents=[ticket]).status == "already"
    assert ledger.document("ticket", "T1").version == 1


def test_a_refused_posting_settles_nothing(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    ticket = Document(kind="ticket", id="T1", party="P")
    with pytest.raises(Conflict):
        ledger.post("p1", author="me", flows=[flow(amount=2.0)], documents=[ticket])
    assert ledger.documents("ticket") == []
    with pytest.raises(NotFound, match="no ticket document 'T1'"):
        ledger.document("ticket", "T1")


def test_documents_alone_may_be_settled_but_not_twice_in_one_posting(ledger: Ledger) -> None:
    ticket = Document(kind="ticket", id="T1", party="P", body={"on": datetime(2026, 1, 1)})
    assert ledger.post("p1", author="me", documents=[ticket]).rows == 0
    with pytest.raises(InputError, match="document:ticket/T1 is given twice in one posting"):
        ledger.post("p2", author="me", documents=[ticket, ticket])
    with pytest.raises(InputError, match="a number is not finite"):
        ledger.put(Document(kind="t", id="x", party="P", body={"x": float("nan")}), author="me")


def test_every_version_of_a_document_is_kept(ledger: Ledger) -> None:
    draft = Document(kind="ticket", id="T1", party="P")
    ledger.put(draft, author="me")
    ledger.put(Document(kind="ticket", id="T1", party="P", state="open"), author="you")
    ledger.put(Document(kind="ticket", id="T2", party="Q"), author="you")
    assert [d.state for d in ledger.documents("ticket", id="T1", latest=False)] == ["draft", "open"]
    assert [d.id for d in ledger.documents("ticket", state="draft")] == ["T2"]
    assert [d.id for d in ledger.documents(party="P")] == ["T1"]


def test_audited_leaves_a_record_of_success_and_failure(ledger: Ledger) -> None:
    with ledger.audited(author="me", action="a.b", arguments={"content": b"abc", "n": 1}):
        pass
    with (
        pytest.raises(NotFound),
        ledger.audited(author="me", action="a.c", arguments={}),
    ):
        ledger.document("x", "y")
    newest, oldest = ledger.records.audit()
    assert (oldest["outcome"], oldest["arguments"]) == ("done", '{"content": "3 bytes", "n": 1}')
    assert newest["outcome"].startswith("NotFound: no x document 'y'")


def test_two_openings_see_each_other(ledger: Ledger) -> None:
    other = again(ledger)
    ledger.post("p1", author="me", flows=[flow()])
    assert amounts(other) == {"S1": 10.0}
    assert other.post("p1", author="me", flows=[flow()]).status == "already"
