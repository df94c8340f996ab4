"""One suite for every store of rows: what the Scan protocol promises."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cupral.ledger.errors import Damaged, InputError
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.stores import files, rows
from cupral.ledger.stores.duckdb import DuckScan
from cupral.ledger.stores.protocol import Filter, Scan
from tests.ledger.rows import assay, flow, stocktake

STORES: dict[str, Callable[[], Scan]] = {"duckdb": DuckScan}
"""A new store is added here and passes all of this file."""


@pytest.fixture(params=STORES)
def scan(request: pytest.FixtureRequest) -> Scan:
    """Each store in turn."""
    return STORES[request.param]()


def stamped(table: pa.Table, microsecond: int) -> pa.Table:
    """Rows recorded at that microsecond of 1970."""
    index = table.schema.get_field_index("recorded_at")
    times = pa.array([microsecond] * table.num_rows, pa.timestamp("us"))
    return table.set_column(index, table.schema.field(index), times)


@pytest.fixture
def held(tmp_path: Path) -> list[Path]:
    """Files of two months: entries of p1, a correction by p2, an entry of p3."""
    first = rows.given("flows", [flow("S1", 1.0), flow("S2", 2.0, site="B"),
                                 flow("S3", 3.0, start=datetime(2026, 1, 9))], "p1", 0)  # fmt: skip
    second = rows.superseding(
        "flows", rows.given("flows", [flow("S1", 10.0, demonstration=True)], "p2", 0), first, "p2"
    )
    third = rows.given("flows", [flow("S1", 5.0, 202602, unit="MWh")], "p3", 0)
    written = [
        files.write(tmp_path, "flows", month, stamped(table, number))
        for number, (month, table) in enumerate(
            [(202601, first), (202601, second), (202602, third)], start=1
        )
    ]
    return [tmp_path / data.name for data in written]


def streams(table: pa.Table) -> list[tuple[str, float]]:
    """Stream and amount of each row in order."""
    pairs = zip(table["stream"].to_pylist(), table["amount"].to_pylist(), strict=True)
    return list(pairs)


def test_current_rows_come_in_order_of_month_site_posting_and_row(
    scan: Scan, held: list[Path]
) -> None:
    found = scan.current("flows", held, Filter({}))
    assert streams(found) == [("S3", 3.0), ("S1", 10.0), ("S2", 2.0), ("S1", 5.0)]
    assert found.schema.equals(SCHEMAS["flows"])


def test_every_row_comes_in_order_of_posting_and_row(scan: Scan, held: list[Path]) -> None:
    found = scan.every("flows", held, Filter({}))
    pairs = list(zip(found["posting"].to_pylist(), found["row"].to_pylist(), strict=True))
    assert pairs == [("p1", 0), ("p1", 1), ("p1", 2), ("p2", 0), ("p2", 1), ("p3", 0)]
    assert found["sign"].to_pylist() == [1, 1, 1, 1, -1, 1]
    assert found.schema.equals(SCHEMAS["flows"])


def test_the_order_of_files_does_not_matter(scan: Scan, held: list[Path]) -> None:
    for read in (scan.current, scan.every):
        forward = read("flows", held, Filter({}))
        assert read("flows", held[::-1], Filter({})).equals(forward)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Filter({"site": ("B",)}), ["S2"]),
        (Filter({"site": ("A", "B"), "stream": ("S2", "S3")}), ["S3", "S2"]),
        (Filter({"row": (2,)}), ["S3"]),
        (Filter({"site": ("it's",)}), []),
        (Filter({}, 202602, 202602), ["S1"]),
        (Filter({}, 202602), ["S1"]),
        (Filter({}, None, 202601), ["S3", "S1", "S2"]),
        (Filter({}, within=(datetime(2026, 1, 9), datetime(2026, 1, 10))), ["S3"]),
        (Filter({}, within=(datetime(2026, 1, 1), datetime(2026, 1, 9))), ["S1", "S2"]),
    ],
)
def test_filters_cut_exactly(
    scan: Scan, held: list[Path], asked: Filter, expected: list[str]
) -> None:
    assert scan.current("flows", held, asked)["stream"].to_pylist() == expected


def test_rows_recorded_later_are_not_seen(scan: Scan, held: list[Path]) -> None:
    amounts = [
        scan.current("flows", held, Filter({"stream": ("S1",)}, recorded_until=until))["amount"]
        for until in (0, 1, 2, 3)
    ]
    assert [column.to_pylist() for column in amounts] == [[], [1.0], [10.0], [10.0, 5.0]]


def test_totals_are_signed_sums(scan: Scan, held: list[Path]) -> None:
    found = scan.totals("flows", held, Filter({"stream": ("S1",)}), ["month", "unit"])
    assert found.to_pylist() == [
        {"month": 202601, "unit": "t", "amount": 10.0, "variance": 0.25, "rows": 1,
         "demonstration": True},
        {"month": 202602, "unit": "MWh", "amount": 5.0, "variance": 0.25, "rows": 1,
         "demonstration": False},
    ]  # fmt: skip


def test_totals_do_not_depend_on_the_order_of_rows(scan: Scan, tmp_path: Path) -> None:
    amounts = [1e15, 0.1, -1e15, 0.2, 1e-9, 0.3] * 50
    table = rows.given("flows", [flow("S1", amount) for amount in amounts], "p1", 0)
    answers = set()
    for pieces in (1, 2, 3):
        parts = [table.slice(n * 100 * 3 // pieces, 300 // pieces) for n in range(pieces)]
        paths = [tmp_path / files.write(tmp_path, "flows", 202601, part).name for part in parts]
        (total,) = scan.totals("flows", paths, Filter({}), ["site"])["amount"].to_pylist()
        answers.add(total)
    assert answers == {30.00000005}


@pytest.mark.parametrize("amount", [0.1, 1 / 3, 1e-7, 123.456, 2.0**52 + 0.5, 9e18, 1e20])
def test_an_amount_that_is_undone_leaves_exactly_zero(
    scan: Scan, tmp_path: Path, amount: float
) -> None:
    """Also beyond 64 bits, where the sum is of decimals."""
    entered = rows.given("flows", [flow("S1", amount), flow("S2", 0.5)], "p", 0)
    undone = rows.counter("flows", entered.slice(0, 1), "q", 0)
    both = pa.concat_tables([entered, undone])
    path = tmp_path / files.write(tmp_path, "flows", 202601, both).name
    (total,) = scan.totals("flows", [path], Filter({}), ["site"]).to_pylist()
    assert (total["amount"], total["rows"]) == (0.5, 1)
    assert total["variance"] == 0.25


def test_a_file_that_is_gone_is_a_damage(scan: Scan, held: list[Path]) -> None:
    held[1].unlink()
    for read in (scan.current, scan.every):
        with pytest.raises(Damaged, match="`cupral audit verify` names all damages"):
            read("flows", held, Filter({}))
    with pytest.raises(Damaged, match=held[1].name):
        scan.totals("flows", held, Filter({}), ["site"])


def test_nothing_read_has_the_right_columns(scan: Scan, held: list[Path]) -> None:
    for table in SCHEMAS:
        assert scan.current(table, [], Filter({})).schema.equals(SCHEMAS[table])
        assert scan.every(table, [], Filter({})).num_rows == 0
    empty = scan.totals("flows", [], Filter({}), ["site"])
    assert empty.schema.equals(scan.totals("flows", held, Filter({}), ["site"]).schema)
    assert empty.num_rows == 0


def test_totals_by_no_or_unknown_columns_are_refused(scan: Scan, held: list[Path]) -> None:
    for by in (["colour"], []):
        with pytest.raises(InputError, match="flows cannot be summed by"):
            scan.totals("flows", held, Filter({}), by)


def test_assays_and_stocktakes_read_like_flows(scan: Scan, tmp_path: Path) -> None:
    table = rows.given("assays", [assay(), assay("S2", detection_limit=1e-6)], "p", 0)
    path = tmp_path / files.write(tmp_path, "assays", 202601, stamped(table, 1)).name
    found = scan.current("assays", [path], Filter({"element": ("Cu",)}))
    assert found["detection_limit"].to_pylist() == [None, 1e-6]
    table = rows.given("stocktakes", [stocktake()], "p", 0)
    path = tmp_path / files.write(tmp_path, "stocktakes", 202601, stamped(table, 1)).name
    night = (datetime(2026, 1, 31), datetime(2026, 2, 1))
    assert scan.current("stocktakes", [path], Filter({}, within=night)).num_rows == 1


@pytest.mark.parametrize("folder", ["it's", "铜 厂", "a%20b", "a[1]", "a*b", "a?b", "{a,b}"])
def test_folders_may_have_any_name(scan: Scan, tmp_path: Path, folder: str) -> None:
    root = tmp_path / folder
    table = stamped(rows.given("flows", [flow()], "p", 0), 1)
    path = root / files.write(root, "flows", 202601, table).name
    assert scan.current("flows", [path], Filter({})).num_rows == 1
