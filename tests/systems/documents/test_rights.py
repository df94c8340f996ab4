"""Whose documents whom: an enterprise sees and moves its own, the department decides on all."""

import pytest

from cupral.ledger.errors import NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import PUBLIC, Rights
from cupral.system import ask, order

LI = Rights(name="li", roles=frozenset({"enterprise"}), enterprises=frozenset({"E1"}))
SUN = Rights(name="sun", roles=frozenset({"signer"}), enterprises=frozenset({"E2"}))
WANG = Rights(name="wang", roles=frozenset({"department"}))
ZHAO = Rights(name="zhao", roles=frozenset({"security"}))


def opened(ledger: Ledger, rights: Rights, party: str) -> None:
    """A request of the party, opened by that person."""
    order(ledger.seen_by(rights), "documents.draft", author=rights.name, kind="request",
          party=party, title=f"{party}的申请", id=f"of-{party}")  # fmt: skip


def act(ledger: Ledger, rights: Rights, name: str, id: str, **more: object) -> None:
    """One order of that person."""
    order(ledger.seen_by(rights), f"documents.{name}", author=rights.name, kind="request", id=id,
          **more)  # fmt: skip


@pytest.fixture
def two(ledger: Ledger) -> Ledger:
    """A request of E1 by li and one of E2 by sun."""
    opened(ledger, LI, "E1")
    opened(ledger, SUN, "E2")
    return ledger


def test_nobody_opens_a_document_of_others(ledger: Ledger) -> None:
    with pytest.raises(NoRight, match="may not open a request of others; allowed for E1"):
        opened(ledger, LI, "E2")
    for rights in (ZHAO, PUBLIC):
        with pytest.raises(NoRight, match="may not post"):
            opened(ledger, rights, "E1")


def test_others_are_not_found_nor_told_of(two: Ledger) -> None:
    mine = two.seen_by(LI)
    assert [row["id"] for row in ask(mine, "documents.find", party="E1").parts] == ["of-E1"]
    for asked in ({}, {"party": "E2"}, {"text": "E2"}):
        with pytest.raises(NoRight):
            ask(mine, "documents.find", **asked)
    with pytest.raises(NotFound):
        ask(mine, "documents.history", kind="request", id="of-E2")
    for name, more in (("comment", {"text": "x"}), ("submit", {"version": 1}),
                       ("attach", {"content": b"x", "filename": "x.txt"})):  # fmt: skip
        with pytest.raises(NotFound):
            act(two, LI, name, "of-E2", **more)


def test_the_department_sees_all_and_decides(two: Ledger) -> None:
    assert len(ask(two.seen_by(WANG), "documents.find").parts) == 2
    act(two, LI, "submit", "of-E1", version=1)
    with pytest.raises(NoRight, match="li may not decide"):
        act(two, LI, "review", "of-E1", version=2)
    act(two, WANG, "review", "of-E1", version=2)
    act(two, WANG, "decide", "of-E1", version=3, outcome="accepted")
    with pytest.raises(NoRight, match="department may not submit a request"):
        act(two, WANG, "submit", "of-E2", version=1)


def test_an_inbox_is_ones_own(two: Ledger) -> None:
    act(two, LI, "submit", "of-E1", version=1)
    act(two, WANG, "review", "of-E1", version=2)
    firm = ask(two.seen_by(LI), "documents.inbox", person="li").parts
    assert [row["action"] for row in firm] == ["review"]
    assert ask(two.seen_by(SUN), "documents.inbox", person="sun").parts == ()
    office = ask(two.seen_by(WANG), "documents.inbox", person="wang").parts
    assert [row["action"] for row in office] == ["submit"]
    asked = {"person": "sun", "roles": ["department"], "enterprises": ["E1"]}
    assert ask(two.seen_by(SUN), "documents.inbox", **asked).parts == ()
    with pytest.raises(NoRight, match="sun may not act in the name of li"):
        ask(two.seen_by(SUN), "documents.inbox", person="li")
    with pytest.raises(NoRight, match="is not for sun"):
        order(two.seen_by(SUN), "documents.read_notice", author="sun", number=office[0]["number"])


def test_nobody_acts_in_the_name_of_another(two: Ledger) -> None:
    with pytest.raises(NoRight, match="li may not act in the name of wang"):
        order(two.seen_by(LI), "documents.submit", author="wang", kind="request", id="of-E1",
              version=1)  # fmt: skip
