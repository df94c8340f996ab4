"""Workflow: how a document goes from hand to hand, who may move it, and by when.

    draft --submit--> submitted --review--> under_review --accept--> accepted
                                                         --refuse--> refused
                                                         --return--> returned --submit--> ...
    draft, submitted, under_review, returned --withdraw--> withdrawn

Each step is a new version of the document; its reason, its notices and its deadline are
written in the same transaction. A move is checked against the latest version under the write
lock: of two who decide at once one wins, the other is told what has happened.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.errors import CannotDecide, Conflict, InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import docket, schema
from cupral.ledger.stores.correspondence import Recipient, write_comment, write_notices
from cupral.ledger.stores.records import versions_of
from cupral.ledger.working_days import arrangement, due_on, today_in_china

DRAFT, SUBMITTED, UNDER_REVIEW = "draft", "submitted", "under_review"
ACCEPTED, REFUSED, RETURNED, WITHDRAWN = "accepted", "refused", "returned", "withdrawn"
DECIDED = (ACCEPTED, REFUSED, RETURNED)
"""States that are decisions."""
_BEFORE_DECIDED = (DRAFT, SUBMITTED, UNDER_REVIEW, RETURNED)
"""A returned document is the party's again."""

OWNER = frozenset({"owner"})
"""The role of whoever holds the folder: no workflow can refuse them."""
PARTY = ("enterprise", "signer")
"""Roles that act for the party of a document, and for no other."""
OFFICE = ("department",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One allowed step."""

    action: str
    source: str
    target: str
    roles: tuple[str, ...]
    """Who may make it; any of these roles is enough."""
    by_party: bool = False
    """Whether it is the party's own step; its author counts as a writer of the document."""
    four_eyes: bool = False
    """Whether nobody may make it who has written or submitted the document."""
    needs_reason: bool = False
    tells: tuple[str, ...] = ()
    """Who gets a notice: a role, 'party' (who acts for it), or 'writers' (by name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """The states and moves of one kind of document."""

    kind: str
    moves: tuple[Move, ...]
    writers: tuple[str, ...] = PARTY
    """Roles that may open a document and change what it says."""
    initial: str = DRAFT
    editable: tuple[str, ...] = (DRAFT, RETURNED)
    """States in which its writers may change what it says."""
    deadlines: Mapping[str, str] = field(default_factory=dict)
    """State and the id of the dated parameter that says how many working days it may last."""

    def __post_init__(self) -> None:
        known = {self.initial, *(move.source for move in self.moves)}
        known |= {move.target for move in self.moves}
        strange = ({*self.editable, *self.deadlines} & known) ^ {*self.editable, *self.deadlines}
        if strange:
            raise InputError(
                f"workflow of {self.kind!r} names {sorted(strange)}; its states are {sorted(known)}"
            )

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which moves reach them."""
        found = [self.initial]
        for move in self.moves:
            found += [state for state in (move.source, move.target) if state not in found]
        return tuple(found)

    @property
    def final(self) -> tuple[str, ...]:
        """States that nothing leads out of."""
        left = {move.source for move in self.moves}
        return tuple(state for state in self.states if state not in left)


DAYS_TO_TAKE_UP = "documents.days_to_take_up"
DAYS_TO_DECIDE = "documents.days_to_decide"


def standard(
    kind: str, *, party: tuple[str, ...] = PARTY, office: tuple[str, ...] = OFFICE,
    deadlines: Mapping[str, str] | None = None,
) -> Workflow:  # fmt: skip
    """The usual workflow of a kind: the party submits, the office reviews and decides.

    Examples
    --------
    >>> [move.action for move in allowed_moves(standard("request"), "draft", {"enterprise"})]
    ['submit', 'withdraw']
    """

    theirs = ("party",) if set(party) & set(PARTY) else ("writers",)

    def own(action: str, source: str, target: str) -> Move:
        return Move(action=action, source=source, target=target, roles=party, by_party=True,
                    tells=office)  # fmt: skip

    def decision(action: str, target: str) -> Move:
        return Move(action=action, source=UNDER_REVIEW, target=target, roles=office, four_eyes=True,
                    needs_reason=target != ACCEPTED, tells=theirs)  # fmt: skip

    moves = (
        own("submit", DRAFT, SUBMITTED),
        Move(action="review", source=SUBMITTED, target=UNDER_REVIEW, roles=office,
             tells=theirs),
        decision("accept", ACCEPTED),
        decision("refuse", REFUSED),
        decision("return", RETURNED),
        own("submit", RETURNED, SUBMITTED),
        *(own("withdraw", state, WITHDRAWN) for state in _BEFORE_DECIDED),
    )  # fmt: skip
    given = {SUBMITTED: DAYS_TO_TAKE_UP, UNDER_REVIEW: DAYS_TO_DECIDE}
    return Workflow(kind=kind, moves=moves, writers=party,
                    deadlines=given if deadlines is None else deadlines)  # fmt: skip


def allowed_moves(workflow: Workflow, state: str, roles: Collection[str]) -> tuple[Move, ...]:
    """The moves that somebody with these roles may make from a state.

    Four eyes and whose document it is are looked at when a move is made.
    """
    if state not in workflow.states:
        raise InputError(
            f"no state {state!r} of {workflow.kind}; there are {', '.join(workflow.states)}"
        )
    return tuple(
        move for move in workflow.moves
        if move.source == state and (OWNER & set(roles) or set(move.roles) & set(roles))
    )  # fmt: skip


def open_document(
    ledger: Ledger, workflow: Workflow, *, id: str, party: str, body: Mapping[str, Any],
    author: str, roles: Collection[str] = OWNER, enterprises: Collection[str] | None = None,
    demonstration: bool = False,
) -> Document:  # fmt: skip
    """Open a document in its first state.

    Raises
    ------
    NoRight
        If none of the roles may write it, or it is another enterprise's.
    Conflict
        If there is one of this id.
    """
    _demand(workflow, workflow.writers, "open", party, roles, enterprises)
    with schema.writing(ledger.records.database) as connection:
        if docket.standing(connection, workflow.kind, id) is not None:
            raise Conflict(f"there is a {workflow.kind} {id!r} already; give another id")
        fresh = Document(kind=workflow.kind, id=id, party=party, body=body, state=workflow.initial,
                         demonstration=demonstration)  # fmt: skip
        kept = ledger.records.put_document(connection, fresh, author, "")
        docket.set_due(connection, kept, _due(ledger, workflow, kept.state, None))
    return kept


def revise(
    ledger: Ledger, workflow: Workflow, document: Document, *, body: Mapping[str, Any], author: str,
    roles: Collection[str] = OWNER, enterprises: Collection[str] | None = None,
) -> Document:  # fmt: skip
    """Change what a document says while its state lets its writers do so; `document` as seen."""
    _demand(workflow, workflow.writers, "change", document.party, roles, enterprises)
    with schema.writing(ledger.records.database) as connection:
        latest = _history(connection, document)[-1]
        if latest.state not in workflow.editable:
            raise InputError(
                f"{document.kind} {document.id!r} is {latest.state} and cannot be changed;"
                f" only while {' or '.join(workflow.editable)}"
            )
        return ledger.records.put_document(connection, replace(latest, body=body), author, "")


def move(
    ledger: Ledger, workflow: Workflow, document: Document, *, to: str, author: str,
    roles: Collection[str] = OWNER, enterprises: Collection[str] | None = None, reason: str = "",
    today: date | None = None,
) -> Document:  # fmt: skip
    """Move a document to another state: its next version.

    Parameters
    ----------
    document : the version that the author has seen
    enterprises : those for which the author acts; None = of any
    today : day from which a deadline counts; unless told, today in China

    Raises
    ------
    InputError
        If the state cannot be reached from where it stands, or a reason is missing.
    NoRight
        If the author's roles do not allow it, it is another enterprise's document, or the
        author has written it and somebody else must decide.
    Conflict
        If there is a newer version than the author has seen.
    """
    with schema.writing(ledger.records.database) as connection:
        return move_within(
            connection, ledger, workflow, document, to=to, author=author, roles=roles,
            enterprises=enterprises, reason=reason, today=today,
        )  # fmt: skip


def move_within(
    connection: schema.Connection, ledger: Ledger, workflow: Workflow, document: Document, *,
    to: str, author: str, roles: Collection[str] = OWNER,
    enterprises: Collection[str] | None = None, reason: str = "", today: date | None = None,
) -> Document:  # fmt: skip
    """`move` within a transaction that changes other things too (`stores.schema.writing`)."""
    history = _history(connection, document)
    step = step_of(workflow, history, to=to, author=author, roles=roles, enterprises=enterprises)
    if step.needs_reason and not reason.strip():
        raise InputError(
            f"to {step.action} {document.kind} {document.id!r} needs a reason; say why"
        )
    kept = ledger.records.put_document(connection, replace(history[-1], state=to), author, "")
    docket.set_due(connection, kept, _due(ledger, workflow, to, today))
    if reason.strip():
        write_comment(connection, kept, text=reason, author=author, action=step.action)
    told = _told(workflow, step, history)
    write_notices(connection, kept, to=told, action=step.action, author=author)
    return kept


def step_of(
    workflow: Workflow, history: Sequence[Document], *, to: str, author: str,
    roles: Collection[str] = OWNER, enterprises: Collection[str] | None = None,
) -> Move:  # fmt: skip
    """The move to a state, if this author may make it; `history` is every version."""
    latest = history[-1]
    what = f"{latest.kind} {latest.id!r}"
    ways = [move for move in workflow.moves if move.source == latest.state]
    found = [move for move in ways if move.target == to]
    if not found:
        leads = ", ".join(move.target for move in ways) or "nowhere"
        raise InputError(f"{what} is {latest.state} and cannot become {to}; it leads to {leads}")
    step = found[0]
    _demand(workflow, step.roles, step.action, latest.party, roles, enterprises)
    if step.four_eyes and author in writers(workflow, history):
        raise NoRight(
            f"{author} has written or submitted {what} and may not {step.action} it;"
            " let a second person do it"
        )
    return step


def writers(workflow: Workflow, history: Sequence[Document]) -> frozenset[str]:
    """Who has opened, changed, submitted or withdrawn a document."""
    own = {(move.source, move.target) for move in workflow.moves if move.by_party}
    states = [None, *(version.state for version in history)]
    return frozenset(
        version.author
        for before, version in zip(states, history, strict=False)
        if before in (None, version.state) or (before, version.state) in own
    )


def history(ledger: Ledger, kind: str, id: str) -> list[Document]:
    """Every version of a document, from the first on.

    Raises
    ------
    NotFound
        If there is none.
    """
    versions = ledger.documents(kind, id=id, latest=False)
    if not versions:
        raise NotFound(f"no {kind} document {id!r}; look for it in the list of documents")
    return versions


def _history(connection: schema.Connection, document: Document) -> list[Document]:
    """Every version under the write lock; the last is the one that the author has seen."""
    from_store = versions_of(connection, document.kind, document.id)
    if not from_store:
        raise NotFound(f"no {document.kind} document {document.id!r}; open it first")
    latest = from_store[-1]
    if latest.version != document.version:
        raise Conflict(
            f"{document.kind} {document.id!r} has version {latest.version} ({latest.state}, by"
            f" {latest.author}), you saw version {document.version}; look at it again, then act"
        )
    return from_store


def _demand(
    workflow: Workflow, able: Collection[str], action: str, party: str, roles: Collection[str],
    enterprises: Collection[str] | None,
) -> None:  # fmt: skip
    fit = set(able) & set(roles)
    if OWNER & set(roles) or fit - set(PARTY):
        return
    if not fit:
        raise NoRight(
            f"{', '.join(sorted(roles)) or 'nobody'} may not {action} a {workflow.kind};"
            f" allowed for {', '.join(able)}"
        )
    if enterprises is not None and party not in enterprises:
        mine = ", ".join(sorted(enterprises)) or "no enterprise"
        raise NoRight(f"may not {action} a {workflow.kind} of others; allowed for {mine}")


def _told(workflow: Workflow, step: Move, history: Sequence[Document]) -> list[Recipient]:
    party = history[-1].party
    told: list[Recipient] = []
    for whom in step.tells:
        if whom == "party":
            acting = workflow.writers[0]
            of_it = party if acting in PARTY else ""
            told.append(Recipient(role=acting, enterprise=of_it))
        elif whom == "writers":
            told += [Recipient(person=name) for name in writers(workflow, history)]
        else:
            told.append(Recipient(role=whom))
    return told


def _due(ledger: Ledger, workflow: Workflow, state: str, today: date | None) -> str | None:
    if state not in workflow.deadlines:
        return None
    day = today or today_in_china()
    try:
        days = int(ledger.parameter(workflow.deadlines[state], day).value)
    except CannotDecide:  # nobody has said how long
        return None
    return due_on(day, days, arranged=arrangement(ledger.parameter)).isoformat()
