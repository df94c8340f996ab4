"""Bytes of an XLSX workbook become numbered rows of cells; what may hide in it is refused."""

import io
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from typing import Any

import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from cupral.ledger.errors import Fault
from cupral.ledger.template.separated import COLUMN_LIMIT, Grid, broken

ROW_LIMIT = 50_000
CELL_LIMIT = 600_000
"""Cells of the workbook: 50 000 rows of 12 columns; each takes half a kilobyte of memory."""
UNPACKED_LIMIT = 30_000_000
"""Bytes of the unpacked workbook."""
RATIO_LIMIT = 300
PART_LIMIT = 1_000
"""Files within the workbook."""
_ACTIVE = re.compile(r"vbaProject|macro-?sheet|macroEnabled|activeX|oleObject|/embeddings/", re.I)
"""Names and content types of what a spreadsheet would run, not show."""
_TYPES = "[Content_Types].xml"
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What the standard of workbooks allows; of other methods no unpacking can be bounded."""
_MARKUP = re.compile(rb"[\s\x00\xef\xbb\xbf\xfe\xff]*<")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_ROW = re.compile(rb"<(?:[\w.-]+:)?row[\s/>]")
_MERGED = re.compile(rb"<(?:[\w.-]+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([^\"']*)")
_FEWER = f"delete unused rows and columns (at most {ROW_LIMIT} x {COLUMN_LIMIT}), or use CSV"
DESCRIPTION = "说明"
"""Sheets whose name begins with this word explain and are not read."""
_PASTE = "copy the column and paste it as values"
_ACTIVE_REFUSED = broken(
    "the workbook holds macros or embedded programs", "save it as .xlsx without macros"
)


def sheet(content: bytes, names: tuple[str, ...]) -> Grid:
    """The one sheet of a workbook that a template describes."""
    found = grids(content)
    if isinstance(found, Grid):
        return found
    wanted = {name.casefold() for name in names}
    for grid in found:
        if grid.name.strip().casefold() in wanted:
            return grid
    if len(found) == 1:
        return found[0]
    return broken(
        f"no sheet is called {names[0]!r}; there are {', '.join(g.name for g in found) or 'none'}",
        f"name the sheet with the rows {names[0]!r}, or delete the others",
    )


def grids(content: bytes) -> list[Grid] | Grid:
    """Every visible sheet that holds rows, or one broken Grid."""
    parts = _unpacked(content)
    if isinstance(parts, Grid):
        return parts
    book = _opened(parts)
    if isinstance(book, Grid):
        return book
    sheets = [s for s in book.worksheets if not s.title.startswith((DESCRIPTION, "description"))]
    hidden = [s.title for s in sheets if s.sheet_state != "visible"]
    if hidden:
        return broken(
            f"sheet {hidden[0]!r} is hidden", "show it (or delete it), so that you see what is read"
        )
    if sum(s.max_row * s.max_column for s in sheets if _fits(s)) > CELL_LIMIT:
        return broken(f"its sheets reach over more than {CELL_LIMIT:,} cells", _FEWER)
    return [_grid(s) for s in sheets]


def _fits(sheet: Worksheet) -> bool:
    return sheet.max_row <= ROW_LIMIT and sheet.max_column <= COLUMN_LIMIT


def _unpacked(content: bytes) -> dict[str, bytes] | Grid:
    """The parts of a workbook, if nothing hides in them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if fault := _unsafe_parts(archive.infolist()):
                return fault
            texts = {part.filename: _whole(archive, part) for part in archive.infolist()}
    except Exception:  # zipfile and zlib raise errors of many kinds on a damaged archive
        return broken("the workbook is damaged", "open it in the spreadsheet and save it again")
    return _unsafe_texts(texts) or texts


def _whole(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """What a part unpacks to, no more than it says: `archive.read` unpacks a liar's rest too."""
    with archive.open(part) as stream:
        return stream.read(part.file_size + 1)


def _unsafe_parts(parts: Collection[zipfile.ZipInfo]) -> Grid | None:
    """What is wrong with the list of parts, before one of them is unpacked."""
    if len(parts) > PART_LIMIT:
        return broken(f"is packed of {len(parts):,} files", "copy the rows into a new workbook")
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    if unpacked > UNPACKED_LIMIT or (unpacked > 1_000_000 and unpacked > RATIO_LIMIT * packed):
        return broken(
            f"unpacks to {unpacked:,} bytes ({unpacked // packed} times its size)",
            "copy the rows into a new workbook, or save as CSV UTF-8",
        )
    if any(part.flag_bits & 1 for part in parts):
        return broken("the workbook is encrypted", "save it without a password")
    if any(part.compress_type not in _PACKED for part in parts):
        return broken("is packed in an unusual way", "open it in the spreadsheet and save it again")
    return None


def _unsafe_texts(parts: Mapping[str, bytes]) -> Grid | None:
    """What hides in the parts."""
    types = parts.get(_TYPES, b"").decode("utf-8", "replace")
    if any(map(_ACTIVE.search, (*parts, types))):
        return _ACTIVE_REFUSED
    if any(name.startswith("xl/externalLinks/") for name in parts):
        return broken("the workbook links to other files", _PASTE)
    texts = {name: text for name, text in parts.items() if _MARKUP.match(text)}
    for name, text in texts.items():
        if b"<!ENTITY" in text or b"<!DOCTYPE" in text or b"\x00" in text:
            return broken(
                f"part {name} defines XML entities or is not UTF-8",
                "copy the rows into a new workbook",
            )
    return _too_many(texts.values())


def _too_many(texts: Collection[bytes]) -> Grid | None:
    """Refuse what would fill the memory, before openpyxl makes an object of each cell."""
    cells, rows = (sum(1 for text in texts for _ in p.finditer(text)) for p in (_CELL, _ROW))
    merged = sum(_area(match[1].decode()) for text in texts for match in _MERGED.finditer(text))
    if max(cells, merged) > CELL_LIMIT or rows > 2 * ROW_LIMIT:
        return broken(f"holds {cells:,} cells in {rows:,} rows, {merged:,} of them merged", _FEWER)
    return None


def _area(reference: str) -> int:
    left, top, right, bottom = range_boundaries(reference)
    across, down = (right or 16_384) - (left or 1), (bottom or 1_048_576) - (top or 1)
    return (across + 1) * (down + 1)


def _opened(parts: Mapping[str, bytes]) -> Workbook | Grid:
    """The workbook of the parts that were looked at, packed anew: nothing else is ever read."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and validations that openpyxl does not keep
        try:
            with zipfile.ZipFile(content, "w") as archive:
                for name, text in parts.items():
                    archive.writestr(name, text)
            return openpyxl.load_workbook(content, keep_links=False)
        except Exception as error:  # openpyxl raises errors of many kinds on a damaged file
            return broken(
                f"the workbook cannot be read ({type(error).__name__})",
                "open it in the spreadsheet and save it again as .xlsx",
            )


def _grid(sheet: Worksheet) -> Grid:
    if not _fits(sheet):
        return broken(
            f"sheet {sheet.title!r} reaches to row {sheet.max_row} and column {sheet.max_column}",
            _FEWER,
        )
    faults: list[Fault] = [*_merged(sheet), *_hidden(sheet)]
    rows = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        faults += [fault for cell in cells if (fault := _forbidden(cell))]
        rows.append((number, tuple(_value(cell) for cell in cells)))
    return Grid(tuple(rows), tuple(faults), sheet.title)


def _merged(sheet: Worksheet) -> list[Fault]:
    return [
        Fault(area.min_row, area.coord, "", "cells are merged", "unmerge them and fill each cell")
        for area in sheet.merged_cells.ranges
        if area.max_row > area.min_row or not _is_title(sheet, area.min_row)
    ]


def _is_title(sheet: Worksheet, row: int) -> bool:
    """Whether a row holds one cell only, as a title above the table does."""
    return sum(cell.value is not None for cell in sheet[row]) <= 1


def _hidden(sheet: Worksheet) -> list[Fault]:
    rows = [
        Fault(number, None, "", "the row is hidden (by hand or by a filter)", "show all rows")
        for number, shape in sheet.row_dimensions.items()
        if shape.hidden and any(cell.value is not None for cell in sheet[number])
    ]
    columns = [
        Fault(None, letter, "", f"column {letter} is hidden", "show all columns")
        for letter, shape in sheet.column_dimensions.items()
        if shape.hidden and any(cell.value is not None for cell in sheet[letter])
    ]
    return rows + columns


def _forbidden(cell: Cell | MergedCell) -> Fault | None:
    if isinstance(cell, MergedCell) or cell.data_type != "f":
        return None
    where = f"{get_column_letter(cell.column)}{cell.row}"
    return Fault(cell.row, where, str(cell.value), f"cell {where} holds a formula", _PASTE)


def _value(cell: Cell | MergedCell) -> Any:
    value = cell.value
    if isinstance(cell, MergedCell) or value is None:
        return None
    if isinstance(value, datetime | date) and not isinstance(value, time):
        shape = re.sub(r'"[^"]*"|\[[^]]*\]', "", str(cell.number_format)).lower()
        if "d" not in shape and "h" not in shape and value.day == 1:
            return f"{value:%Y-%m}"
        return (
            value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        )
    return value
