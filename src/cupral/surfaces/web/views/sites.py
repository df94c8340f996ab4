"""Sites: the list, and one site's month as drawing, Sankey and tables."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.errors import CannotDecide, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.registers import Network, Process, Site, Stream
from cupral.ledger.result import Result
from cupral.ledger.scope import Wanted
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.drawing.network import drawn
from cupral.surfaces.web.drawing.sankey import COLOURS, family, sankey
from cupral.surfaces.web.language import Language
from cupral.system import ask

MONTHS_SHOWN = 24


def sites(asked: Asked) -> Page:
    """All sites with their lines and the months they have readings of."""
    ledger = asked.ledger
    mine = own_sites(asked)
    networks, months = set(ledger.networks()) & {site.id for site in mine}, months_of(asked, mine)
    rows = [
        {"site": site, "network": site.id in networks, "months": months.get(site.id, ()),
         "open": site in mine}
        for site in sorted(ledger.sites(), key=lambda site: (site.kind, site.city, site.id))
    ]  # fmt: skip
    return Page(template="sites.html", title=asked.language("nav.sites"), content={"rows": rows})


def own_sites(asked: Asked) -> list[Site]:
    """The sites of which the reader may see the rows."""
    scope, every = asked.rights.over("read", "flows"), asked.ledger.sites()
    if scope == "all":
        return every
    return [site for site in every if scope and site.enterprise in asked.rights.enterprises]


def months_of(asked: Asked, mine: Sequence[Site]) -> dict[str, tuple[int, ...]]:
    """Months with measured flows of these sites, which may be all."""
    if asked.rights.over("read", "flows") == "all":
        return measured_months(asked.ledger)
    return measured_months(asked.ledger, [site.id for site in mine]) if mine else {}


def measured_months(ledger: Ledger, site: Wanted = None) -> dict[str, tuple[int, ...]]:
    """Months (YYYYMM) with measured flows, by site."""
    totals = ledger.totals(by=("site", "month"), site=site, origin="measured").to_pylist()
    found: dict[str, set[int]] = {}
    for row in totals:
        if row["rows"] > 0:
            found.setdefault(row["site"], set()).add(row["month"])
    return {name: tuple(sorted(months)) for name, months in found.items()}


def site(asked: Asked) -> Page:
    """One site in one month."""
    ledger, t = asked.ledger, asked.language
    place = ledger.site(asked.named["site"])
    network = _network(ledger, place.id)
    months = measured_months(ledger, place.id).get(place.id, ())[-MONTHS_SHOWN:]
    month = _month(asked, months)
    result, undecided = _balance(ledger, place.id, month) if network else (None, "")
    called = names(t, network) if network else {}
    content = {
        "site": place, "network": network, "months": months, "month": month, "result": result,
        "undecided": undecided, "enterprise": _enterprise(ledger, place),
        "drawing": drawn(network, called) if network else None, "names": called,
        "streams": _streams(network, result), "materials": COLOURS, "family": family,
        "chain": _chain(place),
        "sankey": _sankey(t, network, result, _chain(place)) if network and result else "",
        "unclosed": unclosed(network, called) if network else "",
        "key": f"result:balance.streams?period={_shown(month)}&site={place.id}",
        "period": _shown(month),
    }  # fmt: skip
    return Page(template="site.html", title=t.of(place), content=content,
                demonstration=place.demonstration)  # fmt: skip


def names(language: Language, network: Network) -> dict[str, str]:
    """Names of processes and streams in the reader's language, by id."""
    nouns: tuple[Process | Stream, ...] = (*network.processes, *network.streams)
    return {noun.id: language.of(noun) or noun.id for noun in nouns}


def unclosed(network: Network, called: Mapping[str, str]) -> str:
    """The processes whose mass is not balanced, each with what is balanced instead."""
    return ", ".join(
        f"{called[process.id]} ({', '.join(process.balances)})"
        for process in network.processes
        if process.balances and not {"mass", "energy"} & set(process.balances)
    )


def _network(ledger: Ledger, site: str) -> Network | None:
    try:
        return ledger.network(site)
    except NotFound:
        return None


def _enterprise(ledger: Ledger, site: Site) -> Any:
    try:
        return ledger.enterprise(site.enterprise)
    except NotFound:
        return None


def _month(asked: Asked, months: Sequence[int]) -> int | None:
    wanted = asked.get("month").replace("-", "")
    if wanted:
        return Period.parse(f"{wanted[:4]}-{wanted[4:6]}").months[0]
    return months[-1] if months else None


def _shown(month: int | None) -> str:
    return f"{month // 100}-{month % 100:02d}" if month else ""


def _balance(ledger: Ledger, site: str, month: int | None) -> tuple[Result | None, str]:
    if month is None:
        return None, ""
    try:
        return ask(ledger, "balance.streams", site=site, period=_shown(month)), ""
    except CannotDecide as error:
        return None, str(error)


def _chain(site: Site) -> str:
    products = " ".join(line.product for line in site.lines) + " " + site.kind
    return "aluminium" if "alumin" in products or "potline" in products else "copper"


def _streams(network: Network | None, result: Result | None) -> dict[str, Mapping[str, Any]]:
    """What is known of each stream: its row of the balance, or only its definition."""
    known = {row["stream"]: row for row in result.parts} if result else {}
    if network is None:
        return {}
    metered = {meter.stream for meter in network.meters if meter.kind == "flow"}
    return {
        stream.id: {"carrier": stream.carrier, "unit": stream.unit, "suspect": False,
                    "metered": stream.id in metered, **known.get(stream.id, {})}
        for stream in network.streams
    }  # fmt: skip


def _sankey(t: Language, network: Network | None, result: Result, chain: str) -> str:
    if network is None:
        return ""
    mass = [row for row in result.parts if row["carrier"] == "mass" and row["unit"] == "t"]
    made = sankey(mass, names(t, network), chain)
    return json.dumps(made, ensure_ascii=False) if made["links"] else ""
