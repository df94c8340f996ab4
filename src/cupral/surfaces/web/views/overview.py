"""Overview: the plan's targets, the map of one of them, and the clauses by department."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cupral.demonstration.faults import KEY
from cupral.ledger.errors import CupralError, InputError
from cupral.ledger.result import Result, result_key
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.drawing.interval import Bar, Scale, bar
from cupral.surfaces.web.drawing.tilemap import TileMap, tile_map
from cupral.surfaces.web.views.start import start
from cupral.surfaces.web.words import counted_in, readable
from cupral.system import ask

BASES = ("reconciled", "declared")
SURE = 0.95
"""A verdict with less probability than this on its side is shown as open."""
USUAL_TARGET = "T2"
KINDS = {"met": "met", "not met": "missed", "cannot decide": "undecided"}
ALUMINIUM = ("T7", "T8")
_FIGURES = ("declared", "reconciled", "low", "high", "declared_low", "declared_high", "sd",
            "declared_sd", "threshold", "allowed_low", "allowed_high", "distance",
            "distance_declared")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One test of a target as the table shows it."""

    row: Mapping[str, Any]
    first: bool
    """Whether it is the first test of its target."""
    value: float | None
    other: float | None
    low: float | None
    high: float | None
    basis: str
    """Origin of the value that decides here."""
    beside: str
    """Origin of the other one."""
    verdict: str
    kind: str
    probability: float | None
    distance: float | None
    """Value less the threshold."""
    sd: float | None
    """Of the value."""
    flips: bool
    bar: Bar | None


def overview(asked: Asked) -> Page:
    """The main page; to who may not see everybody's rows, what is public and what is his."""
    if asked.rights.over("read", "flows") != "all":
        return start(asked, departments(asked))
    basis = asked.get("basis", BASES[0])
    if basis not in BASES:
        raise InputError(f"basis {basis!r} is not known; there are {', '.join(BASES)}")
    status = ask(asked.ledger, "plan.status", **_scope(asked))
    lines = _lines(asked, status.parts or _undecided(asked, status), basis)
    target = asked.get("target", USUAL_TARGET)
    content = {
        "status": status, "summary": _first(status, "summary"), "basis": basis, "bases": BASES,
        "lines": lines, "counts": Counter(line.verdict for line in lines),
        "flipped": flips(asked, lines),
        "map": mapped(asked, target, basis), "target": target,
        "targets": list(dict.fromkeys(str(line.row["target"]) for line in lines)),
        "versions": _versions(asked, status), "story": KEY,
        "departments": departments(asked), "stale": asked.ledger.results(stale=True),
    }  # fmt: skip
    return Page(template="overview.html", title=asked.language("overview.title"),
                content=content, demonstration=status.demonstration)  # fmt: skip


def _undecided(asked: Asked, status: Result) -> tuple[Mapping[str, Any], ...]:
    """The tests of a plan's year of which nothing is filed yet, each with what it needs."""
    whole_year = {**_scope(asked), "through": f"{status.period}-12"}
    return ask(asked.ledger, "plan.status", **whole_year).parts


def _versions(asked: Asked, status: Result) -> list[dict[str, Any]]:
    """Kept versions of the statement, with the month it goes through written out."""
    through = _first(status, "summary").get("through", "")
    return asked.ledger.versions(
        result_key("plan.status", {**status.arguments, "through": through})
    )


def _scope(asked: Asked) -> dict[str, str]:
    names = ("plan", "through")
    return {name: asked.arguments[name] for name in names if asked.get(name)}


def _lines(asked: Asked, rows: Sequence[Mapping[str, Any]], basis: str) -> list[Line]:
    seen: set[str] = set()
    lines = []
    for row in (_counted(asked, raw) for raw in rows):
        lines.append(_line(row, basis, first=row["target"] not in seen))
        seen.add(str(row["target"]))
    return lines


def _counted(asked: Asked, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with its figures in the unit in which the reader counts."""
    scale, unit = counted_in(asked.language, str(row["unit"]))
    figures = {name: row[name] * scale for name in _FIGURES if row[name] is not None}
    return {**row, **figures, "unit": unit}


def _line(row: Mapping[str, Any], basis: str, *, first: bool) -> Line:
    declared = basis == "declared" or row["decided_by"] == "declared"
    value, other = row["reconciled"], row["declared"]
    if declared:
        value, other = other, value
    word = row["met_declared"] if declared else row["met_reconciled"]
    chance = row["probability_declared"] if declared else row["probability"]
    names = ("declared_low", "declared_high") if declared else ("low", "high")
    low, high = (row[name] for name in names)
    scale = Scale(value=value, other=other, low=low, high=high, limit=row["threshold"],
                  accepted_low=row["allowed_low"], accepted_high=row["allowed_high"])  # fmt: skip
    return Line(
        row=row, first=first, value=value, other=other, low=low, high=high, verdict=word,
        kind=_kind(word, chance), probability=chance, bar=bar(scale),
        distance=None if value is None else value - row["threshold"],
        sd=row["declared_sd"] if declared else row["sd"],
        basis="declared" if declared else str(row["basis"]),
        beside=str(row["basis"]) if declared else "declared",
        flips={row["met_declared"], row["met_reconciled"]} == {"met", "not met"},
    )  # fmt: skip


def _kind(word: str, chance: float | None) -> str:
    """The shape of a verdict: open if the data leave it in doubt."""
    doubtful = chance is not None and 1 - SURE < chance < SURE
    return "open" if doubtful and word in ("met", "not met") else KINDS.get(word, "undecided")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A target whose two figures disagree, and the doubted meters that moved it."""

    line: Line
    suspects: tuple[Mapping[str, Any], ...]


def flips(asked: Asked, lines: Sequence[Line]) -> list[Flip]:
    """The targets that flip, those with a doubted meter on the line itself first."""
    found = []
    for line in lines:
        if line.flips:
            depth = ask(asked.ledger, "plan.target", target=line.row["target"], **_scope(asked))
            direct = tuple(row for row in depth.tables.get("suspects", ()) if row["direct"])
            found.append(Flip(line=line, suspects=direct))
    return sorted(found, key=lambda flip: (flip.line.basis == "declared", not flip.suspects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The tile map of a target's contributions, its table twin and who holds the gap."""

    tiles: TileMap
    rows: tuple[Mapping[str, Any], ...] = ()
    unit: str = ""
    gaps: tuple[Mapping[str, Any], ...] = ()
    """Only those who lag."""
    gap_unit: str = ""
    suspects: tuple[Mapping[str, Any], ...] = ()
    basis: str
    aluminium: bool = False
    undecided: str = ""


def mapped(asked: Asked, target: str, basis: str) -> Mapped:
    """What each city gives to a target."""
    try:
        found = ask(asked.ledger, "plan.target", target=target, **_scope(asked))
    except CupralError as error:
        return Mapped(tiles=tile_map({}), basis=basis, undecided=str(error))
    every = [row for row in found.tables.get("by_city", ()) if row["value"] is not None]
    known = {str(row["basis"]) for row in every}
    chosen = "declared" if basis == "declared" else next(iter(known - {"declared"}), "declared")
    mine = [row for row in every if row["basis"] == chosen]
    rows, unit = _rescaled(asked, mine, ("value",))
    gaps, gap_unit = _rescaled(asked, found.tables.get("gap", ()), ("gives", "due", "gap"))
    return Mapped(
        tiles=tile_map({str(row["city"]): row["value"] for row in rows}), rows=rows, unit=unit,
        gaps=tuple(row for row in gaps if row["gap"] > 0), gap_unit=gap_unit,
        suspects=found.tables.get("suspects", ()), basis=chosen,
        aluminium=target in ALUMINIUM,
    )  # fmt: skip


def _rescaled(
    asked: Asked, rows: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """Rows with some columns in the unit that is easiest to read."""
    if not rows:
        return (), ""
    values = [row[name] for row in rows for name in names]
    scale, unit = readable(asked.language, values, str(rows[0]["unit"]))
    changed = [
        {**row, **{n: None if row[n] is None else row[n] * scale for n in names}} for row in rows
    ]
    return tuple(changed), unit


def departments(asked: Asked) -> list[dict[str, Any]]:
    """Each department with the clauses it leads."""
    plan = {"plan": asked.arguments["plan"]} if asked.get("plan") else {}
    found = ask(asked.ledger, "plan.clauses", **plan)
    return [
        {**row, "clauses": [c for c in found.parts if c["lead"] == row["department_zh"]],
         "supports": [c for c in found.parts if row["department_zh"] in c["supporting"]]}
        for row in found.tables.get("departments", ())
    ]  # fmt: skip


def _first(result: Result, table: str) -> Mapping[str, Any]:
    rows = result.tables.get(table, ())
    return rows[0] if rows else {}
