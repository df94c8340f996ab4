"""Figures: how numbers are written on a page."""

import json
import math
from typing import Any
from urllib.parse import quote, urlencode

MINUS = "\u2212"
NOTHING = "—"


def number(value: Any, digits: int | None = None) -> str:
    """A number for reading: thousands apart, four or five figures, a true minus.

    Examples
    --------
    >>> number(1703251.4), number(35.25), number(-0.0042), number(None)
    ('1,703,251', '35.25', '−0.0042', '—')
    >>> number(3.1e-12), number(12950.0), number(1.5, 0)
    ('3.1e−12', '12,950', '2')
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return NOTHING
    return _written(float(value), digits).replace("-", MINUS)


def _written(value: float, digits: int | None) -> str:
    size = abs(value)
    if digits is not None:
        return f"{value:,.{digits}f}"
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e15:
        return f"{value:.2g}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def signed(value: Any, digits: int | None = None) -> str:
    """A difference, with its sign always shown."""
    shown = number(value, digits)
    known = isinstance(value, int | float) and value > 0
    return f"+{shown}" if known else shown


def within(value: Any, sd: Any) -> str:
    """A difference with no more digits than its uncertainty warrants, sign shown.

    Examples
    --------
    >>> within(-1.46232, 0.30), within(-1462.32, 137.6), within(0.123456, None)
    ('−1.46', '−1,462', '+0.1235')
    """
    return signed(value, places(sd))


def places(sd: Any) -> int | None:
    """Decimals of a figure with an uncertainty: two of its digits; None without one.

    Examples
    --------
    >>> places(0.30), places(137.6), places(0.0)
    (2, 0, None)
    """
    known = isinstance(sd, int | float) and sd > 0
    return max(0, 1 - math.floor(math.log10(sd))) if known else None


def percent(value: Any, digits: int = 1) -> str:
    """A share of one as per cent.

    Examples
    --------
    >>> percent(0.3526), percent(None)
    ('35.3 %', '—')
    """
    return NOTHING if value is None else f"{number(100 * value, digits)} %"


def percent_points(value: Any) -> str:
    """A change of a share in percentage points, sign shown.

    Examples
    --------
    >>> percent_points(-0.0307)
    '−3.07'
    """
    return NOTHING if value is None else signed(100 * value, 2)


def shown(value: Any) -> str:
    """Any value of a small table as text."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    return number(value)


def link(path: str, /, **arguments: Any) -> str:
    """An address with its arguments; empty ones are left out.

    Examples
    --------
    >>> link("/why", reference="flows:a/1", month=None)
    '/why?reference=flows%3Aa%2F1'
    """
    given = {name: value for name, value in arguments.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, quote_via=quote, safe='')}" if given else path
