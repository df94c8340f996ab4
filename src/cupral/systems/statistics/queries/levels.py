"""Output, gross output value and revenue: to date, against last year, and for the full year."""

from collections.abc import Sequence

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result, Row
from cupral.methods.margin import ninety
from cupral.system import query
from cupral.systems.statistics.compute import growth, spread
from cupral.systems.statistics.model import PRODUCTS, Quantity, Standing
from cupral.systems.statistics.queries.reading import Desk, desk, place, standings


@query
def output(ledger: Ledger, *, product: str, year: int, through: str = "") -> Result:
    """Declared output of a product to date, its growth and the full year [t].

    Parameters
    ----------
    product : e.g. 'cathode_copper'
    year, through : the year, and its last month to count (YYYY-MM); empty = the last filed
    """
    if product not in PRODUCTS:
        raise InputError(f"product {product!r} is not known; use one of {', '.join(PRODUCTS)}")
    chosen = desk(ledger, year, through)
    return _level(chosen, "output", f"output:{product}", product, product, "t")


@query
def gross_output_value(
    ledger: Ledger, *, year: int, chain: str = "copper", through: str = ""
) -> Result:
    """Declared gross output value of a chain to date at current prices [CNY].

    Parameters
    ----------
    year, through : the year, and its last month to count (YYYY-MM); empty = the last filed
    chain : 'copper' or 'aluminium'; empty = both
    """
    chosen = desk(ledger, year, through, chain)
    return _level(chosen, "gross_output_value", "gross_output_value", chain, "", "CNY")


@query
def revenue(ledger: Ledger, *, year: int, chain: str = "aluminium", through: str = "") -> Result:
    """Declared revenue of a chain to date at current prices [CNY].

    Parameters
    ----------
    year, through : the year, and its last month to count (YYYY-MM); empty = the last filed
    chain : 'copper' or 'aluminium'; empty = both
    """
    chosen = desk(ledger, year, through, chain)
    return _level(chosen, "revenue", "revenue", chain, "", "CNY")


def _level(
    desk: Desk, query_name: str, figure: str, subject: str, product: str, unit: str
) -> Result:
    found = [s for s in standings(desk, figure) if s.to_date or s.base or s.missing]
    persistent = desk.parameter("declared_persistent_share")
    value = sum(item.to_date for item in found)
    sd = spread.combined(
        loading
        for item in found
        for loading in spread.declared(item.enterprise, desk.year, item.sd, persistent)
    )
    low, high = ninety(value, sd)
    missing = tuple(gap for item in found for gap in item.missing)
    return Result(
        query=f"statistics.{query_name}", subject=subject or "copper and aluminium",
        period=str(desk.span), value=value, sd=sd, low=low, high=high,
        unit=unit, origin="declared", status="incomplete" if missing else "ok",
        needs=missing + unknown_bases(found),
        parts=tuple(_part(desk, item, product) for item in found),
        tables={"summary": (summary(desk, found, sd),)},
        badges=desk.badges,
        lineage=desk.references + tuple(ref for item in found for ref in item.references),
    )  # fmt: skip


def summary(desk: Desk, found: Sequence[Standing], sd: float) -> Row:
    """To date, base, growth and full year of a level, in one row.

    The rest of the year is taken to grow over its base as the year has to date; base_to_date
    is restated to this year's list. Figures that need an unknown base are None.
    """
    value = sum(item.to_date for item in found)
    base = total([item.base for item in found])
    rest = sum(item.base_rest for item in found)
    published = sum(item.published_base for item in found)
    grown = percent_over(value, base)
    grown_sd = None if base is None or grown is None else growth_sd(desk, found, value, base)
    return {
        "to_date": value, "base_to_date": base, "base_rest": rest, "growth_pct": grown,
        "growth_sd_pct": None if grown_sd is None else 100.0 * grown_sd,
        "published_base": published,
        "growth_on_published_base_pct": percent_over(value, published),
        **full_year(desk, value, base, rest, sd),
        "months": len(desk.span.months),
        "full_year_origin": "declared" if len(desk.span.months) == 12 else "modelled",
    }  # fmt: skip


def total(amounts: Sequence[float | None]) -> float | None:
    """The sum of amounts; None if one of them is not known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def percent_over(value: float | None, base: float | None) -> float | None:
    """Growth over a base [%]; None where one is not known or the base is not positive."""
    if value is None or base is None or base <= 0:
        return None
    return 100.0 * growth.scope_growth(value, base)


def growth_sd(desk: Desk, found: Sequence[Standing], value: float, base: float) -> float:
    """Standard uncertainty of value / base - 1, errors of an enterprise partly persistent [1]."""
    relative = desk.parameter("declared_relative_sd")
    persistent = desk.parameter("declared_persistent_share")
    top, bottom = [], []
    for item in found:
        now = item.sd if item.real is None else relative * abs(item.real)
        before = relative * abs(item.base or 0.0)
        top += spread.declared(item.enterprise, desk.year, now, persistent)
        bottom += spread.declared(item.enterprise, desk.year - 1, before, persistent)
    return spread.combined(spread.ratio(value, base, top, bottom))


def unknown_bases(found: Sequence[Standing | Quantity]) -> tuple[str, ...]:
    """What is needed where an enterprise of this year's list has no figure of last year."""
    firms = dict.fromkeys(item.enterprise for item in found if item.base is None)
    return tuple(f"last year's returns or a restated figure of {firm}" for firm in firms)


def full_year(desk: Desk, value: float, base: float | None, rest: float, sd: float) -> Row:
    """The year of a level with its interval and growth; None where the base does not carry it."""
    year, year_sd = _year(desk, value, base, rest, sd)
    low, high = (None, None) if year is None or year_sd is None else ninety(year, year_sd)
    return {
        "full_year": year, "full_year_sd": year_sd, "full_year_low": low, "full_year_high": high,
        "full_year_growth_pct": percent_over(year, None if base is None else base + rest),
    }  # fmt: skip


def _year(
    desk: Desk, value: float, base: float | None, rest: float, sd: float
) -> tuple[float | None, float | None]:
    if len(desk.span.months) == 12:
        return value, sd
    if base is None or base <= 0:
        return None, None
    year = growth.full_year(value, rest, growth.scope_growth(value, base))
    of_rest = rest * desk.parameter("rest_growth_sd")
    return year, ((sd * (1.0 + rest / base)) ** 2 + of_rest**2) ** 0.5


def _part(desk: Desk, item: Standing, product: str) -> Row:
    return {
        **place(desk, item.enterprise, product), "to_date": item.to_date, "sd": item.sd,
        "base_to_date": item.base, "base_rest": item.base_rest,
        "growth_pct": percent_over(item.to_date, item.base),
        "missing_months": len(item.missing),
    }  # fmt: skip
