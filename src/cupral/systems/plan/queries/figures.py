"""Ask for the figures of a metric: which query answers it is a row of the metric table.

Not a query itself: what the queries of this folder read before they judge.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.quantity import factor
from cupral.ledger.registers import Line, Site
from cupral.ledger.result import Result, Row
from cupral.system import ask
from cupral.systems.plan.compute import gathering
from cupral.systems.plan.compute.contributing import number
from cupral.systems.plan.compute.gathering import Share, SiteAnswer, Total
from cupral.systems.plan.compute.standing import Bar
from cupral.systems.plan.model import Figure, Metric, Source

NOT_ASKED = "a figure that the returns do not ask for"
MISSING = (CannotDecide, NotFound, InputError)
"""What a query raises when a figure is not there; anything else is a fault and is not caught."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The figures of one source of a metric, with all they stand on."""

    basis: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By name: 'level' (full-year projection of what accumulates) and 'growth'."""
    results: tuple[Result, ...] = ()
    needs: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    shares: tuple[Share, ...] = ()
    """What each line contributes, for gathered figures."""
    behind: tuple[Row, ...] = ()
    """The figures that a ratio is made of."""
    source: Source | None = None
    lineage: tuple[str, ...] = ()
    """Parameters that it used itself."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks the sources of a metric for the months of a plan's year."""

    ledger: Ledger
    bar: Bar
    """First test of the target: some queries want to know its threshold."""
    months: Period

    def both(self, metric: Metric) -> tuple[Answer, Answer]:
        """What was declared, and the second figure (reconciled or modelled)."""
        declared = self.answer(metric.declared, Answer(), accumulates=metric.accumulates)
        return declared, self.answer(metric.second, declared, accumulates=metric.accumulates)

    def answer(self, source: Source | None, declared: Answer, *, accumulates: bool) -> Answer:
        """The figures of one source."""
        if source is None:
            return Answer(needs=(NOT_ASKED,))
        if source.gather:
            return self.gathered(source, declared, accumulates=accumulates)
        result, needs = self.asked(source, self.months)
        if result is None:
            return Answer(basis=source.basis, source=source, needs=needs)
        figures = {name: _figure(result, where) for name, where in source.figures.items()}
        return Answer(
            basis=source.basis,
            source=source,
            figures={name: figure for name, figure in figures.items() if figure is not None},
            results=(result,),
            needs=result.needs,
            badges=(*result.badges, *([f"incomplete: {source.query}"] if _partial(result) else ())),
        )

    def asked(
        self, source: Source, months: Period, site: str = ""
    ) -> tuple[Result | None, tuple[str, ...]]:
        """The Result of a source's query, or what it lacks."""
        last = months.months[-1]
        try:
            context = {
                "year": last // 100, "through": str(Period.month(last)), "period": str(months),
                "twelve_months": str(Period.ending(last, 12)), "site": site,
                "threshold": _threshold(self.bar, source),
            }  # fmt: skip
            arguments = {name: _filled(value, context) for name, value in source.arguments.items()}
            return ask(self.ledger, source.query, **arguments), ()
        except MISSING as error:
            needs = (
                error.needs if isinstance(error, CannotDecide) and error.needs else (str(error),)
            )
            return None, tuple(needs)

    def gathered(self, source: Source, declared: Answer, *, accumulates: bool) -> Answer:
        """A figure made of the answers of every site with a line of the product."""
        found = self.of_sites(source, self.months)
        shares, needs = _shares(source, found)
        used = {
            name: self.ledger.parameter(id, self.months.last_day)
            for name, id in source.parameters.items()
        }
        settings = {name: parameter.value for name, parameter in used.items()}
        total = None
        if not needs:
            total = gathering.GATHERERS[source.gather].combine(shares, settings)
            needs = () if total else (f"{source.query} of enough sites",)
        before = self.before(source) if accumulates and total else ()
        figures: dict[str, Figure] = {}
        if total and accumulates:
            figures = _accumulated(source, total, before, declared)
        elif total:
            figures = {"level": _shown(total, source.unit)}
        results = _unique(answer.result for answer in found if answer.result is not None)
        unconfirmed = [f"unconfirmed: {item.id}" for item in used.values() if not item.confirmed]
        return Answer(
            basis=source.basis,
            source=source,
            figures=figures,
            results=results,
            needs=needs,
            badges=(*unconfirmed, *_badges(results)),
            shares=_based(shares, before),
            behind=gathering.GATHERERS[source.gather].behind(shares, settings),
            lineage=tuple(item.reference for item in used.values()),
        )

    def of_sites(self, source: Source, months: Period) -> list[SiteAnswer]:
        """The answer of each site with an operating line of the product; each is asked once."""
        asked: dict[str, tuple[Result | None, tuple[str, ...]]] = {}
        answers = []
        for site, line in _lines(self.ledger, source):
            if site.id not in asked:
                asked[site.id] = self.asked(source, months, site.id)
            answers.append(SiteAnswer(site, line, *asked[site.id]))
        return answers

    def before(self, source: Source) -> tuple[Share, ...]:
        """What each line gave in the same months a year earlier; () if one is missing."""
        shares, needs = _shares(source, self.of_sites(source, self.months.shifted(-1)))
        return () if needs or gathering.summed(shares).value <= 0 else shares


def _accumulated(
    source: Source, total: Total, before: tuple[Share, ...], declared: Answer
) -> dict[str, Figure]:
    """Full-year projection (by the declared seasons) and growth over the same months."""
    figures = {}
    seasons = declared.figures.get("level")
    if seasons is not None and seasons.to_date:
        year = gathering.projected(total, seasons)
        figures["level"] = _shown(year, source.unit, to_date=total)
    if before:
        earlier = gathering.summed(before)
        figures["growth"] = _shown(gathering.growth(total, earlier), "%")
    return figures


def _shares(
    source: Source, answers: Sequence[SiteAnswer]
) -> tuple[tuple[Share, ...], tuple[str, ...]]:
    """What each line contributes, and what is missing for a whole."""
    if not answers:
        return (), (f"a registered line of {source.product}",)
    gatherer = gathering.GATHERERS[source.gather]
    shares = [share for answer in answers for share in gatherer.share(answer)]
    have = {(share.site.id, share.line.id) for share in shares}
    lacking = [answer for answer in answers if (answer.site.id, answer.line.id) not in have]
    if shares and not gatherer.complete:
        lacking = []
    return tuple(shares), tuple(_lack(source, answer) for answer in lacking)


def _lack(source: Source, answer: SiteAnswer) -> str:
    stated = answer.needs or (answer.result.needs if answer.result else ())
    why = "; ".join(stated) or "no value for every month"
    return f"{source.query} of {answer.site.id} {answer.line.id}: {why}"


def _lines(ledger: Ledger, source: Source) -> list[tuple[Site, Line]]:
    return [
        (site, line)
        for site in ledger.sites()
        if source.site_kind in ("", site.kind)
        for line in site.lines
        if line.product == source.product and line.operating
    ]


def _figure(result: Result, where: Mapping[str, str]) -> Figure | None:
    found = {name: _picked(result, path) for name, path in where.items() if name != "unit"}
    value = found.pop("value", None)
    if value is None:
        return None
    return Figure(value=value, unit=where.get("unit") or result.unit, **found)


def _picked(result: Result, path: str) -> float | None:
    table, dot, column = path.partition(".")
    if not dot:
        return number(getattr(result, path))
    rows = result.tables.get(table, ())
    return number(rows[0].get(column)) if rows else None


def _partial(result: Result) -> bool:
    """Whether an answer sums up less than it was asked for."""
    return result.status == "incomplete"


def _shown(total: Total, unit: str, to_date: Total | None = None) -> Figure:
    return Figure(
        value=total.value, unit=unit, sd=total.sd,
        to_date=to_date.value if to_date else None, to_date_sd=to_date.sd if to_date else None,
    )  # fmt: skip


def _based(shares: Iterable[Share], before: Iterable[Share]) -> tuple[Share, ...]:
    """Shares with the value of the same months a year earlier."""
    base = {(share.site.id, share.line.id): share.value for share in before}
    return tuple(replace(share, base=base.get((share.site.id, share.line.id))) for share in shares)


def _threshold(bar: Bar, source: Source) -> float | None:
    """The test's threshold in the source's unit, for a query that asks for it."""
    if "{threshold}" not in source.arguments.values():
        return None
    return bar.threshold / factor(source.unit, bar.test.unit)


def _badges(results: Sequence[Result]) -> tuple[str, ...]:
    badges = [badge for result in results for badge in result.badges]
    badges += [f"incomplete: {one.query} {one.subject}" for one in results if _partial(one)]
    return tuple(dict.fromkeys(badges))


def _unique(results: Iterable[Result]) -> tuple[Result, ...]:
    return tuple({result.key: result for result in results}.values())


def _filled(value: Any, context: Mapping[str, Any]) -> Any:
    """An argument with its placeholders filled; a lone placeholder keeps its type."""
    if not isinstance(value, str):
        return value
    for name, known in context.items():
        if value == f"{{{name}}}":
            return known
        value = value.replace(f"{{{name}}}", str(known))
    return value
