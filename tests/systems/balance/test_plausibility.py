"""Readings that can hardly be true: a slipped decimal point, a wrong unit, a year to come."""

import pytest

from cupral.ledger.errors import RowFaults
from cupral.ledger.ledger import Ledger
from cupral.systems.balance.commands import (
    ImportReport,
    import_assays,
    import_stocktakes,
)
from cupral.systems.balance.commands.plausibility import plant_now
from tests.systems.balance.conftest import Post
from tests.systems.balance.malformed import text
from tests.systems.balance.works import SITE


def rows_of_months(*amounts: float, first: int = 1) -> list[str]:
    """Rows of F1 from a month of 2025 on."""
    return [f"F1,2025-{first + n:02d},{amount},t" for n, amount in enumerate(amounts)]


@pytest.mark.parametrize(("amount", "times"), [(300_000, "1e+03"), (3000, "10"), (30, "0.1")])
def test_a_slipped_decimal_point_is_noticed_against_the_posted_months(
    post: Post, amount: float, times: str
) -> None:
    """It is taken as it stands, with a warning that names row, ratio and number of readings."""
    post(*rows_of_months(310, 280, 310))
    report = post(*rows_of_months(amount, first=4))
    (warning,) = report.warnings
    assert report.rows_posted == 1
    assert f"F1 reads {times}" in warning.what
    assert "(4 readings compared)" in warning.what
    assert (warning.row, warning.column) == (2, "amount")


def test_a_slip_is_noticed_within_one_file_and_after_one_month(post: Post) -> None:
    """Of two readings the later one is asked about."""
    assert [w.row for w in post(*rows_of_months(100, 110, 9000, 95)).warnings] == [4]
    two = post("P1,2025-01,100,t", "P1,2025-02,100000,t")
    assert [w.row for w in two.warnings] == [3]


def test_months_are_compared_by_the_day_and_pauses_are_not_slips(post: Post) -> None:
    """A week is no small month; zero and twice the usual are plain readings."""
    assert post(*rows_of_months(310, 280, 620, 150)).warnings == ()
    head = "meter,start,end,amount"
    assert post("F1,2025-05-01,2025-05-08,70", head=head).warnings == ()
    assert not any("usual" in w.what for w in post("F1,2025-06,0,t").warnings)


def test_a_replaced_value_does_not_speak_for_itself(post: Post) -> None:
    """A correction is compared with the other months only."""
    post(*rows_of_months(100, 110, 90))
    post("F1,2025-04,100000,t")
    assert post("F1,2025-04,101,t", correct=True).warnings == ()


def test_an_assay_in_the_wrong_unit_is_noticed_and_a_full_store_is_not(works: Ledger) -> None:
    """25 g/t instead of 25 %; a store that fills fivefold may be told, one that empties not."""

    def assay(*lines: str) -> ImportReport:
        content = text(*lines, head="meter,period,value,unit")
        return import_assays(works, author="a", site=SITE, content=content, filename="a.csv")

    assay("A1,2025-01,25,%", "A1,2025-02,25,%", "A1,2025-03,25,%")
    (warning,) = assay("A1,2025-04,25,g/t").warnings
    assert "A1 reads 0.0001 times its usual" in warning.what
    content = text("S1,2025-01-01,1000", "S1,2025-02-01,900", "S1,2025-03-01,50",
                   head="meter,instant,amount")  # fmt: skip
    stock = import_stocktakes(works, author="a", site=SITE, content=content, filename="s.csv")
    assert stock.warnings == ()


def test_times_to_come_are_noticed_or_refused(works: Ledger, post: Post) -> None:
    """Next year's month may be a plan; 2056 is a slip of the pen."""
    soon = plant_now().year + 1
    (warning,) = post(f"F1,{soon}-12,100,t").warnings
    assert "check the year" in warning.cure
    with pytest.raises(RowFaults, match=r"F1 is read until 20\d\d-05-01 .* check the year"):
        post(f"F1,{soon + 20}-04,100,t")
    (row,) = works.flows(site=SITE).to_pylist()
    assert row["amount"] == 100.0
