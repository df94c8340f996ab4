"""What two clerks do at the desk, through the real commands."""

from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.system import order

FIRST, SECOND = "li", "wang"
NORM = "efficiency.al_liquid_ac"
LEVELS = {"level1": 12_900, "level2": 12_950, "level3": 13_300}


def propose(ledger: Ledger, parameter: str = NORM, value: Any = None, **more: Any) -> Document:
    """Li proposes."""
    given = {"valid_from": "2026-03-01", "source": "notice 7, clause 2", **more}
    document: Document = order(ledger, "desk.propose", author=FIRST, parameter=parameter,
                               value=LEVELS if value is None else value, **given)  # fmt: skip
    return document


def confirm(ledger: Ledger, document: Document) -> Document:
    """Wang confirms."""
    kept: Document = order(ledger, "desk.confirm", author=SECOND, proposal=document.id)
    return kept


def enter(ledger: Ledger, parameter: str = NORM, value: Any = None, **more: Any) -> Document:
    """Both."""
    return confirm(ledger, propose(ledger, parameter, value, **more))
