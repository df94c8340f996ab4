"""Drafting: the body of a proposal from what a person entered, or why it is not allowed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import FORCES, STATUSES, Definition
from cupral.ledger.proposal import day
from cupral.ledger.stores.amendments import entered
from cupral.systems.desk.compute.shape import fitted, overlaps

LONGEST = 2000
"""Characters of a source or a note."""


def draft(
    ledger: Ledger, *, parameter: str, value: Any, valid_from: str, source: str, unit: str = "",
    valid_to: str = "", note: str = "", status: str = "confirmed", force: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The body of a proposal: the value in the unit of its parameter, what it does to others.

    Raises
    ------
    InputError
        Naming what is not allowed.
    NotFound
        If there is no such parameter.
    """
    known, dated = definition(ledger, parameter), ledger.book.dated(parameter)
    first, last = day(valid_from, "valid_from"), day(valid_to, "valid_to") if valid_to else None
    _check_days(parameter, first, last)
    _check_words(parameter, source, note, status, force)
    body = {
        "parameter": parameter, "value": fitted(value, unit, known, dated), "unit": known.unit,
        "valid_from": first.isoformat(), "valid_to": last.isoformat() if last else "",
        "source": source.strip(), "note": note.strip(), "status": status,
        "force": force or known.force, "stated_unit": unit.strip() or known.unit,
    }  # fmt: skip
    return {**body, "overlaps": overlaps(entered("", body, known), dated)}


def definition(ledger: Ledger, id: str) -> Definition:
    """What a parameter is.

    Raises
    ------
    NotFound
        If no system ships it: the desk amends values and invents no parameters.
    """
    known = ledger.book.definitions.get(id)
    if known is None:
        ledger.book.dated(id)
        raise NotFound(f"parameter {id!r} is not shipped by a system, so it cannot be amended")
    return known


def _check_days(id: str, first: date, last: date | None) -> None:
    if not 1900 <= first.year <= 2999:
        raise InputError(f"{id}: valid_from {first} is no day of this age; give 1900 to 2999")
    if last is not None and last <= first:
        raise InputError(f"{id}: valid_to {last} is not after valid_from {first}; leave it empty"
                         " if the value has no last day")  # fmt: skip


def _check_words(id: str, source: str, note: str, status: str, force: str) -> None:
    if not source.strip():
        raise InputError(f"{id}: a value needs its source: name the document, clause and page")
    for name, text in (("source", source), ("note", note)):
        if len(text) > LONGEST:
            raise InputError(f"{id}: {name} has {len(text)} characters; {LONGEST} are allowed")
    if status not in STATUSES:
        raise InputError(f"{id}: status {status!r} is not one of {', '.join(STATUSES)}")
    if force and force not in FORCES:
        raise InputError(f"{id}: force {force!r} is not one of {', '.join(FORCES)}")


def same(body: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two bodies say the same."""
    names = ("parameter", "value", "unit", "valid_from", "valid_to", "source", "status", "force",
             "note")  # fmt: skip
    return all(body[name] == other[name] for name in names)
