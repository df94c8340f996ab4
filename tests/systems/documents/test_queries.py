"""The questions and orders end to end, their errors, and what makes an answer old."""

import pytest

from cupral.ledger.errors import Conflict, InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.attachments import content
from cupral.system import ask, call, manifests, order, workflows


def opened(ledger: Ledger, id: str = "r1", title: str = "绿电直连申请") -> None:
    """A request of E1, opened by li."""
    order(ledger, "documents.draft", author="li", kind="request", party="E1", title=title, id=id,
          body={"text": "容量 50 MW"})  # fmt: skip


def step(ledger: Ledger, name: str, author: str, version: int, **more: str) -> None:
    """One order on r1."""
    order(ledger, f"documents.{name}", author=author, kind="request", id="r1", version=version,
          **more)  # fmt: skip


def decided(ledger: Ledger) -> None:
    """A request that wang has refused."""
    opened(ledger)
    step(ledger, "submit", "li", 1)
    step(ledger, "review", "wang", 2)
    step(ledger, "decide", "wang", 3, outcome="refused", reason="容量不足")


def ids(ledger: Ledger, **asked: object) -> list[str]:
    """Ids of the documents found."""
    return [row["id"] for row in ask(ledger, "documents.find", **asked).parts]


def test_history_tells_everything(ledger: Ledger) -> None:
    decided(ledger)
    order(ledger, "documents.attach", author="li", kind="request", id="r1", filename="a.txt",
          content=b"proof")  # fmt: skip
    found = ask(ledger, "documents.history", kind="request", id="r1")
    assert (found.value, found.status) == (4.0, "refused")
    assert [row["state"] for row in found.parts] == ["draft", "submitted", "under_review",
                                                     "refused"]  # fmt: skip
    assert [row["author"] for row in found.parts] == ["li", "li", "wang", "wang"]
    assert [row["text"] for row in found.tables["comments"]] == ["容量不足"]
    assert [row["name"] for row in found.tables["attachments"]] == ["a.txt"]
    assert found.tables["moves"] == ()
    assert [row["phase"] for row in found.tables["line"]] == ["done", "done", "done", "now"]
    assert found.lineage == ("document:request/r1",)
    assert found.tables["entry"][0]["title"] == "绿电直连申请"


def test_overdue_ones_are_listed_by_deadline(ledger: Ledger) -> None:
    opened(ledger)
    opened(ledger, "r2")
    step(ledger, "submit", "li", 1)
    due = ask(ledger, "documents.find").parts[1]["due"]
    assert due is not None
    assert ids(ledger, overdue=True, on=due) == []
    assert ids(ledger, overdue=True, on="2099-01-01") == ["r1"]
    assert ids(ledger, due_until=due) == ["r1"]
    (row,) = ask(ledger, "documents.find", overdue=True, on="2099-01-01").parts
    assert row["overdue"] is True
    step(ledger, "withdraw", "li", 2)
    assert ids(ledger, overdue=True, on="2099-01-01") == []


def test_filters(ledger: Ledger) -> None:
    decided(ledger)
    opened(ledger, "r2", "再生铝项目")
    assert ids(ledger) == ["r2", "r1"]
    assert ids(ledger, state="decided") == ids(ledger, state="refused") == ["r1"]
    assert ids(ledger, party="E1", kind="request", text="再生") == ["r2"]
    assert ids(ledger, text="容量不足") == ["r1"], "the reason is searched too"
    first = ask(ledger, "documents.find", limit=1)
    assert (len(first.parts), first.tables["next"]) == (1, ({"skip": 1},))
    assert ids(ledger, limit=1, skip=1) == ["r1"]
    assert ids(ledger, limit=-(10**30), skip=10**30) == []
    assert ids(ledger, overdue=True, on="0001-01-01") == []
    with pytest.raises(InputError, match="'soon' is no day; write it as"):
        ask(ledger, "documents.find", due_until="soon")


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_a_notice_that_is_none_is_not_found(ledger: Ledger, number: int) -> None:
    with pytest.raises(NotFound, match=f"no notice {number}; look into the inbox"):
        order(ledger, "documents.read_notice", author="wang", number=number)


def test_the_inbox_counts_what_is_unread(ledger: Ledger) -> None:
    decided(ledger)
    every = ask(ledger, "documents.inbox")
    assert (every.value, len(every.parts)) == (3.0, 3)
    office = ask(ledger, "documents.inbox", person="wang", roles=["department"])
    assert [row["action"] for row in office.parts] == ["submit"]
    order(ledger, "documents.read_notice", author="wang", number=office.parts[0]["number"])
    assert ask(ledger, "documents.inbox", unread=True).value == 2.0
    firm = ask(ledger, "documents.inbox", person="li", roles=["enterprise"], enterprises=["E1"])
    assert [row["action"] for row in firm.parts] == ["refuse", "review"]


def test_a_kept_answer_grows_old(ledger: Ledger) -> None:
    """By a step, a comment, a file; the inbox by a notice and by its being read."""
    opened(ledger)
    asked = {"kind": "request", "id": "r1"}
    for act in (
        lambda: step(ledger, "submit", "li", 1),
        lambda: order(ledger, "documents.comment", author="wang", text="缺件", **asked),
        lambda: order(ledger, "documents.attach", author="li", filename="a.txt", content=b"a",
                      **asked),
    ):  # fmt: skip
        before = call(ledger, "documents.history", **asked)
        assert ask(ledger, "documents.history", **asked) == before
        call(ledger, "documents.inbox")
        act()
        assert ask(ledger, "documents.history", **asked) != before
    waiting = call(ledger, "documents.inbox")
    order(ledger, "documents.read_notice", author="wang", number=1)
    assert ask(ledger, "documents.inbox").value == (waiting.value or 0) - 1


def test_orders_refuse_with_reasons(ledger: Ledger) -> None:
    opened(ledger)
    with pytest.raises(InputError, match="needs a title and a party"):
        order(ledger, "documents.draft", author="li", kind="request", party="E1", title=" ")
    with pytest.raises(
        NotFound, match=r"kind 'letter' have no workflow; kinds that have: .*request"
    ):
        order(ledger, "documents.draft", author="li", kind="letter", party="E1", title="x")
    with pytest.raises(InputError, match="outcome 'maybe' is none; decide accepted, refused"):
        step(ledger, "decide", "wang", 1, outcome="maybe")
    with pytest.raises(NotFound, match="has no version 7"):
        step(ledger, "submit", "li", 7)
    step(ledger, "submit", "li", 1)
    with pytest.raises(Conflict, match="you saw version 1"):
        step(ledger, "withdraw", "li", 1)
    step(ledger, "review", "wang", 2)
    with pytest.raises(NoRight, match="li has written or submitted"):
        step(ledger, "decide", "li", 3, outcome="accepted")
    with pytest.raises(NotFound, match="no request document 'x'"):
        ask(ledger, "documents.history", kind="request", id="x")
    failed = [row for row in ledger.records.audit() if row["outcome"] != "done"]
    assert len(failed) == 6, "each refused order leaves a record"


def test_a_draft_is_revised_and_gets_an_id(ledger: Ledger) -> None:
    made = order(ledger, "documents.draft", author="li", kind="request", party="E1", title="一")
    assert len(made.id) == 12
    changed = order(ledger, "documents.revise", author="li", kind="request", id=made.id, version=1,
                    body={"title": "二"})  # fmt: skip
    assert (changed.version, changed.state, changed.body) == (2, "draft", {"title": "二"})
    assert ids(ledger, text="二") == [made.id]


def test_a_file_is_kept_with_the_document(ledger: Ledger) -> None:
    opened(ledger)
    kept = order(ledger, "documents.attach", author="li", kind="request", id="r1",
                 filename="../报告.csv", content=b"a,b\n1,2\n")  # fmt: skip
    assert (kept.name, kept.media) == ("报告.csv", "text/csv")
    assert content(ledger.folder, kept) == b"a,b\n1,2\n"
    with pytest.raises(InputError, match="HTML"):
        order(ledger, "documents.attach", author="li", kind="request", id="r1",
              filename="a.csv", content=b"<html>")  # fmt: skip


def test_the_manifest_names_the_workflow() -> None:
    assert manifests()["documents"].workflows == (workflows()["request"],)
