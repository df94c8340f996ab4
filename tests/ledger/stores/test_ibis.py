"""One expression, two engines: DuckDB and a local Spark give the same numbers to 1e-12."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cupral.ledger.ledger import Ledger
from tests.ledger.stores.test_sums import hourly

ibis = pytest.importorskip("ibis", reason="pip install cupral[scale]")

from cupral.ledger.stores.ibis import as_of, on_duckdb, on_spark, roll_up, trend  # noqa: E402

# Ibis still asks DuckDB the old way; Spark leaves sockets to the end of the process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

KEYS = ["month", "site", "material", "origin", "unit"]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Six postings over three months, one reversed."""
    ledger = Ledger.open(tmp_path_factory.mktemp("history") / "ledger")
    for number in range(6):
        ledger.post(f"p{number}", author="me", flows=hourly(number, 1 + number % 3))
    ledger.reverse("p1", author="me", reason="wrong")
    return ledger


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A Spark of two threads on this machine."""
    sql = pytest.importorskip("pyspark.sql", reason="no pyspark; make scale has it")
    if shutil.which("java") is None:
        pytest.skip("no Java; apt-get install openjdk-17-jre-headless")
    builder = sql.SparkSession.builder.master("local[2]").appName("cupral tests")
    for key, value in {
        "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    }.items():  # fmt: skip
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def recorded(ledger: Ledger, seq: int) -> datetime:
    """When a posting was recorded (UTC)."""
    return datetime(1970, 1, 1) + timedelta(microseconds=ledger.manifest.recorded_at(seq))


QUESTIONS: dict[str, Callable[[Any, Ledger], Any]] = {
    "roll-up": lambda rows, _: roll_up(rows),
    "as of": lambda rows, ledger: roll_up(as_of(rows, recorded(ledger, 4))),
    "window and lag": lambda rows, _: trend(roll_up(rows), months=2),
    "by site": lambda rows, _: roll_up(rows, by=["site"]),
}


def answered(expression: Any) -> pa.Table:
    """The answer in order of its keys."""
    found = expression.to_pyarrow()
    order = [(name, "ascending") for name in KEYS if name in found.schema.names]
    return found.sort_by(order)


def assert_same(one: pa.Table, other: pa.Table, within: float = 1e-12) -> None:
    """Equal keys and counts; equal numbers to a relative difference."""
    for name in other.schema.names:
        ours, theirs = one[name].to_pylist(), other[name].to_pylist()
        if pa.types.is_floating(other.schema.field(name).type):
            ours, theirs = ([x is not None and x for x in side] for side in (ours, theirs))
            assert ours == pytest.approx(theirs, rel=within, abs=0.0), name
        else:
            assert ours == theirs, name


@pytest.mark.parametrize("question", QUESTIONS)
def test_duckdb_and_spark_answer_alike(history: Ledger, spark: Any, question: str) -> None:
    files = history.manifest.files("flows")
    ask = QUESTIONS[question]
    here = answered(ask(on_duckdb(files), history))
    there = answered(ask(on_spark(spark, files), history))
    assert here.num_rows > 2
    assert_same(there, here)


@pytest.mark.parametrize("as_of_posting", [None, 4])
def test_a_roll_up_is_what_the_ledger_sums(history: Ledger, as_of_posting: int | None) -> None:
    rows = on_duckdb(history.manifest.files("flows"))
    if as_of_posting is not None:
        rows = as_of(rows, recorded(history, as_of_posting))
    exact = history.totals(by=KEYS[:3], as_of=as_of_posting)
    assert_same(answered(roll_up(rows)), exact.drop_columns("demonstration"))


def test_a_trend_is_of_each_series_by_itself(history: Ledger) -> None:
    found = answered(trend(roll_up(on_duckdb(history.manifest.files("flows"))), months=2))
    series: dict[tuple[Any, ...], list[float]] = {}
    for row in found.to_pylist():
        seen = series.setdefault((row["site"], row["material"]), [])
        assert row["before"] == (seen[-1] if seen else None)
        assert row["moving"] == pytest.approx(row["amount"] + (seen[-1] if seen else 0.0))
        seen.append(row["amount"])
    assert {len(seen) for seen in series.values()} == {3}


def test_folders_may_have_any_name(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "it's 铜")
    ledger.post("p", author="me", flows=hourly(1, count=10))
    assert on_duckdb(ledger.manifest.files("flows")).count().to_pyarrow().as_py() == 10
