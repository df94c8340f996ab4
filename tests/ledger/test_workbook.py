"""Workbooks that would fill the memory are refused before a cell of them becomes an object."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from cupral.ledger.template import workbook
from cupral.ledger.template.separated import Grid

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ONE = '<row r="1"><c r="A1"><v>1</v></c></row>'
FAR = f'{ONE}<row r="49999"><c r="CV49999"><v>1</v></c></row>'


def file_of(rows: str, after: str = "", *, encoding: str = "utf-8") -> bytes:
    """A workbook whose one sheet holds these rows."""
    sheet = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    book, out = io.BytesIO(), io.BytesIO()
    Workbook().save(book)
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            mine = name == "xl/worksheets/sheet1.xml"
            new.writestr(name, sheet.encode(encoding) if mine else old.read(name))
    return out.getvalue()


def refusal(content: bytes) -> str:
    """What is said of a workbook."""
    found = workbook.grids(content)
    assert isinstance(found, Grid), "the workbook was read"
    return str(found.faults[0])


def test_a_plain_sheet_is_read() -> None:
    found = workbook.grids(file_of(ONE))
    assert not isinstance(found, Grid)
    assert found[0].rows == ((1, (1,)),)


@pytest.mark.parametrize(
    ("rows", "after", "told"),
    [
        ("<row>" + "<c><v>1</v></c>" * 101 + "</row>", "", "holds 101 cells in 1 rows"),
        ("<x:row>" + "<x:c/>" * 101 + "</x:row>", "", "holds 101 cells in 1 rows"),
        ('<row ht="1"/>' * 21, "", "holds 0 cells in 21 rows"),
        (ONE, '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>', "of them merged"),
        (FAR.replace("49999", "10").replace("CV", "K"), "", "reach over more than 100 cells"),
    ],
)
def test_more_cells_than_allowed_are_refused_by_their_number(
    monkeypatch: pytest.MonkeyPatch, rows: str, after: str, told: str
) -> None:
    monkeypatch.setattr(workbook, "CELL_LIMIT", 100)
    monkeypatch.setattr(workbook, "ROW_LIMIT", 10)
    assert told in refusal(file_of(rows, after))
    assert "or use CSV" in refusal(file_of(rows, after))


def test_two_far_corners_do_not_make_a_million_cells() -> None:
    assert "reach over more than" in refusal(file_of(FAR))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_hides_no_cells_and_no_entities(encoding: str) -> None:
    assert "is not UTF-8" in refusal(file_of(ONE, encoding=encoding))


def test_thirty_megabytes_of_sheet_are_too_much() -> None:
    long = file_of(ONE + "".join(f"<row>{number}</row>" for number in range(2_200_000)))
    assert "unpacks to" in refusal(long)


def test_entities_hide_in_no_part_of_another_name() -> None:
    out = io.BytesIO(file_of(ONE))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/odd.bin", "<!DOCTYPE a><a/>")
    assert "defines XML entities" in refusal(out.getvalue())
