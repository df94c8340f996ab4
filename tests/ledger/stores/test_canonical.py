"""The canonical form: one digest for the same rows however they are laid out, another for any
changed cell."""

import hashlib
import struct
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.flow import SCHEMAS
from cupral.ledger.stores import files, rows
from cupral.ledger.stores.canonical import chain_sha, combined_sha, content_sha
from cupral.ledger.stores.duckdb import DuckScan
from cupral.ledger.stores.protocol import Filter
from tests.ledger.rows import assay, flow


def some(count: int = 50) -> pa.Table:
    """Rows of one posting, with repeated and differing text."""
    nouns = [
        flow(f"S{n % 7}", n / 7, sd=n / 11, lineage=f"文件 {n}", site="AB"[n % 2])
        for n in range(count)
    ]
    return rows.given("flows", nouns, "p1", 0)


SHA = content_sha(some())


def plainly(table: pa.Table) -> str:
    """The form as its description says it, value by value."""
    listed = sorted(table.to_pylist(), key=lambda row: (row["posting"], row["row"]))
    said = f"cupral rows v1 {len(listed)}".encode()
    for field in table.schema:
        values = [row[field.name] for row in listed]
        if field.name == "recorded_at":
            continue
        tag = {"string": "text", "double": "f8"}.get(str(field.type), "i8")
        said += f"|{field.name}:{tag}|".encode()
        if None in values:
            bits = "".join("0" if value is None else "1" for value in values)
            said += int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
        if tag == "text":
            texts = [(value or "").encode() for value in values]
            said += b"".join(struct.pack("<i", len(text)) for text in texts) + b"".join(texts)
        elif tag == "f8":
            said += b"".join(struct.pack("<d", value or 0.0) for value in values)
        else:
            said += b"".join(struct.pack("<q", whole(value)) for value in values)
    return hashlib.sha256(said).hexdigest()


def whole(value: object) -> int:
    """A number, a yes or no, or a time as a whole number."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    return int(value or 0)  # type: ignore[call-overload,no-any-return]


def test_the_form_is_as_described() -> None:
    """Changing the form needs a new version number and a way to read the old one."""
    assert plainly(some()) == SHA
    limits = rows.given("assays", [assay("S1"), assay("S2", detection_limit=0.5)], "p", 0)
    assert plainly(limits) == content_sha(limits)


def _encoded(table: pa.Table) -> pa.Table:
    columns = [
        column.combine_chunks().dictionary_encode() if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.schema.names)


def _large(table: pa.Table) -> pa.Table:
    fields = [
        pa.field(f.name, pa.large_string()) if pa.types.is_string(f.type) else f
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


LAYOUTS = {
    "chunks": lambda t: pa.concat_tables([t.slice(0, 13), t.slice(13, 1), t.slice(14)]),
    "empty chunks": lambda t: pa.concat_tables([t.slice(0, 0), t, t.slice(50)]),
    "slice of more": lambda t: pa.concat_tables([t, t]).slice(25).take(
        list(range(25, 75))).slice(0, 50),
    "slice": lambda t: pa.concat_tables([some(3), t]).combine_chunks().slice(3),
    "reversed": lambda t: t.take(list(range(49, -1, -1))),
    "shuffled": lambda t: t.take(np.random.default_rng(1).permutation(50)),
    "dictionary": _encoded,
    "large text": _large,
    "recorded": lambda t: t.set_column(
        5, t.schema.field(5), pa.array([datetime(2026, 1, 1)] * 50, pa.timestamp("us"))),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_does_not_matter(layout: str) -> None:
    assert content_sha(LAYOUTS[layout](some())) == SHA


def test_parquet_and_duckdb_do_not_matter(tmp_path: object) -> None:
    root = tmp_path
    data = files.write(root, "flows", 202601, some())  # type: ignore[arg-type]
    path = root / data.name  # type: ignore[operator]
    assert content_sha(pq.read_table(path, partitioning=None)) == SHA
    assert content_sha(DuckScan().every("flows", [path], Filter({}))) == SHA


@pytest.mark.parametrize("name", [n for n in SCHEMAS["flows"].names if n != "recorded_at"])
@pytest.mark.parametrize("row", [0, 49])
def test_any_changed_cell_changes_the_digest(name: str, row: int) -> None:
    table = some()
    values = table.column(name).to_pylist()
    old = values[row]
    if isinstance(old, bool):
        values[row] = not old
    elif isinstance(old, str):
        values[row] = old + " "
    elif isinstance(old, datetime):
        values[row] = old + timedelta(microseconds=1)
    elif isinstance(old, float):
        values[row] = float(np.nextafter(old, np.inf))
    else:
        values[row] = old + (1 if name != "row" or row else -1)
    index = table.schema.get_field_index(name)
    field = table.schema.field(index)
    assert content_sha(table.set_column(index, field, pa.array(values, field.type))) != SHA


def test_a_missing_added_or_renamed_part_changes_the_digest() -> None:
    table = some()
    assert content_sha(table.slice(0, 49)) != SHA
    assert content_sha(table.drop(["lineage"])) != SHA
    swapped = table.rename_columns(
        [{"source": "target", "target": "source"}.get(n, n) for n in table.schema.names]
    )
    assert content_sha(swapped) != SHA


def test_minus_zero_is_zero_one_nan_is_another_and_none_is_neither() -> None:
    def limits(*values: float | None) -> str:
        nouns = [assay(f"S{n}") for n in range(len(values))]
        table = rows.given("assays", nouns, "p", 0)
        index = table.schema.get_field_index("detection_limit")
        column = pa.array(values, pa.float64())
        return content_sha(table.set_column(index, table.schema.field(index), column))

    other_nan = np.frombuffer(np.uint64(0xFFF8000000000001).tobytes(), np.float64)[0]
    assert limits(0.0) == limits(-0.0)
    assert limits(float("nan")) == limits(other_nan)
    assert len({limits(0.0), limits(float("nan")), limits(None), limits(1.0)}) == 4
    assert limits(None, 1.0) != limits(1.0, None)
    assert limits(None, 0.0) != limits(0.0, None)


texts = st.lists(st.text("ab\0c", max_size=3), min_size=3, max_size=3)


@given(texts, texts)
def test_no_two_columns_of_text_read_alike(first: list[str], second: list[str]) -> None:
    def sha(texts: list[str]) -> str:
        return content_sha(pa.table({"posting": ["p"] * 3, "row": [0, 1, 2], "text": texts}))

    assert (sha(first) == sha(second)) == (first == second)


@given(texts, texts)
def test_no_two_chains_or_combinations_read_alike(first: list[str], second: list[str]) -> None:
    assert (chain_sha("0", *first) == chain_sha("0", *second)) == (first == second)
    one, two = dict(zip(first, second, strict=True)), dict(zip(second, first, strict=True))
    assert (combined_sha(one) == combined_sha(two)) == (one == two)
