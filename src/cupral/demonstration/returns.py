"""What the enterprises of the demonstration return each month.

An enterprise copies its own primary meters, faulty ones too; it knows no better. January and
February are returned together. One enterprise enters the list of firms above designated size
in 2026 and restates its last year.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from cupral.demonstration.calendar import FIRST_YEAR, MONTHS, Vector
from cupral.demonstration.meters import Readings
from cupral.demonstration.parameters import value
from cupral.demonstration.province import ENTRANT, enterprises
from cupral.demonstration.sketch import Plant
from cupral.demonstration.truth import Truth
from cupral.ledger.period import Period
from cupral.ledger.registers import Line, Meter

STANDARD_COAL = {"coal": 714.3, "natural_gas": 1.33, "heat": 122.83, "electricity": 122.9}
"""Coefficients with which the enterprises work out their comprehensive energy [kgce/t, m3, MWh]."""
NOBLE = {"gold": "Au", "silver": "Ag"}


def spans() -> tuple[tuple[Period, slice], ...]:
    """The periods of the returns and the months they cover; January and February merged.

    Examples
    --------
    >>> [str(period) for period, _ in spans()][:2]
    ['2025-JF', '2025-03']
    """
    found = []
    for index, month in enumerate(MONTHS):
        if month % 100 == 1:
            found.append((Period.parse(f"{month // 100}-JF"), slice(index, index + 2)))
        elif month % 100 > 2:
            found.append((Period.month(month), slice(index, index + 1)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Books:
    """What one enterprise could read off its own meters, month by month."""

    id: str
    outputs: Mapping[str, Vector]
    """By product [t]."""
    lines: Mapping[tuple[str, str, str], tuple[str, Vector]]
    """(site, line, 'output' or boundary) -> (product, amounts [t or MWh])."""


def books(known: Truth, read: Readings) -> tuple[Books, ...]:
    """The books of every enterprise."""
    return tuple(_books(firm.id, known, read) for firm in enterprises())


def returns(known: Truth, read: Readings) -> dict[str, list[dict[str, Any]]]:
    """Returns by period name, in the shape that `statistics.file_returns` takes.

    Examples
    --------
    >>> from cupral.demonstration.meters import readings
    >>> from cupral.demonstration.truth import truth
    >>> known = truth()
    >>> len(returns(known, readings(known))["2026-03"])
    24
    """
    every = books(known, read)
    return {
        str(period): [
            filed for book in every if (filed := _return(book, period, window)) is not None
        ]
        for period, window in spans()
    }  # fmt: skip


def _books(firm: str, known: Truth, read: Readings) -> Books:
    outputs: dict[str, Vector] = {}
    lines: dict[tuple[str, str, str], tuple[str, Vector]] = {}
    for plant in known.plants:
        if plant.site.enterprise != firm:
            continue
        for line in plant.site.lines:
            made = _reading(plant, line.metal_stream, read)
            outputs[line.product] = outputs.get(line.product, 0.0) + made
            lines[plant.site.id, line.id, "output"] = (line.product, made)
            for boundary in line.boundaries:
                energy = _energy(plant, line, boundary, read)
                lines[plant.site.id, line.id, boundary] = (line.product, energy)
        outputs |= _by_products(plant, read)
    return Books(firm, outputs, lines)


def _meter(plant: Plant, stream: str, element: str = "") -> Meter:
    """The primary meter of a stream (or its assay of an element): the one the return copies."""
    return next(
        meter
        for meter in plant.network.meters
        if meter.stream == stream and meter.element == element and meter.kind != "stocktake"
    )


def _reading(plant: Plant, stream: str, read: Readings, element: str = "") -> Vector:
    return read[_meter(plant, stream, element).id]


def _energy(plant: Plant, line: Line, boundary: str, read: Readings) -> Vector:
    """Energy of a line on a boundary [MWh]; comprehensive energy at its electricity equivalent."""
    coal = boundary == "comprehensive"
    parts = [
        sign * (_coal(plant, stream) if coal else 1.0) * _reading(plant, stream, read)
        for sign, stream in line.energy(boundary)
    ]
    counted: Vector = np.sum(parts, axis=0) / (STANDARD_COAL["electricity"] if coal else 1.0)
    return counted


def _coal(plant: Plant, stream: str) -> float:
    """Standard coal per unit of a carrier."""
    return STANDARD_COAL[plant.network.stream(stream).material]


def _by_products(plant: Plant, read: Readings) -> dict[str, Vector]:
    """Acid, gold and silver of an ore smelter [t]."""
    if plant.site.kind != "copper_smelter":
        return {}
    slimes = _reading(plant, "SLIMES", read)
    won = value("bullion")
    noble = {
        product: slimes * _reading(plant, "SLIMES", read, element) * won[element]
        for product, element in NOBLE.items()
    }
    return {"sulphuric_acid": _reading(plant, "ACID", read), **noble}


@lru_cache(maxsize=1)
def prices() -> Mapping[str, Vector]:
    """Monthly prices by product (months,) [CNY/t]; the second year is the first, risen.

    Examples
    --------
    >>> round(float(prices()["cathode_copper"][:12].mean()))
    71500
    """
    rise = value("price_growth")
    wave = 1.0 + 0.02 * np.sin(2.0 * np.pi * np.arange(FIRST_YEAR) / FIRST_YEAR)
    later = len(MONTHS) - FIRST_YEAR
    return {
        product: mean * np.concatenate([wave, wave[:later] * (1.0 + rise[product])])
        for product, mean in value("prices").items()
    }


def _return(book: Books, period: Period, window: slice) -> dict[str, Any] | None:
    first_year = period.start.year == MONTHS[0] // 100
    if first_year and book.id == ENTRANT:
        return None
    worth = _worth(book.outputs, window, prices())
    filed: dict[str, Any] = {
        "enterprise": book.id,
        "period": str(period),
        "above_designated_size": True,
        "value_added_rate": _rate(worth),
        "items": [*_money(worth), *_output_items(book, window), *_line_items(book, window)],
    }
    if not first_year:
        filed["price_index"] = 100.0 * sum(worth.values()) / _at_last_years_prices(book, window)
    if not first_year and book.id == ENTRANT:
        filed["restated"] = _restated(book, window)
    return filed


def _worth(
    outputs: Mapping[str, Vector], window: slice, price: Mapping[str, Vector]
) -> dict[str, float]:
    """Value of each product over a window [CNY]."""
    return {
        product: float((amount[window] * price[product][window]).sum())
        for product, amount in outputs.items()
    }


def _rate(worth: Mapping[str, float]) -> float:
    """Value-added rate of a mix of products; by-products take that of the main one."""
    rates = value("value_added_rate")
    main = [product for product in worth if product in rates]
    total = sum(worth[product] for product in main)
    return float(sum(worth[product] * rates[product] for product in main) / total)


def _at_last_years_prices(book: Books, window: slice) -> float:
    shifted = slice(window.start - FIRST_YEAR, window.stop - FIRST_YEAR)
    return sum(
        float((amount[window] * prices()[product][shifted]).sum())
        for product, amount in book.outputs.items()
    )


def _money(worth: Mapping[str, float]) -> Iterable[dict[str, Any]]:
    gross = sum(worth.values())
    for item, amount in (
        ("revenue", gross * (1.0 + value("other_revenue"))),
        ("gross_output_value", gross),
        ("value_added", gross * _rate(worth)),
    ):
        yield {"item": item, "amount": amount, "unit": "CNY"}


def _output_items(book: Books, window: slice) -> Iterable[dict[str, Any]]:
    for product, amount in book.outputs.items():
        yield {"item": "output", "product": product, "amount": float(amount[window].sum()),
               "unit": "t"}  # fmt: skip


def _line_items(book: Books, window: slice) -> Iterable[dict[str, Any]]:
    for (site, line, what), (product, amounts) in book.lines.items():
        row = {"site": site, "line": line, "amount": float(amounts[window].sum())}
        if what == "output":
            yield {**row, "item": "line_output", "product": product, "unit": "t"}
        else:
            yield {**row, "item": "line_energy", "boundary": what, "unit": "MWh"}


def _restated(book: Books, window: slice) -> dict[str, float]:
    """Last year's figures of an enterprise that is new in the list."""
    before = slice(window.start - FIRST_YEAR, window.stop - FIRST_YEAR)
    worth = _worth(book.outputs, before, prices())
    money: Sequence[Mapping[str, Any]] = list(_money(worth))
    outputs = {f"output:{p}": float(a[before].sum()) for p, a in book.outputs.items()}
    return {**{row["item"]: row["amount"] for row in money}, **outputs}
