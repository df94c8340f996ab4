"""The desk end to end: what is allowed, who may, what is listed, files that travel."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cupral.ledger.errors import CannotDecide, Conflict, CupralError, InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import PUBLIC, Rights
from cupral.ledger.stores.attachments import attachments, content
from cupral.system import ask, call, open_ledger, order
from cupral.systems.desk.commands import KEY_FILE
from cupral.systems.desk.compute import signing
from tests.systems.desk.acts import FIRST, LEVELS, NORM, SECOND, confirm, enter, propose

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"value": 12_900}, "allowed is a table"),
    ({"value": {"level1": 1, "level2": 2}}, "lacks level3; its keys are level1, level2, level3"),
    ({"value": {**LEVELS, "level4": 1}}, "has level4"),
    ({"value": {**LEVELS, "level1": "low"}}, r"level1: 'low' .* allowed is a finite number"),
    ({"value": {**LEVELS, "level1": float("nan")}}, "no finite number"),
    ({"value": {**LEVELS, "level1": True}}, "no finite number"),
    ({"value": '{"level1": 1e999, "level2": 1, "level3": 1}'}, "no finite number"),
    ({"value": '{"level1": 1, "level1": 2}'}, "given twice"),
    ({"value": "twelve"}, "is no value"),
    ({"value": "[" * 100_000}, "nested too deeply"),
    ({"parameter": "plan.associated_elements", "value": []}, "the list is empty"),
    ({"parameter": "plan.associated_elements", "value": ["Au", 3]}, "allowed is a text"),
    ({"parameter": "plan.near_level", "value": 10 ** 400}, "no finite number"),
    ({"parameter": "statistics.price_index", "value": 102}, "allowed is a table"),
    ({"parameter": "statistics.price_index", "value": {"copper": 102}}, "lacks aluminium"),
    ({"parameter": "statistics.price_index", "value": "[" * 900 + "1" + "]" * 900}, "allowed is"),
    ({"unit": "t"}, r"kept in 'kWh/t': 't' cannot be converted"),
    ({"unit": "nonsense"}, "unit 'nonsense' is not known"),
    ({"parameter": "plan.published_alumina", "unit": "kg",
      "value": {"period": "2025", "amount": 3, "product": "alumina"}}, "more than plain numbers"),
    ({"valid_from": "soon"}, "valid_from 'soon' is no day"),
    ({"valid_from": "0001-01-01"}, "no day of this age"),
    ({"valid_to": "2026-03-01"}, "is not after valid_from"),
    ({"source": "  "}, "needs its source"),
    ({"source": "x" * 2_001}, "2001 characters; 2000 are allowed"),
    ({"status": "sure"}, "status 'sure' is not one of confirmed, unconfirmed"),
    ({"force": "wish"}, "force 'wish' is not one of"),
    ({"content": b"text"}, "has no name"),
    ({"content": b"MZ\x90\x00", "filename": "a.exe"}, "a.exe"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "match"), REFUSED)
def test_what_is_not_allowed_is_refused_and_nothing_is_opened(
    ledger: Ledger, change: dict[str, Any], match: str
) -> None:
    given = {"parameter": NORM, "value": LEVELS, **change}
    with pytest.raises(InputError, match=match):
        propose(ledger, **given)
    assert ask(ledger, "desk.proposals", state="").value == 0.0


def test_an_unknown_parameter_is_refused_with_those_there_are(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match=r"that system has: plan\.associated_elements"):
        propose(ledger, "plan.nothing", 1)


def test_a_unit_that_converts_is_converted_and_told(ledger: Ledger) -> None:
    levels = {name: value / 1000 for name, value in LEVELS.items()}
    document = enter(ledger, value=json.dumps(levels), unit="MWh/t")
    assert document.body["value"] == pytest.approx(LEVELS)
    assert (document.body["unit"], document.body["stated_unit"]) == ("kWh/t", "MWh/t")


def test_the_file_is_kept_with_its_hash(ledger: Ledger) -> None:
    text = "公告第7号\n".encode()
    document = propose(ledger, content=text, filename="notice-7.txt")
    (file,) = attachments(ledger, "parameter", document.id)
    assert (file.name, file.author) == ("notice-7.txt", FIRST)
    assert document.body["file"] == {"name": "notice-7.txt", "sha256": file.sha256}
    assert content(ledger.folder, file) == text


@pytest.mark.parametrize(("days", "told"), [
    (("2024-01-01", ""), [("replaces", "2024-01-01")]),
    (("2026-01-01", ""), [("follows", "2024-01-01")]),
    (("2023-01-01", ""), [("ends", "2024-01-01")]),
    (("2025-01-01", "2026-01-01"), [("follows", "2024-01-01"), ("gives way", "2024-01-01")]),
    (("2022-01-01", "2023-01-01"), []),
])  # fmt: skip
def test_what_overlaps_is_told(
    ledger: Ledger, days: tuple[str, str], told: list[tuple[str, str]]
) -> None:
    document = propose(ledger, valid_from=days[0], valid_to=days[1])
    assert [(row["what"], row["valid_from"]) for row in document.body["overlaps"]] == told


@pytest.mark.parametrize("name", [FIRST, "LI", " li ", ""])
def test_the_proposer_by_any_spelling_is_no_second_person(ledger: Ledger, name: str) -> None:
    """Also with the rights of whoever holds the folder."""
    document = propose(ledger)
    for act, more in (("confirm", {}), ("refuse", {"reason": "no"})):
        with pytest.raises(NoRight, match="second person"):
            order(ledger, f"desk.{act}", author=name, proposal=document.id, **more)
    assert ledger.book.dated(NORM) == ledger.shipped.dated(NORM)


def test_the_same_proposal_twice_is_refused(ledger: Ledger) -> None:
    first = propose(ledger)
    with pytest.raises(InputError, match="by li says the same and waits"):
        propose(ledger)
    assert propose(ledger, note="another").id == f"{first.id}#2"


def test_decided_is_decided(ledger: Ledger) -> None:
    refused, taken_back = propose(ledger), propose(ledger, valid_from="2026-04-01")
    with pytest.raises(InputError, match="needs a reason"):
        order(ledger, "desk.refuse", author=SECOND, proposal=refused.id, reason=" ")
    order(ledger, "desk.refuse", author=SECOND, proposal=refused.id, reason="wrong table")
    with pytest.raises(InputError, match="proposed by li, not by wang; refuse it instead"):
        order(ledger, "desk.withdraw", author=SECOND, proposal=taken_back.id)
    order(ledger, "desk.withdraw", author=FIRST, proposal=taken_back.id)
    for document in (refused, taken_back):
        with pytest.raises(InputError, match="cannot become confirmed"):
            confirm(ledger, document)
    assert ledger.book.dated(NORM) == ledger.shipped.dated(NORM)
    states = [row["state"] for row in ask(ledger, "desk.proposals", state="").parts]
    assert states == ["refused", "withdrawn"]
    again = propose(ledger)
    assert again.id == f"{NORM}@2026-03-01#2"
    assert confirm(ledger, again).state == "confirmed"


def test_of_two_who_confirm_at_once_one_wins(ledger: Ledger) -> None:
    document, outcomes = propose(ledger), []
    start = threading.Barrier(2)

    def confirming(name: str) -> None:
        mine = open_ledger(ledger.folder)
        start.wait()
        try:
            order(mine, "desk.confirm", author=name, proposal=document.id, version=1)
            outcomes.append("confirmed")
        except CupralError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=confirming, args=(name,)) for name in ("wang", "zhao")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Conflict", "confirmed"]
    assert [one.value for one in ledger.book.dated(NORM) if one.document] == [LEVELS]


def test_a_stale_view_cannot_confirm(ledger: Ledger) -> None:
    document = enter(ledger)
    with pytest.raises(Conflict, match="you saw version 1"):
        order(ledger, "desk.confirm", author="zhao", proposal=document.id, version=1)
    with pytest.raises(InputError, match="has no version 9"):
        order(ledger, "desk.confirm", author="zhao", proposal=document.id, version=9)
    with pytest.raises(NotFound, match="those that wait: none"):
        order(ledger, "desk.confirm", author="zhao", proposal="nothing")


def test_rights_are_asked(ledger: Ledger) -> None:
    """The public reads parameters and no proposals; a department proposes and confirms."""
    document = propose(ledger)
    outside = ledger.seen_by(PUBLIC)
    for act in ("propose", "confirm"):
        with pytest.raises(NoRight, match="may not"):
            order(outside, f"desk.{act}", author="public", **{
                "propose": {"parameter": NORM, "value": LEVELS, "valid_from": "2026-01-01",
                            "source": "x"},
                "confirm": {"proposal": document.id}}[act])  # fmt: skip
    with pytest.raises(NoRight, match="may not read document:parameter"):
        ask(outside, "desk.proposals")
    shown = ask(outside, "desk.parameter", parameter=NORM)
    assert shown.tables["proposals"] == shown.tables["results"] == ()
    assert ask(outside, "desk.parameters").value == len(ledger.book.values)
    clerk = Rights(name=SECOND, roles=frozenset({"department"}))
    order(ledger.seen_by(clerk), "desk.confirm", author=SECOND, proposal=document.id)
    (row,) = [
        row for row in ask(outside, "desk.parameter", parameter=NORM).parts if row["document"]
    ]
    assert row["value"] == LEVELS


def test_a_kept_result_stays_readable_for_an_enterprise(ledger: Ledger) -> None:
    """The parameters that it stands on are public."""
    kept = call(ledger, "efficiency.level", norm="al_liquid_ac", value=12_950.0, on="2026-03")
    firm = Rights(name="f", roles=frozenset({"enterprise"}), enterprises=frozenset({"E1"}))
    assert ledger.seen_by(firm).kept(kept.query, kept.arguments) == kept


def test_the_list_says_status_and_where_each_is_used(ledger: Ledger) -> None:
    call(ledger, "efficiency.level", norm="al_liquid_ac", value=12_950.0, on="2026-03")
    propose(ledger)
    rows = {row["parameter"]: row for row in ask(ledger, "desk.parameters").parts}
    assert rows.keys() == ledger.book.values.keys()
    assert (rows[NORM]["status"], rows[NORM]["waiting"], rows[NORM]["results"]) == (
        "confirmed", 1, 1)  # fmt: skip
    assert rows["statistics.price_index"]["status"] == "missing"
    assert rows["plan.relations"]["named_in"] == ["plan"]
    unnamed = [id for id, row in rows.items() if not row["named_in"]]
    assert [id for id in unnamed if not id.startswith("plan.published_")] == []
    missing = ask(ledger, "desk.parameters", status="missing")
    assert [row["parameter"] for row in missing.parts] == sorted(
        id for id, row in rows.items() if row["status"] == "missing")  # fmt: skip
    with pytest.raises(InputError, match="status 'lost'"):
        ask(ledger, "desk.parameters", status="lost")
    with pytest.raises(NotFound, match="no system 'none'"):
        ask(ledger, "desk.parameters", system="none")


def test_a_scenario_is_badged_and_leaves_no_trace(ledger: Ledger) -> None:
    question = {"norm": "al_liquid_ac", "value": 12_950.0, "on": "2026-03"}
    assumed = {NORM: {"level1": 12_000, "level2": 12_500, "level3": 12_800}}
    call(ledger, "efficiency.level", **question)
    for answer in (ask, call):
        found = answer(ledger, "desk.scenario", query="efficiency.level", arguments=question,
                       assume=assumed)  # fmt: skip
        assert found.status == "scenario: fails level 3"
        assert found.badges[0] == f"scenario: assumes {NORM} = {assumed[NORM]}"
    assert [row["key"].partition("?")[0] for row in ledger.results()] == ["efficiency.level"]
    assert ask(ledger, "efficiency.level", **question).status == "level 1"
    other = ledger.assuming(assumed)
    assert call(other, "efficiency.level", **question).scenario
    with pytest.raises(InputError, match=r"scenario that assumes efficiency\.al_liquid_ac"):
        propose(other)
    with pytest.raises(InputError, match="lacks level2"):
        ask(ledger, "desk.scenario", query="efficiency.level", assume={NORM: {"level1": 1}})
    with pytest.raises(InputError, match="a scenario assumes something"):
        ask(ledger, "desk.scenario", query="efficiency.level", assume={})


def test_a_scenario_may_supply_what_is_missing(ledger: Ledger) -> None:
    with pytest.raises(CannotDecide):
        ledger.book.on("statistics.price_index", ledger.book.dated("plan.relations")[0].valid_from)
    found = ask(ledger, "desk.scenario", query="plan.published",
                assume={"statistics.price_index": {"copper": 100, "aluminium": 99}})  # fmt: skip
    assert found.status == "scenario: ok"


@pytest.mark.parametrize(("query", "arguments", "error", "match"), [
    ("plan.none", {}, NotFound, "no query 'plan.none'"),
    ("efficiency.level", {}, InputError, "missing a required argument: 'norm'"),
    ("efficiency.level", {"norm": "al_liquid_ac", "value": "low"}, InputError, "validation error"),
    ("efficiency.level", {"ledger": 1}, InputError, "multiple values"),
    ("efficiency.level", {"colour": 1}, NotFound, "not \\['colour'\\]"),
])  # fmt: skip
def test_a_scenario_with_faulty_arguments_is_refused(
    ledger: Ledger, query: str, arguments: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        ask(ledger, "desk.scenario", query=query, arguments=arguments, assume={NORM: LEVELS})


def test_effects_may_be_asked_of_a_value_only_thought_of(ledger: Ledger) -> None:
    call(ledger, "efficiency.level", norm="al_liquid_ac", value=12_950.0, on="2026-03")
    found = ask(ledger, "desk.effects", parameter=NORM, value=LEVELS, valid_from="2026-03-01")
    ((row),) = found.parts
    assert (row["status_before"], row["status_after"], row["changes"]) == (
        "level 1", "level 2", "verdict")  # fmt: skip
    later = ask(ledger, "desk.effects", parameter=NORM, value=LEVELS, valid_from="2026-04-01")
    assert later.parts == ()
    with pytest.raises(InputError, match="either a proposal, or a parameter"):
        ask(ledger, "desk.effects")
    assert ledger.stale_results() == []


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ed25519PrivateKey:
    """A private key where CUPRAL_DESK_KEY says."""
    made = Ed25519PrivateKey.generate()
    place = tmp_path / "desk.pem"
    place.write_bytes(signing.pem_of(made))
    monkeypatch.setenv(KEY_FILE, str(place))
    return made


def test_values_travel_to_another_desk_as_proposals(
    ledger: Ledger, tmp_path: Path, key: Ed25519PrivateKey
) -> None:
    enter(ledger, content=b"text", filename="a.txt")
    enter(ledger, "plan.near_level", 0.02, valid_from="2026-01-01")
    file = str(order(ledger, "desk.export_parameters", author=SECOND)).encode()
    other, public = open_ledger(tmp_path / "other"), signing.public_of(key)
    with pytest.raises(NoRight, match=f"nobody here trusts key {public}"):
        order(other, "desk.import_parameters", author="sun", content=file)
    order(other, "desk.trust_key", author="qian", key=public.upper(), owner="Wang of Jinan")
    seen = order(other, "desk.import_parameters", author="sun", content=file, dry_run=True)
    assert (seen.signed_by, seen.trusted_by, len(seen.proposed)) == (SECOND, "qian", 2)
    assert ask(other, "desk.proposals").value == 0
    order(other, "desk.import_parameters", author="sun", content=file)
    again = order(other, "desk.import_parameters", author="sun", content=file)
    assert (again.proposed, len(again.already)) == ((), 2)
    rows = ask(other, "desk.proposals").parts
    assert {row["author"] for row in rows} == {"sun"}
    assert "a.txt (SHA-256 " in next(row["note"] for row in rows if row["parameter"] == NORM)
    assert other.book.dated(NORM) == other.shipped.dated(NORM)
    with pytest.raises(NoRight):
        order(other, "desk.confirm", author="sun", proposal=rows[0]["proposal"])
    for row in rows:
        order(other, "desk.confirm", author="qian", proposal=row["proposal"])
    assert other.book.on("plan.near_level", other.book.dated("plan.near_level")[-1].valid_from
                         ).value == 0.02  # fmt: skip
    order(other, "desk.trust_key", author="qian", key=public, owner="Wang", trusted=False)
    with pytest.raises(NoRight):
        order(other, "desk.import_parameters", author="sun", content=file)


def test_a_signed_file_with_a_faulty_value_enters_nothing(
    ledger: Ledger, key: Ed25519PrivateKey
) -> None:
    order(ledger, "desk.trust_key", author="q", key=signing.public_of(key), owner="me")
    good = {"parameter": "plan.near_level", "value": 0.02, "unit": "1", "valid_from": "2026-01-01",
            "valid_to": "", "source": "s", "note": "", "status": "confirmed", "force": "",
            "file": None}  # fmt: skip
    for bad, match in (({"value": "x"}, "is no value"), ({"parameter": 3}, "no text"),
                       ({"parameter": "plan.none"}, "no parameter")):  # fmt: skip
        content = {"signed_by": "me", "parameters": [good, {**good, **bad}]}
        file = signing.signed(content, key).text.encode()
        with pytest.raises(CupralError, match=match):
            order(ledger, "desk.import_parameters", author="q", content=file)
    for content in ({}, {"parameters": [{"parameter": "x"}]}, {"parameters": 3}):
        file = signing.signed(content, key).text.encode()
        with pytest.raises(InputError, match="holds no rows of parameter"):
            order(ledger, "desk.import_parameters", author="q", content=file)
    assert ask(ledger, "desk.proposals", state="").value == 0


def test_a_key_must_be_there_and_lie_outside(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter(ledger)
    monkeypatch.delenv(KEY_FILE, raising=False)
    with pytest.raises(CannotDecide, match="no key to sign with"):
        order(ledger, "desk.export_parameters", author=SECOND)
    inside = ledger.folder / "desk.pem"
    for place, match in ((inside, "lies in the ledger's folder"),
                         (tmp_path / "none.pem", "cannot be read")):  # fmt: skip
        monkeypatch.setenv(KEY_FILE, os.fspath(place))
        with pytest.raises(InputError, match=match):
            order(ledger, "desk.export_parameters", author=SECOND)
    (tmp_path / "bad.pem").write_bytes(b"no key")
    monkeypatch.setenv(KEY_FILE, os.fspath(tmp_path / "bad.pem"))
    with pytest.raises(InputError, match="holds no Ed25519 key"):
        order(ledger, "desk.export_parameters", author=SECOND)
    for digits in ("", "zz" * 32, "ab" * 31):
        with pytest.raises(InputError, match="is no public key"):
            order(ledger, "desk.trust_key", author="q", key=digits, owner="x")
