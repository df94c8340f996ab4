"""Output, gross output value and revenue: to date, against last year, and for the full year."""

from collections.abc import Sequence

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result, Row
from cupral.system import query
from cupral.systems.statistics.compute import growth, spread
from cupral.systems.statistics.model import PRODUCTS, Standing
from cupral.systems.statistics.queries.reading import Desk, desk, place, standings

Z95 = 1.6448536269514722
"""95 % point of the unit normal: intervals run from 5 % to 95 %."""


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
    missing = tuple(gap for item in found for gap in item.missing)
    return Result(
        query=f"statistics.{query_name}", subject=subject or "copper and aluminium",
        period=str(desk.span), value=value, sd=sd, low=value - Z95 * sd, high=value + Z95 * sd,
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
    known = not unknown_bases(found)
    base = sum(item.base or 0.0 for item in found)
    rest = sum(item.base_rest for item in found)
    grown = growth.scope_growth(value, base) if known and base > 0 else None
    year, year_sd = _full_year(desk, value, base, rest, grown, sd)
    published = sum(item.published_base for item in found)
    return {
        "to_date": value, "base_to_date": base if known else None, "base_rest": rest,
        "growth_pct": None if grown is None else 100.0 * grown,
        "growth_sd_pct": None if grown is None else 100.0 * growth_sd(desk, found, value, base),
        "published_base": published,
        "growth_on_published_base_pct": 100.0 * (value / published - 1) if published else None,
        "full_year": year, "full_year_sd": year_sd,
        "full_year_low": None if year is None or year_sd is None else year - Z95 * year_sd,
        "full_year_high": None if year is None or year_sd is None else year + Z95 * year_sd,
        "full_year_growth_pct": None if year is None else 100.0 * (year / (base + rest) - 1.0),
        "months": len(desk.span.months),
        "full_year_origin": "declared" if len(desk.span.months) == 12 else "modelled",
    }  # fmt: skip


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


def unknown_bases(found: Sequence[Standing]) -> tuple[str, ...]:
    """What is needed where an enterprise of this year's list has no figure of last year."""
    return tuple(
        f"last year's returns or a restated figure of {item.enterprise}"
        for item in found
        if item.base is None
    )


def _full_year(
    desk: Desk, value: float, base: float, rest: float, grown: float | None, sd: float
) -> tuple[float | None, float | None]:
    if len(desk.span.months) == 12:
        return value, sd
    if grown is None:
        return None, None
    year = growth.full_year(value, rest, grown)
    of_rest = rest * desk.parameter("rest_growth_sd")
    return year, ((sd * (1.0 + rest / base)) ** 2 + of_rest**2) ** 0.5


def _part(desk: Desk, item: Standing, product: str) -> Row:
    base = item.base
    return {
        **place(desk, item.enterprise, product), "to_date": item.to_date, "sd": item.sd,
        "base_to_date": base, "base_rest": item.base_rest,
        "growth_pct": 100.0 * (item.to_date / base - 1.0) if base else None,
        "missing_months": len(item.missing),
    }  # fmt: skip
