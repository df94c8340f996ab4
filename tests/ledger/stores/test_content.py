"""Hashes read from files column by column are those of the rows that were posted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cupral.ledger.stores import content, files, rows
from cupral.ledger.stores.canonical import content_sha
from tests.ledger.rows import assay, flow, stocktake


def posted(id: str, count: int, first: int = 0) -> pa.Table:
    """Rows of one posting, numbered from `first`, at two sites; text that repeats and not."""
    nouns = [
        flow(f"S{n % 3}", n / 7, site="AB"[n % 2], lineage=f"{id} 文件 {n}") for n in range(count)
    ]
    return rows.given("flows", nouns, id, first)


def readers(root: Path, table: str, parts: Sequence[pa.Table]) -> list[content.Reader]:
    """The parts as files."""
    names = [files.write(root, table, 202601, part).name for part in parts]
    return [content.reader(root / name) for name in names]


PARTS = {
    "one posting": lambda: [posted("p", 20)],
    "several postings": lambda: [posted("p", 20), posted("q", 5), posted("r", 1)],
    "several in one file": lambda: [pa.concat_tables([posted("p", 20), posted("q", 30)])],
    "one over several files": lambda: [posted("p", 20).slice(0, 7), posted("p", 20).slice(7)],
    "numbers from elsewhere": lambda: [posted("p", 9, 1000), posted("q", 3, 2**31 - 4)],
    "numbers with gaps": lambda: [posted("p", 20).filter(pa.array([True, False] * 10))],
}


@pytest.mark.parametrize("small", [0, 1_000_000])
@pytest.mark.parametrize("layout", PARTS)
def test_each_posting_has_its_hash(
    tmp_path: Path, layout: str, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether files are read at once or column by column."""
    monkeypatch.setattr(content, "_SMALL", small)
    parts = PARTS[layout]()
    whole = pa.concat_tables(parts)
    expected = {
        id: content_sha(whole.filter(pa.compute.equal(whole["posting"], id)))
        for id in set(whole["posting"].to_pylist())
    }
    assert content.content_shas("flows", readers(tmp_path, "flows", parts)) == expected


def test_a_row_that_is_there_twice_changes_the_hash(tmp_path: Path) -> None:
    part = posted("p", 20)
    twice = content.content_shas("flows", readers(tmp_path, "flows", [part, part.slice(3, 1)]))
    assert twice.keys() == {"p"}
    assert twice["p"] != content_sha(part)


def test_other_tables_and_empty_cells_are_hashed_alike(tmp_path: Path) -> None:
    limits = rows.given("assays", [assay("S1"), assay("S2", detection_limit=0.5)], "p", 0)
    stocks = rows.given("stocktakes", [stocktake(), stocktake("silo")], "p", 0)
    for table, part in (("assays", limits), ("stocktakes", stocks)):
        assert content.content_shas(table, readers(tmp_path, table, [part])) == {
            "p": content_sha(part)
        }


def test_rows_of_some_sites_are_those_rows(tmp_path: Path) -> None:
    read = readers(tmp_path, "flows", [posted("p", 20), posted("q", 6)])
    assert content.counted("flows", read, "site") == {"A": 13, "B": 13}
    some = content.rows("flows", read, ["B"])
    assert set(some["site"].to_pylist()) == {"B"}
    assert some.num_rows == 13
    assert content.rows("flows", read).num_rows == 26


def test_a_file_is_described_in_the_words_of_the_manifest(tmp_path: Path) -> None:
    (read,) = readers(tmp_path, "flows", [pa.concat_tables([posted("p", 4), posted("q", 2)])])
    assert content.described(read) == {
        "rows": 6, "site_first": "A", "site_last": "B", "month": 202601, "postings": {"p", "q"},
    }  # fmt: skip


def test_places_are_counted_or_sorted_to_the_same_order() -> None:
    chance = np.random.default_rng(3)
    for gaps in (False, True):
        codes = chance.integers(0, 5, 200)
        numbers = np.concatenate([chance.permutation(200)])
        if not gaps:  # dense numbers within each posting
            for code in range(5):
                mine = codes == code
                numbers[mine] = chance.permutation(mine.sum()) + 7
        places = content._places(codes.astype(np.int32), numbers.astype(np.int32),
                                 np.bincount(codes, minlength=5))  # fmt: skip
        assert places.tolist() == np.lexsort((numbers, codes)).tolist()
