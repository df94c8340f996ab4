"""Make one figure of the province from the answers of its sites, uncertainty included.

A gatherer takes the answers of all sites with a line of the product and returns one row for
each line; `GATHERERS` names them, and the metric table says which one a metric uses.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cupral.ledger.registers import Line, Site
from cupral.ledger.result import Result, Row
from cupral.systems.plan.model import Figure

Loadings = Mapping[str, float]
"""Error group -> its common error [unit of the value]; '' = independent of everything."""

Settings = Mapping[str, Any]
"""Values of the parameters that a gatherer uses, by its own names for them."""


@dataclass(frozen=True, slots=True)
class SiteAnswer:
    """What a query said of one line's site, or what it lacked."""

    site: Site
    line: Line
    result: Result | None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one line contributes to the province's figure."""

    site: Site
    line: Line
    value: float
    loadings: Loadings = field(default_factory=dict)
    weight: float = 1.0
    """Output behind a mean [t]."""
    element: str = ""
    measured: float | None = None
    """What its own meter says, unreconciled."""
    base: float | None = None
    """The value of the same months a year earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A figure of the province with the error groups it stands on."""

    value: float
    loadings: Loadings = field(default_factory=dict)

    @property
    def sd(self) -> float:
        """Standard uncertainty: error groups are independent of each other."""
        return math.hypot(*self.loadings.values()) if self.loadings else 0.0


def added(parts: Iterable[tuple[Loadings, float]]) -> dict[str, float]:
    """Sum of loadings, each times a factor: shared groups add, independent parts in quadrature.

    Examples
    --------
    >>> added([({"a": 1.0, "": 3.0}, 1.0), ({"a": 1.0, "": 4.0}, 1.0)])
    {'a': 2.0, '': 5.0}
    """
    total: dict[str, float] = {}
    for loadings, factor in parts:
        for group, loading in loadings.items():
            part = loading * factor
            old = total.get(group, 0.0)
            total[group] = math.hypot(old, part) if group == "" else old + part
    return total


def summed(shares: Sequence[Share]) -> Total:
    """Sum over lines."""
    return Total(
        value=math.fsum(share.value for share in shares),
        loadings=added((share.loadings, 1.0) for share in shares),
    )


def averaged(shares: Sequence[Share]) -> Total:
    """Mean over lines, weighted with their output."""
    weight = math.fsum(share.weight for share in shares)
    return Total(
        value=math.fsum(share.value * share.weight for share in shares) / weight,
        loadings=added((share.loadings, share.weight / weight) for share in shares),
    )


def scaled(total: Total, factor: float) -> Total:
    """A total times an exact number."""
    return Total(value=total.value * factor, loadings=added([(total.loadings, factor)]))


def projected(total: Total, year: Figure) -> Total:
    """The full year of a total, in the seasons of a declared full-year projection.

    Parameters
    ----------
    total : Total
        To date.
    year : Figure
        Declared full year with its `to_date`; what its sd holds beyond the scaled uncertainty
        to date is that of the rest of the year, and is taken over in proportion.
    """
    if not year.to_date:
        raise ValueError("a projection needs what was declared to date")
    ratio = year.value / year.to_date
    rest = (year.sd or 0.0) ** 2 - ((year.to_date_sd or 0.0) * ratio) ** 2
    of_rest = math.sqrt(max(rest, 0.0)) * total.value / year.to_date
    full = scaled(total, ratio)
    return Total(value=full.value, loadings={**full.loadings, "rest of the year": of_rest})


def growth(now: Total, before: Total) -> Total:
    """Growth of one total over another [%]; an error that both share largely cancels.

    Examples
    --------
    >>> growth(Total(value=103.0, loadings={"m": 1.03}), Total(value=100.0, loadings={"m": 1.0}))
    Total(value=3.0000000000000027, loadings={'m': 0.0})
    """
    ratio = now.value / before.value
    loadings = added([(now.loadings, 1.0), (before.loadings, -ratio)])
    percent = {group: 100.0 * part / before.value for group, part in loadings.items()}
    return Total(value=100.0 * (ratio - 1.0), loadings=percent)


def line_output(answer: SiteAnswer) -> list[Share]:
    """Reconciled amount of a line's own product stream, from `balance.months`."""
    row = _row(_parts(answer), stream=answer.line.metal_stream)
    if row is None or row["reconciled"] is None or row.get("missing_months"):
        return []
    rows = answer.result.tables.get("loadings", ()) if answer.result else ()
    mine = [r for r in rows if r["stream"] == row["stream"]]
    loadings = added(({r["group"]: r["loading"]}, 1.0) for r in mine)
    return [
        Share(
            site=answer.site, line=answer.line, value=row["reconciled"],
            loadings=loadings or {"": row["sd"] or 0.0}, measured=row.get("measured"),
        )
    ]  # fmt: skip


def line_intensity(answer: SiteAnswer) -> list[Share]:
    """Comprehensive energy of a line per tonne, from `balance.consumption`."""
    row = _row(_parts(answer), line=answer.line.id, boundary="comprehensive")
    if row is None or row["intensity"] is None or not row["output"]:
        return []
    return [
        Share(
            site=answer.site, line=answer.line, value=row["intensity"],
            loadings={"": row["sd"] or 0.0}, weight=row["output"],
        )
    ]  # fmt: skip


def recoveries(answer: SiteAnswer) -> list[Share]:
    """Recovery of each element over all products, from `balance.recoveries`; weight capacity."""
    return [
        Share(
            site=answer.site, line=answer.line, value=row["recovery"],
            loadings={"": row["sd"] or 0.0}, weight=answer.line.capacity, element=row["element"],
        )
        for row in _parts(answer)
        if row["product"] == "all products" and row["recovery"] is not None
    ]  # fmt: skip


def worst_ratio(shares: Sequence[Share], settings: Settings) -> Total | None:
    """The province's recovery over that of its best plant, for the element where it is lowest.

    Parameters
    ----------
    shares : sequence of Share
        Recovery of each element and line [1], weight = capacity [t/a].
    settings : mapping
        'elements' that count, and 'plants' that an element needs to have a best one.

    Returns
    -------
    Total or None
        [1]; None if no element has enough plants.
    """
    elements = {
        element: [share for share in shares if share.element == element]
        for element in settings["elements"]
    }
    ratios = [
        _ratio(found)
        for found in elements.values()
        if len({share.site.id for share in found}) >= settings["plants"]
    ]
    return min(ratios, key=lambda total: total.value, default=None)


def _ratio(shares: Sequence[Share]) -> Total:
    mean, best = averaged(shares), max(shares, key=lambda share: share.value)
    ratio = mean.value / best.value
    weight = math.fsum(share.weight for share in shares)
    parts = [
        (share.loadings, (share.weight / weight - (ratio if share is best else 0.0)) / best.value)
        for share in shares
    ]
    return Total(value=ratio, loadings=added(parts))


def best_plants(shares: Sequence[Share], settings: Settings) -> tuple[Row, ...]:
    """Recovery of each element in the province beside that of its best plant, lowest ratio first.

    Returns
    -------
    tuple of dict
        {element, recovery, sd, best, best_site, ratio}, all [1].
    """
    rows = []
    for element in settings["elements"]:
        found = [share for share in shares if share.element == element]
        if len({share.site.id for share in found}) >= settings["plants"]:
            mean, best = averaged(found), max(found, key=lambda share: share.value)
            rows.append(
                {"element": element, "recovery": mean.value, "sd": mean.sd, "best": best.value,
                 "best_site": best.site.id, "ratio": mean.value / best.value}
            )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: row["ratio"]))


def nothing_behind(_shares: Sequence[Share], _settings: Settings) -> tuple[Row, ...]:
    """A sum or a mean says itself what it is."""
    return ()


def _parts(answer: SiteAnswer) -> Sequence[Mapping[str, Any]]:
    return answer.result.parts if answer.result is not None else ()


def _row(rows: Iterable[Mapping[str, Any]], **wanted: Any) -> Mapping[str, Any] | None:
    for row in rows:
        if all(row.get(name) == value for name, value in wanted.items()):
            return row
    return None


@dataclass(frozen=True, slots=True)
class Gatherer:
    """How the answers of sites become one figure."""

    query: str
    """Whose answers it reads."""
    share: Callable[[SiteAnswer], list[Share]]
    combine: Callable[[Sequence[Share], Settings], Total | None]
    complete: bool
    """Whether every line must have an answer."""
    mean: bool
    """Whether contributions average (else they add up)."""
    settings: tuple[str, ...] = ()
    """Its own names for the parameters that it needs."""
    behind: Callable[[Sequence[Share], Settings], tuple[Row, ...]] = nothing_behind
    """The figures that a ratio is made of."""


GATHERERS: Mapping[str, Gatherer] = {
    "line_output": Gatherer(
        "balance.months", line_output, lambda shares, _: summed(shares), complete=True, mean=False
    ),
    "line_intensity": Gatherer(
        "balance.consumption",
        line_intensity,
        lambda shares, _: averaged(shares),
        complete=True,
        mean=True,
    ),
    "worst_recovery": Gatherer(
        "balance.recoveries",
        recoveries,
        worst_ratio,
        complete=False,
        mean=True,
        settings=("elements", "plants"),
        behind=best_plants,
    ),
}
