"""Nouns of the workflow of documents."""

from dataclasses import dataclass

from cupral.ledger.workflow import standard

REQUEST = standard("request")
"""A request (申请) of an enterprise to the department: the plain kind that any firm can open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One state on the line from a document's opening to its end."""

    state: str
    phase: str
    """'done', 'now' or 'later'."""
