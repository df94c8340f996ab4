"""Reading and checking returns: from plain rows to nouns, every fault with its cure.

Pure: what is registered comes in as plain tables (`Registers`), nothing is looked up here.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cupral.ledger.errors import Fault, InputError
from cupral.ledger.period import Period
from cupral.ledger.quantity import factor
from cupral.systems.statistics.model import BOUNDARIES, FACTS, ITEMS, MONEY, PRODUCTS, Item, Return

_DIMENSION = {
    "output": "t", "line_output": "t", "line_energy": "MWh", **dict.fromkeys(MONEY, "CNY"),
}  # fmt: skip
_ITEM_KEYS = ("item", "product", "site", "line", "boundary", "amount", "unit")
_KEYS = ("enterprise", "period", "items", *FACTS)
_ONCE = "file January and February merged or singly, once; to correct a return, supersede it"


@dataclass(frozen=True, slots=True)
class Registers:
    """What is registered: enterprises, and lines as (site, line) -> (enterprise, product)."""

    enterprises: frozenset[str]
    lines: Mapping[tuple[str, str], tuple[str, str]]


class Faults:
    """Collects what is wrong with one return."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.found: list[Fault] = []

    def add(self, column: str, value: Any, what: str, cure: str) -> None:
        """Note one thing that is wrong."""
        shown = "" if value is None else str(value)
        self.found.append(Fault(self.number, column, shown, what, cure))


def read(
    number: int, raw: Mapping[str, Any], known: Registers, index_range: Mapping[str, float]
) -> tuple[Return | None, Faults]:
    """Read one return; on any fault there is no return.

    Parameters
    ----------
    number : its place in what was handed in, counted from 1
    raw : {enterprise, period, above_designated_size, items, ...} as in the README
    index_range : {low, high} of a price index [100 = last year]
    """
    faults = Faults(number)
    if not isinstance(raw, Mapping):
        faults.add("", raw, "is no return", "give {enterprise, period, items, ...}")
        return None, faults
    for key in set(raw) - set(_KEYS):
        faults.add(key, None, "unknown column", f"use {', '.join(_KEYS)}")
    enterprise, period = _enterprise(raw, known, faults), _period(raw, faults)
    listed = raw.get("above_designated_size")
    if not isinstance(listed, bool):
        faults.add("above_designated_size", listed, "not stated", "write true or false")
    rate = _number(raw, "value_added_rate", faults, "a fraction from 0 to 1", lambda v: 0 <= v <= 1)
    low, high = index_range["low"], index_range["high"]
    index = _number(raw, "price_index", faults, f"100 = last year; from {low:g} to {high:g}",
                    lambda v: low <= v <= high)  # fmt: skip
    items = _items(raw, enterprise, known, faults)
    restated = _restated(raw, faults)
    if faults.found or period is None:
        return None, faults
    filed = Return(
        enterprise=enterprise, period=period, above_designated_size=bool(listed),
        items=_with_value_added(items, rate), value_added_rate=rate, price_index=index,
        restated=restated,
    )  # fmt: skip
    return filed, faults


def overlaps(returns: Sequence[Return], filed: Iterable[str]) -> list[Fault]:
    """Periods of one enterprise that are filed twice, merged and single months included.

    Parameters
    ----------
    filed : document ids ('<enterprise>:<period>') that are in the ledger and will stay
    """
    taken: dict[tuple[str, int], str] = {}
    for id in filed:
        enterprise, _, period = id.rpartition(":")
        for month in Period.parse(period).months:
            taken[enterprise, month] = f"already filed as {id}"
    found = []
    for number, item in enumerate(returns, start=1):
        for month in item.period.months:
            if (before := taken.get((item.enterprise, month))) is not None:
                found.append(Fault(number, "period", str(item.period), before, _ONCE))
                break
            taken[item.enterprise, month] = f"{month} is also in return {number} ({item.id})"
    return found


def rate_warnings(item: Return, tolerance: float) -> list[str]:
    """Questions about value added that does not fit output value and rate.

    Parameters
    ----------
    tolerance : distance that is not questioned [of output value]
    """
    sums = {what: _sum(item, what) for what in MONEY}
    value, gross, rate = sums["value_added"], sums["gross_output_value"], item.value_added_rate
    if value is None or gross is None or rate is None or gross <= 0:
        return []
    if abs(value - gross * rate) <= tolerance * gross:
        return []
    share = value / gross
    return [f"{item.id}: value added / gross output value is {share:.3f}, rate says {rate:g}"]


def outliers(
    amounts: Mapping[tuple[str, str, str], float],
    earlier: Mapping[tuple[str, str, str], float],
    limit: float,
) -> list[str]:
    """Questions about figures far from last year's same period.

    Parameters
    ----------
    amounts, earlier : by (site or enterprise, stream, period of this year)
    limit : change [1] above which a figure is questioned
    """
    found = []
    for key, amount in amounts.items():
        before = earlier.get(key)
        if before and abs(amount / before - 1.0) > limit:
            times = amount / before
            found.append(
                f"{' '.join(key)}: {amount:,.6g} is {times:.3g} times last year{_unit_hint(times)}"
            )
    return found


def _unit_hint(times: float) -> str:
    power = round(math.log10(times)) if 0 < times < math.inf else 0
    near = abs(power) in (3, 4, 8) and abs(times / 10.0**power - 1.0) < 0.3
    return f"; is the unit right (a factor 1e{power})?" if near else ""


def _sum(item: Return, what: str) -> float | None:
    amounts = [row.amount for row in item.items if row.item == what]
    return sum(amounts) if amounts else None


def _with_value_added(items: tuple[Item, ...], rate: float | None) -> tuple[Item, ...]:
    gross = [row for row in items if row.item == "gross_output_value"]
    if rate is None or not gross or any(row.item == "value_added" for row in items):
        return items
    amount = sum(row.amount for row in gross) * rate
    return (*items, Item(item="value_added", amount=amount, unit="CNY"))


def _enterprise(raw: Mapping[str, Any], known: Registers, faults: Faults) -> str:
    name = str(raw.get("enterprise", ""))
    if name not in known.enterprises:
        near = difflib.get_close_matches(name, known.enterprises, n=1)
        cure = f"did you mean {near[0]}?" if near else "register the enterprise first"
        faults.add("enterprise", name, "not registered", cure)
    return name


def _period(raw: Mapping[str, Any], faults: Faults) -> Period | None:
    cure = "write a month 2026-03 or 2026-JF for January and February merged"
    try:
        period = Period.parse(str(raw.get("period", "")))
    except InputError as error:
        faults.add("period", raw.get("period"), str(error), cure)
        return None
    if period.kind not in ("month", "january-february"):
        faults.add("period", raw.get("period"), f"a {period.kind} is no period of a return", cure)
        return None
    return period


def _number(
    raw: Mapping[str, Any], key: str, faults: Faults, allowed: str, fits: Callable[[float], bool]
) -> float | None:
    value = raw.get(key)
    if value is None or value == "":
        return None
    number = _float(value)
    if number is None or not fits(number):
        faults.add(key, value, "not allowed", allowed)
        return None
    return number


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _restated(raw: Mapping[str, Any], faults: Faults) -> dict[str, float]:
    allowed = {*MONEY, *(f"output:{product}" for product in PRODUCTS)}
    restated, given = {}, raw.get("restated") or {}
    if not isinstance(given, Mapping):
        faults.add("restated", given, "no table", "write a table {figure: last year's number}")
        return {}
    for name, value in given.items():
        number = _float(value)
        if name not in allowed:
            faults.add("restated", name, "unknown figure", f"use {', '.join(sorted(allowed))}")
        elif number is None or number < 0:
            faults.add("restated", value, f"{name} is not a number >= 0", "in t or CNY")
        else:
            restated[name] = number
    return restated


def _items(
    raw: Mapping[str, Any], enterprise: str, known: Registers, faults: Faults
) -> tuple[Item, ...]:
    rows = raw.get("items")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        faults.add("items", None, "no rows", "give rows {item, product, amount, unit, ...}")
        return ()
    read_rows = [_item(row, enterprise, known, faults) for row in rows]
    items = tuple(item for item in read_rows if item is not None)
    keys = [(item.site, item.stream) for item in items]
    for site, stream in {key for key in keys if keys.count(key) > 1}:
        faults.add("item", f"{site} {stream}".strip(), "given twice", "give each figure once")
    return items


def _item(row: Mapping[str, Any], enterprise: str, known: Registers, faults: Faults) -> Item | None:
    before = len(faults.found)
    if not isinstance(row, Mapping):
        faults.add("items", row, "is no row", "give rows {item, product, amount, unit, ...}")
        return None
    if unknown := set(row) - set(_ITEM_KEYS):
        faults.add(min(unknown), None, "unknown column of a row", f"use {', '.join(_ITEM_KEYS)}")
    what, product = str(row.get("item", "")), str(row.get("product") or "")
    if what not in ITEMS:
        faults.add("item", what, "unknown item", f"use {', '.join(ITEMS)}")
        return None
    if what in ("output", "line_output") and product not in PRODUCTS:
        faults.add("product", product, "unknown product", f"use {', '.join(PRODUCTS)}")
    site, line = str(row.get("site") or ""), str(row.get("line") or "")
    boundary = str(row.get("boundary") or "")
    if what.startswith("line_"):
        _check_line(what, (site, line, product, boundary), enterprise, known, faults)
    amount = _amount(row, what, faults)
    if amount is None or len(faults.found) > before:
        return None
    return Item(item=what, amount=amount, unit=_DIMENSION[what], product=product, site=site,
                line=line, boundary=boundary)  # fmt: skip


def _check_line(
    what: str, named: tuple[str, str, str, str], enterprise: str, known: Registers, faults: Faults
) -> None:
    site, line, product, boundary = named
    owner, made = known.lines.get((site, line), ("", ""))
    if not owner:
        lines = sorted(" ".join(key) for key, (who, _) in known.lines.items() if who == enterprise)
        cure = f"lines: {', '.join(lines) or 'none'}"
        faults.add("line", f"{site} {line}", "not registered", cure)
    elif owner != enterprise:
        faults.add("site", site, f"belongs to {owner}", "file it in that enterprise's return")
    elif what == "line_output" and product != made:
        faults.add("product", product, f"line {line} makes {made}", f"write {made}")
    if what == "line_energy" and boundary not in BOUNDARIES:
        faults.add("boundary", boundary, "unknown boundary", f"use {', '.join(BOUNDARIES)}")


def _amount(row: Mapping[str, Any], what: str, faults: Faults) -> float | None:
    number, unit = _float(row.get("amount")), str(row.get("unit") or "")
    if number is None:
        faults.add("amount", row.get("amount"), "no number", "write digits, 0 if there was none")
        return None
    if number < 0 and what != "value_added":
        faults.add("amount", number, "negative", "an amount is 0 or positive")
    try:
        scale = factor(unit, _DIMENSION[what])
    except InputError as error:
        wanted = _DIMENSION[what]
        faults.add("unit", unit, str(error), f"{what} is in {wanted} or a multiple of it")
        return None
    amount = number * scale
    if not math.isfinite(amount):
        faults.add("amount", number, f"too large in {unit}", "check number and unit")
        return None
    return amount
