"""Quantity: a number with its unit and its standard deviation; and the one unit registry.

The ledger keeps each dimension in one unit (`CANONICAL`): t, MWh, m3, CNY, kA.h.
Everything else is converted where it enters or leaves.
"""

from dataclasses import dataclass
from functools import lru_cache

import pint

from cupral.ledger.errors import InputError

CANONICAL = ("t", "MWh", "m3", "CNY", "kA*h", "1", "K", "V")
"""The units in which the ledger keeps amounts."""

_ALIASES = {
    "吨": "t", "万吨": "10kt", "千克": "kg", "公斤": "kg", "克": "g", "千吨": "1000t",
    "千瓦时": "kWh", "万千瓦时": "10MWh", "兆瓦时": "MWh", "度": "kWh", "亿千瓦时": "100GWh",
    "立方米": "m3", "标准立方米": "m3", "Nm3": "m3", "m³": "m3", "万立方米": "10000m3",
    "元": "CNY", "万元": "10000CNY", "亿元": "100MCNY", "吉焦": "GJ",
    "kAh": "kA*h", "kA.h": "kA*h", "": "1",
}  # fmt: skip


@lru_cache(maxsize=1)
def _registry() -> "pint.UnitRegistry[float]":
    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("CNY = [money] = yuan")
    return registry


@lru_cache(maxsize=1024)
def _parsed(unit: str) -> "pint.Quantity[float]":
    text = _ALIASES.get(unit.strip(), unit.strip())
    leading = "".join(character for character in text if character in "0123456789")
    plain = {"10kt": "1e4 t", "1000t": "1e3 t",
             "10MWh": "10 MWh", "100GWh": "100 GWh", "10000m3": "1e4 m**3",
             "10000CNY": "1e4 CNY", "100MCNY": "1e8 CNY"}  # fmt: skip
    if leading and text in plain:
        text = plain[text]
    text = text.replace("m3", "m**3") if "m**3" not in text else text
    try:
        return _registry().Quantity(1.0, "") if text == "1" else _registry().parse_expression(text)
    except (pint.errors.PintError, ValueError, TypeError, AttributeError, SyntaxError):
        raise InputError(
            f"unit {unit!r} is not known; write for example t, kg, MWh, kWh, GJ, m3, CNY, 万元"
        ) from None
    except Exception as error:  # pint raises tokenizer errors of several kinds on odd text
        raise InputError(f"unit {unit!r} cannot be read ({type(error).__name__})") from None


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


def _quantity(unit: str) -> "pint.Quantity[float]":
    parsed = _parsed(unit)
    if not hasattr(parsed, "units"):
        return _registry().Quantity(float(parsed), "")
    if _registry().Quantity(0.0, parsed.units).to_base_units().magnitude != 0.0:
        raise InputError(f"unit {unit!r} has another zero than its base unit; convert to K first")
    return parsed


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
