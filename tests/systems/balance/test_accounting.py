"""The account an auditor signs: doubts judged by name and reason, nothing set aside silently."""

from dataclasses import replace

import pytest

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask, order
from cupral.systems.balance.compute.account import Tables, principles
from cupral.systems.balance.compute.month import Sheet
from tests.systems.balance import network
from tests.systems.balance.network import SITE, TRUE_FLOWS, post, register

GROUP = ["E-furnace-power", "E-grid", "E-other-power"]
REASON = "calibration record 2026-17: the furnace meter's transformer ratio was wrong"


@pytest.fixture
def works(ledger: Ledger) -> Ledger:
    """A small works, one exact month and one whose furnace meter reads 5 % low."""
    register(ledger)
    post(ledger, 202601)
    post(ledger, 202602, scale={"E-furnace-power": 0.95})
    return ledger


def judge(ledger: Ledger, verdict: str, **changed: object) -> None:
    """Judge the doubt of February."""
    wanted: dict[str, object] = {
        "site": SITE, "month": "2026-02", "meters": GROUP, "verdict": verdict, "reason": REASON,
    }  # fmt: skip
    order(ledger, "balance.judge_doubt", author="auditor", **(wanted | changed))


def reconciled(ledger: Ledger, stream: str) -> float | None:
    """The reconciled flow of a stream in February."""
    result = ask(ledger, "balance.streams", site=SITE, period="2026-02")
    (row,) = [row for row in result.parts if row["stream"] == stream]
    return row["reconciled"]  # type: ignore[no-any-return]


def account(ledger: Ledger) -> Result:
    """The account of both months."""
    return ask(ledger, "balance.accounts", site=SITE, period="2026-01..2026-02")


def test_a_doubt_is_open_until_somebody_judges_it(works: Ledger) -> None:
    """It is listed with its evidence; the judgement stands beside it with name and reason."""
    before = ask(works, "balance.doubts", site=SITE, period="2026-01..2026-02")
    (row,) = before.parts
    assert (row["meters"], row["month"], row["state"]) == (sorted(GROUP), 202602, "open")
    assert row["statistic"] > 3
    assert (before.value, before.status) == (1.0, "open doubts")
    judge(works, "dismissed")
    after = ask(works, "balance.doubts", site=SITE, period="2026-01..2026-02")
    (row,) = after.parts
    assert (row["state"], row["author"], row["reason"]) == ("dismissed", "auditor", REASON)
    assert (after.value, after.status) == (0.0, "ok")


def test_the_judgement_decides_what_is_set_aside(works: Ledger) -> None:
    """Open: the whole group. Dismissed: nobody. Confirmed with a culprit: the culprit alone."""
    assert reconciled(works, "furnace-power") is None or reconciled(works, "grid") is None
    judge(works, "dismissed")
    believed = ask(works, "balance.streams", site=SITE, period="2026-02", treatment="keep")
    kept = {row["stream"]: row["reconciled"] for row in believed.parts}
    assert reconciled(works, "grid") == pytest.approx(kept["grid"], rel=1e-12)
    judge(works, "confirmed", culprits=["E-furnace-power"])
    for stream in ("grid", "furnace-power", "other-power"):
        assert reconciled(works, stream) == pytest.approx(TRUE_FLOWS[stream], rel=1e-6)
    judge(works, "open")
    result = ask(works, "balance.streams", site=SITE, period="2026-02")
    aside = {row["meter"] for row in result.tables["meters"] if row["set_aside"]}
    assert aside == set(GROUP)


def test_every_version_of_a_judgement_is_kept(works: Ledger) -> None:
    """Changing one's mind leaves a trace."""
    judge(works, "dismissed")
    judge(works, "confirmed", culprits=["E-furnace-power"])
    versions = works.documents("doubt", latest=False)
    assert [one.state for one in versions] == ["dismissed", "confirmed"]
    assert versions[0].id == f"{SITE}/202602/bias/{'+'.join(sorted(GROUP))}"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"verdict": "guilty"}, "not one of confirmed, dismissed, open"),
        ({"reason": "  "}, "needs a reason"),
        ({"culprits": ["W-sales-1"]}, "not in the group"),
        ({"culprits": ["E-grid"]}, "named with 'confirmed'"),
        ({"month": "2026-01..2026-02"}, "not one month"),
    ],
)
def test_a_judgement_that_says_nothing_is_refused(
    works: Ledger, changed: dict[str, object], message: str
) -> None:
    """Each with its reason, and nothing is kept."""
    with pytest.raises(InputError, match=message):
        judge(works, **({"verdict": "dismissed"} | changed))  # type: ignore[arg-type]
    assert works.documents("doubt") == []


def test_a_doubt_that_nobody_has_cannot_be_judged(works: Ledger) -> None:
    """The error lists the doubts there are."""
    with pytest.raises(NotFound, match=r"has no doubt bias E-grid, only bias E-furnace-power"):
        judge(works, "dismissed", meters=["E-grid"])


def test_an_account_is_signed_only_when_every_doubt_is_judged(works: Ledger) -> None:
    """Refused with the doubt named; then signed; a correction shows as changed since."""
    sign = {"site": SITE, "period": "2026-01..2026-02", "statement": "mass and energy examined"}
    assert account(works).status == "open doubts"
    with pytest.raises(CannotDecide, match="1 doubts are open") as refused:
        order(works, "balance.sign_account", author="auditor", **sign)
    assert refused.value.needs == (f"judgement of bias {' + '.join(sorted(GROUP))} in 202602",)
    judge(works, "confirmed", culprits=["E-furnace-power"])
    assert account(works).status == "ready to sign"
    order(works, "balance.sign_account", author="auditor", **sign)
    signed = account(works)
    assert signed.status == "signed"
    (row,) = signed.tables["signature"]
    assert (row["author"], row["unchanged"], row["posting"]) == ("auditor", True, works.head)
    judge(works, "dismissed")
    changed = account(works)
    assert changed.status == "changed since signed"
    assert [row["unchanged"] for row in changed.tables["signature"]] == [False]
    judge(works, "confirmed", culprits=["E-furnace-power"])
    assert account(works).status == "signed"


def test_an_empty_statement_is_no_signature(works: Ledger) -> None:
    """The signer says what was examined."""
    judge(works, "dismissed")
    with pytest.raises(InputError, match="needs a statement"):
        order(works, "balance.sign_account", author="a", site=SITE, period="2026-02", statement=" ")


def test_ten_principles_each_with_its_evidence(works: Ledger) -> None:
    """What is served is counted from the tables beside it."""
    result = account(works)
    assert [row["number"] for row in result.parts] == list(range(1, 11))
    evidence = {row["number"]: (row["served"], row["evidence"]) for row in result.parts}
    assert evidence[9] == (False, "0 of 1 doubts judged, 1 open")
    assert not evidence[10][0]
    assert evidence[5] == (True, "2 months, 0 gaps")
    checked = sum(row["class"] == "redundant" for row in result.tables["meters"])
    assert (
        evidence[1][1]
        == f"{checked} of {len(result.tables['meters'])} readings are checked by balances"
    )
    assert evidence[7][0]
    assert "unconfirmed: balance.account_shares" in result.badges
    assert any(item.startswith("parameter:balance.account_shares") for item in result.lineage)


def test_who_signs_and_judges_too_is_named(works: Ledger) -> None:
    """An account must not depend on one person: the signature says whether the signer judged."""
    judge(works, "dismissed")
    sign = {"site": SITE, "period": "2026-01..2026-02", "statement": "examined"}
    order(works, "balance.sign_account", author="auditor", **sign)
    alone = account(works)
    assert [row["judged_too"] for row in alone.tables["signature"]] == [True]
    assert not alone.parts[2]["served"]
    assert alone.parts[2]["evidence"].endswith("; auditor signed and judged doubts too")
    order(works, "balance.sign_account", author="director", **sign)
    two = account(works)
    assert [row["judged_too"] for row in two.tables["signature"]] == [True, False]
    version = works.network(SITE).version
    named = f"network version {version}; rows, rules and code named"
    assert (two.parts[2]["served"], two.parts[2]["evidence"]) == (True, named)


WANTED = {"checked": 0.8, "detectable": 0.6}


def tables_of(checked: int, shown: int) -> Tables:
    """An account of ten readings, so many of them checked and with a detectable bias."""
    rows = tuple(
        {
            "meter": f"W-{i}", "refs": ["row"], "class": "redundant" if i < checked else "fixed",
            "smallest_detectable": 1.0 if i < shown else None,
        }
        for i in range(10)
    )  # fmt: skip
    return {"meters": rows, "months": (), "balances": (), "doubts": ()}


@pytest.mark.parametrize(
    ("checked", "shown", "served"),
    [(10, 10, (True, True)), (8, 6, (True, True)), (7, 5, (False, False)), (1, 1, (False, False))],
)
def test_one_checked_reading_serves_no_principle(
    checked: int, shown: int, served: tuple[bool, bool]
) -> None:
    """Principles 1 and 8 are served from the shares of the readings that the parameter asks."""
    sheet = Sheet(replace(network.works(), version=3), (), (), (), (), ())
    rows = principles(tables_of(checked, shown), sheet, "ready to sign", "", WANTED)
    assert (rows[0]["served"], rows[7]["served"]) == served
    assert rows[0]["evidence"] == f"{checked} of 10 readings are checked by balances"
    assert rows[2]["served"]


def test_a_network_without_a_version_pins_nothing() -> None:
    """Nobody can make such an account again."""
    sheet = Sheet(replace(network.works(), version=0), (), (), (), (), ())
    row = principles(tables_of(10, 10), sheet, "signed", "auditor", WANTED)[2]
    assert (row["served"], row["evidence"]) == (False, "the network has no version")


def test_a_bias_that_lasts_is_found_in_the_months_together(ledger: Ledger) -> None:
    """Sales scale 2 reads 2 % (two sd) high from March on: no month shows it, the year does."""
    register(ledger)
    for month in range(202601, 202613):
        post(ledger, month, scale={"W-sales-2": 1.02} if month > 202602 else None)
    result = ask(ledger, "balance.doubts", site=SITE, period="2026")
    assert result.parts == ()
    (row,) = result.tables["persistent"]
    assert row["meters"] == ["W-sales-2"]
    assert row["size"] == pytest.approx(0.02, rel=0.05)
    assert row["onset"] == 202603
    assert (row["first"], row["last"], row["months"]) == (202601, 202612, 12)
