"""Files that are right: what is posted, what is skipped, corrected, reversed, and explained."""

import json
import math
from datetime import datetime

import pytest

from cupral.ledger.errors import InputError, NotFound, RowFaults
from cupral.ledger.ledger import Ledger
from cupral.ledger.template import template_file
from cupral.system import order
from cupral.systems.balance.commands import (
    ASSAYS,
    METERS,
    STOCKTAKES,
    ImportReport,
    define_network,
    import_assays,
    import_meters,
    import_stocktakes,
    reverse_posting,
)
from tests.systems.balance.conftest import Post
from tests.systems.balance.malformed import COUNTER, book, nothing, text
from tests.systems.balance.works import SITE, WORKS


def amounts(ledger: Ledger, meter: str) -> list[float]:
    """Amounts that stand for a meter, in order of time."""
    rows = ledger.flows(site=SITE, meter=meter).to_pylist()
    return [row["amount"] for row in sorted(rows, key=lambda row: row["start"])]


def test_a_row_becomes_a_flow_with_ends_material_unit_and_uncertainty(
    works: Ledger, post: Post
) -> None:
    """The network supplies what the file does not say; sd joins relative and absolute part."""
    report = post("P1,2026-03,2000,kg")
    assert (report.status, report.rows_read, report.rows_posted) == ("posted", 1, 1)
    (row,) = works.flows(site=SITE).to_pylist()
    expected = {
        "stream": "product", "source": "smelter", "target": "store", "material": "anode_copper",
        "amount": 2.0, "unit": "t", "origin": "measured", "meter": "P1",
        "start": datetime(2026, 3, 1), "end": datetime(2026, 4, 1),
        "sd": pytest.approx(math.hypot(0.003 * 2.0, 0.5)), "demonstration": False,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["lineage"].startswith("file:march.csv#2 sha256:")


@pytest.mark.parametrize(
    ("opening", "closing", "turns", "counts"),
    [
        (100, 350, "", 250),
        (999_900, 150, "", 250),
        (999_900, 150, "1", 250),
        (600_000, 200_000, "1", 600_000),
    ],
)
def test_a_counter_gives_its_difference_times_the_multiplier_over_the_rollover(
    works: Ledger, post: Post, opening: int, closing: int, turns: str, counts: int
) -> None:
    """200 kWh a count, in MWh."""
    post(f"E1,2026-03-01,2026-04-01,{opening},{closing},{turns}", head=COUNTER)
    assert amounts(works, "E1") == [pytest.approx(counts * 0.2)]


def test_a_replaced_counter_may_open_elsewhere(works: Ledger, post: Post) -> None:
    """The flag says so."""
    head = "meter,start,end,opening,closing,replaced"
    post("E1,2026-03-01,2026-03-02,10,20,", "E1,2026-03-02,2026-03-03,0,30,是", head=head)
    assert amounts(works, "E1") == [pytest.approx(2.0), pytest.approx(6.0)]


def test_the_unit_may_stand_in_the_header(works: Ledger, post: Post) -> None:
    """A bracket behind the header is the unit of the column."""
    post("P1,2026-03,5", head="meter,period,产量（万吨）")
    assert amounts(works, "P1") == [50000.0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_chinese_headers_full_width_digits_and_encodings_of_spreadsheets_are_read(
    works: Ledger, encoding: str, separator: str
) -> None:
    """The same file in any dress posts the same number."""
    lines = ["三月报表", "计量点*,月份,数 量,单位", "Ｆ１,2026年3月,１２３．５,吨", "", ""]
    content = "\r\n".join(lines).replace(",", separator).encode(encoding)
    report = import_meters(works, author="a", site=SITE, content=content, filename="表.csv")
    assert report.rows_posted == 1
    assert amounts(works, "F1") == [123.5]


def test_a_workbook_posts_what_a_csv_posts(works: Ledger, post: Post) -> None:
    """Then the second of the two says nothing new."""
    content = book(nothing, ["F1", "2026-04", 90, None])
    first = import_meters(works, author="a", site=SITE, content=content, filename="m.xlsx")
    assert first.rows_posted == 2
    assert post("F1,2026-03,100,t", "F1,2026-04,90,").status == "already"


def test_the_same_file_twice_posts_once(works: Ledger, post: Post) -> None:
    """Content decides, not the name of the file."""
    first, head = post("F1,2026-03,100,t"), works.head
    second = post("F1,2026-03,100,t")
    assert (second.status, second.rows_posted, second.posting) == ("already", 0, first.posting)
    assert works.head == head


def test_a_longer_file_posts_only_its_new_rows(works: Ledger, post: Post) -> None:
    """A file that grows every month can be imported every month."""
    post("F1,2026-03,100,t")
    report = post("F1,2026-03,100,t", "F1,2026-04,90,t")
    assert (report.rows_read, report.rows_new, report.rows_posted) == (2, 1, 1)
    assert amounts(works, "F1") == [100.0, 90.0]


def test_a_dry_run_posts_nothing_and_shows_what_it_would(works: Ledger, post: Post) -> None:
    """Faults are raised as in the real run."""
    report = post("F1,2026-03,100,t", dry_run=True)
    assert (report.status, report.rows_new, report.rows_posted, report.posting) == (
        "dry run", 1, 0, "",
    )  # fmt: skip
    assert works.head == 0
    assert report.preview[0]["amount"] == 100.0
    with pytest.raises(RowFaults, match="decimal comma"):
        post('F1,2026-03,"1,5",t', dry_run=True)


def test_a_correction_counters_the_old_value_and_can_be_corrected_back(
    works: Ledger, post: Post
) -> None:
    """Only one value stands at any time, and an old file does not slip in as 'already'."""
    post("F1,2026-03,100,t")
    assert post("F1,2026-03,110,t", correct=True).rows_posted == 1
    assert amounts(works, "F1") == [110.0]
    with pytest.raises(RowFaults, match="already has 110"):
        post("F1,2026-03,100,t")
    assert post("F1,2026-03,100,t", correct=True).status == "posted"
    assert amounts(works, "F1") == [100.0]
    assert works.flows(site=SITE, as_of=2).to_pylist()[0]["amount"] == 110.0


def test_a_reversed_file_can_be_imported_again(works: Ledger, post: Post) -> None:
    """Its content was undone, so it is new."""
    first = post("F1,2026-03,100,t")
    reverse_posting(works, author="ann", posting=first.posting, reason="wrong month")
    assert amounts(works, "F1") == []
    again = post("F1,2026-03,100,t")
    assert (again.status, again.posting) == ("posted", f"{first.posting}~2")
    assert amounts(works, "F1") == [100.0]


def test_reversing_needs_a_posting_and_a_reason(works: Ledger, post: Post) -> None:
    """Both errors say what to do."""
    first = post("F1,2026-03,100,t")
    with pytest.raises(InputError, match="needs a reason"):
        reverse_posting(works, author="a", posting=first.posting, reason=" ")
    with pytest.raises(NotFound, match="nobody"):
        reverse_posting(works, author="a", posting="nobody", reason="x")


def test_good_rows_are_posted_beside_faulty_ones_only_on_request(works: Ledger, post: Post) -> None:
    """The report lists the rows that were left out."""
    lines = ("F1,2026-03,100,t", "P1,2026-03,NaN,t")
    with pytest.raises(RowFaults):
        post(*lines)
    report = post(*lines, accept_good_rows=True)
    assert (report.rows_read, report.rows_posted) == (2, 1)
    assert [fault.row for fault in report.faults] == [3]
    assert amounts(works, "F1") == [100.0]


def test_a_file_level_fault_is_refused_even_if_good_rows_are_accepted(post: Post) -> None:
    """Nothing in such a file is known to be good."""
    with pytest.raises(RowFaults, match="colour"):
        post("F1,2026-03,1,red", head="meter,period,amount,colour", accept_good_rows=True)


def test_accepted_gaps_become_warnings(post: Post) -> None:
    """Time without a row is posted with a warning that names it."""
    report = post("F1,2026-03,1,t", "F1,2026-05,1,t", accept_gaps=True)
    assert "no row from 2026-04-01" in report.warnings[0].what


def test_zero_of_a_meter_with_relative_uncertainty_is_warned_of(post: Post) -> None:
    """It would count as exact."""
    assert "counts as exact" in post("F1,2026-03,0,t").warnings[0].what


def test_another_uncertainty_is_noticed_and_restated_on_request(works: Ledger, post: Post) -> None:
    """The network changed after the posting."""
    post("F1,2026-03,100,t")
    old, new = "stream: feed, sd_relative: 0.01", "stream: feed, sd_relative: 0.05"
    content = WORKS.replace(old, new).encode()
    define_network(works, author="a", content=content, filename="works.yaml")
    assert "the network now says 5" in post("F1,2026-03,100,t").warnings[0].what
    assert post("F1,2026-03,100,t", correct=True).status == "posted"
    assert works.flows(site=SITE).to_pylist()[0]["sd"] == pytest.approx(5.0)


def test_a_report_prints_itself_and_is_plain_json(post: Post) -> None:
    """A person and a machine read the same."""
    report = post("F1,2026-03,100,t")
    assert "flows: march.csv (works): posted, 1 rows read, 1 new, 1 posted" in str(report)
    assert "copper_concentrate" in str(report)
    assert json.loads(json.dumps(report.document()))["posting"] == report.posting


def test_an_unknown_site_names_those_that_have_a_network(works: Ledger) -> None:
    """With a suggestion."""
    with pytest.raises(InputError, match="did you mean 'works'"):
        import_meters(works, author="a", site="work", content=text(), filename="x.csv")


def test_commands_run_by_name_and_leave_an_audit_record(works: Ledger) -> None:
    """Also when they fail."""
    content = text("F1,2026-03,x,t")
    with pytest.raises(RowFaults):
        order(works, "balance.import_meters", author="ann", site=SITE, content=content,
              filename="f.csv")  # fmt: skip
    assert works.records.audit(1)[0]["outcome"].startswith("RowFaults")


# -- assays and stocktakes -------------------------------------------------------------------


def assay(ledger: Ledger, *lines: str, head: str = "meter,period,value,unit") -> ImportReport:
    """Import CSV rows of assays."""
    content = text(*lines, head=head)
    return import_assays(ledger, author="lab", site=SITE, content=content, filename="lab.csv")


@pytest.mark.parametrize(
    ("value", "unit", "fraction"),
    [("28.7", "%", 0.287), ("420", "ppm", 4.2e-4), ("0.42", "g/t", 4.2e-7), ("0.3", "kg/kg", 0.3),
     ("3", "kg/t", 0.003)],
)  # fmt: skip
def test_an_assay_becomes_a_mass_fraction(
    works: Ledger, value: str, unit: str, fraction: float
) -> None:
    """In any unit a laboratory writes."""
    assay(works, f"A1,2026-03,{value},{unit}")
    (row,) = works.assays(site=SITE).to_pylist()
    assert row["fraction"] == pytest.approx(fraction)
    assert row["sd"] == pytest.approx(0.02 * fraction)
    assert (row["stream"], row["element"], row["basis"]) == ("feed", "Cu", "dry")


def test_a_value_below_detection_is_half_the_limit_with_its_rectangular_sd(works: Ledger) -> None:
    """GUM 4.3.7: the half width over sqrt(3)."""
    assay(works, "A2,2026-03,<0.01,%")
    (row,) = works.assays(site=SITE).to_pylist()
    assert row["detection_limit"] == pytest.approx(1e-4)
    assert row["fraction"] == pytest.approx(0.5e-4)
    assert row["sd"] == pytest.approx(0.5e-4 / math.sqrt(3))


def test_an_assay_is_found_by_stream_and_element(works: Ledger) -> None:
    """The laboratory need not know meter ids."""
    assay(works, "feed,Cu,2026-03,28.7", head="样品,元素,月份,品位(%)")
    assert works.assays(site=SITE).to_pylist()[0]["meter"] == "A1"


@pytest.mark.parametrize(
    ("line", "head", "match"),
    [
        ("A1,2026-03,120,%", "meter,period,value,unit", "120.0% of the material"),
        ("A1,2026-03,28,", "meter,period,value,unit", "unit of the content is not given"),
        ("A1,2026-03,28,oz", "meter,period,value,unit", "not one of the words"),
        ("A1,2026-03,<0,%", "meter,period,value,unit", "names no limit"),
        ("A1,2026-03,-1,%", "meter,period,value,unit", "negative"),
        ("A1,2026-03,3,ppm", "meter,period,value(%),unit", "the header says %"),
        ("A1,2026-03,3,%,damp", "meter,period,value,unit,basis", "dry, wet"),
        ("feed,Au,2026-03,3,%", "stream,element,period,value,unit", "no assay meter for 'Au'"),
        ("fed,Cu,2026-03,3,%", "stream,element,period,value,unit", "did you mean 'feed'"),
        ("feed,,2026-03,3,%", "stream,element,period,value,unit", "no element"),
        ("A1,slag,2026-03,3,%", "meter,stream,period,value,unit", "is for stream feed"),
        ("F1,2026-03,3,%", "meter,period,value,unit", "kind 'flow'"),
    ],
)
def test_a_malformed_assay_is_refused(works: Ledger, line: str, head: str, match: str) -> None:
    """Nothing is posted."""
    with pytest.raises(RowFaults, match=match):
        assay(works, line, head=head)
    assert works.head == 0


def test_a_stocktake_is_posted_in_canonical_units(works: Ledger) -> None:
    """The material is that of the stream that enters the store."""
    content = text("S1,2026-04-01,1250000,kg", head="meter,instant,amount,unit")
    report = import_stocktakes(works, author="a", site=SITE, content=content, filename="s.csv")
    (row,) = works.stocktakes(site=SITE).to_pylist()
    assert (report.status, row["amount"], row["unit"], row["sd"]) == ("posted", 1250.0, "t", 20.0)
    assert (row["process"], row["material"]) == ("store", "anode_copper")
    again = import_stocktakes(works, author="a", site=SITE, content=content, filename="s.csv")
    assert again.status == "already"


@pytest.mark.parametrize(
    ("line", "match"),
    [("S1,,2026-04-31,1,t", "does not exist"), (",smelter,2026-04-01,1,t", "no stocktake meter"),
     ("S1,,2026-04-01,1,MWh", "different dimension"), ("S1,,2026-04-01,-1,t", "negative"),
     (",,2026-04-01,1,t", "no stocktake meter"), ("S1,,,1,t", "cell is empty")],
)  # fmt: skip
def test_a_malformed_stocktake_is_refused(works: Ledger, line: str, match: str) -> None:
    """With its reason."""
    content = text(line, head="meter,process,instant,amount,unit")
    with pytest.raises(RowFaults, match=match):
        import_stocktakes(works, author="a", site=SITE, content=content, filename="s.csv")
    assert works.head == 0


@pytest.mark.parametrize("template", [METERS, ASSAYS, STOCKTAKES], ids=lambda t: t.name)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_empty_template_is_recognised_and_asks_for_rows(
    works: Ledger, template: object, form: str
) -> None:
    """All its headers are known to the importer."""
    importers = {"meters": import_meters, "assays": import_assays, "stocktakes": import_stocktakes}
    content = template_file(template, form)  # type: ignore[arg-type]
    with pytest.raises(RowFaults, match="no row below it"):
        importers[template.name](  # type: ignore[attr-defined]
            works, author="a", site=SITE, content=content, filename=f"t.{form}"
        )


def test_names_like_the_wrong_one_are_offered_first_and_the_rest_counted(works: Ledger) -> None:
    """With twenty meters the one that was meant is not behind the twelfth."""
    more = "".join(f"\n  - {{id: A-{n:02d}, stream: feed, sd_relative: 0.01}}" for n in range(20))
    network = WORKS.replace(
        "  - {id: F1,", f"  - {{id: T-METAL, stream: sold, sd_relative: 0.01}}{more}\n  - {{id: F1,"
    )
    define_network(works, author="a", content=network.encode(), filename="w.yaml")
    with pytest.raises(RowFaults) as caught:
        import_meters(
            works,
            author="a",
            site=SITE,
            filename="march.csv",
            content=text("TAPPED-METAL,2026-03,1,t", head="meter,period,amount,unit"),
        )
    cure = caught.value.faults[0].cure
    assert cure.startswith("use one of T-METAL, ")
    assert "and 12 more, or add it to the network" in cure
