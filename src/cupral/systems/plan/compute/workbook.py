"""The monthly brief as an XLSX workbook, one sheet a section; no cell is ever a formula."""

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from cupral.ledger.result import Result
from cupral.systems.plan.compute import sections
from cupral.systems.plan.compute.sealing import sealed
from cupral.systems.plan.compute.sections import SECTIONS, Section

_WIDTH = {"text_zh": 60, "text_en": 60, "indicator_zh": 28, "indicator_en": 32, "needs": 40}
_BOLD, _WRAP = Font(bold=True), Alignment(wrap_text=True, vertical="top")


def brief_xlsx(brief: Result) -> bytes:
    """The bytes of the brief as an XLSX workbook; equal content gives equal bytes.

    Parameters
    ----------
    brief : Result
        Answer of `plan.brief`.

    Returns
    -------
    bytes
        One sheet for each section. Text that looks like a formula is kept as text; the
        demonstration flag stands on top of every sheet and in its printed header.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "Cupral"
    book.properties.title = sections.clean(str(sections.heading(brief)["title_zh"]))
    for section in SECTIONS:
        _add(book, brief, section)
    buffer = io.BytesIO()
    book.save(buffer)
    return sealed(buffer.getvalue())


def _add(book: Workbook, brief: Result, section: Section) -> None:
    sheet = book.create_sheet(f"{section.title_zh.split('、')[-1]} {section.name}"[:31])
    title = sections.heading(brief)
    _write(sheet, 1, [f"{title['title_zh']} · {section.title_zh}"])
    _write(sheet, 2, [f"{title['title_en']} · {section.title_en}"])
    for number, line in enumerate(sections.lines(brief), start=3):
        _write(sheet, number, [line])
    first = sheet.max_row + 2
    _write(sheet, first, [f"{zh}\n{en}" for _, zh, en in section.columns], bold=True)
    found = sections.rows(brief, section)
    for number, row in enumerate(found, start=first + 1):
        _write(sheet, number, [row.get(key) for key, _, _ in section.columns])
    if not found:
        _write(sheet, first + 1, [f"{section.empty_zh}  {section.empty_en}"])
    for number, (key, _, _) in enumerate(section.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH.get(key, 14)
    sheet.freeze_panes = sheet.cell(first + 1, 1)
    if brief.demonstration:
        sheet.oddHeader.center.text = sections.DEMONSTRATION


def _write(sheet: Any, number: int, values: list[Any], *, bold: bool = False) -> None:
    for column, value in enumerate(values, start=1):
        box = sheet.cell(number, column)
        shown = sections.cell(value)
        box.value = shown
        if isinstance(shown, str):
            box.data_type = "s"
            box.quotePrefix = shown[:1] in ("=", "+", "-", "@", "\t", "\r")
        if bold:
            box.font = _BOLD
        if bold or (isinstance(shown, str) and number > 5):
            box.alignment = _WRAP
