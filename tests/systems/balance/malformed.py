"""Meter files that are wrong, each with the place and the words of the fault it must cause."""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HEAD = "meter,period,amount,unit"
TIMED = "meter,start,end,amount"
COUNTER = "meter,start,end,opening,closing,rollovers"


@dataclass(frozen=True)
class Malformed:
    """One wrong file."""

    name: str
    content: bytes
    row: int | None
    column: str | None
    what: str
    cure: str
    filename: str = "file.csv"


def text(*lines: str, head: str = HEAD, encoding: str = "utf-8") -> bytes:
    """A CSV file."""
    return ("\n".join((head, *lines)) + "\n").encode(encoding)


def cell(name: str, value: str, what: str, cure: str, *, column: str = "amount") -> Malformed:
    """A file whose second row has one wrong cell."""
    row = {"meter": "F1", "period": "2026-03", "amount": "100", "unit": "t"} | {column: value}
    line = ",".join(f'"{v}"' if "," in v or "\n" in v else v for v in row.values())
    good = "P1,2026-03,90,t"
    return Malformed(name, text(good, line), 3, column, what, cure)


def book(change: Callable[[Worksheet, Workbook], Any], *rows: list[Any]) -> bytes:
    """An XLSX file with one change."""
    made = Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "meters"
    for row in [HEAD.split(","), ["F1", "2026-03", 100.0, "t"], *rows]:
        sheet.append(row)
    change(sheet, made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def zipped(parts: dict[str, bytes], into: bytes = b"") -> bytes:
    """A ZIP archive, or an archive with further parts."""
    out = io.BytesIO(into)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def sheet(
    name: str, change: Callable[[Worksheet, Workbook], Any], row: int | None, column: str | None,
    what: str, cure: str, *rows: list[Any],
) -> Malformed:  # fmt: skip
    """A wrong workbook."""
    return Malformed(name, book(change, *rows), row, column, what, cure, "file.xlsx")


def put(where: str, value: Any) -> Callable[[Worksheet, Workbook], None]:
    """A change that writes one cell."""

    def change(sheet: Worksheet, _book: Workbook) -> None:
        sheet[where] = value

    return change


def second_sheet(sheet: Worksheet, book: Workbook) -> None:
    """Two sheets, none with the name of the template."""
    sheet.title = "März"
    book.create_sheet("April").append(["x"])


def hide_row(sheet: Worksheet, _book: Workbook) -> None:
    """A row that a filter hides."""
    sheet.row_dimensions[2].hidden = True


def hide_column(sheet: Worksheet, _book: Workbook) -> None:
    """A column that nobody sees."""
    sheet.column_dimensions["C"].hidden = True


def hide_sheet(_sheet: Worksheet, book: Workbook) -> None:
    """A sheet that nobody sees."""
    book.create_sheet("old").sheet_state = "hidden"


def nothing(_sheet: Worksheet, _book: Workbook) -> None:
    """No change."""


NO_VALUE = "stands for 'no value'"
CELLS = (
    cell("decimal comma in quotes", "12,5", "decimal comma", "write 12.5"),
    cell("thousands separators", "1,234.5", "commas between the digits", "1234.5"),
    cell("thousands or decimal comma", "1,234", "thousands separators or a decimal comma", "1234"),
    cell("German number", "1.234,5", "points for thousands", "write 1234.5"),
    cell("blank between digits", "1 234", "separators between the digits", "1234"),
    cell("NaN", "NaN", NO_VALUE, "delete the row"),
    cell("infinite", "inf", "infinite", "the number the meter showed"),
    cell("N/A of a spreadsheet", "#N/A", "formula failed", "repair the formula"),
    cell("broken reference", "#REF!", "formula failed", "paste its value"),
    cell("division by zero", "#DIV/0!", "formula failed", "repair the formula"),
    cell("dash for missing", "-", NO_VALUE, "write 0 only if nothing flowed"),
    cell("Chinese word for missing", "无", NO_VALUE, "delete the row"),
    cell("negative amount", "-5", "negative", "another stream"),
    cell("number too large", "1e400", "larger than any amount", "check the digits"),
    cell("number absurdly large", "1e16", "larger than any amount", "the unit"),
    cell("unit behind the number", "100 t", "unit behind the number", "unit column"),
    cell("percentage", "45%", "percentage", "unit column"),
    cell("below detection", "<5", "is a limit", "assays only"),
    cell("approximate", "~100", "approximation", "sd"),
    cell("formula as text", "=1+1", "formula", "paste the value"),
    cell("words", "about hundred", "not a number", "decimal point"),
    cell("Chinese numeral", "一百", "not a number", "decimal point"),
    cell("hexadecimal", "0x10", "unit behind", "unit column"),
    cell("empty amount", "", "amount is empty", "amount of the period"),
    cell("month 13", "2026-13", "no period", "2026-03", column="period"),
    cell("30 February", "2026-02-30", "no period", "2026-03-01", column="period"),
    cell("date number of Excel", "46082", "Excel date number", "2026-03-01", column="period"),
    cell("ambiguous month", "2026.1", "January or October", "2026-10", column="period"),
    cell("day first", "03/04/2026", "no period", "write e.g.", column="period"),
    cell("year of the wrong century", "1026-03", "year 1026", "1990-2100", column="period"),
    cell("period empty", "", "no period and no start", "2026-03", column="period"),
    cell("backwards months", "2026-05..2026-03", "no period", "2026-03", column="period"),
    cell("meter unknown", "F2", "no flow meter 'F2'", "use one of", column="meter"),
    cell("meter of another site", "N1", "belongs to site 'neighbour'", "own site", column="meter"),
    cell("meter of another kind", "A1", "kind 'assay'", "assay template", column="meter"),
    cell("meter empty", "", "cell is empty", "id of the meter", column="meter"),
    cell("line break in a name", "F\n1", "control character", "delete it", column="meter"),
    cell("name of 600 letters", "F" * 600, "600 characters", "at most 500", column="meter"),
    cell("unit of another dimension", "kWh", "different dimension", "write t", column="unit"),
    cell("unit unknown", "bushels7", "no unit known", "MWh", column="unit"),
    cell("money for a mass", "CNY", "different dimension", "write t", column="unit"),
)

_GOOD = "F1,2026-03,100,t"
TEXTS = (
    Malformed("empty file", b"", None, None, "empty", "choose the file"),
    Malformed("blank file", b"\xef\xbb\xbf \r\n\r\n", None, None, "empty", "choose the file"),
    Malformed("header only", text(), 1, None, "no row below", "at least one row"),
    Malformed("no header", text(head=_GOOD), 1, "F1", "no column is called 'F1'", "rename"),
    Malformed("missing column", text("2026-03,1", head="period,amount"), 1, "计量点",
              "'计量点' (meter) is missing", "add it"),
    Malformed("misspelt header", text(_GOOD, head="meter,period,amout,unit"), 1, "amout",
              "did you mean 'amount'", "rename"),
    Malformed("unknown column", text(_GOOD + ",x", head=HEAD + ",colour"), 1, "colour",
              "no column is called 'colour'", "delete it"),
    Malformed("header twice", text("F1,2026-03,1,2", head="meter,period,amount,数量"), 1, "数量",
              "two columns mean 'amount'", "delete or rename"),
    Malformed("column without header", text(_GOOD + ",9", head=HEAD + ","), 1, "column 5",
              "values but no header", "name it"),
    Malformed("too many cells", text(_GOOD, "F1,2026-04,1,5,t"), 3, None, "5 cells",
              "decimals need a point"),
    Malformed("too few cells", text(_GOOD, "P1,2026-03"), 3, None, "2 cells", "stays empty"),
    Malformed("quotation mark open", text('"F1,2026-03,100,t'), 2, None,
              "quotation marks do not match", "close the quotation mark"),
    Malformed("Chinese commas", "计量点，期间，数量\nF1，2026-03，1\n".encode(), 1, None,
              "Chinese commas", "ASCII comma"),
    Malformed("NUL byte", text("F1,2026-03,1\x00,t"), 2, None, "U+0000", "damaged"),
    Malformed("binary junk", bytes(range(1, 256)) * 9, None, None, "", ""),
    Malformed("UTF-8 mark, other bytes", b"\xef\xbb\xbf" + text("F1,2026-03,1,吨", encoding="gbk"),
              2, None, "byte order mark says utf-8", "CSV UTF-8"),
    Malformed("no encoding fits", b"meter,period,amount\nF1,2026-03,\xff\xff\n", 2, None,
              "neither UTF-8 nor GB18030", "CSV UTF-8"),
    Malformed("replacement character", text("F1,2026-03,1,\ufffd"), 2, None, "U+FFFD", "damaged"),
    Malformed("row given twice", text(_GOOD, _GOOD), 3, "start", "repeats the time of row 2",
              "delete one"),
    Malformed("overlapping periods", text(_GOOD, "F1,2026-03-05,3,t"), 3, "start",
              "overlaps row 2", "where the one before ends"),
    Malformed("gap between readings", text(_GOOD, "F1,2026-05,90,t"), 3, "start",
              "no row from 2026-04-01", "accept_gaps"),
    Malformed("end before start", text("F1,2026-03-05,2026-03-01,4", head=TIMED),
              2, "end", "not after the start", "swap"),
    Malformed("no end", text("F1,2026-03-05,,4", head=TIMED), 2, "end",
              "no period and no end", "write the period"),
    Malformed("period and other times",
              text("F1,2026-03,2026-03-02,4", head="meter,period,start,amount"), 2, "period",
              "say otherwise", "not both"),
    Malformed("date that does not exist",
              text("F1,2026-02-30,2026-03-01,4", head=TIMED), 2, "start",
              "does not exist", "real date"),
    Malformed("date with time zone",
              text("F1,2026-03-01T00:00Z,2026-04-01,4", head=TIMED), 2,
              "start", "time zone", "plant time"),
    Malformed("day or month first", text("F1,03/04/2026,2026-05-01,4", head=TIMED),
              2, "start", "two dates", "year-month-day"),
    Malformed("month as a date", text("F1,2026-03,2026-04-01,4", head=TIMED), 2,
              "start", "month, not a date", "period column"),
    Malformed("hour 25", text("F1,2026-03-01 25:00,2026-04-01,4", head=TIMED), 2,
              "start", "does not exist", "real date"),
    Malformed("units contradict", text("F1,2026-03,100,kg", head="meter,period,amount (t),unit"), 2,
              "unit", "different units", "one place"),
    Malformed("already posted", text("F1,2026-01,101,t"), 2, "amount", "already has 100",
              "correct"),
    Malformed("overlaps what is posted", text("F1,2026-01-15,3,t"), 2, "start", "in posting",
              "reverse that posting"),
    Malformed("web page", b"<html><table><tr><td>meter</td></tr></table></html>", None, None,
              "web page", "save it as .xlsx", "file.xls"),
    Malformed("JSON", b'{"meter": "F1"}', None, None, "is JSON", "CSV UTF-8", "file.json"),
    Malformed("PDF", b"%PDF-1.7 ...", None, None, "is a PDF", "CSV UTF-8", "file.pdf"),
    Malformed("old workbook", b"\xd0\xcf\x11\xe0" + b"\0" * 64, None, None, "old .xls",
              "without password", "file.xls"),
    Malformed("gzip", gzip.compress(b"meter"), None, None, "gzip", "CSV UTF-8", "file.csv"),
    Malformed("unknown ending", text(_GOOD), None, None, "ending 'dat'", ".csv or .xlsx", "a.dat"),
    Malformed("no ending", text(_GOOD), None, None, "ending ''", ".csv or .xlsx", "meters"),
    Malformed("text named xlsx", text(_GOOD), None, None, "the content is text", ".csv", "a.xlsx"),
)  # fmt: skip

_ENTITY = b"<!DOCTYPE a [<!ENTITY b 'c'>]>"
_TIMES = "2026-03-01,2026-04-01"
COUNTERS = (
    Malformed("runs backwards", text(f"E1,{_TIMES},5000,4000,", head=COUNTER), 2, "closing",
              "runs backwards", "rollovers 1"),
    Malformed("backwards, no turn", text(f"E1,{_TIMES},900000,10,0", head=COUNTER), 2, "closing",
              "runs backwards", "replaced"),
    Malformed("turned twice", text(f"E1,{_TIMES},900000,10,2", head=COUNTER), 2, "rollovers",
              "passed zero 2 times", "more often"),
    Malformed("turn that cannot be", text(f"E1,{_TIMES},10,900000,1", head=COUNTER), 2,
              "rollovers", "cannot have passed zero", "write 0"),
    Malformed("above the counter", text(f"E1,{_TIMES},10,1000000,", head=COUNTER), 2, "closing",
              "starts again at 1e+06", "check the digits"),
    Malformed("no closing", text(f"E1,{_TIMES},10,,", head=COUNTER), 2, "closing",
              "closing value of counter E1 is empty", "both values"),
    Malformed("amount of a counter", text("E1,2026-03,77,"), 2, "amount", "E1 is a counter",
              "opening and closing"),
    Malformed("counts of no counter", text(f"F1,{_TIMES},10,20,", head=COUNTER), 2, "opening",
              "not a counter", "amount column"),
    Malformed("opens elsewhere",
              text("E1,2026-03-01,2026-03-02,10,20,", "E1,2026-03-02,2026-03-03,25,30,",
                   head=COUNTER), 3, "opening", "closed at 20 in row 2", "replaced"),
    Malformed("counter in another unit",
              text(f"E1,{_TIMES},10,20,MWh", head="meter,start,end,opening,closing,unit"),
              2, "unit", "counts 200 kWh a step", "leave the unit empty"),
)  # fmt: skip

BOOKS = (
    sheet("formula", put("C2", "=50+50"), 2, "C2", "cell C2 holds a formula", "paste it as values"),
    sheet("error value", put("C2", "#REF!"), 2, "amount", "formula failed", "repair"),
    sheet("merged cells", lambda s, _b: s.merge_cells("A2:A3"), 2, "A2:A3", "merged", "unmerge",
          ["F1", "2026-04", 3.0, "t"]),
    sheet("hidden row", hide_row, 2, None, "hidden", "show all rows", ["F1", "2026-04", 1.0, "t"]),
    sheet("hidden column", hide_column, None, "C", "hidden", "show all columns"),
    sheet("hidden sheet", hide_sheet, None, None, "sheet 'old' is hidden", "show it"),
    sheet("wrong sheet", second_sheet, None, None, "no sheet is called 'meters'", "name the sheet"),
    sheet("number as a date", put("C2", datetime(2026, 3, 1)), 2, "amount", "a datetime", "format"),
    sheet("true as an amount", put("C2", True), 2, "amount", "a bool", "type the number"),
    sheet("period turned into a date", put("B2", datetime(2026, 3, 1)), 2, "period",
          "turned into a date", "format to text"),
    sheet("date as a number", put("B2", 46082), 2, "period", "Excel date number", "as a date"),
    sheet("row far below", put("A60000", "x"), None, None, "reaches to row 60000", "delete unused"),
    Malformed("damaged workbook", book(nothing)[:-200], None, None, "damaged", "save it again",
              "file.xlsx"),
    Malformed("archive, not a workbook", zipped({"a.txt": b"x"}), None, None, "cannot be read",
              "save it again", "file.xlsx"),
    Malformed("macros", zipped({"xl/vbaProject.bin": b"x"}, book(nothing)), None, None, "macros",
              "without macros", "file.xlsx"),
    Malformed("macro ending", book(nothing), None, None, "macros", "without macros", "file.xlsm"),
    Malformed("zip bomb", zipped({"xl/big.xml": b" " * 30_000_000}, book(nothing)), None, None,
              "unpacks to", "new workbook", "file.xlsx"),
    Malformed("XML entities", zipped({"xl/e.xml": _ENTITY}, book(nothing)), None, None,
              "XML entities", "new workbook", "file.xlsx"),
    Malformed("links to other files", zipped({"xl/externalLinks/l.xml": b"<a/>"}, book(nothing)),
              None, None, "links to other files", "values", "file.xlsx"),
    Malformed("workbook named csv", book(nothing), None, None, "a workbook", ".xlsx", "file.csv"),
)  # fmt: skip

MALFORMED = (*CELLS, *TEXTS, *COUNTERS, *BOOKS)
