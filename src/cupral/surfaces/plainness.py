"""Plainness: what a command returned as plain content for JSON."""

from collections.abc import Mapping
from typing import Any

from cupral.ledger.result import Result

MOST_LETTERS = 120
"""Of a long text in a table; the interface gives all."""


def shortened(text: str) -> str:
    """A long text cut.

    Examples
    --------
    >>> len(shortened("a" * 500)), shortened("short")
    (121, 'short')
    """
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS] + "…"


def plain(outcome: Any) -> Any:
    """Dataclasses as objects, Results as their documents, anything else as its text.

    Examples
    --------
    >>> from cupral.ledger.document import Document
    >>> plain(Document(kind="return", id="a:2026-01", party="a"))["party"], plain((1, None))
    ('a', [1, None])
    """
    if isinstance(outcome, Result):
        return outcome.document()
    if hasattr(outcome, "__dataclass_fields__"):
        return {name: plain(getattr(outcome, name)) for name in outcome.__dataclass_fields__}
    if isinstance(outcome, Mapping):
        return {str(name): plain(value) for name, value in outcome.items()}
    if isinstance(outcome, list | tuple):
        return [plain(item) for item in outcome]
    return outcome if isinstance(outcome, str | int | float | bool | None) else str(outcome)
