"""Listing: all parameters; one with its history; the proposals that wait."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cupral.ledger.dependence import TABLE, names
from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import KIND, PROPOSED, Parameter, in_force
from cupral.ledger.proposal import WORKFLOW, day
from cupral.ledger.result import Result, Row
from cupral.ledger.working_days import today_in_china
from cupral.system import query
from cupral.systems.desk.queries.naming import named_in

KEY_KIND = "signing_key"
MISSING = "missing"
STATUSES = ("confirmed", "unconfirmed", MISSING)


@query
def parameters(ledger: Ledger, *, system: str = "", status: str = "", on: str = "") -> Result:
    """Every parameter with its value on a day, status, and where it is used.

    Parameters
    ----------
    system : str
        Only those of one system.
    status : str
        Only 'confirmed', 'unconfirmed' or 'missing' ones.
    on : str
        Day, e.g. '2026-01-31'; empty = today in China.

    Returns
    -------
    Result
        value = how many; parts one row a parameter: value, unit, valid_from, source, status,
        force, whether amended, `waiting` proposals, `named_in` systems, `results` that stand on it.
    """
    if status not in ("", *STATUSES):
        raise InputError(f"status {status!r} is not one of {', '.join(STATUSES)}")
    book, when = ledger.parameters, day(on, "on") if on else today_in_china()
    rows = [_row(ledger, id, in_force(book.values[id], when)) for id in sorted(book.values)]
    known = sorted({row["system"] for row in rows})
    if system and system not in known:
        raise NotFound(f"no system {system!r} has parameters; there are {', '.join(known)}")
    mine = [row for row in rows if system in ("", row["system"]) and status in ("", row["status"])]
    return Result(query="desk.parameters", subject=system or "all systems", period=str(when),
                  value=float(len(mine)), unit="1",
                  parts=_counted(ledger, mine))  # fmt: skip


def _row(ledger: Ledger, id: str, held: Parameter | None) -> dict[str, Any]:
    book = ledger.book
    known = book.definitions.get(id) or held or book.values[id][0]
    return {
        "parameter": id, "system": id.partition(".")[0], "title_zh": known.title_zh,
        "title_en": known.title_en, "value": held.value if held else None, "unit": known.unit,
        "force": held.force if held else known.force,
        "status": held.status if held else MISSING,
        "valid_from": _text(held.valid_from if held else None),
        "valid_to": _text(held.valid_to if held else None),
        "source": held.source if held else "", "note": held.note if held else "",
        "document": f"document:{held.document}" if held and held.document else "",
    }  # fmt: skip


def _counted(ledger: Ledger, rows: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """The rows with what waits for each, which systems name it, how many Results use it."""
    counts, waiting = ledger.records.counts_on(TABLE), _documents(ledger, state=PROPOSED)
    return tuple(
        {**row, "waiting": sum(one.body["parameter"] == row["parameter"] for one in waiting),
         "named_in": list(dict.fromkeys(f.partition("/")[0] for f in named_in(row["parameter"]))),
         "results": sum(counts.get(name, 0) for name in names(row["parameter"]))}
        for row in rows
    )  # fmt: skip


@query
def parameter(ledger: Ledger, *, parameter: str, on: str = "") -> Result:
    """One parameter: its values over time, who entered them, what waits, where it is used.

    Parameters
    ----------
    parameter : str
        Its id, e.g. 'efficiency.al_liquid_ac'.
    on : str
        Day of the value that is shown first; empty = today in China.

    Returns
    -------
    Result
        value the number in force, if it is one number; parts the values by date, replaced ones
        included; tables `proposals`, `named_in` (files) and `results` (kept Results).
    """
    dated = ledger.dated(parameter).get(parameter) or ledger.book.dated(parameter)
    when = day(on, "on") if on else today_in_china()
    held = in_force(dated, when)
    row = _row(ledger, parameter, held)
    number = row["value"] if isinstance(row["value"], int | float) else None
    return Result(
        query="desk.parameter", subject=parameter, period=str(when), unit=row["unit"],
        value=number, status="ok" if held else "cannot decide", needs=() if held else (parameter,),
        badges=(f"unconfirmed: {parameter}",) if held and not held.confirmed else (),
        parts=_history(ledger, parameter), lineage=(held.reference,) if held else (),
        tables={"parameter": (row,), "proposals": _proposals(ledger, parameter),
                "named_in": tuple({"file": name} for name in named_in(parameter)),
                "results": standing_on(ledger, parameter)},
    )  # fmt: skip


def _history(ledger: Ledger, id: str) -> tuple[Row, ...]:
    """Every value that was ever in force, by its first day; those replaced are marked."""
    rows = [{**_said(one), "replaced": True} for one in ledger.book.replaced if one.id == id]
    rows += [{**_said(one), "replaced": False} for one in ledger.book.values[id]]
    return tuple(sorted(rows, key=lambda row: (row["valid_from"], not row["replaced"])))


def _said(one: Parameter) -> dict[str, Any]:
    return {
        "valid_from": _text(one.valid_from), "valid_to": _text(one.valid_to), "value": one.value,
        "unit": one.unit, "status": one.status, "force": one.force, "source": one.source,
        "note": one.note, "document": f"document:{one.document}" if one.document else "",
    }  # fmt: skip


def _body(document: Document) -> dict[str, Any]:
    names = ("valid_from", "valid_to", "value", "unit", "status", "force", "source", "note")
    return {**{name: document.body[name] for name in names},
            "document": f"document:{KIND}/{document.id}"}  # fmt: skip


@query
def proposals(ledger: Ledger, *, parameter: str = "", state: str = PROPOSED) -> Result:
    """Values that were proposed, with their sources, and who may confirm them.

    Parameters
    ----------
    parameter : str
        Only those for one parameter.
    state : str
        'proposed' (waiting), 'confirmed', 'refused', 'withdrawn'; empty = all.

    Returns
    -------
    Result
        value = how many; parts one row a proposal; table `keys` the signing keys that are known.
    """
    if state not in ("", *WORKFLOW.states):
        raise InputError(f"state {state!r} is not one of {', '.join(WORKFLOW.states)}")
    ledger.guard.rows("read", f"document:{KIND}", None)
    rows = [row for row in _proposals(ledger, parameter) if state in ("", row["state"])]
    return Result(query="desk.proposals", subject=parameter or "all parameters",
                  value=float(len(rows)), unit="1", parts=tuple(rows),
                  tables={"keys": _keys(ledger)})  # fmt: skip


def _proposals(ledger: Ledger, id: str) -> tuple[Row, ...]:
    return tuple(
        {"proposal": one.id, "parameter": one.body["parameter"], "state": one.state,
         **_body(one), "author": one.body["proposed_by"],
         "decided_by": one.author if one.state != PROPOSED else "",
         "file": (one.body["file"] or {}).get("name", ""), "overlaps": list(one.body["overlaps"])}
        for one in _documents(ledger)
        if id in ("", one.body["parameter"])
    )  # fmt: skip


def _keys(ledger: Ledger) -> tuple[Row, ...]:
    return tuple(
        {"key": one.id, "name": one.body["name"], "state": one.state, "author": one.author}
        for one in ledger.documents(KEY_KIND)
    )


def _documents(ledger: Ledger, state: str | None = None) -> list[Document]:
    """Proposals; to who may not read them there are none."""
    if ledger.rights.over("read", f"document:{KIND}") != "all":
        return []
    return ledger.documents(KIND, state=state)


def standing_on(ledger: Ledger, id: str) -> tuple[Row, ...]:
    """Kept Results that stand on a parameter; to who may not read all Results there are none."""
    if ledger.rights.over("read", "result") != "all":
        return ()
    return tuple(
        {"result": f"result:{row['key']}", "query": row["body"]["query"],
         "subject": row["body"]["subject"], "period": row["body"]["period"],
         "value": row["body"]["value"], "unit": row["body"]["unit"],
         "status": row["body"]["status"], "stale": row["stale_since"] is not None}
        for row in ledger.records.results_on(names(id))
    )  # fmt: skip


def _text(when: date | None) -> str:
    return when.isoformat() if when else ""
