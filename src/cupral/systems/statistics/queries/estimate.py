"""The output-based estimate that stands beside a declared sum of money.

What an enterprise made, at a unit value, should be near what it says it was worth. Output is
the reconciled one where the enterprise's sites have a reconciled network, else the declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result, Row
from cupral.methods.margin import ninety
from cupral.system import ask, query
from cupral.systems.statistics.compute import spread
from cupral.systems.statistics.model import PRODUCTS, Quantity, Standing
from cupral.systems.statistics.queries.levels import (
    full_year,
    percent_over,
    total,
    unknown_bases,
)
from cupral.systems.statistics.queries.reading import Desk, desk, place, standings

KINDS = ("value_added", "gross_output_value", "revenue")


@query
def estimate(ledger: Ledger, *, kind: str, year: int, through: str = "", chain: str = "") -> Result:
    """Value added growth [%], gross output value or revenue [CNY] estimated from outputs.

    Parameters
    ----------
    kind : 'value_added' (growth at last year's prices), 'gross_output_value' or 'revenue'
    year, through : the year, and its last month to count (YYYY-MM); empty = the last filed
    chain : 'copper' or 'aluminium'; empty = both

    Returns
    -------
    Result
        origin 'modelled'; parts one row an enterprise and product with the basis of its
        quantity ('reconciled' or 'declared'); table `summary` as of the declared figure.
    """
    if kind not in KINDS:
        raise InputError(f"kind {kind!r} is not known; use one of {KINDS}")
    chosen = desk(ledger, year, through, chain)
    products = [name for name, of in PRODUCTS.items() if chain in ("", of)]
    made = [item for product in products for item in quantities(chosen, product)]
    prices = _prices(chosen, kind)
    lacking = sorted({item.product for item in made} - (prices.now.keys() & prices.before.keys()))
    if lacking or not made:
        return Result(
            query="statistics.estimate", subject=f"{kind} {chain}".strip(), period=str(chosen.span),
            status="cannot decide",
            needs=tuple(f"statistics.prices of {name}" for name in lacking) or ("outputs",),
        )  # fmt: skip
    return _answer(chosen, kind, chain, made, prices)


def quantities(desk: Desk, product: str) -> list[Quantity]:
    """What each listed enterprise made of a product, this year to date and last year [t]."""
    last = Period.run(desk.span.months[0] - 100, desk.span.months[-1] - 100)
    found = []
    for item in standings(desk, f"output:{product}"):
        if not item.to_date and not item.base:
            continue
        now = reconciled(desk, item.enterprise, product, desk.span)
        before = reconciled(desk, item.enterprise, product, last)
        found.append(_quantity(desk, item, product, now, before))
    return found


def reconciled(
    desk: Desk, firm: str, product: str, span: Period
) -> tuple[float, list[spread.Loading], str] | None:
    """Reconciled output of an enterprise's lines [t], its loadings and where it stands.

    None unless every site with a line of the product has reconciled all months.
    """
    total, loadings, references = 0.0, [], []
    for site in desk.sites[firm]:
        streams = [line.metal_stream for line in site.lines if line.product == product]
        if not streams:
            continue
        answer = _months(desk, site.id, span)
        if answer is None:
            return None
        values = {part["stream"]: part["reconciled"] for part in answer.parts}
        if any(values.get(stream) is None for stream in streams):
            return None
        total += sum(values[stream] for stream in streams)
        loadings += [
            (row["group"] or f"{site.id}/{row['stream']}/{span}", row["loading"])
            for row in answer.tables["loadings"]
            if row["stream"] in streams
        ]
        references.append(f"result:{answer.key}")
    return (total, loadings, " ".join(references)) if references else None


def _months(desk: Desk, site: str, span: Period) -> Result | None:
    """Reconciled sums of a site, asked once for all its products; None unless complete."""
    key = (site, str(span))
    if key not in desk.asked:
        try:
            answer = ask(desk.ledger, "balance.months", site=site, period=str(span))
        except (NotFound, CannotDecide):
            desk.asked[key] = None
        else:
            desk.asked[key] = answer if answer.status == "ok" else None
    return desk.asked[key]


def _quantity(
    desk: Desk, item: Standing, product: str,
    now: tuple[float, list[spread.Loading], str] | None,
    before: tuple[float, list[spread.Loading], str] | None,
) -> Quantity:  # fmt: skip
    persistent = desk.parameter("declared_persistent_share")
    of_base = desk.parameter("declared_relative_sd") * (item.base or 0.0)
    firm, year = item.enterprise, desk.year
    return Quantity(
        enterprise=firm, product=product, declared=item.to_date,
        amount=item.to_date if now is None else now[0],
        base=item.base if before is None else before[0],
        base_rest=item.base_rest,
        basis="declared" if now is None else "reconciled",
        base_basis="declared" if before is None else "reconciled",
        loadings=tuple(spread.declared(firm, year, item.sd, persistent) if now is None else now[1]),
        base_loadings=tuple(
            spread.declared(firm, year - 1, of_base, persistent) if before is None else before[1]
        ),
        references=(*item.references, *(found[2] for found in (now, before) if found)),
        missing=item.missing if now is None else (),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prices:
    """Unit values [CNY/t] at which this year's and last year's outputs are counted."""

    now: Mapping[str, float]
    before: Mapping[str, float]
    rates: Mapping[str, float]
    """Value added over output value, where value added is estimated."""


@dataclass(frozen=True, slots=True)
class Worth:
    """A quantity with its worth to date, last year, and in last year's rest [CNY]."""

    quantity: Quantity
    price: float
    """CNY that one tonne counts this year (price, times the rate for value added)."""
    base_price: float

    @property
    def value(self) -> float:
        """Worth to date."""
        return self.quantity.amount * self.price

    @property
    def base(self) -> float | None:
        """Worth of the same months of last year; None = not known."""
        return None if self.quantity.base is None else self.quantity.base * self.base_price

    @property
    def rest(self) -> float:
        """Worth of last year's months to come."""
        return self.quantity.base_rest * self.base_price


def _prices(desk: Desk, kind: str) -> Prices:
    before = desk.parameter("prices", date(desk.year - 1, 12, 31))
    if kind == "value_added":
        return Prices(before, before, desk.parameter("value_added_rates"))
    return Prices(desk.parameter("prices"), before, {})


def _worth(desk: Desk, made: Sequence[Quantity], prices: Prices) -> list[Worth]:
    return [
        Worth(item, prices.now[item.product] * rate, prices.before[item.product] * rate)
        for item in made
        for rate in (_rate(desk, item, prices.rates),)
    ]


def _rate(desk: Desk, item: Quantity, rates: Mapping[str, float]) -> float:
    """The enterprise's own value-added rate of last year, of this year, or the product's."""
    if not rates:
        return 1.0
    for filed in (desk.earlier.get(item.enterprise, ()), desk.returns[item.enterprise]):
        rates_of = (document.body["value_added_rate"] for document in filed)
        stated = [rate for rate in rates_of if rate is not None]
        if stated:
            return float(sum(stated) / len(stated))
    return rates[item.product]


def _answer(desk: Desk, kind: str, chain: str, made: Sequence[Quantity], prices: Prices) -> Result:
    worth = _worth(desk, made, prices)
    as_growth = kind == "value_added"
    row = _summary(desk, worth, as_growth)
    names = ("growth_pct", "growth_sd_pct") if as_growth else ("to_date", "to_date_sd")
    value, sd = (row[name] for name in names)
    low, high = (None, None) if value is None else ninety(value, sd)
    missing = tuple(dict.fromkeys(gap for item in made for gap in item.missing))
    lacking = unknown_bases(made)
    if row["growth_pct"] is None and not lacking:
        lacking = (f"outputs of {desk.year - 1}",)
    return Result(
        query="statistics.estimate", subject=f"{kind} {chain}".strip(), period=str(desk.span),
        value=value, sd=sd, low=low, high=high, unit="%" if as_growth else "CNY",
        origin="modelled", needs=missing + lacking,
        status="cannot decide" if value is None else "incomplete" if missing else "ok",
        badges=_badges(desk, made), parts=tuple(_part(desk, item) for item in worth),
        tables={"summary": (row,)},
        lineage=desk.references + tuple(dict.fromkeys(r for i in made for r in i.references)),
    )  # fmt: skip


def _summary(desk: Desk, worth: Sequence[Worth], as_growth: bool) -> Row:
    value, base = sum(item.value for item in worth), total([item.base for item in worth])
    rest, sd = sum(item.rest for item in worth), spread.combined(_loadings(desk, worth))
    grown_sd = year_grown_sd = None
    if base is not None and base > 0:
        grown_sd = spread.combined(_ratio(desk, as_growth, worth, value, base))
        if base + rest > 0:
            of_rest = rest * desk.parameter("rest_growth_sd") / (base + rest)
            year_grown_sd = (grown_sd**2 + of_rest**2) ** 0.5
    reconciled_value = sum(w.value for w in worth if w.quantity.basis == "reconciled")
    return {
        "to_date": value, "to_date_sd": sd, "base_to_date": base, "base_rest": rest,
        "growth_pct": percent_over(value, base),
        "growth_sd_pct": None if grown_sd is None else 100.0 * grown_sd,
        **full_year(desk, value, base, rest, sd),
        "full_year_growth_sd_pct": None if year_grown_sd is None else 100.0 * year_grown_sd,
        "reconciled_share": reconciled_value / value if value else None,
        "months": len(desk.span.months),
    }  # fmt: skip


def _loadings(desk: Desk, worth: Sequence[Worth]) -> list[spread.Loading]:
    relative = desk.parameter("price_relative_sd")
    of_quantity = [pair for w in worth for pair in spread.scaled(w.quantity.loadings, w.price)]
    return of_quantity + [(f"price:{w.quantity.product}", relative * w.value) for w in worth]


def _ratio(
    desk: Desk, as_growth: bool, worth: Sequence[Worth], value: float, base: float
) -> list[spread.Loading]:
    """Loadings of value / base: quantities, and what moves a tonne's worth between the years.

    At last year's prices the unit value is the same in both years and cancels, but an
    enterprise's value-added rate may have moved; at current prices the unit value may have.
    """
    top = [pair for w in worth for pair in spread.scaled(w.quantity.loadings, w.price)]
    bottom = [pair for w in worth for pair in spread.scaled(w.quantity.base_loadings, w.base_price)]
    if as_growth:
        moved = desk.parameter("value_added_rate_change_sd")
        top += [(f"rate:{w.quantity.enterprise}", moved * w.value) for w in worth]
    else:
        relative = desk.parameter("price_relative_sd")
        persistent = desk.parameter("price_persistent_share")
        for w in worth:
            group, year = f"price:{w.quantity.product}", desk.year
            top += spread.yearly(group, year, relative * w.value, persistent)
            bottom += spread.yearly(group, year - 1, relative * (w.base or 0.0), persistent)
    return spread.ratio(value, base, top, bottom)


def _badges(desk: Desk, made: Sequence[Quantity]) -> tuple[str, ...]:
    declared = sum(item.basis == "declared" for item in made)
    mixed = [f"{q.enterprise} {q.product}" for q in made if q.basis != q.base_basis]
    badges = [f"declared, not reconciled: {declared} of {len(made)} outputs"] if declared else []
    badges += [f"growth mixes a reconciled year with a declared one: {name}" for name in mixed]
    return (*desk.badges, "modelled from outputs", *badges)


def _part(desk: Desk, item: Worth) -> Row:
    made = item.quantity
    return {
        **place(desk, made.enterprise, made.product), "product": made.product,
        "output": made.amount, "basis": made.basis, "declared_output": made.declared,
        "base_output": made.base, "base_basis": made.base_basis, "unit_value": item.price,
        "base_unit_value": item.base_price, "value": item.value, "base_value": item.base,
    }  # fmt: skip
