"""What each meter of a works is worth, and where another one should stand."""

import pytest

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.system import ask
from tests.systems.balance.network import SITE, post, register


@pytest.fixture
def works(ledger: Ledger) -> Ledger:
    """The small works with one exact month."""
    register(ledger)
    post(ledger, 202601)
    return ledger


def test_the_shares_of_all_meters_make_up_the_variance(works: Ledger) -> None:
    """Own parts and shared ones sum to one, and no loss of a meter sharpens a number."""
    result = ask(works, "balance.influence", site=SITE, period="2026-01", stream="grid")
    assert sum(row["share"] for row in result.parts) == pytest.approx(1.0, rel=1e-9)
    kinds = {row["kind"] for row in result.parts}
    assert kinds == {"flow"} or "group" in kinds
    assert result.sd is not None
    for row in result.parts:
        if row["sd_without"] is not None:
            assert row["sd_without"] >= result.sd * (1 - 1e-12)
    assert [row["share"] for row in result.parts] == sorted(
        (row["share"] for row in result.parts), reverse=True
    )


def test_the_sd_without_a_meter_is_that_of_a_month_without_its_rows(works: Ledger) -> None:
    """The closed form agrees with really leaving the second sales scale out."""
    told = ask(works, "balance.influence", site=SITE, period="2026-01", stream="sales")
    (second,) = [row for row in told.parts if row["meter"] == "W-sales-2"]
    post(works, 202602, leave_out=("W-sales-2",))
    bare = ask(works, "balance.influence", site=SITE, period="2026-02", stream="sales")
    assert bare.sd > told.sd
    assert second["sd_without"] == pytest.approx(bare.sd, rel=1e-6)


def test_the_best_place_sharpens_the_stream_most(works: Ledger) -> None:
    """Places are ranked by the sd they leave, and asking for the site ranks by all streams."""
    sd = ask(works, "balance.influence", site=SITE, period="2026-01", stream="matte").sd
    arguments = {"site": SITE, "period": "2026-01", "relative_sd": 0.01}
    result = ask(works, "balance.next_meters", stream="matte", **arguments)
    after = [row["after"] for row in result.parts]
    assert after == sorted(after)
    assert result.parts[0]["before"] == pytest.approx(sd)
    assert after[0] < sd
    whole = ask(works, "balance.next_meters", limit=3, **arguments)
    assert 0 < len(whole.parts) <= 3
    assert all(row["after"] < row["before"] for row in whole.parts)


@pytest.mark.parametrize(
    ("query", "changed", "message"),
    [
        ("influence", {"stream": "steam"}, "has no stream 'steam'; its streams are"),
        ("influence", {"stream": "grid", "period": "2026"}, "one month"),
        ("next_meters", {"relative_sd": 1.5}, "more than 0, less than 1"),
        ("next_meters", {"limit": 0}, "at least one place"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    works: Ledger, query: str, changed: dict[str, object], message: str
) -> None:
    """Each error says what is allowed."""
    usual: dict[str, object] = {"site": SITE, "period": "2026-01"}
    if query == "next_meters":
        usual["relative_sd"] = 0.01
    with pytest.raises(InputError, match=message):
        ask(works, f"balance.{query}", **(usual | changed))


def test_a_stream_that_nothing_determines_names_the_meter_that_would(ledger: Ledger) -> None:
    """Two unmeasured streams of one process: a meter on either opens both."""
    register(ledger)
    post(ledger, 202601, leave_out=("W-slag", "A-slag"))
    with pytest.raises(CannotDecide, match="no meter determines") as refused:
        ask(ledger, "balance.influence", site=SITE, period="2026-01", stream="slag")
    assert refused.value.needs
