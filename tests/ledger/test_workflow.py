"""The workflow: who may move what where, checked over every state, move and role."""

import threading
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, CupralError, InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import docket
from cupral.ledger.stores.correspondence import comments, inbox, read
from cupral.ledger.workflow import (
    OWNER,
    Workflow,
    allowed_moves,
    history,
    move,
    open_document,
    revise,
    standard,
    step_of,
    writers,
)
from cupral.ledger.workflow import Move as OneMove
from tests.ledger.processes import processes
from tests.ledger.server import again

FLOW = standard("request")
FIRM = {"roles": {"enterprise"}, "enterprises": {"E1"}}
OFFICE = {"roles": {"department"}, "enterprises": frozenset()}
ROLES = ("public", "enterprise", "signer", "verifier", "department", "system", "security", "audit",
         "owner")  # fmt: skip
FIRM_MOVES = {("draft", "submitted"), ("returned", "submitted"), ("draft", "withdrawn"),
              ("submitted", "withdrawn"), ("under_review", "withdrawn"),
              ("returned", "withdrawn")}  # fmt: skip
OFFICE_MOVES = {("submitted", "under_review"), ("under_review", "accepted"),
                ("under_review", "refused"), ("under_review", "returned")}  # fmt: skip
"""Written down here a second time, by hand: what the issue asks for."""
MAY = {"enterprise": FIRM_MOVES, "signer": FIRM_MOVES, "department": OFFICE_MOVES,
       "owner": FIRM_MOVES | OFFICE_MOVES}  # fmt: skip


def opened(ledger: Ledger, id: str = "r1", flow: Workflow = FLOW) -> Document:
    """A draft of E1, written by li."""
    return open_document(ledger, flow, id=id, party="E1", body={"title": "直供电申请"}, author="li",
                         **FIRM)  # fmt: skip


def reviewed(ledger: Ledger, id: str = "r1") -> Document:
    """A document that wang has taken up."""
    sent = move(ledger, FLOW, opened(ledger, id), to="submitted", author="li", **FIRM)
    return move(ledger, FLOW, sent, to="under_review", author="wang", **OFFICE)


def test_the_states_are_those_of_the_standard_workflow() -> None:
    assert FLOW.states == ("draft", "submitted", "under_review", "accepted", "refused", "returned",
                           "withdrawn")  # fmt: skip
    assert FLOW.final == ("accepted", "refused", "withdrawn")


@pytest.mark.parametrize("role", ROLES)
def test_every_state_move_and_role(role: str) -> None:
    """A move is possible if and only if it is in the table above."""
    for state, target in product(FLOW.states, FLOW.states):
        past = [Document(kind="request", id="r", party="E1", state=state, version=1, author="li")]
        allowed = (state, target) in MAY.get(role, set())
        try:
            step = step_of(FLOW, past, to=target, author="zhao", roles={role}, enterprises={"E1"})
            assert allowed, (state, target)
            assert (step.source, step.target) == (state, target)
        except (InputError, NoRight):
            assert not allowed, (state, target)
        listed = {(m.source, m.target) for m in allowed_moves(FLOW, state, {role})}
        assert ((state, target) in listed) == allowed


def test_two_roles_may_do_what_either_may() -> None:
    both = {move.action for move in allowed_moves(FLOW, "submitted", {"signer", "department"})}
    assert both == {"review", "withdraw"}


def test_nobody_acts_for_another_enterprise() -> None:
    past = [Document(kind="request", id="r", party="E2", version=1, author="x")]
    with pytest.raises(NoRight, match="may not submit a request of others; allowed for E1"):
        step_of(FLOW, past, to="submitted", author="li", **FIRM)
    with pytest.raises(NoRight, match="allowed for no enterprise"):
        step_of(FLOW, past, to="submitted", author="li", roles={"signer"}, enterprises=())


def test_a_wrong_move_says_where_it_leads() -> None:
    past = [Document(kind="request", id="r", party="E1", version=1)]
    with pytest.raises(InputError, match=r"is draft and cannot become accepted; it leads to subm"):
        step_of(FLOW, past, to="accepted", author="li")
    with pytest.raises(InputError, match=r"no state 'lost' of request; there are draft"):
        allowed_moves(FLOW, "lost", OWNER)


def test_a_workflow_names_only_states_it_has() -> None:
    step = OneMove(action="a", source="x", target="y", roles=())
    with pytest.raises(InputError, match=r"names \['draft', 'returned'\]; its states are"):
        Workflow(kind="k", moves=(step,), initial="x")


def test_each_step_is_a_version(ledger: Ledger) -> None:
    seen = reviewed(ledger)
    done = move(ledger, FLOW, seen, to="accepted", author="wang", **OFFICE)
    past = history(ledger, "request", "r1")
    assert [(v.version, v.state, v.author) for v in past] == [
        (1, "draft", "li"), (2, "submitted", "li"), (3, "under_review", "wang"),
        (4, "accepted", "wang")]  # fmt: skip
    assert {tuple(v.body.items()) for v in past} == {(("title", "直供电申请"),)}
    assert done == past[-1]


def test_four_eyes(ledger: Ledger) -> None:
    """Neither who wrote nor who submitted may decide, whatever roles they have."""
    seen = reviewed(ledger)
    for name in ("accepted", "refused", "returned"):
        with pytest.raises(NoRight, match=r"li has written or submitted .* let a second person"):
            move(ledger, FLOW, seen, to=name, author="li", reason="x")
    returned = move(ledger, FLOW, seen, to="returned", author="wang", reason="缺件", **OFFICE)
    changed = revise(ledger, FLOW, returned, body={"title": "二稿"}, author="zhang", **FIRM)
    sent = move(ledger, FLOW, changed, to="submitted", author="qian", **FIRM)
    last = move(ledger, FLOW, sent, to="under_review", author="wang", **OFFICE)
    assert writers(FLOW, history(ledger, "request", "r1")) == {"li", "zhang", "qian"}
    for name in ("zhang", "qian", "li"):
        with pytest.raises(NoRight):
            move(ledger, FLOW, last, to="accepted", author=name)
    assert move(ledger, FLOW, last, to="accepted", author="wang").state == "accepted"


def test_refusing_and_returning_need_a_reason(ledger: Ledger) -> None:
    seen = reviewed(ledger)
    for to in ("refused", "returned"):
        with pytest.raises(InputError, match="needs a reason; say why"):
            move(ledger, FLOW, seen, to=to, author="wang", reason=" ", **OFFICE)
    move(ledger, FLOW, seen, to="refused", author="wang", reason="不属受理范围", **OFFICE)
    (said,) = comments(ledger, "request", "r1")
    assert (said.version, said.action, said.text) == (4, "refuse", "不属受理范围")


def test_what_has_changed_meanwhile_is_not_moved(ledger: Ledger) -> None:
    seen = opened(ledger)
    move(ledger, FLOW, seen, to="submitted", author="li")
    with pytest.raises(Conflict, match=r"version 2 \(submitted, by li\), you saw version 1; look"):
        move(ledger, FLOW, seen, to="withdrawn", author="li")
    with pytest.raises(Conflict, match="you saw version 1"):
        revise(ledger, FLOW, seen, body={}, author="li")


def test_a_failed_move_leaves_nothing(ledger: Ledger) -> None:
    seen = reviewed(ledger)
    state, notices = ledger.state, len(inbox(ledger, person="", roles=OWNER))
    with pytest.raises(InputError, match="a comment of 10001 characters"):
        move(ledger, FLOW, seen, to="refused", author="wang", reason="x" * 10_001, **OFFICE)
    assert (ledger.state, comments(ledger, "request", "r1")) == (state, [])
    assert len(inbox(ledger, person="", roles=OWNER)) == notices


def test_only_drafts_and_returned_ones_are_changed(ledger: Ledger) -> None:
    seen = reviewed(ledger)
    with pytest.raises(InputError, match=r"is under_review and cannot be changed; only while dra"):
        revise(ledger, FLOW, seen, body={}, author="li", **FIRM)
    with pytest.raises(NoRight, match="department may not change a request"):
        revise(ledger, FLOW, seen, body={}, author="wang", **OFFICE)


def test_an_id_is_used_once(ledger: Ledger) -> None:
    opened(ledger)
    with pytest.raises(Conflict, match="there is a request 'r1' already"):
        opened(ledger)
    with pytest.raises(NoRight, match="department may not open a request; allowed for enterprise"):
        open_document(ledger, FLOW, id="x", party="E1", body={}, author="wang", **OFFICE)
    with pytest.raises(NotFound, match="no request document 'none'; look for it"):
        history(ledger, "request", "none")
    with pytest.raises(NotFound, match="open it first"):
        move(ledger, FLOW, Document(kind="request", id="none", party="E"), to="submitted",
             author="li")  # fmt: skip


def test_the_other_side_is_told(ledger: Ledger) -> None:
    seen = reviewed(ledger)
    (sent,) = inbox(ledger, person="wang", roles={"department"})
    assert (sent.action, sent.version, sent.author, sent.read_at) == ("submit", 2, "li", None)
    move(ledger, FLOW, seen, to="returned", author="wang", reason="缺件", **OFFICE)
    mine = inbox(ledger, person="li", **FIRM)
    assert [one.action for one in mine] == ["return", "review"]
    assert inbox(ledger, person="sun", roles={"signer"}, enterprises={"E1"}) == mine
    assert inbox(ledger, person="li", roles={"enterprise"}, enterprises={"E2"}) == []
    assert inbox(ledger, person="li", roles={"verifier"}, enterprises={"E1"}) == []
    assert len(inbox(ledger, person="", roles=OWNER)) == 3


def test_a_notice_is_read_once_by_whom_it_is_for(ledger: Ledger) -> None:
    reviewed(ledger)
    (sent,) = inbox(ledger, person="wang", roles={"department"}, unread=True)
    with pytest.raises(NoRight, match="not for li; look into your own inbox"):
        read(ledger, sent.number, person="li", **FIRM)
    first = read(ledger, sent.number, person="wang", **OFFICE)
    again_ = read(ledger, sent.number, person="zhou", **OFFICE)
    assert (first.read_by, again_) == ("wang", first)
    assert inbox(ledger, person="wang", roles={"department"}, unread=True) == []
    with pytest.raises(NotFound, match="no notice 99"):
        read(ledger, 99, person="wang", **OFFICE)


def test_a_workflow_of_one_office_tells_its_writers_by_name(ledger: Ledger) -> None:
    """As the parameter desk has it: one of the department proposes, another decides."""
    flow = standard("amendment", party=("department",), deadlines={})
    first = open_document(ledger, flow, id="a", party="省厅", body={}, author="wang", **OFFICE)
    sent = move(ledger, flow, first, to="submitted", author="wang", **OFFICE)
    taken = move(ledger, flow, sent, to="under_review", author="zhou", **OFFICE)
    with pytest.raises(NoRight, match="wang has written"):
        move(ledger, flow, taken, to="accepted", author="wang", **OFFICE)
    move(ledger, flow, taken, to="accepted", author="zhou", **OFFICE)
    told = inbox(ledger, person="wang")
    assert [(one.person, one.action) for one in told] == [("wang", "accept"), ("wang", "review")]


def test_a_deadline_belongs_to_its_state(ledger: Ledger) -> None:
    def due() -> str | None:
        with ledger.records.database.connect() as connection:
            entry = docket.standing(connection, "request", "r1")
            assert entry is not None
            return entry.due

    first = opened(ledger)
    assert due() is None
    sent = move(ledger, FLOW, first, to="submitted", author="li", today=date(2026, 9, 24))
    assert due() == "2026-10-09", "25-27 September and 1-7 October are holidays, 28-30 are not"
    taken = move(ledger, FLOW, sent, to="under_review", author="wang", today=date(2026, 2, 10))
    assert due() == "2026-03-16", "20 days: 14 and 28 February are worked, 15-23 are not"
    ledger.put(taken, author="li")
    assert due() == "2026-03-16", "another version in the same state"
    latest = ledger.document("request", "r1")
    move(ledger, FLOW, latest, to="accepted", author="wang")
    assert due() is None


def test_without_a_known_time_there_is_no_deadline(tmp_path: Path) -> None:
    bare = Ledger.open(tmp_path)
    with pytest.raises(NotFound, match=r"documents\.days_to_take_up"):
        move(bare, FLOW, opened(bare), to="submitted", author="li")
    flow = standard("request", deadlines={})
    seen = open_document(bare, flow, id="r2", party="E", body={}, author="li")
    assert move(bare, flow, seen, to="submitted", author="li").state == "submitted"


# -- two at once ------------------------------------------------------------------------------


def test_of_two_threads_that_decide_one_wins(ledger: Ledger) -> None:
    seen = reviewed(ledger)
    start, ends = threading.Barrier(4), list[str]()

    def decide(name: str, to: str) -> None:
        mine = again(ledger)
        start.wait()
        try:
            ends.append(move(mine, FLOW, seen, to=to, author=name, reason="r").state)
        except CupralError as error:
            ends.append(type(error).__name__)
        mine.records.database.dispose()

    both = [threading.Thread(target=decide, args=(f"d{n}", to))
            for n, to in enumerate(("accepted", "refused", "returned", "accepted"))]  # fmt: skip
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(ends)[:3] == ["Conflict"] * 3
    past = history(ledger, "request", "r1")
    assert (len(past), past[-1].state) == (4, ends[[e != "Conflict" for e in ends].index(True)])
    assert len(comments(ledger, "request", "r1")) == 1


@pytest.fixture
def deciders(tmp_path: Path, database: str) -> Iterator[tuple[Ledger, list[int]]]:
    """A ledger with ten documents that two processes have decided upon at once."""
    folder = tmp_path / "ledger"
    ledger = Ledger.open(folder, database=database)
    flow = standard("request", deadlines={})
    for number in range(10):
        first = open_document(ledger, flow, id=f"r{number}", party="E1", body={}, author="li")
        sent = move(ledger, flow, first, to="submitted", author="li")
        move(ledger, flow, sent, to="under_review", author="wang")
    with processes(folder, database) as running:
        pids = [running.start("decide", name, 10) for name in ("a", "b")]
        yield ledger, [running.wait(pid) for pid in pids]
    ledger.records.database.dispose()


def test_of_two_processes_that_decide_one_wins(deciders: tuple[Ledger, list[int]]) -> None:
    ledger, codes = deciders
    assert codes == [0, 0]
    won = {
        name: (ledger.folder / f"acknowledged-{name}").read_text().split()
        for name in ("a", "b")
        if (ledger.folder / f"acknowledged-{name}").exists()
    }
    assert sorted(id for ids in won.values() for id in ids) == [f"r{n}" for n in range(10)]
    for name, ids in won.items():
        for id in ids:
            past = history(ledger, "request", id)
            assert (len(past), past[-1].state, past[-1].author) == (4, "accepted", name)
