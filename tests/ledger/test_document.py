"""Documents and options hold, and do not change."""

from dataclasses import FrozenInstanceError, replace

import pytest
import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.option import Option
from cupral.ledger.result import Result
from cupral.ledger.stores import schema
from cupral.ledger.stores.correspondence import Recipient, write_notices
from cupral.ledger.stores.records import document_parts, document_sha
from cupral.ledger.stores.trail import entry

TICKET = Document(kind="ticket", id="T1", party="P", body={"weight": 3.5, "lots": ("a", "b")})


def test_a_new_document_is_a_draft_without_version() -> None:
    assert (TICKET.state, TICKET.version, TICKET.posting) == ("draft", 0, "")
    with pytest.raises(FrozenInstanceError):
        TICKET.state = "settled"  # type: ignore[misc]


def test_the_hash_is_of_what_is_said_not_of_how_it_was_stored() -> None:
    sha = document_sha(TICKET)
    assert document_sha(replace(TICKET, version=3, posting="p", author="me")) == sha
    assert document_sha(replace(TICKET, body={"lots": ["a", "b"], "weight": 3.5})) == sha
    for changed in ({"state": "settled"}, {"party": "Q"}, {"body": {}}, {"demonstration": True}):
        assert document_sha(replace(TICKET, **changed)) != sha  # type: ignore[arg-type]


def test_parts_of_a_posting_name_each_document_once() -> None:
    (part,) = document_parts([TICKET])
    assert (part.name, part.rows.num_rows) == ("document:ticket/T1/0", 0)
    with pytest.raises(InputError, match="given twice in one posting; give its last state only"):
        document_parts([TICKET, replace(TICKET, state="settled")])
    with pytest.raises(InputError, match="a number is not finite"):
        document_parts([replace(TICKET, body={"x": float("inf")})])


def test_an_option_holds_its_effects() -> None:
    option = Option(id="o", system="s", site="A", title_zh="甲", title_en="a", effects={"x": -1.0})
    assert (option.effects["x"], option.limit, option.badges) == (-1.0, 1.0, ())


def test_a_document_that_changes_its_party_leaves_the_earlier_one(ledger: Ledger) -> None:
    """The latest version counts, whether or not it fits what is asked for."""
    first = Document(kind="ticket", id="T", party="E1", state="open")
    ledger.put(first, author="me")
    with ledger.reading() as read:
        assert len(ledger.documents("ticket", party="E1")) == 1
    ledger.keep(Result(query="q.count", subject="E1", value=1.0), read)
    ledger.put(replace(first, party="E2", state="closed"), author="me")
    assert ledger.documents("ticket", party="E1") == []
    assert ledger.documents("ticket", state="open") == []
    assert [found.version for found in ledger.documents("ticket", party="E2")] == [2]
    assert [found.version for found in ledger.documents(party="E1", latest=False)] == [1]
    assert [result.query for result in ledger.stale_results()] == ["q.count"]
    assert ledger.records.stale_count() == 1


def test_the_content_that_pages_show_is_counted_in_every_table(ledger: Ledger) -> None:
    """A table that nobody listed would make each sign-in render every page anew."""
    before = ledger.records.content()
    assert before is not None
    kept = ledger.put(Document(kind="note", id="n", party="E"), author="me")
    counted = [before, ledger.records.content()]
    with schema.writing(ledger.records.database) as connection:
        write_notices(connection, kept, to=[Recipient(person="li")], action="comment", author="me")
    counted.append(ledger.records.content())
    with schema.writing(ledger.records.database) as connection:
        connection.execute(sa.update(schema.notice).values(read_at=1, read_by="li"))
    counted.append(ledger.records.content())
    assert len(set(counted)) == 4
    ledger.records.trail.record([entry("li", "look", {}, "done")])
    assert ledger.records.content() == counted[-1], "the audit is on no kept page"
