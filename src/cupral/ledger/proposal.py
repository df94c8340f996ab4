"""Proposal: how a value of a parameter is entered: one person proposes, another confirms.

    proposed --confirm--> confirmed        in force from then on, and the Results that stood on
             --refuse---> refused          what it changes are marked stale in the same transaction
             --withdraw-> withdrawn

The document is called `PARAMETER_ID@VALID_FROM`; a later proposal for the same parameter and
day `...#2`, so that who proposed one may confirm another.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cupral.ledger.dependence import changed, names
from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import (
    CONFIRMED,
    KIND,
    PROPOSED,
    REFUSED,
    WITHDRAWN,
    Parameter,
    ParameterBook,
)
from cupral.ledger.stores import schema
from cupral.ledger.stores.amendments import entered, within
from cupral.ledger.stores.attachments import Stored, enter, store
from cupral.ledger.stores.records import head_of
from cupral.ledger.workflow import OFFICE, Move, Workflow, move, move_within, open_document

PARTY = "parameters"
"""Whose documents these are: nobody's in particular."""


def _step(action: str, target: str, **more: Any) -> Move:
    return Move(action=action, source=PROPOSED, target=target, roles=OFFICE, **more)


WORKFLOW = Workflow(
    kind=KIND,
    moves=(
        _step("confirm", CONFIRMED, four_eyes=True, tells=("writers",)),
        _step("refuse", REFUSED, four_eyes=True, needs_reason=True, tells=("writers",)),
        _step("withdraw", WITHDRAWN, by_party=True),
    ),
    writers=OFFICE,
    initial=PROPOSED,
    editable=(),
)


def propose(
    ledger: Ledger, body: Mapping[str, Any], *, author: str, file: tuple[str, bytes] | None = None
) -> Document:
    """Open a proposal, with the file that is its source.

    Parameters
    ----------
    body : parameter, value, unit, valid_from, valid_to ('' = none), source, note, status, force
    file : name and content

    Raises
    ------
    InputError
        If the file is not allowed; nothing is opened.
    """
    ledger.guard.demand_real()
    stored = store(ledger.folder, name=file[0], content=file[1]) if file else None
    named = {"name": stored.name, "sha256": stored.sha256} if stored else None
    said = {"file": named, **body} if named is None else {**body, "file": named}
    opened = _opened(ledger, {**said, "title": f"{body['parameter']} {body['valid_from']}"}, author)
    if stored is not None:
        _enter(ledger, stored, opened, author)
    return opened


def _opened(ledger: Ledger, body: Mapping[str, Any], author: str) -> Document:
    """The document under the first id that is free."""
    base = f"{body['parameter']}@{body['valid_from']}"
    taken = {document.id for document in of_parameter(ledger, body["parameter"])}
    for number in range(1, len(taken) + 100):  # others may be opening theirs
        id = base if number == 1 else f"{base}#{number}"
        if id in taken:
            continue
        try:
            return open_document(ledger, WORKFLOW, id=id, party=PARTY, body=body, author=author,
                                 roles=ledger.rights.roles)  # fmt: skip
        except Conflict:
            continue
    raise Conflict(f"others keep proposing values of {base}; look at theirs, then propose again")


def _enter(ledger: Ledger, stored: Stored, document: Document, author: str) -> None:
    with schema.writing(ledger.records.database) as connection:
        enter(connection, ledger.folder, stored, document, author=author)


def confirm(ledger: Ledger, document: Document, *, author: str, reason: str = "") -> Document:
    """Put a proposal into force; `document` is the version that the author has seen.

    Raises
    ------
    NoRight
        If the author has proposed it: a second person confirms.
    Conflict
        If somebody has decided meanwhile.
    InputError
        If the parameter has got another unit, or has gone, since it was proposed.
    """
    ledger.guard.demand_real()
    _demand_second(document, author)
    with schema.writing(ledger.records.database) as connection:
        before = within(connection, ledger.shipped)
        kept = move_within(connection, ledger, WORKFLOW, document, to=CONFIRMED, author=author,
                           roles=ledger.rights.roles, reason=reason)  # fmt: skip
        new = value(kept, before)
        fresh = ledger.records.fresh_scopes(connection, names(new.id))
        scopes = changed(fresh, before, before.amended([new]))
        ledger.records.mark_stale(connection, head_of(connection), scopes)
    return kept


def _demand_second(document: Document, author: str) -> None:
    """The workflow compares names to the letter; here 'li' is 'Li '."""
    first = document.author if document.state == PROPOSED else ""
    if author.strip().casefold() in ("", first.strip().casefold()):
        raise NoRight(
            f"{document.id} was proposed by {document.author}; a second person decides on it,"
            f" not {author or 'nobody'}"
        )


def refuse(ledger: Ledger, document: Document, *, author: str, reason: str) -> Document:
    """Refuse a proposal of somebody else."""
    _demand_second(document, author)
    return move(ledger, WORKFLOW, document, to=REFUSED, author=author, reason=reason,
                roles=ledger.rights.roles)  # fmt: skip


def withdraw(ledger: Ledger, document: Document, *, author: str, reason: str = "") -> Document:
    """Take one's own proposal back.

    Raises
    ------
    InputError
        If somebody else has proposed it.
    """
    if document.state == PROPOSED and document.author != author:
        raise InputError(
            f"{document.id} was proposed by {document.author}, not by {author}; refuse it instead"
        )
    return move(ledger, WORKFLOW, document, to=WITHDRAWN, author=author, reason=reason,
                roles=ledger.rights.roles)  # fmt: skip


def proposal(ledger: Ledger, id: str) -> Document:
    """A proposal at its latest version.

    Raises
    ------
    NotFound
        If there is none of this id; the open ones are named.
    """
    try:
        return ledger.document(KIND, id)
    except NotFound:
        there = ledger.documents(KIND, state=PROPOSED)
        waiting = ", ".join(document.id for document in there) or "none"
        raise NotFound(f"no proposal {id!r}; those that wait: {waiting}") from None


def of_parameter(ledger: Ledger, id: str) -> list[Document]:
    """Every proposal for a parameter, in the order of their days."""
    return [one for one in ledger.documents(KIND) if one.body["parameter"] == id]


def value(document: Document, book: ParameterBook) -> Parameter:
    """The value that a proposal enters into a book.

    Raises
    ------
    InputError
        If the book has no place for it.
    """
    id, unit = document.body["parameter"], document.body["unit"]
    known = book.definitions.get(id)
    if known is None or known.unit != unit:
        held = "is not shipped any more" if known is None else f"is in {known.unit!r}, not {unit!r}"
        raise InputError(f"{document.id}: {id} {held}; withdraw this and propose the value anew")
    return entered(document.id, document.body, known)


def day(text: str, name: str) -> date:
    """A day from outside.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name} {text!r} is no day; write for example 2026-01-31") from None
