"""Growth of value added at comparable prices, of enterprises above designated size."""

from collections.abc import Sequence

from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result, Row
from cupral.methods.margin import ninety
from cupral.system import query
from cupral.systems.statistics.compute import growth
from cupral.systems.statistics.model import Standing
from cupral.systems.statistics.queries.levels import growth_sd, percent_over, unknown_bases
from cupral.systems.statistics.queries.reading import Desk, desk, place, standings


@query
def value_added_growth(ledger: Ledger, *, year: int, through: str = "", chain: str = "") -> Result:
    """Cumulative growth of value added at comparable prices over the restated base [%].

    Parameters
    ----------
    year, through : the year, and its last month to count (YYYY-MM); empty = the last filed
    chain : 'copper' or 'aluminium'; empty = both

    Returns
    -------
    Result
        value [%]; parts one row an enterprise with its points of growth; table `summary`
        with nominal growth, the growth over last year's published level (which is not the
        growth of the statistics) and the full year.
    """
    chosen = desk(ledger, year, through, chain)
    found = standings(chosen, "value_added", real=True)
    needs = unknown_bases(found)
    base = sum(item.base or 0.0 for item in found)
    if needs or base <= 0:
        return Result(
            query="statistics.value_added_growth", subject=_subject(chain), unit="%",
            period=str(chosen.span), status="cannot decide", badges=chosen.badges,
            needs=needs or (f"value added of {year - 1}",),
        )  # fmt: skip
    return _answer(chosen, found, base, chain)


def _answer(desk: Desk, found: Sequence[Standing], base: float, chain: str) -> Result:
    real = sum(item.real or 0.0 for item in found)
    value = 100.0 * growth.scope_growth(real, base)
    sd = 100.0 * growth_sd(desk, found, real, base)
    low, high = ninety(value, sd)
    missing = tuple(gap for item in found for gap in item.missing)
    row = _summary(desk, found, real, base, sd)
    return Result(
        query="statistics.value_added_growth", subject=_subject(chain), period=str(desk.span),
        value=value, unit="%", sd=sd, low=low, high=high,
        origin="declared", status="incomplete" if missing else "ok", needs=missing,
        badges=desk.badges, parts=tuple(_part(desk, item, base) for item in found),
        tables={"summary": (row,)},
        lineage=desk.references + tuple(ref for item in found for ref in item.references),
    )  # fmt: skip


def _summary(desk: Desk, found: Sequence[Standing], real: float, base: float, sd: float) -> Row:
    nominal = sum(item.to_date for item in found)
    rest = sum(item.base_rest for item in found)
    published = sum(item.published_base for item in found)
    grown = 100.0 * growth.scope_growth(real, base)
    year_sd = low = high = None
    if base + rest > 0:
        of_rest = 100.0 * desk.parameter("rest_growth_sd") * rest / (base + rest)
        year_sd = (sd**2 + of_rest**2) ** 0.5
        low, high = ninety(grown, year_sd)
    return {
        "to_date": nominal, "to_date_at_base_prices": real, "base_to_date": base,
        "base_rest": rest, "growth_pct": grown, "growth_sd_pct": sd,
        "nominal_growth_pct": percent_over(nominal, base),
        "price_index": 100.0 * nominal / real if real else None,
        "published_base": published,
        "growth_on_published_base_pct": percent_over(real, published),
        "full_year_growth_pct": grown, "full_year_sd_pct": year_sd,
        "full_year_low_pct": low, "full_year_high_pct": high,
        "months": len(desk.span.months),
        "full_year_origin": "declared" if len(desk.span.months) == 12 else "modelled",
    }  # fmt: skip


def _part(desk: Desk, item: Standing, base: float) -> Row:
    own, real = item.base or 0.0, item.real or 0.0
    return {
        **place(desk, item.enterprise), "to_date": item.to_date, "to_date_at_base_prices": real,
        "base_to_date": own, "growth_pct": percent_over(real, item.base),
        "points_pct": 100.0 * (real - own) / base, "missing_months": len(item.missing),
    }  # fmt: skip


def _subject(chain: str) -> str:
    return f"value added, {chain or 'copper and aluminium'}, above designated size"
