"""Sums in the footers of files: the same answers as from the rows, to the bit."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.ledger import audit
from cupral.ledger.compaction import compact
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import files, rows, sums
from cupral.ledger.stores.duckdb import DuckScan
from cupral.ledger.stores.protocol import Filter
from tests.ledger.rows import assay, stocktake

MANY = 6_000


def hourly(seed: int, month: int = 1, count: int = MANY, **changed: Any) -> pa.Table:
    """Flows of three sites and materials with amounts of all sizes and both signs."""
    chance = np.random.default_rng(seed)

    def one_of(name: str) -> pa.Array:
        return pa.array([f"{name}{n}" for n in chance.integers(0, 3, count)])

    start = np.datetime64(datetime(2026, month, 1), "us") + chance.integers(0, 600, count).astype(
        "timedelta64[h]"
    )
    columns = {
        "site": one_of("S"), "stream": one_of("stream"), "source": one_of("P"),
        "target": one_of("P"), "material": one_of("m"),
        "amount": chance.normal(size=count) * 10.0 ** chance.integers(-20, 12, count),
        "unit": pa.repeat("t", count), "start": start, "end": start + np.timedelta64(1, "h"),
        "origin": pa.repeat("measured", count), "sd": 10.0 ** chance.uniform(-12, 6, count),
        "meter": pa.repeat("M", count), "correlation_group": pa.repeat("", count),
        "correlation": np.zeros(count), "demonstration": pa.repeat(False, count),
        "lineage": pa.repeat("", count),
    }  # fmt: skip
    return pa.table({**columns, **changed})


@pytest.fixture
def summed(tmp_path: Path) -> Ledger:
    """Four postings of many rows, one reversed, and one of few; files with and without sums."""
    ledger = Ledger.open(tmp_path / "ledger")
    for number in range(4):
        ledger.post(f"p{number}", author="me", flows=hourly(number, 1 + number % 2))
    ledger.reverse("p1", author="me", reason="wrong")
    ledger.post("few", author="me", flows=hourly(9, count=20))
    return ledger


def with_sums(ledger: Ledger) -> list[Path]:
    """Files of the ledger that keep sums."""
    return [path for path in ledger.manifest.files("flows") if sums.stated(path) is not None]


ASKED: list[dict[str, Any]] = [
    {"by": ["month", "site", "material"]},
    {"by": ["site"], "as_of": 2},
    {"by": ["site"], "as_of": 0},
    {"by": ["material", "month"], "site": "S1", "period": "2026-02"},
    {"by": ["unit"], "material": ["m0", "m2"], "as_of": 5},
    {"by": ["site"], "origin": "declared"},
]


def test_sums_answer_what_rows_answer_to_the_bit(
    summed: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(with_sums(summed)) == 5
    kept = [summed.totals(**asked) for asked in ASKED]
    monkeypatch.setattr(sums, "answer", lambda *_: False)
    for asked, answer in zip(ASKED, kept, strict=True):
        assert summed.totals(**asked).equals(answer), asked


def test_sums_stay_the_same_when_files_are_merged(summed: Ledger) -> None:
    before = [summed.totals(**asked) for asked in ASKED]
    assert compact(summed, most_files=1)
    assert len(with_sums(summed)) == 2
    for asked, answer in zip(ASKED, before, strict=True):
        assert summed.totals(**asked).equals(answer), asked


def test_what_is_undone_leaves_exactly_nothing_in_sums(summed: Ledger) -> None:
    (february, *_) = summed.totals(by=["month"], period="2026-02", as_of=2).to_pylist()
    assert february["amount"] != 0
    summed.reverse("p3", author="me", reason="wrong too")
    (february,) = summed.totals(by=["month"], period="2026-02").to_pylist()
    assert (february["amount"], february["variance"], february["rows"]) == (0.0, 0.0, 0)


def test_other_columns_and_hours_are_summed_from_rows(summed: Ledger) -> None:
    by_stream = summed.totals(by=["stream"])
    rows_of = summed.flows()
    assert sum(by_stream["rows"].to_pylist()) == rows_of.num_rows
    (day,) = summed.totals(by=["month"], period="2026-01-09").to_pylist()
    assert day["rows"] == summed.flows(period="2026-01-09").num_rows > 0


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        (hourly(1), True),
        (hourly(1, count=900), False),  # few rows
        (hourly(1, material=pa.array([f"m{n}" for n in range(MANY)])), False),  # many sums
        (hourly(1, amount=np.full(MANY, 1e15)), False),  # beyond 64 bits
    ],
)
def test_sums_are_kept_where_they_are_worth_it(tmp_path: Path, table: pa.Table, kept: bool) -> None:
    posted = rows.given("flows", table, "p", 0)
    path = tmp_path / files.write(tmp_path, "flows", 202601, posted).name
    assert (sums.stated(path) is not None) == kept
    totals = DuckScan().totals("flows", [path], Filter({}), ["unit"])
    assert totals["rows"].to_pylist() == [table.num_rows]
    assert totals["amount"].to_pylist() == [pytest.approx(sum(posted["amount"].to_pylist()))]


def test_stocktakes_keep_sums_too_and_assays_have_none(tmp_path: Path) -> None:
    held = [stocktake(f"yard-{n % 5}", float(n)) for n in range(2_000)]
    path = tmp_path / files.write(
        tmp_path, "stocktakes", 202601, rows.given("stocktakes", held, "p", 0)
    ).name  # fmt: skip
    assert sums.stated(path) is not None
    (total,) = DuckScan().totals("stocktakes", [path], Filter({}), ["site"]).to_pylist()
    assert (total["amount"], total["rows"]) == (sum(range(2_000)), 2_000)
    assert sums.summed(rows.given("assays", [assay()] * 2_000, "p", 0)) is None


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
@settings(deadline=None, max_examples=50)
def test_any_amounts_are_summed_alike(amounts: list[float]) -> None:
    """Subnormal numbers, ties of the grid and whole numbers included."""
    values = np.resize(np.array(amounts), 1_000)
    posted = rows.given("flows", hourly(1, count=1_000, amount=values), "p", 0)
    (kept,) = _totals(sums.summed(posted))
    whole = np.trunc(values)
    exact = sum(int(n) for n in whole) * sums.GRID + sum(
        int(n) for n in np.rint((values - whole) * sums.GRID)
    )
    assert kept == exact


def _totals(kept: pa.Table | None) -> list[int]:
    assert kept is not None
    columns = [kept[f"amount_{part}"].to_pylist() for part in ("whole", "upper", "lower")]
    triples = zip(*columns, strict=True)
    return [sum((whole * 2**31 + upper) * 2**31 + lower for whole, upper, lower in triples)]


def test_sums_that_differ_from_their_rows_are_named_by_an_audit(
    summed: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit.verify(summed, 2).intact
    summing = sums.summed

    def wrong(table: pa.Table) -> pa.Table | None:
        found = summing(table)
        return found and found.set_column(6, "amount_whole", pa.array([7] * found.num_rows))

    monkeypatch.setattr(sums, "summed", wrong)
    summed.post("forged", author="me", flows=hourly(5, 3))
    monkeypatch.undo()
    assert audit.verify(summed, 1).intact
    (damage,) = audit.verify(summed, 2).damages
    assert damage.endswith(": the sums in its footer are not those of its rows")


def test_sums_take_little_room(summed: Ledger) -> None:
    for path in with_sums(summed):
        assert len(pq.read_metadata(path).metadata[b"cupral.sums"]) < path.stat().st_size / 10
