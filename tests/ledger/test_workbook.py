"""Workbooks that would fill the memory are refused before a cell of them becomes an object."""

import io
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

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


def packed(parts: dict[str, bytes], *, of: bytes | None = None) -> bytes:
    """A sound workbook with these parts added, or put in the place of its own."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(of or file_of(ONE))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def typed(kind: str) -> bytes:
    """The list of content types with one more part."""
    with zipfile.ZipFile(io.BytesIO(file_of(ONE))) as archive:
        types = archive.read("[Content_Types].xml").decode()
    more = f'<Override PartName="/xl/plain.bin" ContentType="application/{kind}"/></Types>'
    return types.replace("</Types>", more).encode()


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/vbaProject.bin": b"x"},
        {"xl/VBAPROJECT.BIN": b"x"},
        {"xl/vbaProjectSignature.bin": b"x"},
        {"xl/macrosheets/sheet1.xml": b"<a/>"},
        {"xl/activeX/activeX1.xml": b"<a/>"},
        {"xl/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0"},
        {"xl/plain.bin": b"x", "[Content_Types].xml": typed("vnd.ms-office.vbaProject")},
        {"[Content_Types].xml": typed("vnd.ms-excel.sheet.macroEnabled.main+xml")},
    ],
)
def test_macros_and_embedded_programs_are_refused_by_name_and_by_type(
    parts: dict[str, bytes],
) -> None:
    """A macro under an innocent name is told by the type that the workbook gives it."""
    assert "holds macros or embedded programs" in refusal(packed(parts))


def test_a_workbook_of_very_many_files_is_refused_before_one_is_unpacked() -> None:
    many = packed({f"xl/media/{number}.xml": b"" for number in range(workbook.PART_LIMIT)})
    assert "is packed of 1," in refusal(many)


def lying(content: bytes, name: str, told: int) -> bytes:
    """A workbook whose directory says that one part is smaller than it is, with a fitting sum."""
    changed = bytearray(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        true = archive.read(name)
    sizes = [zlib.crc32(true), len(true)]
    for mark, crc, size in ((b"PK\x01\x02", 16, 24), (b"PK\x03\x04", 14, 22)):
        at = -1
        while (at := changed.find(mark, at + 1)) >= 0:
            places = [slice(at + crc, at + crc + 4), slice(at + size, at + size + 4)]
            if [int.from_bytes(changed[place], "little") for place in places] == sizes:
                changed[places[0]] = zlib.crc32(true[:told]).to_bytes(4, "little")
                changed[places[1]] = told.to_bytes(4, "little")
    assert changed != content
    return bytes(changed)


def test_a_size_that_the_archive_tells_wrongly_unpacks_no_more_than_was_told() -> None:
    """Of a part that says it is small only so much is unpacked, by us and by openpyxl."""
    sheet = "xl/worksheets/sheet1.xml"
    plain = file_of(ONE)
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        true = archive.read(sheet)
    bomb = packed({sheet: true + b" " * 30_000_000})
    for told, read in ((len(true), True), (len(true) - 1, False), (0, False)):
        hostile = lying(bomb, sheet, told)
        tracemalloc.start()
        found = workbook.grids(hostile)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 5_000_000
        assert isinstance(found, Grid) != read


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_of_packing_that_no_workbook_uses_are_refused(method: int) -> None:
    """Their unpacking cannot be stopped at a size."""
    out = io.BytesIO(file_of(ONE))
    with zipfile.ZipFile(out, "a", method) as archive:
        archive.writestr("xl/big.xml", b" " * 100)
    assert "packed in an unusual way" in refusal(out.getvalue())


def test_entries_that_share_one_kernel_are_counted_each() -> None:
    """Ten thousand entries of the directory point to the same packed bytes."""
    whole = packed({"xl/kernel.xml": b" " * 900_000})
    start = whole.rindex(b"PK\x01\x02")
    end = whole.rindex(b"PK\x05\x06")
    entry, first = whole[start:end], whole.index(b"PK\x01\x02")
    copies = b"".join(entry.replace(b"kernel", b"%06d" % number) for number in range(900))
    directory = whole[first:end] + copies
    count = (whole[end + 8] + 900).to_bytes(2, "little")
    tail = whole[end : end + 8] + count + count + len(directory).to_bytes(4, "little")
    shared = whole[:first] + directory + tail + whole[end + 16 :]
    assert "unpacks to 8" in refusal(shared)


def test_a_workbook_within_a_workbook_is_not_opened() -> None:
    """What is packed once more is no sheet, however often it unpacks."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep.xml", b" " * 20_000_000)
    found = workbook.grids(packed({"xl/media/inner.zip": inner.getvalue()}))
    assert not isinstance(found, Grid)
    assert found[0].rows == ((1, (1,)),)


@pytest.mark.parametrize("name", ["../../evil.xml", "/etc/evil.xml", "..\\evil.xml", "xl/a\nb.xml"])
def test_no_part_is_written_anywhere_whatever_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workbooks are read in memory."""
    monkeypatch.chdir(tmp_path)
    workbook.grids(packed({name: b"<a/>"}))
    assert not list(tmp_path.rglob("*"))
    assert not (tmp_path.parent / "evil.xml").exists()


@pytest.mark.parametrize(
    "formula",
    ["1+1", 'cmd|"/C calc"!A0', 'HYPERLINK("http://evil.example","x")', 'WEBSERVICE("http://e")'],
)
def test_a_formula_is_named_and_never_computed(formula: str) -> None:
    cell = f'<row r="1"><c r="A1"><f>{escape(formula)}</f><v>7</v></c></row>'
    found = workbook.grids(file_of(cell))
    assert not isinstance(found, Grid)
    assert [fault.column for fault in found[0].faults] == ["A1"]
    assert "holds a formula" in found[0].faults[0].what
