"""Networks: a site's processes, streams and meters, shown and edited."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cupral.ledger.errors import NotFound, RowFaults
from cupral.ledger.registers import Network, Site
from cupral.surfaces.problem import Problem, problem
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.drawing.network import drawn
from cupral.surfaces.web.views.sites import names, own_sites
from cupral.systems.balance.commands.network import network_from
from cupral.systems.balance.commands.sheets import SHEETS, rows_of
from cupral.systems.balance.commands.yaml_text import yaml_file

BLANK_ROWS = 3
Rows = Mapping[str, list[dict[str, Any]]]


def networks(asked: Asked) -> Page:
    """Sites with a network, and the ways to define one."""
    ledger = asked.ledger
    ledger.guard.rows("read", "register:network", ())
    defined = ledger.networks()
    rows = [(site, site.id in defined) for site in own_sites(asked)]
    return Page(template="networks.html", title=asked.language("nav.networks"),
                content={"rows": rows})  # fmt: skip


def network(asked: Asked) -> Page:
    """The editor of one site's network; `new` begins an empty one."""
    id = asked.named["site"]
    if id == "new":
        asked.rights.demand("post")
        return editor(asked, {name: [] for name in SHEETS}, None)
    ledger = asked.ledger
    found, place = ledger.network(id), ledger.site(id)
    return editor(asked, rows_of(place, found), (place, found))


def editor(
    asked: Asked, rows: Rows, built: tuple[Site, Network] | None, trouble: Problem | None = None,
    saved: str = "",
) -> Page:  # fmt: skip
    """The form of a network with its drawing, faults beside it."""
    found = built[1] if built else None
    sheets = {
        name: [*rows.get(name, ()), *({} for _ in range(1 if name == "site" and not rows.get(name)
               else 0 if name == "site" else BLANK_ROWS))]
        for name in SHEETS
    }  # fmt: skip
    place = built[0] if built else None
    called = names(asked.language, found) if found else {}
    content = {
        "site": place, "network": found, "sheets": sheets, "templates": SHEETS,
        "drawing": drawn(found, called) if found else None, "problem": trouble, "saved": saved,
        "names": called,
        "streams": _states(found) if found else {},
    }  # fmt: skip
    title = asked.language.of(place) if place else asked.language("networks.new")
    return Page(template="network.html", title=title, content=content,
                status=trouble.status if trouble else 200)  # fmt: skip


def draft(form: Mapping[str, str]) -> tuple[Rows, bytes]:
    """Rows of a network form, and the file that they make."""
    rows: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in SHEETS}
    for key, value in form.items():
        sheet, _, rest = key.partition("-")
        number, _, column = rest.partition("-")
        if sheet in SHEETS and number.isascii() and number.isdigit() and value.strip():
            rows[sheet].setdefault(int(number), {})[column] = value.strip()
    tidy = {name: [found[n] for n in sorted(found)] for name, found in rows.items()}
    written = {name: found for name, found in tidy.items() if found}
    return tidy, yaml_file({**written, "site": tidy["site"] or [{}]})


def read_draft(content: bytes) -> tuple[tuple[Site, Network] | None, Problem | None]:
    """What a draft describes, or what is wrong with it."""
    try:
        site, found, _count = network_from(content, "form.yaml")
    except (RowFaults, NotFound) as error:
        return None, problem(error, "form")
    return (site, replace(found)), None


def _states(found: Network) -> dict[str, Mapping[str, Any]]:
    metered = {meter.stream for meter in found.meters if meter.kind == "flow"}
    return {
        s.id: {"carrier": s.carrier, "unit": s.unit, "suspect": False, "metered": s.id in metered}
        for s in found.streams
    }
