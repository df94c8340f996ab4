"""Write templates and tables as CSV (with BOM) or XLSX, safe against formula injection."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from cupral.ledger.errors import InputError
from cupral.ledger.template.cell import Below
from cupral.ledger.template.column import Column, Template
from cupral.ledger.template.separated import guard
from cupral.ledger.template.workbook import DESCRIPTION

Format = Literal["csv", "xlsx"]
_FORMATS = {"date": "yyyy-mm-dd hh:mm", "number": "General"}
_EXPLAINED = (
    "列 column",
    "英文 name",
    "种类 kind",
    "必填 required",
    "允许 allowed",
    "说明",
    "meaning",
    "例 example",
)


def template_file(template: Template, format: Format = "xlsx") -> bytes:
    """An empty template that a person fills in.

    Parameters
    ----------
    template : Template
        What to ask for.
    format : {'csv', 'xlsx'}
        CSV holds the header; XLSX has a second sheet that explains each column.

    Returns
    -------
    bytes
        The file.
    """
    return sheet_file({template: ()}, format)


def sheet_file(
    tables: Mapping[Template, Iterable[Mapping[str, Any]]], format: Format = "xlsx"
) -> bytes:
    """Tables in the shape of their templates, so that they can be read back.

    Raises
    ------
    InputError
        If the format is neither csv nor xlsx, or CSV is asked for several tables.
    """
    if format == "csv" and len(tables) == 1:
        ((template, rows),) = tables.items()
        return _csv(template, rows)
    if format != "xlsx":
        raise InputError(f"format {format!r} is not written for {len(tables)} tables; use xlsx")
    return _xlsx(tables)


def _csv(template: Template, rows: Iterable[Mapping[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.title for column in template.columns])
    writer.writerows([[_shown(row.get(c.name)) for c in template.columns] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M")
    if isinstance(value, Below):
        return f"<{value.limit!r}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, float) else guard(str(value))


def _xlsx(tables: Mapping[Template, Iterable[Mapping[str, Any]]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for template, rows in tables.items():
        sheet = book.create_sheet(template.name)
        _head(sheet, [f"{c.title}{'*' if c.required else ''}" for c in template.columns])
        for place, column in enumerate(template.columns, start=1):
            _format(sheet, place, column)
        for number, row in enumerate(rows, start=2):
            _fill(sheet, number, template.columns, row)
    _explain(book.create_sheet(f"{DESCRIPTION} description"), tables)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _head(sheet: Worksheet, headers: Sequence[str]) -> None:
    for place, header in enumerate(headers, start=1):
        cell = sheet.cell(1, place, header)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True)
        cell.fill = PatternFill("solid", fgColor="FFE8D5C4")
        sheet.column_dimensions[get_column_letter(place)].width = 18
    sheet.freeze_panes = "A2"


def _format(sheet: Worksheet, place: int, column: Column) -> None:
    letter = get_column_letter(place)
    sheet.column_dimensions[letter].number_format = _FORMATS.get(column.kind, "@")
    if column.kind == "choice" and column.allowed:
        words = DataValidation("list", formula1=f'"{",".join(column.allowed)}"', allow_blank=True)
        sheet.add_data_validation(words)
        words.add(f"{letter}2:{letter}2000")


def _fill(sheet: Worksheet, number: int, columns: Sequence[Column], row: Mapping[str, Any]) -> None:
    for place, column in enumerate(columns, start=1):
        value = row.get(column.name)
        if value is None:
            continue
        cell = sheet.cell(number, place)
        cell.number_format = _FORMATS.get(column.kind, "@")
        if isinstance(value, str):
            cell.value, cell.data_type = value, "s"  # a text, whatever it begins with
        else:
            cell.value = value if isinstance(value, int | float | datetime) else _shown(value)


def _explain(sheet: Worksheet, templates: Iterable[Template]) -> None:
    _head(sheet, _EXPLAINED)
    for template in templates:
        sheet.append([f"{template.name}: {template.title}"])
        for c in template.columns:
            required = "必填 yes" if c.required else ""
            allowed = ", ".join(c.allowed)
            sheet.append(
                [c.header, c.name, c.kind, required, allowed, c.description_zh, c.description_en]
            )
            sheet.cell(sheet.max_row, 8, c.example).data_type = "s"
