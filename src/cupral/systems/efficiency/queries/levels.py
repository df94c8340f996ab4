"""Which level does a consumption reach, and which level is this line?"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.period import Period
from cupral.ledger.registers import Line, Site
from cupral.ledger.result import Result, Row
from cupral.methods.margin import ninety
from cupral.system import query
from cupral.systems.efficiency import compute
from cupral.systems.efficiency.model import (
    BENCHMARKED,
    BOUNDARIES,
    LINE_NORMS,
    NORM_BOUNDARIES,
    LineYear,
)
from cupral.systems.efficiency.queries.lines import BASES, Reader, missing_months, unmatched, window


@dataclass(frozen=True, slots=True)
class Bounds:
    """The dated bounds of a norm and, where there are any, of the national benchmark."""

    norm: Parameter
    policy: Parameter | None

    @property
    def levels(self) -> tuple[float, ...]:
        """Bounds of levels 1, 2, 3."""
        return tuple(self.norm.value[f"level{number}"] for number in (1, 2, 3))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that these bounds come from."""
        return (self.norm,) if self.policy is None else (self.norm, self.policy)

    def policy_level(self, value: float) -> str | None:
        """Standing against benchmark and baseline, if the national list names the product."""
        if self.policy is None:
            return None
        return compute.policy_level(value, self.policy.value["benchmark"],
                                    self.policy.value["baseline"])  # fmt: skip


@query
def level(ledger: Ledger, *, norm: str, value: float, on: str = "", boundary: str = "") -> Result:
    """Level 1, 2 or 3 of a specific consumption by a dated norm; no value if it fails level 3.

    Parameters
    ----------
    norm : short name of the norm, e.g. 'al_liquid_ac'
    value : specific consumption [unit of the norm]
    on : day (YYYY-MM-DD) or month whose rules apply; empty = the norm's newest values
    boundary : if given, must be the boundary that the norm grades

    Raises
    ------
    NotFound
        If no norm has that name.
    InputError
        If the norm grades another boundary.
    CannotDecide
        If the norm had no values on that day.
    """
    _same_boundary(norm, boundary)
    bounds = bounds_of(ledger, norm, _day(ledger, norm, on))
    reached = compute.level(value, bounds.levels)
    return Result(
        query="efficiency.level",
        subject=f"{norm} = {value:g} {bounds.norm.unit}",
        period=on,
        value=None if reached is None else float(reached),
        unit="1",
        origin="modelled",
        status=_verdict(reached),
        badges=unconfirmed(bounds.parameters) + _expired(bounds.norm, on),
        parts=(_level_row(bounds, value, reached),),
        lineage=tuple(parameter.reference for parameter in bounds.parameters),
    )


@query
def energy_level(
    ledger: Ledger, *, site: str, line: str, boundary: str = "liquid_ac", through: str = "",
    norm: str = "",
) -> Result:  # fmt: skip
    """Twelve-month specific consumption of a line on one boundary and its level by dated norm.

    Parameters
    ----------
    site, line : a registered site and a line of it
    boundary : 'liquid_ac', 'liquid_comprehensive_ac', 'dc' or 'comprehensive'
    through : last month (YYYY-MM); empty = the last declared month
    norm : needed where product and boundary leave it open (copper: the route)

    Raises
    ------
    InputError
        If the line has no energy stream on that boundary, or the norm grades another one.
    """
    place = ledger.site(site)
    found = _line(place, line, boundary)
    chosen = norm or _norm_of(found, boundary)
    months = window(ledger, [place], through)
    readers = [Reader(ledger, boundary, basis, months.last_day) for basis in BASES]
    years = [reader.line(place, found, months) for reader in readers]
    if not chosen:
        return _ungraded(place, line, boundary, years, readers)
    _same_boundary(chosen, boundary)
    bounds = bounds_of(ledger, chosen, months.last_day)
    return _graded(place, line, boundary, years, bounds, readers)


def bounds_of(ledger: Ledger, norm: str, day: date) -> Bounds:
    """The bounds of a norm that are in force on a day."""
    if norm not in NORM_BOUNDARIES:
        near = difflib.get_close_matches(norm, NORM_BOUNDARIES, n=3, cutoff=0.3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise NotFound(f"no norm {norm!r}{hint} Norms: {', '.join(sorted(NORM_BOUNDARIES))}")
    policy = f"efficiency.benchmark_{norm}" if norm in BENCHMARKED else ""
    return Bounds(
        ledger.parameter(f"efficiency.{norm}", day),
        ledger.parameter(policy, day) if policy else None,
    )


def used(readers: Iterable[Reader]) -> tuple[Parameter, ...]:
    """The parameters that readers needed, each once."""
    return tuple({key: item for reader in readers for key, item in reader.used.items()}.values())


def unconfirmed(parameters: Iterable[Parameter]) -> tuple[str, ...]:
    """Badges of those parameters that may not be shown as settled."""
    return tuple(f"unconfirmed: {item.id}" for item in parameters if not item.confirmed)


def intensity_of(year: LineYear, scale: float) -> tuple[float, float] | None:
    """Specific consumption of a line and its standard uncertainty [unit of the norm].

    None without output or energy, and where the two do not cover the same months.

    Parameters
    ----------
    scale : unit of the norm in one MWh: 1000 for kWh, 122.9 for kgce
    """
    if year.output.value <= 0 or not year.energy.months or unmatched(year):
        return None
    groups = sorted({group for group, _ in year.output.loadings + year.energy.loadings})
    on_energy, on_output = compute.loading_matrix(
        [year.energy.loadings, year.output.loadings], groups
    )
    energy = year.energy.value * scale
    value = compute.intensity(np.array([energy]), np.array([year.output.value]))
    sd = compute.intensity_sd(energy, year.output.value, on_energy * scale, on_output)
    return float(value[0]), sd


def _graded(
    place: Site, line: str, boundary: str, years: list[LineYear], bounds: Bounds,
    readers: list[Reader],
) -> Result:  # fmt: skip
    scale = 1000.0 if bounds.norm.unit == "kWh/t" else readers[0].kgce_per_mwh
    parameters = (*bounds.parameters, *used(readers))
    rows, references = [], [parameter.reference for parameter in parameters]
    for year in years:
        if (figure := intensity_of(year, scale)) is None:
            continue
        rows.append({"asked": "reconciled" if year is years[0] else "declared",
                     **_year_row(year, *figure), "unit": bounds.norm.unit,
                     **_level_row(bounds, figure[0], compute.level(figure[0], bounds.levels)),
                     **_chances(bounds, *figure)})  # fmt: skip
        references += [*year.output.references, *year.energy.references]
    if not rows:
        return _without_output(place, line, boundary, years)
    head = rows[0]
    low, high = ninety(head["intensity"], head["sd"])
    return Result(
        query="efficiency.energy_level",
        subject=f"{place.id} {line} {boundary}",
        period=head["period"],
        value=head["intensity"],
        unit=bounds.norm.unit,
        sd=head["sd"],
        low=low,
        high=high,
        origin=head["basis"],
        status=_verdict(head["level"]),
        badges=unconfirmed(parameters) + caveats(years[:1]),
        parts=tuple(rows),
        lineage=tuple(dict.fromkeys(references)),
        demonstration=place.demonstration,
    )


def caveats(years: Iterable[LineYear], asked: str = "reconciled") -> tuple[str, ...]:
    """What a reader must know of the figures: declared stand-ins, missing months, idle lines."""
    badges = []
    for year in years:
        name = f"{year.site} {year.line}"
        if year.basis == "declared" and asked == "reconciled":
            badges.append(f"declared, not reconciled: {name}")
        if year.idle:
            badges.append(f"idle, last months with output: {name} {year.period}")
        if count := missing_months(year):
            badges.append(f"incomplete: {name} lacks {count} of 12 months")
    return tuple(badges)


def _ungraded(
    place: Site, line: str, boundary: str, years: list[LineYear], readers: list[Reader]
) -> Result:
    figure = intensity_of(years[0], 1000.0)
    if figure is None:
        return _without_output(place, line, boundary, years)
    references = [item.reference for item in used(readers)]
    references += [*years[0].output.references, *years[0].energy.references]
    return Result(
        query="efficiency.energy_level", subject=f"{place.id} {line} {boundary}",
        period=years[0].period, value=figure[0], sd=figure[1], unit="kWh/t",
        origin=years[0].basis, status="no norm grades this boundary",
        badges=unconfirmed(used(readers)) + caveats(years[:1]),
        parts=(_year_row(years[0], *figure),),
        lineage=tuple(dict.fromkeys(references)), demonstration=place.demonstration,
    )  # fmt: skip


def _without_output(place: Site, line: str, boundary: str, years: list[LineYear]) -> Result:
    return Result(
        query="efficiency.energy_level", subject=f"{place.id} {line} {boundary}",
        period=years[0].period, status="cannot decide", demonstration=place.demonstration,
        needs=unmatched(years[0])
        or (f"output of {place.id} {line}", f"energy of {place.id} {line} on {boundary}"),
    )  # fmt: skip


def _year_row(year: LineYear, value: float, sd: float) -> dict[str, object]:
    return {
        "basis": year.basis, "period": year.period, "output": year.output.value,
        "energy": year.energy.value, "intensity": value, "sd": sd, "idle": year.idle,
        "missing_months": missing_months(year),
    }  # fmt: skip


def _level_row(bounds: Bounds, value: float, reached: int | None) -> dict[str, object]:
    one, two, three = bounds.levels
    return {
        "value": value, "level": reached, "policy_level": bounds.policy_level(value),
        "level1": one, "level2": two, "level3": three, "standard": bounds.norm.source,
    }  # fmt: skip


def _chances(bounds: Bounds, value: float, sd: float) -> Row:
    names = ("p_level1", "p_level2", "p_level3", "p_fails")
    chances = compute.level_probabilities(value, sd, bounds.levels)
    return dict(zip(names, chances, strict=True))


def _verdict(reached: int | None) -> str:
    return "fails level 3" if reached is None else f"level {reached}"


def _day(ledger: Ledger, norm: str, on: str) -> date:
    if on:
        return Period.parse(on).last_day
    dated = ledger.dated(f"efficiency.{norm}").get(f"efficiency.{norm}", ())
    newest = max(dated, key=lambda item: item.valid_from, default=None)
    if newest is None or newest.valid_to is None:
        return date.max
    return newest.valid_to - timedelta(days=1)


def _expired(norm: Parameter, on: str) -> tuple[str, ...]:
    if on or norm.valid_to is None:
        return ()
    return (f"replaced on {norm.valid_to}: {norm.id}",)


def _same_boundary(norm: str, boundary: str) -> None:
    graded = NORM_BOUNDARIES.get(norm, boundary)
    if boundary and graded != boundary:
        others = [name for name, other in NORM_BOUNDARIES.items() if other == boundary]
        raise InputError(
            f"norm {norm!r} grades the boundary {graded!r}, not {boundary!r}: the two differ by"
            f" hundreds of kWh/t; norms on {boundary!r}: {', '.join(others) or 'none'}"
        )


def _line(place: Site, line: str, boundary: str) -> Line:
    found = next((item for item in place.lines if item.id == line), None)
    if found is None:
        known = ", ".join(item.id for item in place.lines) or "none"
        raise NotFound(f"site {place.id} has no line {line!r}; its lines: {known}")
    allowed = [name for name, _ in found.energy_streams]
    if boundary not in allowed:
        meaning = f" ({BOUNDARIES[boundary]})" if boundary in BOUNDARIES else ""
        raise InputError(
            f"line {line} of {place.id} has no energy on boundary {boundary!r}{meaning};"
            f" it has {', '.join(allowed) or 'none'}; ask one of them or add a stream to the line"
        )
    return found


def _norm_of(line: Line, boundary: str) -> str:
    if boundary == "dc":
        return ""
    if (line.product, boundary) not in LINE_NORMS:
        allowed = [name for name, graded in NORM_BOUNDARIES.items() if graded == boundary]
        raise InputError(
            f"product {line.product!r} on {boundary!r} has several routes; name the norm:"
            f" {', '.join(allowed)}"
        )
    return LINE_NORMS[line.product, boundary]
