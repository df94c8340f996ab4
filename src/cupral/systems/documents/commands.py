"""Orders on documents: open, change, submit, take up, decide, withdraw, comment, attach.

Whoever moves a document says which version he has seen, so that nobody decides on what has
changed meanwhile.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from cupral.ledger import workflow
from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import attachments, correspondence, schema
from cupral.ledger.stores.attachments import Attachment
from cupral.ledger.stores.correspondence import Notice, Recipient
from cupral.ledger.workflow import OWNER, PARTY, Workflow
from cupral.system import acting, command, workflows

OUTCOMES = workflow.DECIDED


class Standing(NamedTuple):
    """As who somebody gives an order."""

    roles: Collection[str]
    enterprises: Collection[str] | None
    """None = of any."""


def standing(ledger: Ledger) -> Standing:
    """Roles and enterprises of whoever uses this ledger."""
    rights = ledger.rights
    return Standing(rights.roles, None if OWNER & rights.roles else rights.enterprises)


@command
def draft(
    ledger: Ledger, *, author: str, kind: str, party: str, title: str, body: dict[str, Any] | None
    = None, id: str = "",
) -> Document:  # fmt: skip
    """Open a document as a draft.

    Parameters
    ----------
    kind : a kind that has a workflow, e.g. 'request'
    party : id of the enterprise (or name of the unit) whose document it is
    id : what it shall be called; one is made unless told
    """
    if not title.strip() or not party.strip():
        raise InputError("a document needs a title and a party; give both")
    said = {**(body or {}), "title": title.strip()}
    return workflow.open_document(
        ledger, flow_of(kind), id=id.strip() or uuid.uuid4().hex[:12], party=party.strip(),
        body=said, author=author, **standing(ledger)._asdict(),
    )  # fmt: skip


@command
def revise(
    ledger: Ledger, *, author: str, kind: str, id: str, version: int, body: dict[str, Any]
) -> Document:
    """Change what a draft or returned document says.

    Parameters
    ----------
    version : the version that was seen
    """
    given: Mapping[str, Any] = body
    return workflow.revise(ledger, flow_of(kind), _seen(ledger, kind, id, version), body=given,
                           author=author, **standing(ledger)._asdict())  # fmt: skip


@command
def submit(
    ledger: Ledger, *, author: str, kind: str, id: str, version: int, reason: str = ""
) -> Document:
    """Submit a draft or returned document."""
    return _moved(ledger, author, kind, id, version, workflow.SUBMITTED, reason)


@command
@acting("decide")
def review(
    ledger: Ledger, *, author: str, kind: str, id: str, version: int, reason: str = ""
) -> Document:
    """Take a submitted document up for review."""
    return _moved(ledger, author, kind, id, version, workflow.UNDER_REVIEW, reason)


@command
@acting("decide")
def decide(
    ledger: Ledger, *, author: str, kind: str, id: str, version: int, outcome: str,
    reason: str = "",
) -> Document:  # fmt: skip
    """Decide on a document: accepted, refused or returned; not by who wrote or submitted it."""
    if outcome not in OUTCOMES:
        raise InputError(f"outcome {outcome!r} is none; decide {', '.join(OUTCOMES)}")
    return _moved(ledger, author, kind, id, version, outcome, reason)


@command
def withdraw(
    ledger: Ledger, *, author: str, kind: str, id: str, version: int, reason: str = ""
) -> Document:
    """Withdraw a document that is not decided yet."""
    return _moved(ledger, author, kind, id, version, workflow.WITHDRAWN, reason)


@command
def comment(ledger: Ledger, *, author: str, kind: str, id: str, text: str) -> Document:
    """Say something of a document; the other side gets a notice."""
    flow, role = flow_of(kind), standing(ledger).roles
    with schema.writing(ledger.records.database) as connection:
        document = _own(ledger, kind, id)
        correspondence.write_comment(connection, document, text=text, author=author)
        told = _other_side(flow, document, role)
        correspondence.write_notices(connection, document, to=told, action="comment", author=author)
    return document


@command
def attach(
    ledger: Ledger, *, author: str, kind: str, id: str, content: bytes, filename: str
) -> Attachment:
    """Keep a file with a document: PDF, PNG, JPEG, XLSX, DOCX, CSV, TXT or JSON, to 20 MB."""
    flow_of(kind)
    document = _own(ledger, kind, id)
    return attachments.attach(ledger, document, name=filename, content=content, author=author)


@command
@acting("read")
def read_notice(ledger: Ledger, *, author: str, number: int) -> Notice:
    """Mark a notice as read."""
    roles, enterprises = standing(ledger)
    return correspondence.read(
        ledger, number, person=author, roles=roles, enterprises=enterprises or ()
    )


def flow_of(kind: str) -> Workflow:
    """The workflow of a kind.

    Raises
    ------
    NotFound
        If it has none.
    """
    if kind not in workflows():
        known = ", ".join(sorted(workflows())) or "none"
        raise NotFound(f"documents of kind {kind!r} have no workflow; kinds that have: {known}")
    return workflows()[kind]


def _own(ledger: Ledger, kind: str, id: str) -> Document:
    """A document to which this person may add something."""
    document = ledger.document(kind, id)
    ledger.guard.post({}, [document])
    return document


def _seen(ledger: Ledger, kind: str, id: str, version: int) -> Document:
    for document in workflow.history(ledger, kind, id):
        if document.version == version:
            return document
    raise NotFound(f"{kind} {id!r} has no version {version}; look at its history")


def _moved(
    ledger: Ledger, author: str, kind: str, id: str, version: int, to: str, reason: str
) -> Document:
    return workflow.move(ledger, flow_of(kind), _seen(ledger, kind, id, version), to=to,
                         author=author, reason=reason, **standing(ledger)._asdict())  # fmt: skip


def _other_side(flow: Workflow, document: Document, roles: Collection[str]) -> list[Recipient]:
    """Who is told of a comment: the party and the office, but not the commenter's own side."""
    own = set(flow.writers) & set(PARTY)
    party = [Recipient(role=flow.writers[0], enterprise=document.party if own else "")]
    office = {role for move in flow.moves if not move.by_party for role in move.roles}
    told = [] if set(roles) & set(flow.writers) else party
    return [*told, *(Recipient(role=role) for role in sorted(office - set(roles)))]
