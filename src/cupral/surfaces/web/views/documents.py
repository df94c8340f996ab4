"""Documents: the list with its search, one document with its history and actions, the inbox."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from cupral.ledger.document import Document
from cupral.ledger.rights import OWNER
from cupral.ledger.stores import docket
from cupral.ledger.working_days import today_in_china
from cupral.surfaces.plainness import shortened
from cupral.surfaces.web.asked import Asked, Page
from cupral.system import ask, workflows

FILTERS = ("text", "kind", "state", "party")
STATES = ("draft", "submitted", "under_review", "decided", "accepted", "refused", "returned",
          "withdrawn")  # fmt: skip
TAKEN = ".pdf,.png,.jpg,.jpeg,.xlsx,.docx,.csv,.txt,.json"
_STEP, _HEIGHT = 150, 64


def documents(asked: Asked) -> Page:
    """The list of documents: searched, filtered, or only those overdue."""
    place = asked.get("skip", "0")
    skip = int(place) if place.isascii() and place.isdigit() and len(place) < 8 else 0
    wanted: dict[str, Any] = {name: asked.get(name) for name in FILTERS if asked.get(name)}
    rights = asked.ledger.rights
    if rights.over("read", f"document:{wanted.get('kind', '*')}") == "own":
        wanted.setdefault("party", min(rights.enterprises, default=rights.name))
    overdue = asked.get("overdue") == "yes"
    found = ask(asked.ledger, "documents.find", **wanted, overdue=overdue, skip=skip,
                on=today_in_china().isoformat())  # fmt: skip
    kept = {**wanted, **({"overdue": "yes"} if overdue else {})}
    content = {
        "rows": [{**row, "address": address(row["kind"], row["id"])} for row in found.parts],
        "next": found.tables["next"], "wanted": wanted, "kept": kept, "overdue": overdue,
        "kinds": sorted({*docket.kinds(asked.ledger.records.database), *workflows()}),
        "states": STATES, "opened": sorted(workflows()),
        "enterprises": asked.ledger.enterprises(),
    }  # fmt: skip
    return Page(template="documents.html", title=asked.language("nav.documents"), content=content)


def document(asked: Asked) -> Page:
    """One document: where it stands, what it says, what was said of it, and what may be done."""
    kind, id = asked.named["kind"], asked.named["id"]
    today = today_in_china().isoformat()  # said, so that no answer of another day is taken
    found = ask(asked.ledger, "documents.history", kind=kind, id=id, on=today)
    latest = asked.ledger.document(kind, id)
    flow = workflows().get(kind)
    files = [
        {**row, "address": f"/attachments/{quote(kind, safe='')}/{row['sha256']}/{quote(id)}"}
        for row in found.tables["attachments"]
    ]
    content = {
        "document": latest, "entry": found.tables["entry"][0], "steps": found.parts,
        "comments": found.tables["comments"], "files": files, "moves": found.tables["moves"],
        "drawn": picture(found.tables["line"]), "body": said(latest), "taken": TAKEN,
        "editable": bool(flow and latest.state in flow.editable and {*latest.body} <= {*PLAIN}),
        "address": address(kind, id), "flow": flow,
    }  # fmt: skip
    title = f"{found.tables['entry'][0]['title']}"
    return Page(template="document.html", title=title, content=content,
                demonstration=latest.demonstration)  # fmt: skip


def inbox(asked: Asked) -> Page:
    """Notices, newest first; `?all=yes` shows those that were read too."""
    every, rights = asked.get("all") == "yes", asked.ledger.rights
    name = asked.get("person") if OWNER in rights.roles else rights.name
    found = ask(asked.ledger, "documents.inbox", person=name, unread=not every)
    rows = [{**row, "address": address(row["kind"], row["document"])} for row in found.parts]
    content = {"rows": rows, "waiting": int(found.value or 0), "every": every,
               "person": name}  # fmt: skip
    return Page(template="inbox.html", title=asked.language("inbox.title"), content=content)


PLAIN = ("title", "text")
"""What the form of a plain request asks for; other bodies are changed by their own system."""


def said(document: Document) -> list[tuple[str, str]]:
    """What a document says, name by name."""
    return [
        (name, value if isinstance(value, str) else _shown(value))
        for name, value in document.body.items()
        if name != "title"
    ]


def _shown(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False, default=str))


def address(kind: str, id: str) -> str:
    """Address of a document's page.

    Examples
    --------
    >>> address("account", "S1/2026-03")
    '/documents/account/S1/2026-03'
    """
    return f"/documents/{quote(kind, safe='')}/{quote(id)}"


def picture(line: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Places of the stations on the drawn line, in its own units."""
    stations = [{**station, "x": _STEP // 2 + place * _STEP} for place, station in enumerate(line)]
    return {"width": _STEP * max(1, len(line)), "height": _HEIGHT, "stations": stations}
