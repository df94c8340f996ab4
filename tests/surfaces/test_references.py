"""References are followed to what a page can show."""

import pytest

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result, result_key
from cupral.surfaces.references import (
    answer,
    explained,
    ledger_rows,
    question,
    recomputed,
    sorted_lineage,
)
from cupral.system import ask, call, order
from tests.surfaces.workshop import SITE, meter_file

KEY = f"balance.streams?period=2026-03&site={SITE}"


def test_a_key_is_a_query_with_arguments() -> None:
    name, arguments = question(KEY)
    assert name == "balance.streams"
    assert arguments == {"period": "2026-03", "site": SITE}


def test_a_key_may_hold_json() -> None:
    _, arguments = question('balance.problem?problem={"names": ["a", "b"]}')
    assert arguments == {"problem": {"names": ["a", "b"]}}


def test_a_key_of_no_query_is_refused() -> None:
    with pytest.raises(InputError, match="names no query"):
        question("weather.tomorrow?site=x")


def test_the_answer_is_the_same_as_asking(shared_workshop: Ledger) -> None:
    asked = ask(shared_workshop, "balance.streams", site=SITE, period="2026-03")
    assert answer(shared_workshop, KEY).sha256 == asked.sha256


def test_what_cannot_be_decided_is_an_answer_too(shared_workshop: Ledger) -> None:
    result = answer(shared_workshop, "plan.target?target=T8")
    assert result.status == "cannot decide"
    assert result.needs == ("declared rows of 2026",)


def test_lineage_is_sorted_by_kind(shared_workshop: Ledger) -> None:
    result = answer(shared_workshop, KEY)
    lineage = sorted_lineage(shared_workshop, result.lineage)
    assert len(lineage.rows) == 7
    assert [p.id for p in lineage.parameters] == ["balance.significance_level"]
    assert lineage.others == (f"network:{SITE}@1",)
    assert lineage.unread == 0


def test_rows_come_with_posting_file_and_line(shared_workshop: Ledger) -> None:
    result = answer(shared_workshop, KEY)
    row = next(r for r in sorted_lineage(shared_workshop, result.lineage).rows
               if r["meter"] == "CONC.belt")  # fmt: skip
    assert row["value"] == pytest.approx(1100.0)
    assert row["posting"].startswith("flows:ws-1:")
    assert "quarter.csv" in row["file"]


def test_only_so_many_rows_are_read_and_the_rest_is_counted(shared_workshop: Ledger) -> None:
    lineage = sorted_lineage(shared_workshop, answer(shared_workshop, KEY).lineage, most=3)
    assert (len(lineage.rows), lineage.unread) == (3, 4)


def test_a_parameter_that_is_gone_is_left_out(shared_workshop: Ledger) -> None:
    lineage = sorted_lineage(shared_workshop, ["parameter:balance.gone@2020-01-01"])
    assert lineage.parameters == ()


def test_rows_of_no_posting_are_refused(shared_workshop: Ledger) -> None:
    with pytest.raises(NotFound):
        ledger_rows(shared_workshop, ["flows:no-such-posting/1"])


def test_a_result_that_was_never_kept_is_computed(shared_workshop: Ledger) -> None:
    found = explained(shared_workshop, f"result:{KEY}")
    assert found.kind == "result"
    assert len(found.leads_to) == 9


def test_a_version_that_is_not_there_is_not_computed(shared_workshop: Ledger) -> None:
    with pytest.raises(NotFound):
        explained(shared_workshop, f"result:{KEY}#7")


def test_other_references_are_those_of_the_ledger(shared_workshop: Ledger) -> None:
    assert explained(shared_workshop, f"network:{SITE}").kind == "network"
    with pytest.raises(NotFound):
        explained(shared_workshop, "posting:none")


def test_stale_results_become_new_versions(workshop: Ledger) -> None:
    kept = call(workshop, "balance.streams", site=SITE, period="2026-03")
    order(
        workshop, "balance.import_meters", author="engineer", site=SITE, correct=True,
        content=meter_file(("2026-03",), **{"CONC.belt": 1000.0}), filename="late.csv",
    )  # fmt: skip
    assert [result.key for result in workshop.stale_results()] == [kept.key]
    assert recomputed(workshop) == {"recomputed": [kept.key], "unanswered": []}
    assert workshop.stale_results() == []
    versions = workshop.versions(kept.key)
    assert [row["version"] for row in versions] == [2, 1]
    assert versions[1]["stale_since"] == workshop.head


@pytest.mark.parametrize("text", ["A&B", "A%B", "A%26B", "a=b&c=d", "1#炉 & 2"])
def test_a_key_is_read_back_whatever_its_arguments_hold(text: str) -> None:
    key = result_key("balance.streams", {"site": text, "period": "2026-03"})
    assert question(key) == ("balance.streams", {"site": text, "period": "2026-03"})


def test_a_row_number_is_written_in_plain_digits(shared_workshop: Ledger) -> None:
    assert ledger_rows(shared_workshop, ["flows:p/²", "flows:p/x"]) == ()


def unanswerable(ledger: Ledger) -> str:
    """Keep a Result of before the month's rows were taken away; returns its key."""
    call(ledger, "balance.streams", site=SITE, period="2026-03")
    with ledger.reading() as read:
        ledger.flows(site=SITE)
    arguments = {"site": "gone", "period": "2026"}
    kept = Result(query="balance.streams", subject="x", arguments=arguments)
    ledger.keep(kept, read)
    return kept.key


def test_one_result_without_an_answer_does_not_keep_others_from_theirs(workshop: Ledger) -> None:
    gone = unanswerable(workshop)
    order(
        workshop, "balance.import_meters", author="engineer", site=SITE, correct=True,
        content=meter_file(("2026-03",), **{"CONC.belt": 1000.0}), filename="late.csv",
    )  # fmt: skip
    found = recomputed(workshop)
    assert len(found["recomputed"]) == 1
    (told,) = found["unanswered"]
    assert told.startswith(f"{gone}: ")
    assert [result.key for result in workshop.stale_results()] == [gone]
