"""Amendments on both databases: seen by all, marking what they change, in one transaction."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.dependence import fingerprint, names
from cupral.ledger.document import Document
from cupral.ledger.errors import CupralError, InputError, NoRight
from cupral.ledger.ledger import Ledger
from cupral.ledger.proposal import confirm, propose
from cupral.ledger.result import Result, Versions
from cupral.ledger.rights import Rights
from cupral.system import open_ledger

ID, OTHER = "plan.near_level", "plan.near_growth"
DAY = date(2026, 3, 31)


def body(value: Any = 0.02, *, id: str = ID, first: str = "2026-01-01", last: str = "") -> Any:
    """What a proposal says."""
    return {
        "parameter": id, "value": value, "unit": "1" if id == ID else "%", "valid_from": first,
        "valid_to": last, "source": "notice", "note": "", "status": "confirmed", "force": "law",
    }  # fmt: skip


def enter(ledger: Ledger, *args: Any, **more: Any) -> Document:
    """Propose and confirm."""
    return confirm(ledger, propose(ledger, body(*args, **more), author="li"), author="wang")


def keep(ledger: Ledger, question: Callable[[Ledger], float], name: str = "q.one") -> Result:
    """Keep what a question answers, as `call` does."""
    pinned = ledger.pinned()
    with pinned.reading() as read:
        value = question(pinned)
    prints = fingerprint(pinned.book, read.scopes)
    result = Result(query=name, subject="A", value=float(value),
                    versions=Versions(read.head, prints, ledger.code))  # fmt: skip
    return ledger.keep(result, read)


def near(ledger: Ledger) -> float:
    """The tolerance at the end of March."""
    return float(ledger.parameter(ID, DAY).value)


def test_an_amendment_is_in_force_from_its_day_to_its_last(ledger: Ledger) -> None:
    enter(ledger, 0.02, last="2026-03-01")
    enter(ledger, 0.03, first="2027-01-01")
    days = {date(2025, 12, 31): 0.01, date(2026, 1, 1): 0.02, date(2026, 2, 28): 0.02,
            date(2026, 3, 1): 0.01, date(2027, 1, 1): 0.03}  # fmt: skip
    assert {day: ledger.parameter(ID, day).value for day in days} == days
    assert ledger.parameter(ID, date(2026, 1, 1)).document == f"parameter/{ID}@2026-01-01"


def test_others_see_a_confirmation_at_once_and_no_proposal(
    ledger: Ledger, tmp_path: Path, database: str
) -> None:
    other = open_ledger(tmp_path / "ledger", database=database)
    assert near(other) == 0.01
    document = propose(ledger, body(), author="li")
    assert near(other) == near(ledger) == 0.01
    confirm(ledger, document, author="wang")
    assert near(other) == near(ledger) == 0.02
    other.records.database.dispose()


MARKED: list[tuple[Callable[[Ledger], float], dict[str, Any], bool]] = [
    (near, {}, True),
    (near, {"id": OTHER}, False),
    (near, {"first": "2026-04-01"}, False),
    (near, {"first": "2026-03-31"}, True),
    (near, {"last": "2026-03-31"}, False),
    (near, {"first": "1999-01-01"}, False),
    (lambda ledger: len(ledger.dated(ID)), {"first": "2099-01-01"}, True),
    (lambda ledger: len(ledger.dated("plan.near_*")), {"id": OTHER, "first": "2099-01-01"}, True),
    (lambda ledger: len(ledger.dated("plan.near_g*")), {}, False),
    (lambda ledger: len(ledger.parameters.values), {}, True),
    (lambda ledger: ledger.head, {}, False),
]


@pytest.mark.parametrize(("question", "entered", "marked"), MARKED)
def test_exactly_what_read_what_changes_is_marked(
    ledger: Ledger, question: Callable[[Ledger], float], entered: dict[str, Any], marked: bool
) -> None:
    kept = keep(ledger, question)
    enter(ledger, **entered)
    assert bool(ledger.stale_results()) == marked
    assert (ledger.kept("q.one", {}) == kept) == (not marked)


def test_the_same_value_again_marks_only_what_shows_its_source(ledger: Ledger) -> None:
    """Status, source and force are part of what a value says."""
    keep(ledger, near)
    enter(ledger, 0.01, first="2000-01-01")
    assert len(ledger.stale_results()) == 1


def test_a_refused_confirmation_marks_nothing(ledger: Ledger) -> None:
    keep(ledger, near)
    document = propose(ledger, body(), author="li")
    with pytest.raises(NoRight, match="second person"):
        confirm(ledger, document, author="li")
    unknown = propose(ledger, {**body(), "unit": "kg"}, author="li")
    with pytest.raises(InputError, match="is in '1', not 'kg'"):
        confirm(ledger, unknown, author="wang")
    assert ledger.document("parameter", unknown.id).state == "proposed"
    assert ledger.stale_results() == []
    assert near(ledger) == 0.01


def test_nobody_enters_a_value_past_the_desk(ledger: Ledger) -> None:
    """Not even whoever holds the folder."""
    given = Document(kind="parameter", id=f"{ID}@x", party="p", body=body(), state="confirmed")
    with pytest.raises(InputError, match="propose it at the parameter desk"):
        ledger.put(given, author="li")
    with pytest.raises(InputError, match="propose it at the parameter desk"):
        ledger.post("p", author="li", documents=[given])
    assert near(ledger) == 0.01


def test_a_role_that_may_not_is_refused(ledger: Ledger) -> None:
    firm = Rights(name="wang", roles=frozenset({"enterprise"}), enterprises=frozenset({"E1"}))
    document = propose(ledger, body(), author="li")
    with pytest.raises(NoRight, match="enterprise may not confirm a parameter"):
        confirm(ledger.seen_by(firm), document, author="wang")
    with pytest.raises(NoRight, match="wang may not read document:parameter"):
        propose(ledger.seen_by(firm), body(), author="wang")


def test_a_confirmation_while_a_question_is_answered(ledger: Ledger) -> None:
    """The answer stands on one book, and is kept as stale."""

    def slow(pinned: Ledger) -> float:
        before = near(pinned)
        enter(ledger)
        assert near(pinned) == before
        return before

    keep(ledger, slow)
    assert ledger.kept("q.one", {}) is None
    assert [old.value for old in ledger.stale_results()] == [0.01]


def test_a_confirmation_between_pinning_and_an_inner_question(ledger: Ledger) -> None:
    """An inner answer begins after the confirmation but still reads the older book."""
    pinned = ledger.pinned()
    enter(ledger)
    keep(pinned, near, "q.inner")
    assert [old.query for old in ledger.stale_results()] == ["q.inner"]


def test_of_two_confirmers_one_wins(ledger: Ledger, tmp_path: Path, database: str) -> None:
    document, outcomes, start = propose(ledger, body(), author="li"), [], threading.Barrier(2)

    def confirming(name: str) -> None:
        mine = open_ledger(tmp_path / "ledger", database=database)
        start.wait()
        try:
            outcomes.append(confirm(mine, document, author=name).state)
        except CupralError as error:
            outcomes.append(type(error).__name__)
        mine.records.database.dispose()

    threads = [threading.Thread(target=confirming, args=(name,)) for name in ("wang", "zhao")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Conflict", "confirmed"]
    versions = ledger.documents("parameter", id=document.id, latest=False)
    assert [one.state for one in versions] == ["proposed", "confirmed"]


def test_a_new_release_voids_only_what_stands_on_what_it_changes(ledger: Ledger) -> None:
    for id, name in ((ID, "q.level"), (OTHER, "q.growth")):
        keep(ledger, lambda one, id=id: one.parameter(id, DAY).value, name)  # type: ignore[misc]
    old = ledger.shipped.on(ID, DAY)
    release = replace(ledger, shipped=ledger.shipped.amended([replace(old, value=0.05)]))
    assert release.kept("q.level", {}) is None
    assert release.kept("q.growth", {}) is not None


def test_an_amendment_that_the_book_has_no_place_for_enters_none(ledger: Ledger) -> None:
    """A release may drop a parameter, or ship it in another unit."""
    enter(ledger)
    known = ledger.shipped.definitions
    for changed in ({k: v for k, v in known.items() if k != ID},
                    {**known, ID: replace(known[ID], unit="%")}):  # fmt: skip
        release = replace(ledger, shipped=replace(ledger.shipped, definitions=changed))
        assert release.book.dated(ID) == ledger.shipped.dated(ID)


def test_names_are_those_of_every_scope_around() -> None:
    assert "parameter:plan.near_*" in names(ID)
    assert "parameter:plan.near_g*" not in names(ID)
    assert {"parameter:*", f"parameter:{ID}"} <= set(names(ID))
