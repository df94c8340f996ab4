"""Overview: the plan's targets, the map of one of them, and the clauses by department."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cupral.ledger.errors import CupralError, InputError
from cupral.ledger.result import Result
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.drawing.interval import Bar, Scale, bar
from cupral.surfaces.web.drawing.tilemap import TileMap, city_names, tile_map
from cupral.surfaces.web.figures import number
from cupral.surfaces.web.language import Language
from cupral.system import ask

BASES = ("reconciled", "declared")
SURE = 0.95
"""A verdict with less probability than this on its side is shown as open."""
USUAL_TARGET = "T2"
KINDS = {"met": "met", "not met": "missed", "cannot decide": "undecided"}
ALUMINIUM = ("T7", "T8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One test of a target as the table shows it."""

    row: Mapping[str, Any]
    first: bool
    """Whether it is the first test of its target."""
    value: float | None
    other: float | None
    basis: str
    verdict: str
    kind: str
    probability: float | None
    flips: bool
    bar: Bar | None


def overview(asked: Asked) -> Page:
    """The main page."""
    basis = asked.get("basis", BASES[0])
    if basis not in BASES:
        raise InputError(f"basis {basis!r} is not known; there are {', '.join(BASES)}")
    status = ask(asked.ledger, "plan.status", **_scope(asked))
    lines = _lines(status.parts, basis)
    target = asked.get("target", USUAL_TARGET)
    content = {
        "status": status, "summary": _first(status, "summary"), "basis": basis, "bases": BASES,
        "lines": lines, "flipped": [line for line in lines if line.flips],
        "map": mapped(asked, target, basis), "target": target,
        "targets": list(dict.fromkeys(str(line.row["target"]) for line in lines)),
        "departments": departments(asked), "stale": asked.ledger.results(stale=True),
    }  # fmt: skip
    return Page(template="overview.html", title=asked.language("overview.title"),
                content=content, demonstration=status.demonstration)  # fmt: skip


def _scope(asked: Asked) -> dict[str, str]:
    names = ("plan", "through")
    return {name: asked.arguments[name] for name in names if asked.get(name)}


def _lines(rows: Sequence[Mapping[str, Any]], basis: str) -> list[Line]:
    seen: set[str] = set()
    lines = []
    for row in rows:
        lines.append(_line(row, basis, first=row["target"] not in seen))
        seen.add(str(row["target"]))
    return lines


def _line(row: Mapping[str, Any], basis: str, *, first: bool) -> Line:
    declared = basis == "declared" or row["reconciled"] is None
    value, other = row["reconciled"], row["declared"]
    if declared:
        value, other = other, value
    word = row["met_declared"] if declared else row["met_reconciled"]
    chance = row["probability_declared"] if declared else row["probability"]
    low, high = (None, None) if declared else (row["low"], row["high"])
    scale = Scale(value=value, other=other, low=low, high=high, limit=row["threshold"],
                  accepted_low=row["allowed_low"], accepted_high=row["allowed_high"])  # fmt: skip
    return Line(
        row=row, first=first, value=value, other=other, verdict=word,
        kind=_kind(word, chance), probability=chance, bar=bar(scale),
        basis="declared" if declared else str(row["basis"]),
        flips={row["met_declared"], row["met_reconciled"]} == {"met", "not met"},
    )  # fmt: skip


def _kind(word: str, chance: float | None) -> str:
    """The shape of a verdict: open if the data leave it in doubt."""
    doubtful = chance is not None and 1 - SURE < chance < SURE
    return "open" if doubtful and word in ("met", "not met") else KINDS.get(word, "undecided")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The tile map of a target's contributions, its table twin and who holds the gap."""

    tiles: TileMap
    rows: tuple[Mapping[str, Any], ...]
    gaps: tuple[Mapping[str, Any], ...]
    suspects: tuple[Mapping[str, Any], ...]
    unit: str
    basis: str
    aluminium: bool
    undecided: str = ""


def mapped(asked: Asked, target: str, basis: str) -> Mapped:
    """What each city gives to a target."""
    try:
        found = ask(asked.ledger, "plan.target", target=target, **_scope(asked))
    except CupralError as error:
        return Mapped(tiles=tile_map({}), rows=(), gaps=(), suspects=(), unit="", basis=basis,
                      aluminium=False, undecided=str(error))  # fmt: skip
    rows = found.tables.get("by_city", ())
    known = {str(row["basis"]) for row in rows}
    chosen = "declared" if basis == "declared" else next(iter(known - {"declared"}), "declared")
    mine = tuple(row for row in rows if row["basis"] == chosen)
    values = {str(row["city"]): row["value"] for row in mine if row["value"] is not None}
    return Mapped(
        tiles=tile_map(values), rows=mine, gaps=found.tables.get("gap", ()),
        suspects=found.tables.get("suspects", ()), basis=chosen,
        unit=str(mine[0]["unit"]) if mine else "", aluminium=target in ALUMINIUM,
    )  # fmt: skip


def departments(asked: Asked) -> list[dict[str, Any]]:
    """Each department with the clauses it leads."""
    plan = {"plan": asked.arguments["plan"]} if asked.get("plan") else {}
    found = ask(asked.ledger, "plan.clauses", **plan)
    return [
        {**row, "clauses": [c for c in found.parts if c["lead"] == row["department_zh"]],
         "supports": [c for c in found.parts if row["department_zh"] in c["supporting"]]}
        for row in found.tables.get("departments", ())
    ]  # fmt: skip


def city(language: Language, name: str) -> str:
    """A city's name in the reader's language."""
    known = city_names().get(name.removesuffix("市"))
    return language.of(known) if known else language.word("word", name)


def test_text(language: Language, row: Mapping[str, Any]) -> str:
    """A test in words, e.g. '170 万吨左右'."""
    unit = language.word("unit", str(row["unit"]))
    value = f"{number(row['threshold'])} {unit}".strip()
    return language.word("relation", str(row["relation"])).format(value=value)


def _first(result: Result, table: str) -> Mapping[str, Any]:
    rows = result.tables.get(table, ())
    return rows[0] if rows else {}
