"""Twelve months of production lines, read as declared or as reconciled.

Not a query itself: what the queries of this folder read before they compute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pyarrow.compute as pc

from cupral.ledger.errors import CannotDecide, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.period import Period
from cupral.ledger.registers import Line, Site
from cupral.ledger.result import Result
from cupral.system import ask
from cupral.systems.efficiency.model import Amount, LineYear, Loading

BASES = ("reconciled", "declared")
MONTHS = 12


@dataclass(slots=True)
class Reader:
    """Reads lines of one ledger for one boundary; each site's months are asked once."""

    ledger: Ledger
    boundary: str
    basis: str
    day: date
    """Day whose parameters apply."""
    used: dict[str, Parameter] = field(default_factory=dict)
    """Parameters that were needed, by reference."""
    asked: dict[tuple[str, str], Mapping[str, Amount]] = field(default_factory=dict)
    """Reconciled streams by (site, period)."""

    def parameter(self, name: str) -> Any:
        """The value of a parameter of efficiency; remembered for lineage and badges."""
        found = self.ledger.parameter(f"efficiency.{name}", self.day)
        self.used[found.reference] = found
        return found.value

    @property
    def kgce_per_mwh(self) -> float:
        """Standard coal of one MWh of electricity."""
        return 1000.0 * float(self.parameter("standard_coal_electricity"))

    def line(self, site: Site, line: Line, window: Period) -> LineYear:
        """The twelve months of a line: those asked for, or its last ones with output."""
        year = self.within(site, line, window)
        if line.operating and year.output.value > 0:
            return year
        ran = self.months_with_output(site, line, window.months[-1])[-MONTHS:]
        if not ran or (ran[-1] in window.months and year.output.value > 0):
            return year
        earlier = self.within(site, line, Period.run(ran[0], ran[-1]))
        return replace(earlier, idle=True)

    def within(self, site: Site, line: Line, window: Period) -> LineYear:
        """The figures of a line in a span, on the basis asked for if they exist, else declared."""
        found = self.reconciled(site, line, window) if self.basis == "reconciled" else None
        basis = "declared" if found is None else "reconciled"
        output, energy = found or self.declared(site, line, window)
        if output.value <= 0:
            basis = "none"
        return LineYear(
            site=site.id, enterprise=site.enterprise, city=site.city, line=line.id,
            capacity=line.capacity, basis=basis, output=output, energy=energy, period=str(window),
        )  # fmt: skip

    def reconciled(self, site: Site, line: Line, window: Period) -> tuple[Amount, Amount] | None:
        """Output [t] and energy [MWh] of the reconciled network, or None if it has not both."""
        if self.boundary == "comprehensive":
            return self.in_standard_coal(site.id, line, str(window))
        streams = self.months_of(site.id, str(window))
        carriers = line.energy(self.boundary)
        needed = {line.metal_stream, *(carrier for _, carrier in carriers)}
        if not carriers or not needed <= set(streams):
            return None
        energy = _sum([(streams[carrier], sign) for sign, carrier in carriers])
        return streams[line.metal_stream], energy

    def in_standard_coal(self, site: str, line: Line, period: str) -> tuple[Amount, Amount] | None:
        """Output [t] and comprehensive energy as electricity of equal standard coal [MWh]."""
        try:
            answer = ask(self.ledger, "balance.consumption", site=site, period=period)
        except (NotFound, CannotDecide):
            return None
        for part in answer.parts:
            if (part["line"], part["boundary"]) == (line.id, self.boundary) and part["intensity"]:
                covered = self.months_of(site, period)[line.metal_stream].months
                output = Amount(
                    value=part["output"], references=(f"result:{answer.key}",), months=covered
                )
                scale = part["output"] / self.kgce_per_mwh
                own = ((f"{site}/{line.id}", (part["sd"] or 0.0) * scale),)
                return output, replace(output, value=part["intensity"] * scale, loadings=own)
        return None

    def months_of(self, site: str, period: str) -> Mapping[str, Amount]:
        """Reconciled sums of a site's streams with their loadings."""
        if (site, period) not in self.asked:
            try:
                answer = ask(self.ledger, "balance.months", site=site, period=period)
            except (NotFound, CannotDecide):
                self.asked[site, period] = {}
            else:
                self.asked[site, period] = dict(_amounts(site, answer))
        return self.asked[site, period]

    def declared(self, site: Site, line: Line, window: Period) -> tuple[Amount, Amount]:
        """Output [t] and energy [MWh] of the enterprise's returns for a line.

        All lines and months of an enterprise share one error of weighing and one of
        electricity metering; as one single error the two would cancel in their ratio.
        """
        rows = self.rows(site, line, window)
        group = f"returns:{site.enterprise}"
        return (
            self.summed(rows[_stream(line, "output")], f"{group}:output"),
            self.summed(rows[_stream(line, self.boundary)], f"{group}:energy"),
        )

    def summed(self, rows: Sequence[Mapping[str, Any]], group: str) -> Amount:
        """The sum of declared rows; all of its error acts through one group."""
        sd = sum(row["sd"] for row in rows)
        if unstated := sum(abs(row["amount"]) for row in rows if not row["sd"]):
            sd += self.parameter("declared_relative_sd") * unstated
        return Amount(
            value=sum(row["amount"] for row in rows),
            loadings=((group, sd),) if sd else (),
            references=tuple(f"flows:{row['posting']}/{row['row']}" for row in rows),
            months=tuple(sorted({month for row in rows for month in _months(row)})),
        )

    def rows(self, site: Site, line: Line, window: Period) -> dict[str, list[dict[str, Any]]]:
        """Declared rows of a line that lie wholly in a span, by stream."""
        names = [_stream(line, "output"), _stream(line, self.boundary)]
        found = self.ledger.flows(site=site.id, stream=names, origin="declared", period=window)
        kept = [row for row in found.to_pylist() if row["end"] <= window.end]
        return {name: [row for row in kept if row["stream"] == name] for name in names}

    def months_with_output(self, site: Site, line: Line, until: int) -> list[int]:
        """Months (YYYYMM) up to a month in which the line declared output."""
        span = Period.ending(until, self.parameter("idle_lookback"))
        rows = self.rows(site, line, span)[_stream(line, "output")]
        return sorted({month for row in rows if row["amount"] > 0 for month in _months(row)})


def window(ledger: Ledger, sites: Iterable[Site], through: str) -> Period:
    """The twelve months that end with `through`, or with the last declared month of the sites.

    Raises
    ------
    CannotDecide
        If no month is named and no return has been filed for the sites.
    """
    if through:
        last = Period.parse(through).months[-1]
    else:
        found = ledger.flows(site=[site.id for site in sites], origin="declared")
        if not found.num_rows:
            raise CannotDecide("no month is named and none is declared", needs=["declared lines"])
        first, end = pc.min(found["start"]).as_py(), pc.max(found["end"]).as_py()
        last = Period.spanning(first, end).months[-1]
    return Period.ending(last, MONTHS)


def missing_months(year: LineYear) -> int:
    """How many months of a line's own period lack output or energy; 0 if it has neither."""
    output, energy = set(year.output.months), set(year.energy.months)
    wanted = Period.parse(year.period).months
    return len(set(wanted) - (output & energy)) if output or energy else 0


def unmatched(year: LineYear) -> tuple[str, ...]:
    """What a line needs where a month has its output or its energy only.

    A sum of twelve months over a sum of eleven is no intensity: it would reward whoever
    forgets to state a month of energy.
    """
    output, energy = set(year.output.months), set(year.energy.months)
    lacking = {"output": energy - output, "energy": output - energy}
    return tuple(
        f"{what} of {year.site} {year.line} in "
        + ", ".join(str(Period.month(month)) for month in sorted(months))
        for what, months in lacking.items()
        if months
    )


def _stream(line: Line, what: str) -> str:
    return f"return:line:{line.id}:{what}"


def _months(row: Mapping[str, Any]) -> tuple[int, ...]:
    return Period.spanning(row["start"], row["end"]).months


def _sum(amounts: Sequence[tuple[Amount, float]]) -> Amount:
    return replace(
        amounts[0][0],
        value=sum(sign * amount.value for amount, sign in amounts),
        loadings=tuple(
            (group, sign * loading)
            for amount, sign in amounts
            for group, loading in amount.loadings
        ),
    )


def _amounts(site: str, answer: Result) -> Iterable[tuple[str, Amount]]:
    carried: dict[str, list[Loading]] = {}
    for number, row in enumerate(answer.tables.get("loadings", ())):
        own = f"{site}/{row['stream']}/{number}"
        carried.setdefault(row["stream"], []).append((row["group"] or own, row["loading"]))
    months = tuple(row["month"] for row in answer.tables.get("summary", ()))
    for part in answer.parts:
        if part["reconciled"] is not None:
            yield (
                part["stream"],
                Amount(
                    value=part["reconciled"],
                    loadings=tuple(carried.get(part["stream"], ())),
                    references=(f"result:{answer.key}",),
                    months=months,
                ),
            )
