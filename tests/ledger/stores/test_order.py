"""The order of rows: that of Python's own stable sort, however the columns are kept."""

from datetime import datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.stores.order import order, ordered

words = st.text("aB\0é铜", max_size=2)
wide = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
listed = st.lists(st.tuples(words, wide, st.integers(0, 10**15)), max_size=30)


def table(rows: list[tuple[str, int, int]]) -> pa.Table:
    """Text, numbers and times."""
    origin = datetime(2000, 1, 1)
    times = [origin + timedelta(microseconds=time) for _, _, time in rows]
    return pa.table({
        "text": pa.array([text for text, _, _ in rows], pa.string()),
        "number": pa.array([number for _, number, _ in rows], pa.int64()),
        "time": pa.array(times, pa.timestamp("us")),
    })  # fmt: skip


@given(listed)
def test_rows_come_as_a_stable_sort_puts_them(rows: list[tuple[str, int, int]]) -> None:
    expected = sorted(range(len(rows)), key=lambda n: (rows[n][0].encode(), *rows[n][1:]))
    assert order(table(rows), ["text", "number", "time"]).to_pylist() == expected


@given(listed)
def test_equal_rows_keep_their_places(rows: list[tuple[str, int, int]]) -> None:
    expected = sorted(range(len(rows)), key=lambda n: rows[n][0].encode())
    assert order(table(rows), ["text"]).to_pylist() == expected


@given(listed)
def test_dictionaries_and_pieces_are_ordered_alike(rows: list[tuple[str, int, int]]) -> None:
    plain = table(rows)
    half = len(rows) // 2
    pieces = pa.concat_tables([plain.slice(0, half), plain.slice(half)])
    coded = plain.set_column(0, "text", plain["text"].dictionary_encode())
    names = ["text", "number", "time"]
    assert ordered(pieces, names).equals(ordered(plain, names))
    assert order(coded, names).equals(order(plain, names))


def test_many_wide_columns_are_ordered_too() -> None:
    """More bits than one number has: ranks of 20 bits each, four times."""
    count = 1 << 13
    names = [f"c{n}" for n in range(5)]
    rows = pa.table({name: [(n * 7919 + k) % count * 1000003 for n in range(count)]
                     for k, name in enumerate(names)})  # fmt: skip
    found = ordered(rows, names)
    assert found["c0"].to_pylist() == sorted(rows["c0"].to_pylist())
