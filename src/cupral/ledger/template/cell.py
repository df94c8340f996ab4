"""One cell: text (or what a workbook holds) becomes a value, or a fault with a cure."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from cupral.ledger.errors import InputError
from cupral.ledger.period import Period
from cupral.ledger.quantity import canonical_unit
from cupral.ledger.template.column import Column, Kind

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_EXCEL_ERRORS = ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!")
_NO_VALUE = ("nan", "na", "n/a", "null", "none", "-", "--", "/", "\\", "—", "无", "缺", "缺失", "?")
_INFINITE = ("inf", "+inf", "-inf", "infinity", "-infinity", "∞")
_YES = ("1", "y", "yes", "true", "是", "√", "有", "x")
_NO = ("0", "n", "no", "false", "否", "×", "无")
_SERIAL_ORIGIN = datetime(1899, 12, 30)
_YEARS = range(1990, 2101)
LARGEST = 1e15
"""No meter, invoice or statistic of an industry is larger."""


_PLAIN: Mapping[int, int | str] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0x00A0, 0x2007, 0x2009, 0x202F, 0x3000), " "),
}
"""Full-width forms and wide blanks, and what they stand for."""
_COUNTED = ("number", "censored", "date", "period")
"""Kinds of cells in which 10³ must not become 103."""


class CellFault(Exception):
    """A cell cannot be taken; says what is wrong and how to cure it."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what, self.cure = what, cure


@dataclass(frozen=True, slots=True)
class Below:
    """A laboratory wrote '<limit'."""

    limit: float


def tidy(cell: Any) -> str:
    """Text of a cell with full-width characters made plain and blanks stripped.

    Other characters that resemble plain ones (superscripts, circled digits) are left alone.

    Examples
    --------
    >>> tidy(" １２．５　"), tidy("10³")
    ('12.5', '10³')
    """
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < LARGEST:
        return str(int(cell))
    return str(cell).translate(_PLAIN).strip().strip("\ufeff\u200b")


def parse(column: Column, cell: Any) -> Any:
    """The value of a cell of this column.

    Raises
    ------
    CellFault
        With what is wrong and the cure.
    """
    text = tidy(cell)
    if text.upper() in _EXCEL_ERRORS:
        raise CellFault(
            f"the spreadsheet's formula failed ({text})",
            "repair the formula and paste its value, or leave the cell empty",
        )
    if column.kind not in _COUNTED:
        text = unicodedata.normalize("NFKC", text)
    elif strange := [sign for sign in text if sign.isdigit() and not sign.isascii()]:
        raise CellFault(
            f"holds {strange[0]!r}, which is no plain digit",
            "write the number with the digits 0-9 only, e.g. 1000 for 10³",
        )
    return _PARSERS[column.kind](column, cell, text)


def _text(_column: Column, _cell: Any, text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise CellFault("holds a control character (line break, tab)", "delete it from the cell")
    if len(text) > 500:
        raise CellFault(f"is {len(text)} characters long", "write at most 500 characters")
    return text


def _number(column: Column, cell: Any, text: str) -> float:
    value = float(cell) if _is_number(cell) else _spelled(column, cell, text)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise CellFault(
            f"is larger than any amount can be ({LARGEST:g})",
            "check the digits, the exponent and the unit",
        )
    if column.minimum is not None and value < column.minimum:
        raise CellFault(
            f"{'is negative' if value < 0 <= column.minimum else 'is too small'};"
            f" {column.header} must be at least {column.minimum:g}",
            "write the amount without sign; a flow in the other direction is another stream"
            if column.minimum == 0
            else f"write at least {column.minimum:g}",
        )
    if column.maximum is not None and value > column.maximum:
        raise CellFault(f"is above {column.maximum:g}", f"write at most {column.maximum:g}")
    return value


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _spelled(column: Column, cell: Any, text: str) -> float:
    if isinstance(cell, bool | datetime | time | timedelta):
        raise CellFault(
            f"is a {type(cell).__name__} in the spreadsheet, not a number",
            f"set the cell's format to number and type the number, e.g. {column.example or '12.5'}",
        )
    if _NUMBER.fullmatch(text):
        return float(text)
    raise _misspelled(text)


def _misspelled(text: str) -> CellFault:
    if text.casefold() in _INFINITE:
        return CellFault("is infinite", "write the number the meter showed")
    if text.casefold() in _NO_VALUE:
        return CellFault(
            "stands for 'no value' but is not a number",
            "delete the row if nothing was measured; write 0 only if nothing flowed",
        )
    shapes: tuple[tuple[str, str, str], ...] = (
        (r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?",
         "has commas between the digits: thousands separators or a decimal comma",
         f"write {text.replace(',', '')} (no separators) or, for a decimal comma, use a point"),
        (r"[+-]?\d{1,3}(\.\d{3})+,\d+", "uses points for thousands and a decimal comma",
         f"write {text.replace('.', '').replace(',', '.')}"),
        (r"[+-]?\d*,\d+", "uses a decimal comma", f"write {text.replace(',', '.')}"),
        (r"[+-]?\d{1,3}([ '_]\d{3})+(\.\d+)?", "has separators between the digits",
         f"write {re.sub('[^0-9.+-]', '', text)}"),
        (r"[<≤>≥].*", "is a limit, not an amount",
         "limits ('<0.01') are allowed for assays only; write the number"),
        (r"[~≈约].*", "is an approximation",
         "write the number; the meter's sd says how sure it is"),
        (r"[+-]?[\d.]+\s*%", "is a percentage",
         "write the number alone and the unit in the unit column"),
        (r"[+-]?[\d.]+\s*[^\d\s.,].*", "has text or a unit behind the number",
         "write the number alone and the unit in the unit column"),
        (r"=.*", "is a formula", "paste the value of the formula"),
    )  # fmt: skip
    for pattern, what, cure in shapes:
        if re.fullmatch(pattern, text, re.DOTALL):
            return CellFault(what, cure)
    return CellFault("is not a number", "write digits with a decimal point, e.g. 1234.5")


def _censored(column: Column, cell: Any, text: str) -> float | Below:
    if isinstance(cell, str) and text[:1] in "<≤":
        limit = _number(column, text[1:].strip(), text[1:].strip())
        if limit <= 0:
            raise CellFault("names no limit of detection", "write '<' and the limit, e.g. <0.01")
        return Below(limit)
    return _number(column, cell, text)


_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T ]+(\d{1,2})[:时](\d{2})分?(?::(\d{2})(\.0+)?)?)?"
)


def _date(_column: Column, cell: Any, text: str) -> datetime:
    if isinstance(cell, datetime):
        return _plausible(cell)
    if match := _DATE.fullmatch(text):
        return _plausible(_made([int(part or 0) for part in match.groups()[:6]]))
    raise _no_date(text)


def _made(parts: list[int]) -> datetime:
    try:
        if parts[3:] == [24, 0, 0]:
            return datetime(*parts[:3]) + timedelta(days=1)  # type: ignore[arg-type]
        return datetime(*parts)  # type: ignore[arg-type]
    except (ValueError, OverflowError) as error:
        raise CellFault(
            f"does not exist in the calendar ({error})", "write a real date, e.g. 2026-02-28"
        ) from None


def _plausible(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise CellFault(
            f"lies in the year {moment.year}",
            f"dates lie in {_YEARS[0]}-{_YEARS[-1]}; check the digits",
        )
    return moment.replace(microsecond=0)


def _no_date(text: str) -> CellFault:
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        meant = _SERIAL_ORIGIN + timedelta(days=float(text))
        return CellFault(
            f"is an Excel date number (it would be {meant:%Y-%m-%d})",
            f"format the column as a date, or write {meant:%Y-%m-%d}",
        )
    if re.fullmatch(r"\d{4}[-/年]\d{1,2}月?", text):
        return CellFault("is a month, not a date", "write the day too, or use the period column")
    if re.search(r"(Z|[+-]\d{2}:?\d{2})$", text) and ":" in text:
        return CellFault("carries a time zone", "write plant time (UTC+8) without a zone")
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", text):
        return CellFault(
            "may mean two dates (day or month first)", "write year-month-day, e.g. 2026-03-01"
        )
    return CellFault("is not a date", "write year-month-day, e.g. 2026-03-01 or 2026-03-01 08:00")


def _period(_column: Column, cell: Any, text: str) -> Period:
    if isinstance(cell, datetime):
        raise CellFault(
            "was turned into a date by the spreadsheet, so month or day is not clear",
            f"set the format to text and write {cell:%Y-%m} or {cell:%Y-%m-%d}",
        )
    if match := re.fullmatch(r"(\d{4})[年/.](\d{1,2})月?", text):
        if "." in text and len(match[2]) == 1:
            raise CellFault("may be January or October", f"write {match[1]}-01 or {match[1]}-10")
        text = f"{match[1]}-{int(match[2]):02d}"
    if re.fullmatch(r"(19|20)\d{4}", text):
        text = f"{text[:4]}-{text[4:]}"
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        raise _no_date(text)
    try:
        period = Period.parse(text.replace("/", "-") if re.fullmatch(r"[\d/]+", text) else text)
    except InputError as error:
        raise CellFault(f"is no period ({error})", "write e.g. 2026-03 or 2026-03-01") from None
    _plausible(period.start)
    return period


def _unit(column: Column, _cell: Any, text: str) -> str:
    if text in column.allowed:
        return text
    try:
        canonical_unit(text)
    except InputError as error:
        raise CellFault(
            f"is no unit known here ({error})", "write e.g. t, kg, MWh, kWh, GJ, m3"
        ) from None
    return text


def _choice(column: Column, _cell: Any, text: str) -> str:
    for word in column.allowed:
        if text.casefold() == word.casefold():
            return word
    raise CellFault(
        f"is not one of the words allowed for {column.header}",
        f"write one of: {', '.join(column.allowed)}",
    )


def _flag(column: Column, cell: Any, text: str) -> bool:
    if isinstance(cell, bool):
        return cell
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise CellFault(f"{column.header} must be yes or no", "write yes/no, 是/否, or leave it empty")


_PARSERS: Mapping[Kind, Callable[[Column, Any, str], Any]] = {
    "text": _text,
    "number": _number,
    "censored": _censored,
    "date": _date,
    "period": _period,
    "unit": _unit,
    "choice": _choice,
    "flag": _flag,
}
