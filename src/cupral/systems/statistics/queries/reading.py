"""Declared figures of the enterprises in this year's list, against last year's.

Not a query itself: what the queries of this folder read before they compute.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.period import Period
from cupral.ledger.registers import Enterprise, Site
from cupral.ledger.result import Result
from cupral.systems.statistics.model import CHAINS, MONEY, Standing
from cupral.systems.statistics.queries import returns

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Desk:
    """The returns of a year to date, the list of enterprises, and the parameters used."""

    ledger: Ledger
    year: int
    span: Period
    """January to the last month asked for."""
    firms: Mapping[str, Enterprise]
    sites: Mapping[str, tuple[Site, ...]]
    """Sites by enterprise."""
    returns: Mapping[str, tuple[Document, ...]]
    """This year's returns to date by enterprise, of those in this year's list."""
    earlier: Mapping[str, tuple[Document, ...]]
    """Last year's returns by enterprise."""
    used: dict[str, Parameter] = field(default_factory=dict)
    asked: dict[tuple[str, str], Result | None] = field(default_factory=dict)
    """Reconciled months by (site, period), None where there are none."""

    def parameter(self, name: str, on: date | None = None) -> Any:
        """The value of a parameter of statistics; remembered for lineage and badges."""
        found = self.ledger.parameter(f"statistics.{name}", on or self.span.last_day)
        self.used[found.reference] = found
        return found.value

    @property
    def references(self) -> tuple[str, ...]:
        """Lineage of the parameters used."""
        return tuple(self.used)

    @property
    def badges(self) -> tuple[str, ...]:
        """Badges of the unconfirmed parameters used."""
        ids = (item.id for item in self.used.values() if not item.confirmed)
        return tuple(f"unconfirmed: {id}" for id in dict.fromkeys(ids))

    def missing(self, firm: str) -> tuple[str, ...]:
        """Months to date of an enterprise that no return covers."""
        covered = {month for filed in self.returns[firm] for month in _document_months(filed)}
        gaps = [month for month in self.span.months if month not in covered]
        return tuple(f"return {firm}:{month // 100}-{month % 100:02d}" for month in gaps)

    def body(self, firm: str, period: str) -> Mapping[str, Any]:
        """What an enterprise's return of a period says."""
        for filed in self.returns[firm]:
            if filed.body["period"] == period:
                return filed.body
        return {}


def desk(ledger: Ledger, year: int, through: str, chain: str = "") -> Desk:
    """Read the list of enterprises and their returns for a year to date.

    Raises
    ------
    InputError
        If `through` lies in another year, or the chain is unknown.
    CannotDecide
        If no enterprise of the list has filed anything.
    """
    if chain and chain not in CHAINS:
        raise InputError(f"chain {chain!r} is not known; use one of {CHAINS} or leave it empty")
    filed = returns.standing(ledger, Period.run((year - 1) * 100 + 1, year * 100 + 12))
    span = _to_date(filed, year, through)
    firms = {f.id: f for f in ledger.enterprises() if not chain or f.chain == chain}
    to_date = _by_firm(d for d in filed if _within(d, span) and d.party in firms)
    listed = {firm: docs for firm, docs in to_date.items() if _listed(docs)}
    if not listed:
        raise CannotDecide(
            f"no {chain} enterprise above designated size has filed a return for {span}",
            needs=[f"returns {span}"],
        )
    last_year = Period.parse(str(year - 1))
    places = ledger.sites()
    sites = {firm: tuple(s for s in places if s.enterprise == firm) for firm in firms}
    return Desk(ledger, year, span, firms, sites, listed,
                _by_firm(d for d in filed if _within(d, last_year)))  # fmt: skip


def standings(desk: Desk, figure: str, *, real: bool = False) -> list[Standing]:
    """Each listed enterprise's figure to date against last year's, for one kind of figure.

    Parameters
    ----------
    figure : tail of the stream: 'revenue', 'output:cathode_copper', ...
    real : also bring this year's amounts to last year's prices
    """
    stream, ledger = f"return:{figure}", desk.ledger
    now = _kept(ledger.flows(stream=stream, origin="declared", period=desk.span), desk.span.end)
    last_year = Period.parse(str(desk.year - 1))
    before = _kept(ledger.flows(stream=stream, origin="declared", period=last_year), last_year.end)
    return [
        _standing(desk, firm, figure, now.get(firm, []), before.get(firm, []), real)
        for firm in desk.returns
    ]


def place(desk: Desk, firm: str, product: str = "") -> dict[str, str]:
    """Names and whereabouts of an enterprise, for a row of parts."""
    enterprise, sites = desk.firms[firm], desk.sites[firm]
    main = max(sites, key=lambda site: _capacity(site, product), default=None)
    return {
        "enterprise": firm, "name_zh": enterprise.name_zh, "name_en": enterprise.name_en,
        "chain": enterprise.chain, "city": main.city if main else "",
        "cluster": main.cluster if main else "",
    }  # fmt: skip


def _standing(desk: Desk, firm: str, figure: str, now: Rows, before: Rows, real: bool) -> Standing:
    filed = {month - 100 for d in desk.returns[firm] for month in _document_months(d)}
    done = [row for row in before if set(_months(row)) <= filed]
    cut = desk.span.end.replace(year=desk.year - 1) if desk.span.end.year == desk.year else None
    listed = {d.body["period"] for d in desk.earlier.get(firm, ()) if _in_list(d)}
    published = [r for r in before if _period(r) in listed and (not cut or r["end"] <= cut)]
    return Standing(
        enterprise=firm,
        to_date=sum(row["amount"] for row in now),
        base=_base(desk, firm, figure, before, filed),
        base_rest=sum(row["amount"] for row in before) - sum(row["amount"] for row in done),
        published_base=sum(row["amount"] for row in published),
        sd=sum(row["sd"] for row in now),
        references=tuple(f"flows:{row['posting']}/{row['row']}" for row in (*now, *done)),
        missing=desk.missing(firm) + _unstated(desk, firm, figure),
        real=_real(desk, firm, now) if real else None,
    )


def _base(desk: Desk, firm: str, figure: str, before: Rows, wanted: set[int]) -> float | None:
    """Last year's sum in this year's scope: restated where this year's return restates it.

    None if a month of this year has no counterpart, or only a part of a merged one.
    """
    restated: dict[int, float] = {}
    for filed in desk.returns[firm]:
        months = _document_months(filed)
        if figure in filed.body["restated"]:
            share = float(filed.body["restated"][figure]) / len(months)
            restated |= dict.fromkeys((month - 100 for month in months), share)
    earlier = {month for d in desk.earlier.get(firm, ()) for month in _document_months(d)}
    open_rows = [row for row in before if not set(_months(row)) & set(restated)]
    done = [row for row in open_rows if set(_months(row)) <= wanted]
    cut_through = any(set(_months(row)) & wanted for row in open_rows if row not in done)
    if cut_through or not wanted <= earlier | set(restated):
        return None
    kept = [row["amount"] for row in done]
    return float(sum(kept) + sum(restated.values()))


def _unstated(desk: Desk, firm: str, figure: str) -> tuple[str, ...]:
    """Returns that are silent on a sum of money; silence on a product means none was made."""
    if figure not in MONEY:
        return ()
    silent = (filed.id for filed in desk.returns[firm] if figure not in filed.body["figures"])
    return tuple(f"{figure} of return {id}" for id in silent)


def _real(desk: Desk, firm: str, now: Rows) -> float:
    return float(sum(row["amount"] / (_index(desk, firm, row) / 100.0) for row in now))


def _index(desk: Desk, firm: str, row: Mapping[str, Any]) -> float:
    stated = desk.body(firm, _period(row)).get("price_index")
    if stated is not None:
        return float(stated)
    day = Period.spanning(row["start"], row["end"]).last_day
    return float(desk.parameter("price_index", day)[desk.firms[firm].chain])


def _to_date(filed: Sequence[Document], year: int, through: str) -> Period:
    if through:
        last = Period.parse(through).months[-1]
    else:
        months = [month for d in filed for month in _document_months(d) if month // 100 == year]
        if not months:
            raise CannotDecide(f"no return of {year} is filed", needs=[f"returns {year}"])
        last = max(months)
    if last // 100 != year:
        raise InputError(f"through {through!r} does not lie in {year}; write a month of that year")
    return Period.run(year * 100 + 1, last)


def _listed(filed: Sequence[Document]) -> bool:
    return _in_list(max(filed, key=_document_months))


def _in_list(document: Document) -> bool:
    return bool(document.body["above_designated_size"])


def _by_firm(filed: Iterable[Document]) -> dict[str, tuple[Document, ...]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for document in filed:
        found[document.party].append(document)
    return {firm: tuple(found[firm]) for firm in sorted(found)}


def _kept(table: Any, end: datetime) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for row in table.to_pylist():
        if row["end"] <= end:
            found[row["site"]].append(row)
    return found


def _within(document: Document, span: Period) -> bool:
    period = Period.parse(document.body["period"])
    return span.start <= period.start and period.end <= span.end


def _document_months(document: Document) -> tuple[int, ...]:
    return Period.parse(document.body["period"]).months


def _months(row: Mapping[str, Any]) -> tuple[int, ...]:
    return Period.spanning(row["start"], row["end"]).months


def _period(row: Mapping[str, Any]) -> str:
    return str(Period.spanning(row["start"], row["end"]))


def _capacity(site: Site, product: str) -> float:
    return sum(line.capacity for line in site.lines if line.product == product or not product)
