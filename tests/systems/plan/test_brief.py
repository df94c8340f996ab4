"""The monthly brief: its content, and the two files made of it, opened again and read."""

import io
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from docx import Document

from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask
from cupral.systems.plan.compute import sections
from cupral.systems.plan.compute.document import brief_docx
from cupral.systems.plan.compute.workbook import brief_xlsx
from tests.systems.plan.province import THROUGH


@pytest.fixture(scope="module")
def brief(built: Ledger, standing: Result) -> Result:
    """The brief of the small province."""
    return ask(built, "plan.brief", through=THROUGH)


@pytest.fixture(scope="module")
def book(brief: Result) -> Any:
    """Its workbook, opened again."""
    return openpyxl.load_workbook(io.BytesIO(brief_xlsx(brief)))


@pytest.fixture(scope="module")
def document(brief: Result) -> Any:
    """Its document, opened again."""
    return Document(io.BytesIO(brief_docx(brief)))


def text_of(document: Any) -> str:
    """All words of a document."""
    words = [paragraph.text for paragraph in document.paragraphs]
    words += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join(words)


def test_the_brief_says_what_the_standing_says(brief: Result, standing: Result) -> None:
    """Same rows, same count; nothing changed since the kept version."""
    assert brief.parts == standing.parts
    assert (brief.value, brief.demonstration) == (standing.value, True)
    assert brief.tables["changes"] == ()
    assert brief.tables["title"][0]["title_zh"] == "山东省有色金属行业稳增长工作方案月度简报"


def test_the_brief_names_the_meter_that_moved_a_target(brief: Result) -> None:
    """One faulty meter, one row."""
    assert [(row["target"], row["meters"]) for row in brief.tables["meters"]] == [
        ("T8", ["pots-p2.POWER.a"])
    ]


def test_clauses_are_in_the_order_of_departments(brief: Result) -> None:
    """By lead unit as the plan lists them, then by clause."""
    leads = list(dict.fromkeys(row["lead"] for row in brief.tables["clauses"]))
    units = [row["department_zh"] for row in brief.tables["departments"]]
    assert leads == [unit for unit in units if unit in leads]
    assert len(brief.tables["clauses"]) == 36


def test_the_document_opens_and_reads(document: Any, brief: Result) -> None:
    """Chinese title first, then English; every section; every target and clause."""
    text = text_of(document)
    title = brief.tables["title"][0]
    assert document.paragraphs[0].text == title["title_zh"]
    assert document.paragraphs[1].text == title["title_en"]
    for section in sections.SECTIONS:
        assert section.title_zh in text
        assert section.title_en in text
    for row in (*brief.tables["targets"], *brief.tables["clauses"]):
        assert str(row.get("test") or row["text_zh"]) in text
    assert "pots-p2.POWER.a" in text
    assert "未达标 not met" in text


def test_a_page_has_notes_instead_of_wide_columns(document: Any, book: Any, brief: Result) -> None:
    """Badges are a list below the tables of the document and a column of the workbook."""
    heads = [cell.text for cell in document.tables[0].rows[0].cells]
    assert len(heads) == len(sections.page_columns(sections.SECTIONS[0]))
    assert "提示\nbadges" not in heads
    bullets = [p.text for p in document.paragraphs if p.style.name == "List Bullet"]
    assert bullets == list(brief.badges)
    values = {cell.value for row in book.worksheets[0] for cell in row}
    assert "提示\nbadges" in values


def test_the_demonstration_flag_is_on_every_page(document: Any, book: Any) -> None:
    """In the header of the document, on top and in the printed header of every sheet."""
    header = document.sections[0].header.paragraphs[0].text
    assert sections.DEMONSTRATION in header
    for sheet in book.worksheets:
        top = [sheet.cell(number, 1).value for number in range(1, 7)]
        assert sections.DEMONSTRATION in top
        assert sheet.oddHeader.center.text == sections.DEMONSTRATION


def test_real_data_carry_no_demonstration_flag(brief: Result) -> None:
    """The flag is of the data, not of the template."""
    real = replace(brief, demonstration=False)
    assert sections.DEMONSTRATION not in text_of(Document(io.BytesIO(brief_docx(real))))
    book = openpyxl.load_workbook(io.BytesIO(brief_xlsx(real)))
    values = [cell.value for sheet in book.worksheets for row in sheet for cell in row]
    assert sections.DEMONSTRATION not in values


def test_the_workbook_holds_numbers_as_numbers(book: Any, brief: Result) -> None:
    """A sheet for each section; the declared figure of T2 is the full number."""
    assert len(book.worksheets) == len(sections.SECTIONS)
    sheet = book.worksheets[0]
    heads = {str(cell.value).split("\n")[-1]: cell.column for row in sheet for cell in row
             if "\n" in str(cell.value)}  # fmt: skip
    found = {sheet.cell(row, heads["test"]).value: sheet.cell(row, heads["declared"]).value
             for row in range(1, sheet.max_row + 1)}  # fmt: skip
    expected = {row["test"]: row["declared"] for row in brief.tables["targets"]}
    assert found["≈ 170 万吨"] == pytest.approx(expected["≈ 170 万吨"], rel=1e-12)
    assert found["≤ 210 kgce/t"] == "—"
    assert any("the returns do not ask for" in str(cell.value) for row in sheet for cell in row)


DANGEROUS = ("=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0")


def _with_note(brief: Result, text: str) -> Result:
    row = {**brief.tables["clauses"][0], "evidence": [text], "text_zh": text}
    return replace(brief, tables={**brief.tables, "clauses": (row,)})


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_becomes_a_formula(brief: Result, text: str) -> None:
    """What a person wrote as evidence is text, whatever it starts with."""
    data = brief_xlsx(_with_note(brief, text))
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for sheet in book.worksheets for row in sheet for cell in row if cell.value]
    assert "f" not in {cell.data_type for cell in cells}
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet5.xml")
    kept = [cell for cell in cells if str(cell.value).strip() == text.strip()]
    assert kept
    assert all(cell.quotePrefix for cell in kept)


def test_characters_that_xml_cannot_hold_are_replaced(brief: Result) -> None:
    """A control character in a note breaks neither file."""
    odd = _with_note(brief, "a\x00b\x0bc\ud800d<&>")
    assert "a\ufffdb\ufffdc\ufffdd<&>" in text_of(Document(io.BytesIO(brief_docx(odd))))
    book = openpyxl.load_workbook(io.BytesIO(brief_xlsx(odd)))
    values = {cell.value for row in book.worksheets[-1] for cell in row}
    assert "a\ufffdb\ufffdc\ufffdd<&>" in values


def test_a_very_long_text_is_cut_to_what_a_cell_holds(brief: Result) -> None:
    """A cell holds 32,767 characters."""
    book = openpyxl.load_workbook(io.BytesIO(brief_xlsx(_with_note(brief, "长" * 40_000))))
    assert max(len(str(c.value)) for row in book.worksheets[-1] for c in row) == 32_000


def test_equal_content_gives_equal_bytes(brief: Result) -> None:
    """No clock in either file: made twice, they are the same."""
    assert brief_docx(brief) == brief_docx(replace(brief))
    assert brief_xlsx(brief) == brief_xlsx(replace(brief))
    for data in (brief_docx(brief), brief_xlsx(brief)):
        archive = zipfile.ZipFile(io.BytesIO(data))
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")


def test_the_files_are_made_of_a_kept_result(brief: Result) -> None:
    """A Result that went through JSON gives the same document."""
    import json

    again = Result.from_document(json.loads(json.dumps(brief.document())))
    assert brief_xlsx(again) == brief_xlsx(brief)
    assert brief_docx(again) == brief_docx(brief)


def test_an_empty_section_says_so(brief: Result) -> None:
    """No change and no faulty meter is a statement too."""
    empty = replace(brief, tables={**brief.tables, "changes": (), "meters": ()})
    text = text_of(Document(io.BytesIO(brief_docx(empty))))
    assert "no change, or no earlier version" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "是 yes"), (None, "—"), (1.5, 1.5), (["a", "b"], "a; b"), ({"a": 1}, "a: 1"),
     ("met", "达标 met"), ("modelled", "估算 modelled")],
)  # fmt: skip
def test_cells_are_words_or_numbers(value: Any, shown: Any) -> None:
    """As they are printed."""
    assert sections.cell(value) == shown


def test_the_brief_shows_the_chance_that_goes_with_its_verdict(document: Any) -> None:
    """The column P(met) is that of the deciding figure."""
    (targets,) = [s for s in sections.SECTIONS if s.name == "targets"]
    assert "probability_verdict" in [key for key, _, _ in targets.columns]
    assert "probability" not in [key for key, _, _ in targets.columns]
    assert "P(met)" in text_of(document)


def test_months_and_small_numbers_are_readable(document: Any, brief: Result) -> None:
    """Months as 2025-05, a share moved by points, no number with six digits behind the point."""
    (meters,) = [s for s in sections.SECTIONS if s.name == "meters"]
    (row,) = sections.rows(brief, meters)
    assert row["months"][0] == "2025-05"
    assert (row["moved"], row["moved_unit"]) == (pytest.approx(-65.0), "百分点 points")
    text = text_of(document)
    assert "2025-05; 2025-06" in text
    assert "202505" not in text
    assert "-0.65" not in text


def test_an_assay_of_gold_is_printed_in_grams() -> None:
    """A bias of -2.6e-06 kg/kg is -2.6 g/t."""
    row = {"months": [202605], "size": -2.6e-6, "size_unit": "kg/kg", "moved": None,
           "moved_unit": "t"}  # fmt: skip
    brief = Result(query="plan.brief", subject="p", tables={"meters": (row,)})
    (meters,) = [s for s in sections.SECTIONS if s.name == "meters"]
    (shown,) = sections.rows(brief, meters)
    assert (shown["size"], shown["size_unit"]) == (pytest.approx(-2.6), "g/t")
