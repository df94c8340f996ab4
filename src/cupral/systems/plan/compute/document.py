"""The monthly brief as a DOCX document, Chinese first."""

import io
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from cupral.ledger.result import Result
from cupral.systems.plan.compute import sections
from cupral.systems.plan.compute.sealing import sealed
from cupral.systems.plan.compute.sections import SECTIONS, Section

FONT, CHINESE_FONT = "Calibri", "SimSun"


def brief_docx(brief: Result) -> bytes:
    """The bytes of the brief as a DOCX document; equal content gives equal bytes.

    Parameters
    ----------
    brief : Result
        Answer of `plan.brief`.

    Returns
    -------
    bytes
        One landscape document; the demonstration flag stands in the header of every page.
    """
    page = Document()
    _prepare(page, brief)
    title = sections.heading(brief)
    page.add_heading(sections.clean(str(title["title_zh"])), 0)
    page.add_paragraph(sections.clean(str(title["title_en"])))
    for line in sections.lines(brief):
        page.add_paragraph(sections.clean(line))
    for section in SECTIONS:
        _add(page, brief, section)
    _notes(page, brief)
    return _bytes(page)


def _prepare(page: Any, brief: Result) -> None:
    for style in ("Normal", "Title", "Heading 1"):
        font = page.styles[style].font
        font.name = FONT
        page.styles[style].element.get_or_add_rPr().get_or_add_rFonts().set(
            qn("w:eastAsia"), CHINESE_FONT
        )
    page.styles["Normal"].font.size = Pt(8)
    sheet = page.sections[0]
    sheet.orientation = WD_ORIENT.LANDSCAPE
    sheet.page_width, sheet.page_height = Cm(29.7), Cm(21.0)
    sheet.left_margin = sheet.right_margin = Cm(1.5)
    flag = f"{sections.DEMONSTRATION} · " if brief.demonstration else ""
    sheet.header.paragraphs[0].text = f"{flag}Cupral · {sections.heading(brief)['through']}"
    page.core_properties.author = "Cupral"
    page.core_properties.title = sections.clean(str(sections.heading(brief)["title_zh"]))
    page.core_properties.comments = flag.rstrip(" ·")


def _add(page: Any, brief: Result, section: Section) -> None:
    page.add_heading(f"{section.title_zh}  {section.title_en}", 1)
    found = sections.rows(brief, section)
    if not found:
        page.add_paragraph(f"{section.empty_zh}  {section.empty_en}")
        return
    columns = sections.page_columns(section)
    table = page.add_table(rows=1, cols=len(columns), style="Table Grid")
    for box, (_, zh, en) in zip(table.rows[0].cells, columns, strict=True):
        box.text = f"{zh}\n{en}"
    for row in found:
        boxes = table.add_row().cells
        for box, (key, _, _) in zip(boxes, columns, strict=True):
            box.text = _text(row.get(key))


def _notes(page: Any, brief: Result) -> None:
    """What a reader must know of the figures: unconfirmed numbers, proposals, faulty meters."""
    page.add_heading("提示  Notes", 1)
    for badge in brief.badges:
        page.add_paragraph(sections.clean(badge), style="List Bullet")


def _text(value: Any) -> str:
    shown = sections.cell(value)
    if isinstance(shown, str):
        return shown
    return f"{shown:,.0f}" if abs(shown) >= 1000 else f"{shown:.4g}"


def _bytes(page: Any) -> bytes:
    buffer = io.BytesIO()
    page.save(buffer)
    return sealed(buffer.getvalue())
