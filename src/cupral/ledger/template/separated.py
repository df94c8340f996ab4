"""Bytes of a CSV file become numbered rows of text: encoding, delimiter, quotes."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

from cupral.ledger.errors import Fault

ROW_LIMIT = 500_000
COLUMN_LIMIT = 100
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SIGNS = "".join(sorted({start for start in _STARTS_FORMULA if not start.isspace()}))
_WITHIN = re.compile(rf"(;[\s\"]*)(?='*[{re.escape(_SIGNS)}])")
_GUARDED_WITHIN = re.compile(rf"(;[\s\"]*)'(?='*[{re.escape(_SIGNS)}])")
_UTF8 = "save the file as 'CSV UTF-8' and try again"


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells with the number a person sees beside each, or the faults that forbid them."""

    rows: tuple[tuple[int, tuple[Any, ...]], ...] = ()
    faults: tuple[Fault, ...] = ()
    name: str = ""


def guard(text: str) -> str:
    """Text that a spreadsheet will show and never compute; `unguarded` takes it back.

    Also behind a semicolon, where some spreadsheets begin the next cell.

    Examples
    --------
    >>> guard("=1+1"), guard("-12.5"), guard("matte"), guard("Cu; =1+1")
    ("'=1+1", '-12.5', 'matte', "Cu; '=1+1")
    >>> unguarded(guard("=1+1")), unguarded(guard("'=1+1")), unguarded("'90s")
    ('=1+1', "'=1+1", "'90s")
    """
    within = _WITHIN.sub(r"\1'", text)
    if not within.lstrip("'").startswith(_STARTS_FORMULA) or _is_number(within):
        return within
    return f"'{within}"


def unguarded(text: str) -> str:
    """The text before it was guarded."""
    guarded = text.startswith("'") and text.lstrip("'").startswith(_STARTS_FORMULA)
    plain = text[1:] if guarded else text
    return _GUARDED_WITHIN.sub(r"\1", plain) if ";" in plain else plain


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text and text.isascii()


def broken(what: str, cure: str, row: int | None = None, value: str = "") -> Grid:
    """A grid that could not be read."""
    return Grid(faults=(Fault(row, None, value, what, cure),))


def separated(content: bytes) -> Grid:
    """Rows of a text file whose cells are separated by comma, semicolon or tab."""
    text = _decoded(content)
    if isinstance(text, Grid):
        return text
    if match := _CONTROL.search(text):
        line = text.count("\n", 0, match.start()) + 1
        return broken(
            f"holds a character that no text has (U+{ord(match[0]):04X})",
            "the file is damaged or not a text file; export it again as CSV UTF-8",
            line,
        )
    first = _first_line(text)
    if delimiter := _delimiter(first):
        return _split(text, delimiter)
    if "，" in first or "；" in first:
        return broken(
            "the cells are separated by Chinese commas (，)",
            "separate the cells with the ASCII comma (,)",
            1,
            first[:60],
        )
    return _split(text, ",")


def _decoded(content: bytes) -> str | Grid:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _strict(content[len(bom) :], encoding)
    head = content[:2000]
    if head and head[1::2].count(0) > 0.4 * len(head) / 2:
        return _strict(content, "utf-16-le")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        try:
            return content.decode("gb18030")
        except UnicodeDecodeError:
            return broken("is neither UTF-8 nor GB18030 text", _UTF8, line)


def _strict(content: bytes, encoding: str) -> str | Grid:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return broken(f"the byte order mark says {encoding} but this line is not", _UTF8, line)


def _first_line(text: str) -> str:
    lines = [line for line in re.split(r"\r\n|\r|\n", text[:20000]) if line.strip(' ,;\t"')]
    if lines and lines[0].lower().startswith("sep="):
        return lines[0][4:5] or ","
    return max(lines[:10], key=lambda line: max(map(line.count, ",;\t")), default="")


def _delimiter(line: str) -> str:
    best = max(("\t", ";", ","), key=line.count)
    return best if line.count(best) else ""


def _split(text: str, delimiter: str) -> Grid:
    rows: list[tuple[int, tuple[Any, ...]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > COLUMN_LIMIT:
                what = f"the row has {len(cells):,} cells"
                return broken(what, f"write at most {COLUMN_LIMIT} columns", line)
            rows.append((line, tuple(map(unguarded, cells))))
            line = reader.line_num + 1
            if len(rows) > ROW_LIMIT:
                what = f"has more than {ROW_LIMIT:,} rows"
                return broken(what, "split the file by month or meter", line)
    except csv.Error as error:
        if "field limit" in str(error):
            return broken(
                f"holds a cell of more than {csv.field_size_limit():,} characters",
                "shorten the cell; if it should be short, a quotation mark before it is not closed",
                line,
            )
        return broken(
            f"quotation marks do not match ({error})",
            "close the quotation mark, or remove quotation marks from the cell",
            line,
        )
    if rows and len(rows[0][1]) >= 1 and rows[0][1][0].lower().startswith("sep="):
        rows = rows[1:]
    return Grid(tuple(rows))
