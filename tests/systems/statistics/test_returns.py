"""Returns that stand: reversed, corrected, restored, and filed by two clerks at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cupral.ledger.errors import Conflict, RowFaults
from cupral.ledger.ledger import Ledger
from cupral.system import ask
from cupral.systems.statistics import commands
from tests.systems.statistics.filings import file, filing, register


@pytest.fixture
def firms(ledger: Ledger) -> Ledger:
    """Three registered firms."""
    register(ledger)
    return ledger


def test_a_reversed_return_is_missing_and_may_be_filed_again(firms: Ledger) -> None:
    """Its document stays, its rows do not: the month is needed, and the same file fills it."""
    april, march = filing("cu-a", "2026-04", 1000.0), filing("cu-a", "2026-03", 10000.0)
    first, other = file(firms, [april]), file(firms, [march])
    firms.reverse(first.posting, author="t", reason="wrong month")
    asked = {"product": "cathode_copper", "year": 2026, "through": "2026-04"}
    result = ask(firms, "statistics.output", **asked)
    assert (result.value, result.status) == (10000.0, "incomplete")
    assert "return cu-a:2026-04" in result.needs
    again = file(firms, [april])
    assert (again.status, again.rows) == ("posted", 4)
    assert again.posting not in (first.posting, other.posting)
    assert ask(firms, "statistics.output", **asked).value == 11000.0
    assert file(firms, [april]).status == "already"


def test_a_reversed_return_blocks_no_other(firms: Ledger) -> None:
    """January and February merged, reversed, may be filed singly."""
    merged = file(firms, [filing("cu-a", "2026-JF", 2.0)])
    firms.reverse(merged.posting, author="t", reason="they file singly")
    assert file(firms, [filing("cu-a", "2026-01", 1.0)]).status == "posted"
    assert file(firms, [filing("cu-a", "2026-02", 1.0)]).status == "posted"


def test_the_old_return_stands_again_when_its_correction_is_reversed(firms: Ledger) -> None:
    """With its own facts: the price index of the first version, not that of the second."""
    file(firms, [filing("cu-a", "2025-03", 100.0)])
    file(firms, [filing("cu-a", "2026-03", 110.0, price_index=110.0)])
    asked = {"year": 2026, "through": "2026-03"}
    for _ in range(2):  # also when a restored return is corrected and restored once more
        wrong = file(firms, [filing("cu-a", "2026-03", 120.0, price_index=100.0)], supersede=True)
        assert ask(firms, "statistics.value_added_growth", **asked).value == pytest.approx(20.0)
        firms.reverse(wrong.posting, author="t", reason="the first one was right")
        assert ask(firms, "statistics.value_added_growth", **asked).value == pytest.approx(0.0)


def test_what_a_correction_replaced_is_not_already_filed(firms: Ledger) -> None:
    """Filing the first content again after its correction says what stands, not 'already'."""
    first = [filing("cu-a", "2026-03", 1.0)]
    file(firms, first)
    file(firms, [filing("cu-a", "2026-03", 2.0)], supersede=True)
    with pytest.raises(Conflict, match="with supersede"):
        file(firms, first)
    assert file(firms, first, supersede=True).status == "posted"
    output = firms.flows(origin="declared", stream="return:output:cathode_copper")
    assert output["amount"].to_pylist() == [1.0]


@pytest.mark.parametrize("other", ["2026-01", "2026-02"])
def test_two_clerks_at_once_file_a_month_once(firms: Ledger, other: str) -> None:
    """Checking and posting are one act: one of them is told that the other was quicker."""
    begin = Barrier(2)

    def clerk(period: str) -> str:
        begin.wait()
        try:
            return file(firms, [filing("cu-a", period, 1.0)]).status
        except RowFaults as error:
            return "refused" if "already filed as cu-a:2026-" in str(error) else str(error)

    with ThreadPoolExecutor(2) as clerks:
        for _ in range(4):
            told = list(clerks.map(clerk, ["2026-JF", other]))
            assert sorted(told) == ["posted", "refused"]
            (posting,) = set(firms.flows(origin="declared")["posting"].to_pylist())
            firms.reverse(posting, author="t", reason="again")


def test_whoever_waits_too_long_is_told(firms: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filing that hangs blocks the others no longer than their patience; then all goes on."""
    monkeypatch.setattr(commands, "_PATIENCE", 0.05)
    with (
        commands._filing_alone(firms),
        pytest.raises(Conflict, match=r"others have been filing for 0.05 s.*try again"),
    ):
        file(firms, [filing("cu-a", "2026-03", 1.0)])
    assert file(firms, [filing("cu-a", "2026-03", 1.0)]).status == "posted"
