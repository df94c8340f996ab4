"""Released: what the public sees. It is read from release documents and from nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.errors import CannotDecide
from cupral.ledger.release import SECRET
from cupral.ledger.result import Result
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.drawing.tilemap import tile_map
from cupral.surfaces.web.language import Language
from cupral.surfaces.web.words import readable
from cupral.system import ask

USUAL_ITEM = "cathode_copper"
ALL = ("", "all")
"""Chain of a product, and of a sum of money over both chains."""
Rows = Sequence[Mapping[str, Any]]


def released(asked: Asked) -> Page:
    """Published targets, and one item by place and period; `?item=` and `?year=` choose."""
    t, targets = asked.language, published(asked, "plan.published_status")
    figures = published(asked, "statistics.released", period=asked.get("year"))
    content: dict[str, Any] = {"targets": targets, "figures": figures, "shown": None}
    if figures is not None:
        items = list(dict.fromkeys(str(row["item"]) for row in figures.parts))
        item = asked.get("item", USUAL_ITEM if USUAL_ITEM in items else items[0])
        mine = [row for row in figures.parts if row["item"] == item]
        (summary,), held = (figures.tables[name] for name in ("summary", "held"))
        content |= {"items": items, "item": item, "shown": _shown(t, mine) if mine else None,
                    "summary": summary, "held": held}  # fmt: skip
    demonstration = any(one.demonstration for one in (targets, figures) if one is not None)
    return Page(template="released.html", title=t("released.title"), content=content,
                demonstration=demonstration)  # fmt: skip


def published(asked: Asked, query: str, **arguments: Any) -> Result | None:
    """What a query reads from the releases; None before there is one."""
    try:
        return ask(asked.ledger, query, **arguments)
    except CannotDecide:
        return None


def _shown(t: Language, rows: Rows) -> dict[str, Any]:
    """One item: the map of its latest period, and a line for each place."""
    periods = list(dict.fromkeys(str(row["period"]) for row in rows))
    scale, unit = readable(t, [row["value"] for row in rows], str(rows[0]["unit"]))
    last = [r for r in rows if r["period"] == periods[-1] and r["span"] == "month"
            and r["chain"] in ALL and r["city"]]  # fmt: skip
    values = {r["city"]: r["value"] * scale for r in last if r["mark"] != SECRET and r["value"]}
    return {
        "periods": periods, "unit": unit, "lines": _lines(rows, periods, scale),
        "tiles": tile_map(values),
        "secret": {str(r["city"]).removesuffix("市") for r in last if r["mark"] == SECRET},
    }  # fmt: skip


def _lines(rows: Rows, periods: Sequence[str], scale: float) -> list[dict[str, Any]]:
    """A line for each chain and place that has a figure or withholds one."""
    found: dict[tuple[str, str], dict[tuple[str, str], Mapping[str, Any]]] = {}
    for row in rows:
        place = (str(row["chain"]), str(row["city"]))
        found.setdefault(place, {})[str(row["period"]), str(row["span"])] = row
    lines = []
    for (chain, city), cells in found.items():
        wanted = [(period, "month") for period in periods] + [(periods[-1], "to date")]
        shown = [_cell(cells.get(key), scale) for key in wanted]
        if any(one["value"] or one["mark"] for one in shown):
            counts = [cells[key]["enterprises"] for key in wanted[-1:] if key in cells]
            lines.append({"chain": chain, "city": city, "cells": shown,
                          "enterprises": counts[0] if counts else None})  # fmt: skip
    return lines


def _cell(row: Mapping[str, Any] | None, scale: float) -> dict[str, Any]:
    if row is None or row["value"] is None:
        return {"value": None, "mark": "" if row is None else row["mark"]}
    return {"value": row["value"] * scale, "mark": row["mark"]}
