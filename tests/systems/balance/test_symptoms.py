"""What kind of fault a works' readings show."""

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import ask
from tests.systems.balance.network import SITE, post, register


def symptoms(ledger: Ledger, period: str) -> list[dict[str, object]]:
    """The table of symptoms."""
    return list(ask(ledger, "balance.doubts", site=SITE, period=period).tables["symptoms"])


def months(ledger: Ledger, wrong: dict[int, dict[str, float]], count: int = 3) -> None:
    """Months that all differ a little, some meters scaled."""
    register(ledger)
    for k in range(count):
        month = 202601 + k
        base = {"W-concentrate": 1 + 0.003 * k, "W-slag": 1 - 0.002 * k}
        base |= dict.fromkeys(("W-sales", "W-sales-2", "W-blister"), 1 + 0.001 * (k + 1))
        post(ledger, month, scale=base | wrong.get(month, {}))


def test_ordinary_months_show_nothing(ledger: Ledger) -> None:
    """No symptom without a fault."""
    months(ledger, {})
    assert symptoms(ledger, "2026-01..2026-03") == []


def test_kilograms_written_as_tonnes(ledger: Ledger) -> None:
    """A thousandfold reading is named as a slip of the unit, and nobody else is accused."""
    months(ledger, {202602: {"W-sales-2": 1000.0}})
    (doubt,) = ask(ledger, "balance.doubts", site=SITE, period="2026-02").parts
    assert doubt["meters"] == ["W-sales-2"]
    found = [row for row in symptoms(ledger, "2026-01..2026-03") if row["kind"] == "unit slip"]
    assert [(row["meters"], row["month"]) for row in found] == [(["W-sales-2"], 202602)]
    assert str(found[0]["meaning"]).startswith("reads like kg for t")


@pytest.mark.parametrize("factor", [1.08, 0.93])
def test_a_plain_bias_is_no_slip(ledger: Ledger, factor: float) -> None:
    """Eight per cent is doubted, but no unit explains it better than a bias."""
    months(ledger, {202602: {"W-sales-2": factor}})
    assert [row for row in symptoms(ledger, "2026-01..2026-03") if row["kind"] == "unit slip"] == []


def test_the_same_file_sent_twice(ledger: Ledger) -> None:
    """A month that repeats the last one to the digit is named."""
    register(ledger)
    for month in (202601, 202602):
        post(ledger, month)
    (row,) = symptoms(ledger, "2026-01..2026-02")
    assert (row["kind"], row["month"]) == ("repeated", 202602)
    assert "old file was sent again" in str(row["check"])


def test_one_meter_stands_still_while_the_others_move(ledger: Ledger) -> None:
    """Five equal months of one scale among moving ones."""
    still = {202601 + k: {"W-slag": 1.01} for k in range(4, 10)}
    months(ledger, still, count=12)
    stuck = [row for row in symptoms(ledger, "2026") if row["kind"] == "stuck"]
    assert ["W-slag"] in [row["meters"] for row in stuck]
    (row,) = [row for row in stuck if row["meters"] == ["W-slag"]]
    assert (row["since"], row["month"]) == (202605, 202610)
