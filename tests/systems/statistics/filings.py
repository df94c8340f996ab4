"""Returns of a few small firms for the tests, filed through the real command."""

from collections.abc import Iterable, Mapping
from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise, Line, Site
from cupral.system import order
from cupral.systems.statistics.model import Filed

FIRMS = {"cu-a": "copper", "cu-b": "copper", "al-a": "aluminium"}
PRODUCT = {"cu-a": "cathode_copper", "cu-b": "copper_semis", "al-a": "primary_aluminium"}
MONTHS = ("JF", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12")
"""Periods of a year as they are filed, January and February merged."""


def register(ledger: Ledger, firms: Iterable[str] = FIRMS) -> None:
    """Firms with one site and one line each."""
    for firm in firms:
        ledger.register(
            Enterprise(id=firm, name_zh=f"{firm}厂", name_en=firm, chain=FIRMS[firm]),  # type: ignore[arg-type]
            author="t",
        )
        line = Line(
            id="L", product=PRODUCT[firm], capacity=100_000.0, metal_stream="product",
            energy_streams=(("comprehensive", "power"),),
        )  # fmt: skip
        ledger.register(
            Site(id=f"{firm}-site", name_zh=firm, name_en=firm, enterprise=firm,
                 city=f"city-{firm}", cluster=f"cluster-{firm}", lines=(line,)),
            author="t",
        )  # fmt: skip


def filing(firm: str, period: str, amount: float, **changes: Any) -> dict[str, Any]:
    """A complete return: output [t] and money in proportion to `amount`."""
    given: dict[str, Any] = {
        "enterprise": firm, "period": period, "above_designated_size": True,
        "price_index": 100.0,
        "items": [
            item("output", amount, "t", product=PRODUCT.get(firm, "cathode_copper")),
            item("revenue", 11.0 * amount, "CNY"),
            item("gross_output_value", 10.0 * amount, "CNY"),
            item("value_added", 2.0 * amount, "CNY"),
        ],
    }  # fmt: skip
    return given | changes


def item(name: str, amount: object, unit: str, **more: Any) -> dict[str, Any]:
    """One row of a return."""
    return {"item": name, "amount": amount, "unit": unit, **more}


def year(firm: str, number: int, amounts: Mapping[str, float], **more: Any) -> list[dict[str, Any]]:
    """Returns of a firm by period ('JF', '03', ...)."""
    return [filing(firm, f"{number}-{name}", amount, **more) for name, amount in amounts.items()]


def flat(amount: float, until: int = 12) -> dict[str, float]:
    """The same amount every month to a month; January-February merged is twice that."""
    periods = [name for name in MONTHS if name == "JF" or int(name) <= until]
    return {name: amount * (2 if name == "JF" else 1) for name in periods}


def file(ledger: Ledger, returns: list[dict[str, Any]], **more: Any) -> Filed:
    """File them by the command, as every surface does."""
    filed: Filed = order(ledger, "statistics.file_returns", author="t", returns=returns, **more)
    return filed


def two_years(ledger: Ledger, growth: Mapping[str, float], until: int = 10) -> None:
    """Twelve months of 2025 at 100 t a month and 2026 to a month, grown by firm."""
    register(ledger, growth)
    for firm, grown in growth.items():
        file(ledger, year(firm, 2025, flat(100.0)))
        file(ledger, year(firm, 2026, flat(100.0 * (1 + grown), until)))
