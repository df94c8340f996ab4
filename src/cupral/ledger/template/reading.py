"""Read a file by a template: good rows and all faults, each with row, column, value and cure."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cupral.ledger.errors import Fault
from cupral.ledger.template.cell import CellFault, parse, tidy
from cupral.ledger.template.column import Column, Template, plain
from cupral.ledger.template.separated import Grid, broken, separated
from cupral.ledger.template.workbook import sheet

SIZE_LIMIT = 20_000_000
"""Bytes of a file."""
_TITLE_ROWS = 10
"""A header stands within the first rows; titles may stand above it."""

_OTHER_FORMATS = (
    (b"\xd0\xcf\x11\xe0", "is an old .xls workbook or protected by a password"),
    (b"%PDF", "is a PDF"),
    (b"\x1f\x8b", "is a gzip archive"),
    (b"Rar!", "is a RAR archive"),
    (b"7z\xbc\xaf", "is a 7z archive"),
    (b"\x89PNG", "is a picture"),
    (b"\xff\xd8\xff", "is a picture"),
    (b"PAR1", "is a Parquet file"),
    (b"SQLite format 3", "is a database"),
    (b"<html", "is a web page (some systems name it .xls)"),
    (b"<!doctype html", "is a web page (some systems name it .xls)"),
    (b"<table", "is a web page (some systems name it .xls)"),
    (b"<?xml", "is an XML file"),
    (b"{", "is JSON"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row that was read: its number in the file and its values by column name."""

    number: int
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: the good rows, the faults, and units given in its header."""

    rows: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit in brackets behind a header, by column name."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header as the file writes it, by column name."""

    @property
    def rows_read(self) -> int:
        """Rows of the file, good or faulty."""
        return len({row.number for row in self.rows} | {f.row for f in self.faults if f.row})


def read(content: bytes, filename: str, template: Template) -> Reading:
    """Read a CSV or XLSX file by a template.

    Parameters
    ----------
    content : bytes
        The file; at most 20 MB.
    filename : str
        Its name; the ending (.csv, .txt, .tsv, .xlsx) must fit the content.
    template : Template
        Columns by name.

    Returns
    -------
    Reading
        Rows without fault and all faults; a fault without row means the whole file.

    Examples
    --------
    >>> table = Template("t", "", (Column(name="amount", aliases=("数量",), kind="number"),))
    >>> reading = read("数量\\n１２．５\\n1,5\\n".encode("gb18030"), "a.csv", table)
    >>> reading.rows[0]["amount"], str(reading.faults[0])  # doctest: +ELLIPSIS
    (12.5, "row 3 ('5'): the row has 2 cells, the header has 1. decimals need a point, ...")
    """
    return parse_rows(_grid(content, filename, template), template)


def _grid(content: bytes, filename: str, template: Template) -> Grid:
    if fault := wrong_format(content, filename):
        return fault
    if content.startswith(b"PK"):
        return sheet(content, (template.name, template.title))
    return separated(content)


def wrong_format(content: bytes, filename: str) -> Grid | None:
    """The reason why a file cannot be a table, or None."""
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    if not content.strip(b" \t\r\n\xef\xbb\xbf\xff\xfe\x00"):
        return broken("the file is empty", "choose the file with the rows")
    if len(content) > SIZE_LIMIT:
        return broken(f"is {len(content):,} bytes long", f"split it below {SIZE_LIMIT:,} bytes")
    head = content[:64].lstrip().lower()
    for magic, what in _OTHER_FORMATS:
        if head.startswith(magic.lower()):
            return broken(what, "save it as .xlsx (without password) or as CSV UTF-8")
    return _wrong_ending(ending, content.startswith(b"PK"))


def _wrong_ending(ending: str, zipped: bool) -> Grid | None:
    if ending == "xlsm":
        return broken("is a workbook with macros (.xlsm)", "save it as .xlsx without macros")
    if ending not in ("csv", "txt", "tsv", "xlsx"):
        return broken(f"the ending {ending!r} is not read", "save it as .csv or .xlsx")
    if zipped != (ending == "xlsx"):
        is_what, not_what = ("a workbook", "text") if zipped else ("text", "a workbook")
        return broken(
            f"the ending .{ending} promises {not_what}, the content is {is_what}",
            f"rename it to {'.xlsx' if zipped else '.csv'}, or save it again",
        )
    return None


def parse_rows(grid: Grid, template: Template) -> Reading:
    """Rows of cells become rows of values by the template's header."""
    if any(fault.row is None for fault in grid.faults) or (grid.faults and not grid.rows):
        return Reading(faults=grid.faults)
    rows = [(number, cells) for number, cells in grid.rows if any(map(_filled, cells))]
    if not rows:
        return Reading(faults=broken("the file is empty", "choose the file with the rows").faults)
    index = _header_index(rows, template)
    number, header = rows[index]
    columns, faults = _columns(number, header, template, rows[index + 1 :])
    if faults:
        return Reading(faults=(*grid.faults, *faults))
    if len(rows) == index + 1:
        what = f"there is a header but no row below it{_title(grid)}"
        return Reading(faults=(Fault(number, None, "", what, "add at least one row"),))
    return _body(grid, rows[index + 1 :], columns, len(header))


def _title(grid: Grid) -> str:
    return f" in sheet {grid.name!r}" if grid.name else ""


def _filled(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(tidy(cell)))


def _header_index(rows: Sequence[tuple[int, tuple[Any, ...]]], template: Template) -> int:
    """The row among the first ones that names most columns."""
    scores = [
        sum(template.match(str(cell)) is not None for cell in cells if _filled(cell))
        for _number, cells in rows[:_TITLE_ROWS]
    ]
    return scores.index(max(scores))


def _columns(
    number: int,
    header: tuple[Any, ...],
    template: Template,
    body: Sequence[tuple[int, tuple[Any, ...]]],
) -> tuple[dict[int, tuple[Column, str, str]], list[Fault]]:
    columns: dict[int, tuple[Column, str, str]] = {}
    faults: list[Fault] = []
    for place, cell in enumerate(header):
        shown = tidy(cell) if _filled(cell) else ""
        if not shown:
            if any(place < len(cells) and _filled(cells[place]) for _n, cells in body):
                where = f"column {place + 1}"
                faults.append(
                    Fault(
                        number,
                        where,
                        "",
                        f"{where} has values but no header",
                        "name it or empty it",
                    )
                )
            continue
        match = template.match(shown)
        if match is None:
            faults.append(_unknown(number, shown, template))
        elif match[0].name in {column.name for column, _h, _u in columns.values()}:
            what = f"two columns mean {match[0].name!r}"
            faults.append(Fault(number, shown, shown, what, "delete or rename one of them"))
        else:
            columns[place] = (match[0], shown, match[1])
    present = {column.name for column, _h, _u in columns.values()}
    faults += [
        Fault(number, c.header, "", f"column {c.header!r} ({c.name}) is missing", _add(template))
        for c in template.columns
        if c.required and c.name not in present
    ]
    return columns, faults


def _add(template: Template) -> str:
    return f"add it; the columns are {', '.join(c.title for c in template.columns)}"


def _unknown(number: int, shown: str, template: Template) -> Fault:
    names = [alias for column in template.columns for alias in (column.name, *column.aliases)]
    near = _parts_named(shown, names) or suggest(shown, names)
    return Fault(
        number,
        shown,
        shown,
        f"no column is called {shown!r}{near}",
        f"rename or delete it; {_add(template)[8:]}",
    )


def _parts_named(shown: str, names: Iterable[str]) -> str:
    """Of a header in several words, those that are headers: the last says what it is.

    Examples
    --------
    >>> _parts_named("reading_start", ["reading", "start", "end"])
    "; did you mean 'start' or 'reading'?"
    """
    by_plain = {plain(name): name for name in names}
    words = [plain(word) for word in re.split(r"[\s_\-./]+", shown)]
    found = [repr(by_plain[word]) for word in reversed(words) if word in by_plain]
    return f"; did you mean {' or '.join(dict.fromkeys(found))}?" if found else ""


def suggest(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' or nothing.

    Examples
    --------
    >>> suggest("metre", ["meter", "start"])
    "; did you mean 'meter'?"
    """
    by_plain = {plain(name): name for name in known}
    near = difflib.get_close_matches(plain(word), list(by_plain), n=1, cutoff=0.6)
    return f"; did you mean {by_plain[near[0]]!r}?" if near else ""


def _body(
    grid: Grid,
    rows: Sequence[tuple[int, tuple[Any, ...]]],
    columns: Mapping[int, tuple[Column, str, str]],
    width: int,
) -> Reading:
    good: list[Row] = []
    forbidden = {fault.row for fault in grid.faults}
    first_row = rows[0][0]
    faults = [fault for fault in grid.faults if fault.row is None or fault.row >= first_row - 1]
    for number, cells in rows:
        if number in forbidden:
            continue
        values, found = _row(number, cells, columns, width)
        faults += found
        if not found:
            good.append(Row(number, values))
    named = {column.name: (header, unit) for column, header, unit in columns.values()}
    return Reading(
        tuple(good),
        tuple(faults),
        {name: unit for name, (_header, unit) in named.items() if unit},
        {name: header for name, (header, _unit) in named.items()},
    )


def _row(
    number: int,
    cells: tuple[Any, ...],
    columns: Mapping[int, tuple[Column, str, str]],
    width: int,
) -> tuple[dict[str, Any], list[Fault]]:
    extra = [cell for cell in cells[width:] if _filled(cell)]
    if extra or len(cells) < width:
        return {}, [
            Fault(
                number,
                None,
                str(extra[0]) if extra else "",
                f"the row has {len(cells)} cells, the header has {width}",
                "decimals need a point, a comma inside a cell needs quotation marks, and a missing"
                " cell stays empty between commas",
            )
        ]
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for place, (column, header, _unit) in columns.items():
        cell = cells[place]
        if not _filled(cell):
            values[column.name] = None
            if column.required:
                faults.append(Fault(number, header, "", "the cell is empty", _fill(column)))
            continue
        try:
            values[column.name] = parse(column, cell)
        except CellFault as fault:
            faults.append(Fault(number, header, tidy(cell)[:80], fault.what, fault.cure))
    return values, faults


def _fill(column: Column) -> str:
    example = f", e.g. {column.example}" if column.example else ""
    return f"write {column.description_en or column.name}{example}"
