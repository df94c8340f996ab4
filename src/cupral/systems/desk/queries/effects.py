"""Effects: what a value would change, before it is confirmed; and what if it were so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from cupral.ledger.dependence import fingerprint, names
from cupral.ledger.document import Document
from cupral.ledger.errors import CannotDecide, CupralError, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.proposal import proposal as proposal_of
from cupral.ledger.proposal import value as value_of
from cupral.ledger.result import SCENARIO, Result, Row
from cupral.system import answering, ask, bound, queries, query
from cupral.systems.desk.compute import change
from cupral.systems.desk.compute.shape import fitted
from cupral.systems.desk.queries.drafting import draft

_PREFIX = SCENARIO.partition(":")[0]


@query
def effects(
    ledger: Ledger, *, proposal: str = "", parameter: str = "", value: object = "",
    valid_from: str = "", valid_to: str = "", unit: str = "",
) -> Result:  # fmt: skip
    """Which kept Results a value would change, and from what to what.

    Parameters
    ----------
    proposal : str
        Id of a proposal, e.g. 'plan.near_level@2026-01-01'; or, instead of it, the rest:
    parameter : str
        Id of a parameter.
    value : object
        Number, table or list (JSON).
    valid_from, valid_to : str
        First day, and first day after; valid_to may be empty.
    unit : str
        Unit of the value; empty = that of the parameter.

    Returns
    -------
    Result
        value = how many kept Results stand on what would change; parts one row for each, the
        heaviest change first: `changes` is 'verdict', 'value', 'details' or 'nothing'.
    """
    new = proposed(ledger, proposal, parameter, value, valid_from, valid_to, unit)
    return answer(new, compared(ledger, new, affected(ledger, new)))


def answer(new: Parameter, effects: Sequence[Row]) -> Result:
    """The effects of a value, the heaviest first."""
    return Result(query="desk.effects", subject=new.id, period=new.valid_from.isoformat(),
                  value=float(len(effects)), unit="1", parts=change.by_size(effects))  # fmt: skip


def proposed(
    ledger: Ledger, proposal: str, parameter: str, value: Any, valid_from: str, valid_to: str,
    unit: str,
) -> Parameter:  # fmt: skip
    """The value that is asked about: that of a proposal, or one that is only thought of.

    Raises
    ------
    InputError
        If both are given or neither.
    """
    if bool(proposal) == bool(parameter):
        raise InputError("give either a proposal, or a parameter with its value and valid_from")
    if proposal:
        return value_of(proposal_of(ledger, proposal), ledger.book)
    body = draft(ledger, parameter=parameter, value=value, unit=unit, valid_from=valid_from,
                 valid_to=valid_to, source="asked about")  # fmt: skip
    return value_of(Document(kind="", id="", party="", body=body), ledger.book)


def affected(ledger: Ledger, new: Parameter) -> list[Mapping[str, Any]]:
    """Kept Results, not stale, that stand on something which a value would change."""
    ledger.guard.rows("read", "result", None)
    before, after = ledger.book, ledger.book.amended([new])
    found: list[Mapping[str, Any]] = []
    for row in ledger.records.results_on(names(new.id)):
        if row["stale_since"] is None:
            stood = ledger.records.readings(row["key"])
            if fingerprint(before, stood) != fingerprint(after, stood):
                found.append(row)
    return found


def compared(ledger: Ledger, new: Parameter, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The effect on each of these kept Results, recomputed without being kept."""
    pinned = ledger.pinned()
    other = replace(pinned, shipped=pinned.shipped.amended([new]))
    old = [Result.from_document(row["body"]) for row in rows]
    with answering(other):
        return [change.effect(before, _after(other, before)) for before in old]


def _after(other: Ledger, before: Result) -> Result:
    try:
        return ask(other, before.query, **before.arguments)
    except CannotDecide as error:
        return replace(
            before, value=None, status="cannot decide", needs=error.needs or (str(error),)
        )
    except CupralError as error:
        return replace(before, value=None, status=f"fails: {error}")


@query
def scenario(
    ledger: Ledger, *, query: str, assume: dict[str, Any], arguments: dict[str, Any] | None = None
) -> Result:
    """What a question would answer if some parameters had other values; never a verdict.

    Parameters
    ----------
    query : str
        Name of any query, e.g. 'plan.status'.
    assume : dict
        Value by id of parameter, in its unit, on every day.
    arguments : dict
        Arguments of the query.

    Returns
    -------
    Result
        As the query answers, with a badge `scenario: assumes ID = VALUE` for each assumption it
        used, status 'scenario: ...', and `needs` as they are under the assumption.
    """
    if not assume:
        raise InputError("a scenario assumes something: give assume as {parameter: value}")
    fit = {id: _assumed(ledger, id, value) for id, value in assume.items()}
    other, stated = ledger.assuming(fit), _stated(query, arguments or {})
    try:
        found = ask(other, query, **stated)
    except CannotDecide as error:
        found = Result(query=query, subject=str(error), status="cannot decide", needs=error.needs)
    given = tuple(f"{SCENARIO}assumes {id} = {value}" for id, value in fit.items())
    return replace(found, status=f"{_PREFIX}: {found.status}",
                   badges=tuple(dict.fromkeys((*given, *found.badges))))  # fmt: skip


def _stated(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a query, of its types.

    Raises
    ------
    NotFound
        If there is no such query or argument.
    InputError
        If one is missing or of another type.
    """
    if name not in queries():
        raise NotFound(f"no query {name!r}; there are {', '.join(sorted(queries()))}")
    function = queries()[name]
    try:
        bound(function, arguments)
        hints = get_type_hints(function)
        return {n: TypeAdapter(hints[n]).validate_python(v) for n, v in arguments.items()}
    except (TypeError, ValidationError) as error:
        told = str(error).splitlines()[0]
        raise InputError(f"arguments of {name}: {told}; see what it takes in /systems") from None


def _assumed(ledger: Ledger, id: str, value: Any) -> Any:
    book = ledger.book
    dated = book.dated(id)
    known = book.definitions.get(id)
    return fitted(value, "", known, dated) if known else value
