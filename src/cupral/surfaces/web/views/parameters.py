"""Parameters: every dated number with its source and status; one of them as the desk sees it."""

from typing import Any

from cupral.ledger.parameter import FORCES, STATUSES
from cupral.ledger.result import Result
from cupral.ledger.working_days import today_in_china
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.drawing.steps import steps
from cupral.system import ask

MISSING = "missing"


def parameters(asked: Asked) -> Page:
    """All parameters by system, unconfirmed ones marked; `?system=` and `?status=` narrow."""
    wanted, status = asked.get("system"), asked.get("status")
    today = today_in_china()  # said, so that no answer of another day is taken
    book = asked.ledger.book
    groups: dict[str, list[object]] = {}
    for row in ask(asked.ledger, "desk.parameters", on=today.isoformat()).parts:
        dated = book.values[row["parameter"]]
        shown = [value for value in dated if not status or value.status == status]
        lacks = row["status"] == MISSING and status in ("", MISSING)
        if wanted in ("", row["system"]) and (shown or lacks):
            groups.setdefault(row["system"], []).append({"row": row, "values": shown})
    every = [value for dated in book.values.values() for value in dated]
    content = {
        "groups": groups, "systems": sorted({id.partition(".")[0] for id in book.values}),
        "system": wanted, "status": status, "version": book.version, "count": len(every),
        "unconfirmed": sum(not value.confirmed for value in every),
        "statuses": (*STATUSES, MISSING),
    }  # fmt: skip
    return Page(template="parameters.html", title=asked.language("nav.parameters"), content=content)


def parameter(asked: Asked) -> Page:
    """One parameter: values over time, proposals, where it is used, and the form to propose."""
    id, today = asked.named["id"], today_in_china()
    found = ask(asked.ledger, "desk.parameter", parameter=id, on=today.isoformat())
    (row,) = found.tables["parameter"]
    content = {
        "result": found, "row": row, "forces": FORCES, "statuses": STATUSES,
        "curve": steps([one for one in found.parts if not one["replaced"]], today),
        "waiting": [one for one in found.tables["proposals"] if one["state"] == "proposed"],
        "decided": [one for one in found.tables["proposals"] if one["state"] != "proposed"],
        "draft": _draft(asked, found),
    }  # fmt: skip
    title = f"{asked.language.of(row, 'title')} · {row['parameter']}"
    return Page(template="parameter.html", title=title, content=content)


def _draft(asked: Asked, found: Result) -> Any:
    """A value to begin the form with: the latest one, or an example of its shape."""
    if found.parts:
        return found.parts[-1]["value"]
    known = asked.ledger.book.definitions.get(found.subject)
    return known.example if known else None
