"""Quantity: a number with its unit and its standard deviation; and the one unit registry.

The ledger keeps each dimension in one unit (`CANONICAL`): t, MWh, m3, CNY, kA.h.
Everything else is converted where it enters or leaves.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import pint

from cupral.ledger.errors import InputError

CANONICAL = ("t", "MWh", "m3", "CNY", "kA*h", "1", "K", "V")
"""The units in which the ledger keeps amounts."""

_ALIASES = {
    "吨": (1.0, "t"), "千吨": (1e3, "t"), "万吨": (1e4, "t"), "千克": (1.0, "kg"),
    "公斤": (1.0, "kg"), "克": (1.0, "g"), "度": (1.0, "kWh"), "千瓦时": (1.0, "kWh"),
    "万千瓦时": (10.0, "MWh"), "兆瓦时": (1.0, "MWh"), "亿千瓦时": (1e5, "MWh"),
    "吉焦": (1.0, "GJ"), "立方米": (1.0, "m3"), "标准立方米": (1.0, "m3"), "Nm3": (1.0, "m3"),
    "m³": (1.0, "m3"), "万立方米": (1e4, "m3"), "元": (1.0, "CNY"), "万元": (1e4, "CNY"),
    "百万元": (1e6, "CNY"), "亿元": (1e8, "CNY"), "十亿元": (1e9, "CNY"),
    "kAh": (1.0, "kA*h"), "kA.h": (1.0, "kA*h"),
}  # fmt: skip
_NAME = r"[A-Za-zµμ°Ω%_]+"
_TERM = rf"(?:1|{_NAME}(?:(?:(?:\^|\*\*)-?)?[1-9])?)"
_WRITTEN = re.compile(rf"(?a:{_TERM}(?: ?[*/] ?{_TERM}| {_TERM})*)")
"""Names with small powers, multiplied and divided: nothing else of a text is worked out."""
_MOST_LETTERS = 60


@lru_cache(maxsize=1)
def _registry() -> "pint.UnitRegistry[float]":
    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("CNY = [money] = yuan")
    return registry


@lru_cache(maxsize=1024)
def _quantity(unit: str) -> "pint.Quantity[float]":
    """One of a unit.

    Raises
    ------
    InputError
        If it is unknown, could mean several things, or has another zero than its base unit.
    """
    scale, text = _ALIASES.get(unit.strip(), (1.0, unit.strip()))
    if len(text) > _MOST_LETTERS or not _WRITTEN.fullmatch(text):
        raise _unknown(unit)
    try:
        parsed = _registry().parse_units(re.sub(rf"({_NAME})([1-9])", r"\1**\2", text))
        quantity = _registry().Quantity(scale, parsed)
        base = quantity.to_base_units().magnitude
        zero = _registry().Quantity(0.0, parsed).to_base_units().magnitude
    except (pint.errors.PintError, ValueError, OverflowError, ZeroDivisionError):
        raise _unknown(unit) from None
    _refuse_ton(text)
    if zero != 0.0:
        raise InputError(f"unit {unit!r} has another zero than its base unit; convert to K first")
    if not 0.0 < base < math.inf:
        raise _unknown(unit)
    return quantity


def _unknown(unit: str) -> InputError:
    return InputError(
        f"unit {unit[:_MOST_LETTERS]!r} is not known; write for example t, kg, MWh, kWh, GJ, m3,"
        " CNY, 万元"
    )


def _refuse_ton(text: str) -> None:
    """The registry's ton is the North American one, which nobody here means."""
    for name in re.findall(_NAME, text):
        for _, root, _ in _registry().parse_unit_name(name):
            if root == "ton" and not name.startswith(("short_", "long_")):
                raise InputError(
                    "'ton' may be 907, 1000 or 1016 kg; write t for the tonne of 1000 kg,"
                    " short_ton or long_ton for the others"
                )


@lru_cache(maxsize=1024)
def factor(unit: str, into: str) -> float:
    """How many `into` one `unit` is.

    Raises
    ------
    InputError
        If a unit is unknown or the two measure different things.

    Examples
    --------
    >>> factor("kWh", "MWh")
    0.001
    >>> factor("万吨", "t")
    10000.0
    """
    if unit == into:
        return 1.0
    try:
        return float(_quantity(unit).to(_quantity(into).units).magnitude) / float(
            _quantity(into).magnitude
        )
    except pint.errors.DimensionalityError:
        raise InputError(f"{unit!r} cannot be converted to {into!r}: different dimension") from None


@lru_cache(maxsize=1024)
def canonical_unit(unit: str) -> str:
    """The unit in which the ledger keeps what `unit` measures."""
    dimension = _quantity(unit).dimensionality
    for candidate in CANONICAL:
        if _quantity(candidate).dimensionality == dimension:
            return candidate
    raise InputError(f"unit {unit!r} measures nothing that the ledger keeps ({CANONICAL})")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with unit and standard uncertainty."""

    value: float
    unit: str
    sd: float = 0.0

    def to(self, unit: str) -> "Quantity":
        """The same quantity in another unit."""
        scale = factor(self.unit, unit)
        return Quantity(self.value * scale, unit, abs(self.sd * scale))

    def __str__(self) -> str:
        spread = f" ± {self.sd:.3g}" if self.sd else ""
        return f"{self.value:,.6g}{spread} {self.unit}"
