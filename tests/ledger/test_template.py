"""Templates: what is read from a cell, how tables are written, and that nothing executes."""

import io
import random
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from cupral.ledger.errors import InputError
from cupral.ledger.period import Period
from cupral.ledger.template import (
    Below,
    Column,
    Template,
    guard,
    read,
    sheet_file,
    suggest,
    template_file,
)
from cupral.ledger.template.separated import unguarded

MARCH = Period.parse("2026-03")
TABLE = Template(
    "table",
    "表 table",
    (
        Column(name="name", aliases=("名称", "label"), required=True, example="x"),
        Column(name="amount", aliases=("数量",), kind="number", minimum=0, maximum=1e9),
        Column(name="grade", aliases=("品位",), kind="censored"),
        Column(name="day", aliases=("日期",), kind="date"),
        Column(name="period", aliases=("期间",), kind="period"),
        Column(name="unit", aliases=("单位",), kind="unit"),
        Column(name="basis", aliases=("基准",), kind="choice", allowed=("dry", "wet")),
        Column(name="final", aliases=("最终",), kind="flag"),
    ),
)


def value(column: str, text: str) -> object:
    """What a cell of a column is read as; a fault as text."""
    content = f'name,{column}\nx,"{text}"\n'.encode()
    reading = read(content, "t.csv", TABLE)
    return reading.rows[0][column] if reading.rows else str(reading.faults[0])


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("amount", "12.5", 12.5), ("amount", "+1e3", 1000.0), ("amount", ".5", 0.5),
        ("amount", "１２．５", 12.5), ("amount", " 7 ", 7.0), ("amount", "0", 0.0),
        ("grade", "<0.01", Below(0.01)), ("grade", "＜0.01", Below(0.01)), ("grade", "0.3", 0.3),
        ("day", "2026-3-1", datetime(2026, 3, 1)), ("day", "2026/03/01", datetime(2026, 3, 1)),
        ("day", "2026年3月1日", datetime(2026, 3, 1)),
        ("day", "2026-03-01 08:30", datetime(2026, 3, 1, 8, 30)),
        ("day", "2026-03-01T08:30:15", datetime(2026, 3, 1, 8, 30, 15)),
        ("day", "2026-03-31 24:00", datetime(2026, 4, 1)),
        ("day", "2024-02-29", datetime(2024, 2, 29)),
        ("period", "2026-03", MARCH), ("period", "202603", MARCH),
        ("period", "2026年3月", MARCH),
        ("period", "2026/3", MARCH),
        ("period", "2026/03/01", Period.parse("2026-03-01")),
        ("period", "2026", Period.parse("2026")),
        ("period", "2026-JF", Period.parse("2026-JF")),
        ("unit", "万千瓦时", "万千瓦时"), ("unit", "kWh", "kWh"),
        ("basis", "DRY", "dry"), ("final", "是", True), ("final", "no", False), ("final", "", None),
    ],
)  # fmt: skip
def test_cells_are_read_as_people_write_them(column: str, text: str, expected: object) -> None:
    """Full-width digits, Chinese dates, limits, yes and no."""
    assert value(column, text) == expected


@pytest.mark.parametrize(
    ("column", "text", "cure"),
    [
        ("amount", "2e9", "at most 1e+09"), ("amount", "true", "decimal point"),
        ("day", "2026-02-29", "real date"), ("day", "46082", "2026-03-01"),
        ("day", "1899-12-31", "1990-2100"), ("day", "yesterday", "year-month-day"),
        ("grade", "<x", "decimal point"), ("basis", "moist", "dry, wet"),
        ("final", "perhaps", "是/否"),
        ("period", "2026-W05", "2026-03"), ("unit", "__import__('os')", "MWh"),
    ],
)  # fmt: skip
def test_each_refusal_says_what_to_write(column: str, text: str, cure: str) -> None:
    """The cure is in the fault."""
    assert cure in str(value(column, text))


@pytest.mark.parametrize("column", ["amount", "grade", "day", "period"])
@pytest.mark.parametrize("text", ["10³", "24²", "①②", "⒈5", "2026-0³", "١٢"])
def test_signs_that_only_resemble_digits_are_refused(column: str, text: str) -> None:
    """10³ is a thousand, not 103; nobody knows what ①② is."""
    assert "the digits 0-9 only" in str(value(column, text))


def test_full_width_forms_and_wide_blanks_are_still_read() -> None:
    """As a Chinese keyboard writes them; a cubic metre may be written small."""
    assert value("amount", "\u3000１２．５\u00a0") == 12.5
    assert value("grade", "＜０．０１") == Below(0.01)
    assert value("unit", "m³") == "m3"
    rows = read("name\n①号炉（东）\n".encode(), "t.csv", TABLE).rows
    assert rows[0]["name"] == "1号炉(东)"


def test_a_cell_without_end_is_called_too_long() -> None:
    """Not a matter of quotation marks alone."""
    content = b"name,amount\nx," + b"9" * 2_000_000 + b"\n"
    (fault,) = read(content, "t.csv", TABLE).faults
    assert "a cell of more than 131,072 characters" in fault.what
    assert (fault.row, "shorten the cell" in fault.cure) == (2, True)


def test_headers_are_offered_in_both_languages() -> None:
    """One who writes English headers is told the English ones."""
    (fault,) = read(b"name,amount,x\na,1,2\n", "t.csv", TABLE).faults
    assert all(column.title in fault.cure for column in TABLE.columns)
    assert "名称 name" in fault.cure


def test_a_header_of_several_words_is_known_by_its_words() -> None:
    """'reading_start' is the start of the reading."""
    table = Template("t", "", (Column(name="value", aliases=("reading",)), Column(name="start")))
    (fault,) = read(b"reading_start\n1\n", "t.csv", table).faults
    assert "did you mean 'start' or 'reading'?" in fault.what


def test_both_languages_in_one_header_are_read_back() -> None:
    """A template's own headers are its first file."""
    reading = read("名称 name*,数量 amount\nx,1\n".encode(), "t.csv", TABLE)
    assert reading.rows[0].values == {"name": "x", "amount": 1.0}


def test_a_fault_names_the_line_of_the_editor_also_after_cells_with_line_breaks() -> None:
    """Quoted cells may span lines; blank lines count."""
    content = b'name,amount\n"two\nlines",1\n\nx,y\n'
    faults = read(content, "t.csv", TABLE).faults
    assert [(fault.row, fault.column) for fault in faults] == [(2, "name"), (5, "amount")]


def test_all_faults_of_all_rows_are_found_at_once() -> None:
    """And the good rows beside them."""
    reading = read(b"name,amount,day\na,1,2026-03-01\n,x,z\nb,2,\n", "t.csv", TABLE)
    assert [row.number for row in reading.rows] == [2, 4]
    assert [fault.column for fault in reading.faults] == ["name", "amount", "day"]
    assert reading.rows_read == 3


def test_columns_may_stand_in_any_order_and_case() -> None:
    """By Chinese or English name."""
    reading = read("数量,NAME\n1,x\n".encode(), "t.csv", TABLE)
    assert reading.rows[0].values == {"amount": 1.0, "name": "x"}
    assert reading.headers == {"amount": "数量", "name": "NAME"}


def test_excel_separator_line_and_old_mac_line_ends_are_read() -> None:
    """Both still occur."""
    assert read(b"sep=;\r\nname;amount\r\nx;1\r\n", "t.csv", TABLE).rows[0]["amount"] == 1.0
    assert read(b"name,amount\rx,1\r", "t.csv", TABLE).rows[0]["amount"] == 1.0


def test_an_alias_that_means_two_columns_is_refused_when_the_template_is_made() -> None:
    """A template may not be ambiguous."""
    with pytest.raises(InputError, match="own aliases"):
        Template("t", "", (Column(name="a", aliases=("x",)), Column(name="b", aliases=("X ",))))


ROWS = [
    {"name": "=cmd|' /C calc'!A0", "amount": 1.25, "grade": Below(0.01), "basis": "wet"},
    {"name": "乙", "amount": 0.1 + 0.2, "day": datetime(2026, 3, 1, 8, 30), "final": True,
     "period": "2026-03", "unit": "kWh"},
]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_written_reads_back_equal_and_cannot_execute(form: str) -> None:
    """Numbers (a spreadsheet keeps 16 digits), dates, limits; formulas are guarded."""
    content = sheet_file({TABLE: ROWS}, form)  # type: ignore[arg-type]
    reading = read(content, f"t.{form}", TABLE)
    assert not reading.faults
    first, second = reading.rows
    assert first["name"] == "=cmd|' /C calc'!A0"
    assert form == "xlsx" or b",=" not in content.replace(b"\n", b",").replace(b'"', b"")
    assert (first["amount"], first["grade"], first["basis"]) == (1.25, Below(0.01), "wet")
    assert (second["name"], second["final"]) == ("乙", True)
    assert second["amount"] == pytest.approx(0.1 + 0.2, rel=0 if form == "csv" else 1e-15)
    assert second["day"] == datetime(2026, 3, 1, 8, 30)
    assert (str(second["period"]), second["unit"]) == ("2026-03", "kWh")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "text",
    ["=1+1", "+x", "-x", "@x", "'=1", "''-x", "'x", "-12.5", "a;=1", "a; '=1", ';"-x',
     "=1;=2;;=3", "a;b", "a;'b"],
)  # fmt: skip
def test_texts_read_back_however_often_they_are_exported(form: str, text: str) -> None:
    """A guard that stayed would grow with each export."""
    shown = text
    for _ in range(3):
        content = sheet_file({TABLE: [{"name": shown, "amount": 1.0}]}, form)  # type: ignore[arg-type]
        reading = read(content, f"t.{form}", TABLE)
        assert not reading.faults
        shown = reading.rows[0]["name"]
        assert shown == text


def test_no_cell_of_a_written_workbook_is_a_formula() -> None:
    """Also when a value begins with the equals sign."""
    book = load_workbook(io.BytesIO(sheet_file({TABLE: ROWS}, "xlsx")))
    kinds = {
        cell.data_type for sheet in book.worksheets for row in sheet.iter_rows() for cell in row
    }
    assert "f" not in kinds


def test_the_workbook_template_explains_every_column_in_two_languages() -> None:
    """On a second sheet, which is not read as rows."""
    book = load_workbook(io.BytesIO(template_file(TABLE)))
    assert book.sheetnames == ["table", "说明 description"]
    explained = {row[1].value for row in book["说明 description"].iter_rows(min_row=3)}
    assert explained == {column.name for column in TABLE.columns}
    assert book["table"]["A1"].value == "名称 name*"


def test_csv_begins_with_the_mark_that_excel_needs() -> None:
    """Else Chinese headers are garbled."""
    assert template_file(TABLE, "csv").startswith(b"\xef\xbb\xbf")
    with pytest.raises(InputError, match="use xlsx"):
        sheet_file({TABLE: [], Template("b", "", ()): []}, "csv")


@pytest.mark.parametrize("text", ["=1", "+1+1", "-1+1", "@x", "\tx", "\rx", "＝1", "－x"])
def test_guard_disarms_what_a_spreadsheet_would_compute(text: str) -> None:
    """A quotation mark in front."""
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ['x;=cmd|"/C calc"!A0', "x; +1", 'x;"@SUM(1)', "=1;=2"])
def test_no_formula_begins_where_another_country_separates_cells(text: str) -> None:
    """Spreadsheets of many countries cut at semicolons, also a file with commas."""
    content = sheet_file({TABLE: [{"name": text, "amount": 1.0}]}, "csv").decode("utf-8-sig")
    for separator in ",;\t":
        cells = content.replace('"', "").replace("\r\n", separator).split(separator)
        assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@"))]


@given(st.text(alphabet=";'=+-@\"a ,1", max_size=12))
def test_every_text_is_the_same_after_guarding_and_taking_back(text: str) -> None:
    """However semicolons, quotes and signs stand together."""
    assert unguarded(guard(text)) == text


@pytest.mark.parametrize("text", ["", "matte", "-12.5", "+3", "1e5", "a=b", "S=0.3; Cu=0.9"])
def test_guard_leaves_plain_text_and_numbers(text: str) -> None:
    """They are harmless."""
    assert guard(text) == text


def test_suggest_is_silent_when_nothing_is_near() -> None:
    """A wild guess helps nobody."""
    assert suggest("zzz", ["meter", "start"]) == ""


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_every_number_survives_writing_and_reading(number: float) -> None:
    """Bit for bit, in CSV."""
    content = sheet_file({TABLE: [{"name": "x", "amount": number}]}, "csv")
    assert read(content, "t.csv", TABLE).rows[0]["amount"] == number


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fail_otherwise_than_by_faults(content: bytes) -> None:
    """Anything may be uploaded."""
    for name in ("a.csv", "a.xlsx", "a.txt", "a"):
        reading = read(content, name, TABLE)
        assert reading.rows or reading.faults


def test_no_damage_to_a_workbook_makes_the_reader_fail_otherwise_than_by_faults() -> None:
    """300 workbooks with a few bytes changed."""
    whole, rng = sheet_file({TABLE: ROWS}, "xlsx"), random.Random(7)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 20)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        reading = read(bytes(damaged), "a.xlsx", TABLE)
        assert reading.rows or reading.faults


def test_a_row_limit_and_a_size_limit_hold() -> None:
    """With what to do about it."""
    long = b"name\n" + b"x\n" * 500_001
    assert "more than 500,000 rows" in read(long, "t.csv", TABLE).faults[0].what
    assert "split it below" in read(b"x" * 20_000_001, "t.csv", TABLE).faults[0].cure
    wide = read(b"name,amount\nx,1\ny" + b"," * 100, "t.csv", TABLE).faults[0]
    assert (wide.row, wide.what) == (3, "the row has 101 cells")


def test_a_month_formatted_cell_of_a_workbook_is_a_month() -> None:
    """Excel turns 2026-03 into a date that it shows as a month."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["name", "period"])
    sheet.append(["x", datetime(2026, 3, 1)])
    sheet["B2"].number_format = "yyyy-mm"
    out = io.BytesIO()
    book.save(out)
    assert str(read(out.getvalue(), "t.xlsx", TABLE).rows[0]["period"]) == "2026-03"
