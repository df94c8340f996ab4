"""Pure functions on versions, entries and workflows."""

from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.workflow import DECIDED, Workflow
from cupral.systems.documents.model import Station


def states_of(state: str | None) -> tuple[str, ...] | None:
    """The states that a word means: 'decided' stands for every decision.

    Examples
    --------
    >>> states_of("decided"), states_of("draft"), states_of(None)
    (('accepted', 'refused', 'returned'), ('draft',), None)
    """
    if not state:
        return None
    return DECIDED if state == "decided" else (state,)


def is_overdue(due: str | None, on: str) -> bool:
    """Whether a deadline (ISO date) has passed on a day; on its last day it has not."""
    return due is not None and due < on


def steps(history: Sequence[Document], moments: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each version: what it became, by whom, when, and whether it says other things."""
    before: list[Document | None] = [None, *history]
    return [
        {"version": version.version, "state": version.state, "author": version.author,
         "recorded_at": moment, "changed": last is None or last.body != version.body}
        for last, version, moment in zip(before, history, moments, strict=False)
    ]  # fmt: skip


def line(workflow: Workflow, history: Sequence[Document]) -> list[Station]:
    """The states gone through since the document was last in its party's hand, and those ahead.

    Ahead lies the way that the first move of each state leads.

    Examples
    --------
    >>> from cupral.systems.documents.model import REQUEST
    >>> drawn = line(REQUEST, [Document(kind="request", id="1", party="E", state="draft")])
    >>> [(one.state, one.phase) for one in drawn][:2]
    [('draft', 'now'), ('submitted', 'later')]
    """
    gone = list(dict.fromkeys(version.state for version in _last_round(workflow, history)))
    ahead = _ahead(workflow, gone[-1])
    return [
        *(Station(state=state, phase="done") for state in gone[:-1]),
        Station(state=gone[-1], phase="now"),
        *(Station(state=state, phase="later") for state in ahead),
    ]


def _last_round(workflow: Workflow, history: Sequence[Document]) -> Sequence[Document]:
    starts = [place for place, one in enumerate(history) if one.state in workflow.editable]
    return history[starts[-1] :] if starts else history


def _ahead(workflow: Workflow, state: str) -> list[str]:
    ways: Mapping[str, str] = {move.source: move.target for move in reversed(workflow.moves)}
    found: list[str] = []
    while state in ways and ways[state] not in found:
        state = ways[state]
        found.append(state)
    return found
