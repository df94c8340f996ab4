"""Laws: no changed Result stays unmarked, none is marked in vain; a preview comes true."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result
from cupral.system import ask, call, open_ledger, queries
from cupral.systems.desk.compute import signing
from tests.systems.desk.acts import confirm, enter, propose

NORMS = ("al_liquid_ac", "al_ingot_energy", "acid_smelter_gas_energy")
DAYS = ("2024-05", "2025-05", "2026-05", "")
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    *(("efficiency.level", {"norm": norm, "value": value, "on": on})
      for norm, value in zip(NORMS, (12_980.0, 1_675.0, 2.0), strict=True) for on in DAYS),
    ("plan.published", {"year": 2026}),
    ("statistics.growth_inverse", {"base_levels": [1.0, 1.0], "cumulative_yoy_pct": [3.0, 4.0]}),
]  # fmt: skip
LEVELS = st.fixed_dictionaries({
    name: st.sampled_from([-30, 0, 1_660, 1_680, 12_900, 12_990, 13_400])
    for name in ("level1", "level2", "level3")
})  # fmt: skip
DATES = st.dates(date(2023, 1, 1), date(2027, 1, 1)).map(str)
AMENDMENTS = st.one_of(
    st.tuples(st.sampled_from([f"efficiency.{norm}" for norm in NORMS]), LEVELS, DATES),
    st.tuples(st.just("efficiency.benchmark_al_liquid_ac"),
              st.just({"benchmark": 12_900, "baseline": 13_000}), DATES),
    st.tuples(st.just("plan.published_alumina"),
              st.just({"period": "2025", "amount": 3, "product": "alumina"}), DATES),
    st.tuples(st.just("statistics.publication_rounding"), st.sampled_from([0.1, 0.2]), DATES),
    st.tuples(st.just("balance.implausible_ratio"), st.just(7), DATES),
)  # fmt: skip


@contextmanager
def kept_ledger() -> Iterator[Ledger]:
    """A new ledger that keeps an answer to every question that has one."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(folder)
        for name, arguments in QUESTIONS:
            with suppress(CannotDecide):
                call(ledger, name, **arguments)
        yield ledger
        ledger.records.database.dispose()


def anew(ledger: Ledger, old: Result) -> Any:
    """The content of a Result worked out by its bare query, whatever is kept."""
    try:
        found = queries()[old.query](ledger, **old.arguments)
    except CannotDecide as error:
        return str(error)
    return says(found)


def says(result: Result) -> Any:
    """What a Result says, its versions and its question left out."""
    content = result.document()
    return {n: v for n, v in content.items() if n not in ("versions", "query", "arguments")}


@settings(max_examples=12, deadline=None)
@given(st.lists(AMENDMENTS, min_size=1, max_size=4))
def test_exactly_what_changes_is_marked_and_previewed(
    amendments: list[tuple[str, Any, str]],
) -> None:
    with kept_ledger() as ledger:
        for id, value, valid_from in amendments:
            refresh_all(ledger)
            before = ledger.book
            fresh = {row["key"]: Result.from_document(row["body"])
                     for row in ledger.results(stale=False)}  # fmt: skip
            document = propose(ledger, id, value, valid_from=valid_from)
            preview = ask(ledger, "desk.effects", proposal=document.id)
            confirm(ledger, document)
            marked = {row["key"] for row in ledger.results(stale=True)} & set(fresh)
            changed = {key for key, old in fresh.items() if anew(ledger, old) != says(old)}
            assert changed <= marked, "a Result that changes is not marked"
            for key in marked:
                assert read_something_else(fresh[key], id, before, ledger), f"{key} read nothing"
            told = {row["result"].removeprefix("result:"): row for row in preview.parts}
            assert set(told) == marked
            for key, row in told.items():
                assert (row["changes"] == "nothing") == (key not in changed)
                assert row["before"] == fresh[key].value
            new = {result.key: result for result in refresh_all(ledger)}
            assert {key: (told[key]["after"], told[key]["status_after"]) for key in new} == {
                key: (result.value, result.status) for key, result in new.items()
            }


def refresh_all(ledger: Ledger) -> list[Result]:
    """Recompute what is stale; what cannot be decided any more stays stale."""
    found = []
    for old in ledger.stale_results():
        with suppress(CannotDecide):
            found.append(call(ledger, old.query, **old.arguments))
    return found


def read_something_else(old: Result, id: str, before: Any, ledger: Ledger) -> bool:
    """Whether a question's own parameters say something else on its own day; by its nature."""
    if old.query == "plan.published":
        return id.startswith("plan.published_")
    if old.query == "statistics.growth_inverse":
        return id == "statistics.publication_rounding"
    norm, on = old.arguments["norm"], old.arguments.get("on", "")
    if id not in (f"efficiency.{norm}", f"efficiency.benchmark_{norm}"):
        return False
    if not on:  # asked of the newest edition: it looks through all
        return True
    day = Period.parse(on).last_day
    return held(before, id, day) != held(ledger.book, id, day)


def held(book: Any, id: str, day: date) -> Any:
    try:
        return book.on(id, day)
    except CannotDecide:
        return None


def test_every_changed_byte_of_a_signed_file_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    content = {"signed_by": "李", "parameters": [{"value": {"level1": 12_950.5}, "note": ""}]}
    file = signing.signed(content, key).text.encode()
    assert signing.opened(file).content == content
    for place in range(len(file)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(file)
            changed[place] ^= flip
            with pytest.raises(InputError, match=r"signed file|has signed"):
                signing.opened(bytes(changed))
    for place in range(len(file)):  # cut short, and with a blank put in
        for other in (file[:place], file[:place] + b" " + file[place:]):
            with pytest.raises(InputError):
                signing.opened(other)


def test_a_file_of_another_key_shows_that_key() -> None:
    """Whoever signs the content anew is seen to have done so."""
    mine, theirs = (Ed25519PrivateKey.generate() for _ in range(2))
    file = json.loads(signing.signed({"parameters": []}, mine).text)
    file["key"] = signing.public_of(theirs)
    text = json.dumps(file, sort_keys=True, separators=(",", ":"))
    with pytest.raises(InputError, match="has signed"):
        signing.opened(text.encode())


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(LEVELS, DATES), min_size=1, max_size=5))
def test_the_later_confirmation_wins_and_all_stay_on_record(
    entries: list[tuple[dict[str, int], str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(folder)
        for value, valid_from in entries:
            enter(ledger, value=value, valid_from=valid_from)
        last = {valid_from: value for value, valid_from in entries}
        opened = open_ledger(folder).book.dated("efficiency.al_liquid_ac")
        shipped = [one for one in opened if not one.document]
        assert {str(one.valid_from): one.value for one in opened if one.document} == last
        assert len(shipped) == (0 if "2024-01-01" in last else 1)
        history = ask(ledger, "desk.parameter", parameter="efficiency.al_liquid_ac").parts
        assert len(history) == len(entries) + 1
        assert ask(ledger, "desk.proposals", state="confirmed").value == len(entries)
