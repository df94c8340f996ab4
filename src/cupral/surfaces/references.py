"""References: from the text of a lineage entry to something a page can show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

from cupral.ledger.errors import CannotDecide, CupralError, InputError, NotFound
from cupral.ledger.explain import Explanation, entered, explain
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.result import Result
from cupral.surfaces.signature import signature
from cupral.system import ask, call, queries

MOST_POSTINGS = 8
"""Postings of which the rows are read for one page; the others are only named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What a Result stands on, sorted by kind."""

    results: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    rows: tuple[Mapping[str, Any], ...]
    others: tuple[str, ...]
    unread: int
    """Rows that are not listed."""


def question(key: str) -> tuple[str, dict[str, Any]]:
    """Query name and arguments of a result key.

    Raises
    ------
    InputError
        If it names no query that there is.
    """
    name, _, written = key.partition("?")
    if name not in queries():
        raise InputError(f"{key!r} names no query; there are {', '.join(sorted(queries()))}")
    found = signature(name, queries()[name])
    pairs = (part.partition("=")[::2] for part in written.split("&") if part)
    return name, found.read({argument: unquote(value) for argument, value in pairs})


def answer(ledger: Ledger, key: str) -> Result:
    """The Result that a key names, as it stands now; one that cannot be decided says so."""
    name, arguments = question(key)
    try:
        return ask(ledger, name, **arguments)
    except CannotDecide as error:
        needs = error.needs or (str(error),)
        return Result(query=name, subject=str(error), status="cannot decide", needs=needs,
                      arguments=arguments)  # fmt: skip


def explained(ledger: Ledger, reference: str) -> Explanation:
    """What a reference says and leads to; a Result that was never kept is computed.

    Raises
    ------
    InputError
        If the reference has no known form.
    NotFound
        If there is no such thing.
    """
    try:
        return explain(ledger, reference)
    except NotFound:
        kind, _, key = reference.partition(":")
        if kind != "result" or "#" in key:
            raise
    result = answer(ledger, key)
    title = str(result).splitlines()[0]
    return Explanation(reference, "result", title, result.document(), result.lineage)


def recomputed(ledger: Ledger) -> dict[str, list[str]]:
    """Recompute stale Results as new versions: keys of these, and why others have no answer."""
    keys, unanswered = [], []
    for old in ledger.stale_results():
        try:
            keys.append(call(ledger, old.query, **old.arguments).key)
        except CupralError as error:
            unanswered.append(f"{old.key}: {error}")
    return {"recomputed": keys, "unanswered": unanswered}


def sorted_lineage(ledger: Ledger, references: Iterable[str], most: int = 60) -> Lineage:
    """Read what a lineage names, the rows with posting, file and line."""
    by_kind: dict[str, list[str]] = {}
    for reference in dict.fromkeys(references):
        kind = reference.partition(":")[0]
        by_kind.setdefault("row" if kind in SCHEMAS else kind, []).append(reference)
    wanted = by_kind.pop("row", [])
    rows = ledger_rows(ledger, wanted[:most])
    results = tuple(by_kind.pop("result", []))
    parameters = tuple(
        found for found in map(_parameter(ledger), by_kind.pop("parameter", [])) if found
    )
    others = tuple(reference for group in by_kind.values() for reference in group)
    return Lineage(results=results, parameters=parameters, rows=rows, others=others,
                   unread=len(wanted) - len(rows))  # fmt: skip


def ledger_rows(ledger: Ledger, references: Iterable[str]) -> tuple[Mapping[str, Any], ...]:
    """The rows of the ledger that references name, one read a posting."""
    wanted: dict[tuple[str, str], list[int]] = {}
    for reference in references:
        table, _, name = reference.partition(":")
        posting, _, row = name.rpartition("/")
        if posting and row.isascii() and row.isdigit():
            wanted.setdefault((table, posting), []).append(int(row))
    found: list[Mapping[str, Any]] = []
    for (table, posting), numbers in list(wanted.items())[:MOST_POSTINGS]:
        rows = entered(ledger, table, posting).to_pylist()
        mine = {row["row"]: row for row in rows}
        found += [_shown(table, mine[number]) for number in numbers if number in mine]
    return tuple(found)


def _shown(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    value = row["amount"] if "amount" in row else row["fraction"]
    return {
        "reference": f"{table}:{row['posting']}/{row['row']}",
        "where": row.get("stream") or row.get("process"), "material": row["material"],
        "element": row.get("element", ""), "value": value, "unit": row.get("unit", "kg/kg"),
        "from": row.get("start") or row.get("instant"), "origin": row["origin"],
        "meter": row["meter"], "posting": row["posting"], "file": row["lineage"],
        "sign": row["sign"],
    }  # fmt: skip


def _parameter(ledger: Ledger) -> Any:
    def read(reference: str) -> Parameter | None:
        id, _, day = reference.removeprefix("parameter:").partition("@")
        try:
            return ledger.parameter(id, date.fromisoformat(day) if day else date.today())
        except (CupralError, ValueError):
            return None

    return read
