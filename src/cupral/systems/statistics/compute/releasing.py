"""A release worked out: from what enterprises filed to cells that may be published.

The tables: output of each product by city [t], and the three sums of money by chain and city
[CNY], each by month and from January on. A table's months share one pattern of hidden cells,
and so do the three sums, because each tells of the others. A cell that closes stays closed for
the rest of the year.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cupral.ledger.errors import Conflict
from cupral.ledger.release import HELD, SECRET
from cupral.methods.secrecy import Column, Lattice, Panel, Rule, axis, lattice, protect, singled

Entries = dict[str, list[list[Any]]]
"""Measure -> [place key, enterprise, amount], each place key the names joined by '|'."""
Basis = dict[str, dict[str, Any]]
"""Period -> {entries, closed: keys of hidden cells, held}."""
TOP = "all"


@dataclass(slots=True)
class Sheet:
    """One table: its cells, and what enterprises filed for it by period."""

    name: str
    unit: str
    measures: tuple[str, ...]
    lattice: Lattice
    keys: dict[str, int]
    filed: dict[str, Entries]
    held: list[str] = field(default_factory=list)
    """Reasons for which periods keep their earlier figures."""


def sheet(name: str, unit: str, measures: tuple[str, ...], filed: dict[str, Entries],
          before: Iterable[Basis]) -> Sheet:  # fmt: skip
    """A table with a cell for each place that any version has named."""
    given = [*filed.values(), *(one["entries"] for basis in before for one in basis.values())]
    keys = {row[0] for entries in given for rows in entries.values() for row in rows}
    parts = [sorted(names) for names in zip(*(key.split("|") for key in keys), strict=True)]
    made = lattice([axis({TOP: list(dict.fromkeys(names))}, TOP) for names in parts])
    places = {"|".join(map(str, cell)): number for number, cell in enumerate(made.cells)}
    return Sheet(name, unit, measures, made, places, filed)


def settled(one: Sheet, versions: Sequence[Basis], rule: Rule) -> Basis:
    """Decide which figures stand and which cells are hidden, period by period.

    Raises
    ------
    Conflict
        If a table cannot be published safely.
    """
    basis = _accepted(one, versions, rule)
    latest = versions[-1] if versions else {}
    periods = list(basis)
    fresh = [p for p in periods if p not in latest or basis[p]["entries"] != latest[p]["entries"]]
    closed = {p: set(latest[p]["closed"]) if p in latest else set() for p in periods}
    if fresh:
        start = periods.index(fresh[0])
        shut = set[str]().union(*closed.values())
        pattern = protect(_panel(one, [basis[p]["entries"] for p in fresh]), rule,
                          closed=_mask(one, shut))  # fmt: skip
        if not pattern.audit.safe:
            worst = one.lattice.cells[pattern.audit.exposed[0].cell]
            raise Conflict(f"release refused: the audit of {one.name} finds {worst} exposed")
        names = list(one.keys)
        hidden = {names[place] for place in np.flatnonzero(pattern.hidden)}
        for period in periods[start:]:
            closed[period] = hidden
    return {p: {**basis[p], "closed": sorted(closed[p])} for p in periods}


def _accepted(one: Sheet, versions: Sequence[Basis], rule: Rule) -> Basis:
    """The entries that stand: new ones, unless the change would single somebody out."""
    basis: Basis = {}
    for period, entries in one.filed.items():
        known = [version[period] for version in versions if period in version]
        if known and _same(known[-1]["entries"], entries):
            basis[period] = {**known[-1], "held": False}
            continue
        reason = _singles(one, known, entries, rule)
        if reason:
            one.held.append(f"{one.name} {period}: {reason}")
            basis[period] = {**known[-1], "held": True}
        else:
            basis[period] = {"entries": entries, "closed": [], "held": False}
    return basis


def _same(before: Entries, after: Entries) -> bool:
    """Whether two filings say the same of every enterprise."""
    return all(sorted(before.get(m, [])) == sorted(after.get(m, [])) for m in {*before, *after})


def _singles(one: Sheet, known: Sequence[Mapping[str, Any]], entries: Entries, rule: Rule) -> str:
    """Why the step from an earlier version to these entries must not be shown; '' if it may."""
    firms = _firms([entries, *(version["entries"] for version in known)])
    for version in known:
        hidden = _mask(one, set(version["closed"]))
        before, after = (_columns(one, e, firms) for e in (version["entries"], entries))
        for old, new in zip(before, after, strict=True):
            found = singled(old, new, one.lattice.relations, hidden, rule)
            if found:
                where = "the hidden rest of " if found[0].rest else ""
                cell = " ".join(map(str, one.lattice.cells[found[0].cell]))
                return (
                    f"the revision of {where}{cell} stands on {found[0].changed} enterprises, or"
                    " one dominates it; it waits until more have revised"
                )
    return ""


def _firms(given: Iterable[Entries]) -> dict[str, int]:
    names = {row[1] for entries in given for rows in entries.values() for row in rows}
    return {name: number for number, name in enumerate(sorted(names))}


def _columns(one: Sheet, entries: Entries, firms: Mapping[str, int]) -> list[Column]:
    return list(_made(one, [entries], firms).columns)


def _panel(one: Sheet, given: Sequence[Entries]) -> Panel:
    return _made(one, given, _firms(given))


def _made(one: Sheet, given: Sequence[Entries], firms: Mapping[str, int]) -> Panel:
    rows = [entries.get(measure, []) for entries in given for measure in one.measures]
    leaf = [np.array([one.keys[row[0]] for row in column], int) for column in rows]
    holder = [np.array([firms[row[1]] for row in column], int) for column in rows]
    amount = [np.array([row[2] for row in column], float) for column in rows]
    return one.lattice.panel(leaf, holder, amount, max(len(firms), 1))


def _mask(one: Sheet, closed: set[str]) -> np.ndarray:
    return np.array([key in closed for key in one.keys])


def cells(one: Sheet, basis: Basis, step: float) -> list[dict[str, Any]]:
    """The rows of a release: each cell by month and from January on, withheld ones without value.

    A sum since January is hidden as soon as one of its months is.
    """
    found, since = [], _Since(one)
    for period, standing in basis.items():
        since.add(standing["entries"])
        closed = set(standing["closed"])
        month = _Since(one)
        month.add(standing["entries"])
        for span, sums in (("month", month), ("to date", since)):
            mark = HELD if standing["held"] else ""
            found += _shown(one, sums, closed, (period, span, mark), step)
    return found


class _Since:
    """Sums and enterprises with an amount, by measure and cell."""

    def __init__(self, one: Sheet) -> None:
        self.one = one
        self.rows: list[Entries] = []

    def add(self, entries: Entries) -> None:
        """Count one more period."""
        self.rows.append(entries)

    def column(self, measure: str) -> Column:
        """All periods together."""
        rows = [row for entries in self.rows for row in entries.get(measure, [])]
        return _columns(self.one, {self.one.measures[0]: rows}, _firms([{measure: rows}]))[0]


def _shown(
    one: Sheet, sums: _Since, closed: set[str], when: tuple[str, str, str], step: float
) -> list[dict[str, Any]]:
    found = []
    for measure in one.measures:
        column = sums.column(measure)
        count = np.bincount(column.cell, weights=column.amount != 0, minlength=len(one.keys))
        for place, cell in enumerate(one.lattice.cells):
            hidden = "|".join(map(str, cell)) in closed
            found.append({
                "table": "output" if measure == "output" else "money",
                "item": one.name if measure == "output" else measure,
                "chain": "" if measure == "output" else str(cell[0]),
                "city": "" if cell[-1] == TOP else str(cell[-1]),
                "period": when[0], "span": when[1], "unit": one.unit,
                "value": None if hidden else round(round(column.value[place] / step) * step, 6),
                "mark": SECRET if hidden else when[2],
                "enterprises": None if hidden else int(count[place]),
            })  # fmt: skip
    return found
