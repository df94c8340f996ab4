"""What share of electrolytic-aluminium capacity is above the benchmark?

Unit = potline series; weight = registered capacity; denominator = all compliant built
capacity; consumption = twelve months, liquid AC, energy over output; a series at exactly the
threshold is above it. Everything that could be chosen otherwise stands beside it as a variant.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.period import Period
from cupral.ledger.registers import Line, Site
from cupral.ledger.result import Result, Row
from cupral.system import query
from cupral.systems.efficiency import compute
from cupral.systems.efficiency.model import LineYear
from cupral.systems.efficiency.queries.levels import (
    Bounds,
    bounds_of,
    caveats,
    finite,
    intensity_of,
    unconfirmed,
    used,
)
from cupral.systems.efficiency.queries.lines import BASES, Reader, unmatched, window

PRODUCT, BOUNDARY, NORM = "primary_aluminium", "liquid_ac", "al_liquid_ac"
KWH_PER_MWH = 1000.0
UNITS = ("series", "enterprise")


@dataclass(frozen=True, slots=True)
class Fleet:
    """All series as arrays, in one order."""

    members: tuple[str, ...]
    capacity: compute.Vector
    output: compute.Vector
    energy: compute.Vector
    """[kWh]"""
    doubtful: compute.Marks
    """Series whose output and energy cover different months: they count nowhere as above."""

    def above(self, by: str, threshold: float) -> compute.Marks:
        """Which series count as above the benchmark, by series or by enterprise."""
        return self.above_if(self.energy, self.output, by, threshold)

    def above_if(
        self, energy: compute.Matrix, output: compute.Matrix, by: str, threshold: float
    ) -> compute.Marks:
        """The same with other energies and outputs, (..., series)."""
        if by == "series":
            return compute.series_above(energy, output, threshold) & ~self.doubtful
        members = np.array(self.members)
        unknown = np.isin(members, members[self.doubtful])
        return compute.enterprise_above(energy, output, self.members, threshold) & ~unknown

    def share(self, by: str, threshold: float) -> float:
        """Share of capacity above the benchmark [1]."""
        return float(compute.share(self.capacity, self.above(by, threshold)))


@query
def share(
    ledger: Ledger, *, through: str = "", basis: str = "reconciled", by: str = "series",
    threshold: float | None = None, target: float = 0.35,
) -> Result:  # fmt: skip
    """Share of aluminium capacity above the benchmark, with its variants and P(target met).

    Parameters
    ----------
    through : last of the twelve months (YYYY-MM); empty = the last declared month
    basis : 'reconciled' (declared only where a site has no reconciled months) or 'declared'
    by : 'series' or 'enterprise' (output-weighted mean of the enterprise)
    threshold : liquid AC consumption [kWh/t], inclusive; None = the benchmark in force
    target : share that has to be exceeded [1]

    Returns
    -------
    Result
        value [1] at the point estimate; low, high = 5 % and 95 % of joint draws of the
        correlated meters; parts = one row per series; tables `target`, `variants`. Series
        without any figure count as not above, with a badge; where they could turn the verdict
        there is no value and `needs` names them.

    Raises
    ------
    InputError
        If basis or unit is unknown, or threshold or target cannot be one.
    """
    _known(basis, by)
    _aimed(threshold, target)
    lines = _lines(ledger)
    if not lines:
        return _undecided(through, "a registered compliant line of primary_aluminium")
    try:
        months = window(ledger, [site for site, _ in lines], through)
    except CannotDecide as error:
        return _undecided(through, *error.needs)
    bounds = bounds_of(ledger, NORM, months.last_day)
    draws = ledger.parameter("efficiency.joint_draws", months.last_day)
    limit, limits = _threshold(bounds, threshold)
    readers = {kind: Reader(ledger, BOUNDARY, kind, months.last_day) for kind in BASES}
    years = {kind: _years(reader, lines, months) for kind, reader in readers.items()}
    silent = _silent(lines, years[basis])
    if len(silent) == len(lines):
        return _undecided(str(months), *_figures_of(silent, basis))
    drawn = _drawn(years[basis], by, limit, draws.value)
    parameters = (*limits, draws, *used(readers.values()))
    found = _answer(months, years, basis, by, (limit, target), drawn, bounds, parameters)
    return _without(found, silent, sum(line.capacity for _, line in lines), target)


@query
def share_of(
    ledger: Ledger, *, lines: list[dict[str, Any]], threshold: float | None = None, on: str = "",
    target: float = 0.35,
) -> Result:  # fmt: skip
    """Share above the benchmark of any list of lines, by series and by enterprise.

    Parameters
    ----------
    lines : rows {ent, line, cap, out, ac}: capacity and output in one unit, ac [kWh/t]
    threshold : inclusive [kWh/t]; None = the benchmark in force
    on : month whose benchmark applies; empty = the newest
    target : share that has to be exceeded [1]

    Raises
    ------
    InputError
        If a row is not complete, or a number cannot be one.
    """
    _aimed(threshold, target)
    fleet = _fleet_of(lines)
    bounds = bounds_of(ledger, NORM, Period.parse(on or "2100").last_day)
    limit, limits = _threshold(bounds, threshold)
    value = fleet.share("series", limit)
    marks = fleet.above("series", limit)
    return Result(
        query="efficiency.share_of", subject=f"{len(lines)} lines at {limit:g} kWh/t",
        period=on, value=value, unit="1", origin="modelled",
        status="met" if value > target else "not met", badges=unconfirmed(limits),
        parts=tuple({**row, "above": bool(mark)} for row, mark in zip(lines, marks, strict=True)),
        tables={"variants": tuple(
            {"by": unit, "threshold": limit, "share": fleet.share(unit, limit)} for unit in UNITS
        )},
        lineage=tuple(parameter.reference for parameter in limits),
    )  # fmt: skip


def _silent(lines: Sequence[tuple[Site, Line]], years: Sequence[LineYear]) -> tuple[LineYear, ...]:
    """Operating series of which no month has a figure: what they consume is not known."""
    return tuple(
        year
        for (_, line), year in zip(lines, years, strict=True)
        if line.operating and not (year.idle or year.output.months or year.energy.months)
    )


def _figures_of(silent: Sequence[LineYear], basis: str) -> tuple[str, ...]:
    source = "returns" if basis == "declared" else "meter readings or returns"
    return tuple(f"{source} of {year.site} {year.line}" for year in silent)


def _without(found: Result, silent: Sequence[LineYear], capacity: float, target: float) -> Result:
    """The share where some series are unknown: a verdict only if they cannot turn it."""
    if not silent or found.value is None:
        return found
    most = found.value + sum(year.capacity for year in silent) / capacity
    named = tuple(f"no readings: {year.site} {year.line} counts as not above" for year in silent)
    needs = (*found.needs, *_figures_of(silent, found.origin))
    known = replace(found, badges=(*found.badges, *named), needs=needs)
    if found.value > target or most <= target:
        return known
    tables = {name: rows for name, rows in found.tables.items() if name != "target"}
    return replace(known, value=None, sd=None, low=None, high=None, status="cannot decide",
                   tables=tables)  # fmt: skip


def _answer(
    months: Period, years: Mapping[str, Sequence[LineYear]], basis: str, by: str,
    aims: tuple[float, float], drawn: compute.Vector, bounds: Bounds,
    parameters: tuple[Parameter, ...],
) -> Result:  # fmt: skip
    limit, target = aims
    chosen = years[basis]
    value = _fleet(chosen).share(by, limit)
    low, high = (float(q) for q in np.quantile(drawn, (0.05, 0.95)))
    met = bool(value > target)
    parts = _parts(chosen, by, limit, bounds)
    return Result(
        query="efficiency.share",
        subject=f"{PRODUCT} {BOUNDARY} <= {limit:g} kWh/t, by {by}, {basis}",
        period=str(months), value=value, sd=float(drawn.std()), low=low, high=high, unit="1",
        origin=basis, status="met" if met else "not met",
        needs=tuple(need for year in chosen for need in unmatched(year)),
        badges=("proposal: definition of the share", *unconfirmed(parameters),
                *caveats(chosen, basis)),
        parts=parts,
        tables={
            "target": ({"target": target, "relation": ">", "met": met, "value": value,
                        "probability": float(np.mean(drawn > target)), "low": low, "high": high,
                        "draws": drawn.size},),
            "variants": _variants(years, limit, bounds.levels[0]),
        },
        lineage=_lineage(chosen, parameters),
    )  # fmt: skip


def _parts(years: Sequence[LineYear], by: str, limit: float, bounds: Bounds) -> tuple[Row, ...]:
    fleet = _fleet(years)
    marks = fleet.above(by, limit)
    total = float(fleet.capacity.sum())
    return tuple(
        _part(year, bool(mark), limit, bounds, total)
        for year, mark in zip(years, marks, strict=True)
    )


def _part(year: LineYear, above: bool, limit: float, bounds: Bounds, total: float) -> Row:
    figure = intensity_of(year, KWH_PER_MWH)
    value, sd = figure or (None, None)
    chance = 0.0 if figure is None else compute.level_probabilities(*figure, (limit,))[0]
    return {
        "site": year.site, "enterprise": year.enterprise, "city": year.city, "line": year.line,
        "capacity": year.capacity, "output": year.output.value, "energy": year.energy.value,
        "intensity": value, "sd": sd, "above": above, "probability_above": chance,
        "level": None if value is None else compute.level(value, bounds.levels),
        "policy_level": None if value is None else bounds.policy_level(value),
        "share_points": year.capacity / total if above else 0.0,
        "basis": year.basis, "period": year.period, "idle": year.idle,
    }  # fmt: skip


def _variants(
    years: Mapping[str, Sequence[LineYear]], limit: float, advanced: float
) -> tuple[Row, ...]:
    cases = [(kind, unit, at) for kind in years for unit in UNITS for at in (limit, advanced)]
    return tuple(
        {"basis": kind, "by": unit, "threshold": at, "share": _fleet(years[kind]).share(unit, at)}
        for kind, unit, at in cases
    )


def _drawn(
    years: Sequence[LineYear], by: str, limit: float, draws: Mapping[str, int]
) -> compute.Vector:
    fleet = _fleet(years)
    loadings = [year.energy.loadings for year in years] + [year.output.loadings for year in years]
    groups = sorted({group for pairs in loadings for group, _ in pairs})
    matrix = compute.loading_matrix(loadings, groups)
    on_energy, on_output = matrix[: len(years)] * KWH_PER_MWH, matrix[len(years) :]
    blocks = compute.joint_draws(
        fleet.energy, fleet.output, on_energy, on_output, draws["count"], draws["seed"]
    )
    return np.concatenate([
        compute.share(fleet.capacity, fleet.above_if(energy, output, by, limit))
        for energy, output in blocks
    ])  # fmt: skip


def _fleet(years: Sequence[LineYear]) -> Fleet:
    return Fleet(
        tuple(year.enterprise for year in years),
        np.array([year.capacity for year in years]),
        np.array([year.output.value if year.energy.months else 0.0 for year in years]),
        np.array([year.energy.value for year in years]) * KWH_PER_MWH,
        np.array([bool(unmatched(year)) for year in years]),
    )


def _fleet_of(lines: Sequence[Mapping[str, Any]]) -> Fleet:
    if not lines:
        raise InputError("no lines: give rows {ent, line, cap, out, ac}")
    for number, line in enumerate(lines, start=1):
        _check_line(number, line)
    capacity, output, intensity = (
        np.array([float(line[name]) for line in lines]) for name in ("cap", "out", "ac")
    )
    if capacity.sum() <= 0:
        raise InputError("the lines have no capacity in all; give cap in t/a for at least one")
    members = tuple(str(line["ent"]) for line in lines)
    return Fleet(members, capacity, output, output * intensity, np.zeros(len(lines), dtype=bool))


def _check_line(number: int, line: Any) -> None:
    row = "a row is {ent, line, cap, out, ac}"
    if not isinstance(line, Mapping):
        raise InputError(f"line {number} is {line!r}; {row}")
    if missing := [name for name in ("ent", "cap", "out", "ac") if name not in line]:
        raise InputError(f"line {number} lacks {missing}; {row}")
    for name in ("cap", "out", "ac"):
        value = line[name]
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if not plain or not math.isfinite(value) or (value < 0 and name != "ac"):
            raise InputError(
                f"line {number}: {name} {value!r} is no number that fits; give a finite number,"
                " cap and out >= 0"
            )


def _lines(ledger: Ledger) -> list[tuple[Site, Line]]:
    return [
        (site, line)
        for site in ledger.sites()
        for line in site.lines
        if line.product == PRODUCT and line.compliant
    ]


def _years(reader: Reader, lines: Sequence[tuple[Site, Line]], months: Period) -> list[LineYear]:
    return [reader.line(site, line, months) for site, line in lines]


def _threshold(bounds: Bounds, threshold: float | None) -> tuple[float, tuple[Parameter, ...]]:
    if threshold is not None or bounds.policy is None:
        return bounds.levels[1] if threshold is None else threshold, (bounds.norm,)
    return bounds.policy.value["benchmark"], (bounds.norm, bounds.policy)


def _lineage(years: Sequence[LineYear], parameters: Sequence[Parameter]) -> tuple[str, ...]:
    rows = [ref for year in years for ref in year.output.references + year.energy.references]
    return tuple(dict.fromkeys([*(item.reference for item in parameters), *rows]))


def _known(basis: str, by: str) -> None:
    for name, value, allowed in (("basis", basis, BASES), ("by", by, UNITS)):
        if value not in allowed:
            raise InputError(f"{name} {value!r} is not known; use one of {allowed}")


def _aimed(threshold: float | None, target: float) -> None:
    """Refuse a threshold or target that no consumption or share can have."""
    finite(threshold=threshold, target=target)
    if threshold is not None and threshold <= 0:
        raise InputError(f"threshold is {threshold:g} kWh/t; give a consumption above 0")
    if not 0 <= target <= 1:
        raise InputError(f"target is {target:g}; give a share from 0 to 1, e.g. 0.35 for 35 %")


def _undecided(through: str, *needs: str) -> Result:
    return Result(
        query="efficiency.share", subject=PRODUCT, period=through, status="cannot decide",
        needs=needs,
    )  # fmt: skip
