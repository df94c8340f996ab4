"""Growth arithmetic for anybody's own numbers; growth in percent, levels in any one unit."""

# ruff: noqa: ARG001  (every query takes the ledger; this arithmetic needs only its arguments)

from collections.abc import Sequence
from datetime import date

import numpy as np

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.statistics.compute import growth

PERCENT = 100.0


@query
def growth_forward(ledger: Ledger, *, base_levels: list[float], yoy_pct: list[float]) -> Result:
    """Cumulative growth from the growth of each period, weighted by base levels.

    Parameters
    ----------
    base_levels : last year's level of each period; the first may be January-February merged
    yoy_pct : growth of each period over last year's [%]
    """
    base, given = _series(base_levels=base_levels, yoy_pct=yoy_pct)
    cumulative = PERCENT * growth.cumulative_growth(base, given / PERCENT)
    return Result(
        query="statistics.growth_forward", subject="cumulative growth", unit="%",
        value=float(cumulative[-1]), origin="modelled",
        parts=tuple(
            {"period": number, "base_level": b, "yoy_pct": g, "cumulative_yoy_pct": c}
            for number, (b, g, c) in enumerate(_rows(base, given, cumulative), start=1)
        ),
    )  # fmt: skip


@query
def growth_inverse(
    ledger: Ledger, *, base_levels: list[float], cumulative_yoy_pct: list[float],
    rounding_pct: float | None = None,
) -> Result:  # fmt: skip
    """Growth of each period from published cumulative growth, with the interval of rounding.

    Parameters
    ----------
    base_levels : last year's level of each period; the first may be January-February merged
    cumulative_yoy_pct : published growth from the start of the year [%]
    rounding_pct : step of the published figures [%]; None = the parameter in force (0.1)

    Returns
    -------
    Result
        value, low, high of the last period (the interval holds every growth that rounds to
        what was published); parts one row a period with its amplification of the rounding.
    """
    base, given = _series(base_levels=base_levels, cumulative_yoy_pct=cumulative_yoy_pct)
    step = ledger.parameter("statistics.publication_rounding", date.max)
    width = step.value if rounding_pct is None else rounding_pct
    if width < 0:
        raise InputError(f"rounding_pct is {width:g}; the step of published figures is >= 0")
    value, low, high = (
        PERCENT * found for found in growth.period_growth(base, given / PERCENT, width / PERCENT)
    )
    factor = growth.amplification(base)
    return Result(
        query="statistics.growth_inverse", subject="growth of the last period", unit="%",
        value=float(value[-1]), low=float(low[-1]), high=float(high[-1]), origin="modelled",
        parts=tuple(
            {"period": number, "base_level": b, "cumulative_yoy_pct": c, "yoy_pct": v, "low": lo,
             "high": hi, "amplification": f}
            for number, (b, c, v, lo, hi, f) in enumerate(
                _rows(base, given, value, low, high, factor), start=1)
        ),
        lineage=(step.reference,) if rounding_pct is None else (),
    )  # fmt: skip


@query
def growth_needed(
    ledger: Ledger, *, base_done: list[float], base_rest: list[float],
    done_yoy_pct: float, target_pct: float,
) -> Result:  # fmt: skip
    """Growth that the rest of the year needs, weighted by base levels.

    Parameters
    ----------
    base_done, base_rest : last year's levels of the periods done and to come
    done_yoy_pct, target_pct : cumulative growth so far and aimed at for the year [%]
    """
    done, rest = _levels("base_done", base_done), _levels("base_rest", base_rest)
    total_done, total_rest = float(done.sum()), float(rest.sum())
    needed = PERCENT * growth.needed_growth(
        total_done, total_rest, done_yoy_pct / PERCENT, target_pct / PERCENT
    )
    return Result(
        query="statistics.growth_needed", subject="growth needed in the rest of the year",
        unit="%", value=needed, origin="modelled",
        parts=(
            {"periods": "done", "base_level": total_done, "yoy_pct": done_yoy_pct},
            {"periods": "rest", "base_level": total_rest, "yoy_pct": needed},
            {"periods": "year", "base_level": total_done + total_rest, "yoy_pct": target_pct},
        ),
    )  # fmt: skip


@query
def growth_deflated(ledger: Ledger, *, nominal_pct: float, price_pct: float) -> Result:
    """Growth at comparable prices from nominal growth and the growth of prices.

    Parameters
    ----------
    nominal_pct, price_pct : growth at current prices and of the price index [%]
    """
    if price_pct <= -PERCENT:
        raise InputError(f"price_pct is {price_pct:g}; a price index falls by less than 100 %")
    real = PERCENT * growth.real_growth(nominal_pct / PERCENT, price_pct / PERCENT)
    return Result(
        query="statistics.growth_deflated", subject="growth at comparable prices", unit="%",
        value=real, origin="modelled",
        parts=(
            {"method": "(1 + nominal) / (1 + price) - 1", "growth_pct": real},
            {"method": "difference (wrong)", "growth_pct": nominal_pct - price_pct},
        ),
    )  # fmt: skip


@query
def growth_scope(
    ledger: Ledger,
    *,
    level: float,
    restated: float,
    published: float | None = None,
) -> Result:
    """Growth over last year's level restated to this year's list of enterprises.

    Parameters
    ----------
    level : this year's level
    restated : last year's level of the enterprises in this year's list
    published : last year's published level; the growth over it is shown as the wrong one
    """
    bases = [("restated", restated), ("published (wrong)", published)]
    for name, base in bases:
        if base is not None and base <= 0:
            raise InputError(f"the {name} level of last year is {base:g}; it must be positive")
    parts = tuple(
        {"base": name, "base_level": base, "growth_pct": PERCENT * growth.scope_growth(level, base)}
        for name, base in bases
        if base is not None
    )
    return Result(
        query="statistics.growth_scope", subject="growth on the restated base", unit="%",
        value=PERCENT * growth.scope_growth(level, restated), origin="modelled", parts=parts,
    )  # fmt: skip


@query
def growth_average(ledger: Ledger, *, first_pct: float, second_pct: float) -> Result:
    """Two-year average growth (used for 2021 over the low base of 2020).

    Parameters
    ----------
    first_pct, second_pct : growth of the two years [%]
    """
    if min(first_pct, second_pct) <= -PERCENT:
        raise InputError("growth of -100 % or less leaves no level to grow from")
    value = PERCENT * growth.average_growth(first_pct / PERCENT, second_pct / PERCENT)
    return Result(query="statistics.growth_average", subject="two-year average growth", unit="%",
                  value=value, origin="modelled")  # fmt: skip


def _series(**named: Sequence[float]) -> tuple[growth.Vector, growth.Vector]:
    (first, levels), (second, rates) = named.items()
    base, given = _levels(first, levels), np.asarray(rates, dtype=float)
    if base.shape != given.shape:
        raise InputError(
            f"{first} has {len(base)} periods, {second} has {len(rates)}; give one each"
        )
    if not np.all(np.isfinite(given)):
        raise InputError(f"{second} is {list(rates)[:5]}; give finite numbers")
    return base, given


def _levels(name: str, levels: Sequence[float]) -> growth.Vector:
    base = np.asarray(levels, dtype=float)
    if base.ndim != 1 or base.size == 0 or not np.all((base > 0) & np.isfinite(base)):
        raise InputError(f"{name} must be a list of positive levels, not {list(levels)[:5]}")
    return base


def _rows(*columns: growth.Vector) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))
