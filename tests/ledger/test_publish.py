"""The Delta logs name what the manifest names; another engine reads the same rows from them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact, sweep
from cupral.ledger.errors import Conflict, Damaged
from cupral.ledger.ledger import Ledger
from cupral.ledger.publish import LOG, publish
from tests.ledger.rows import assay, flow, stocktake


@pytest.fixture
def posted(ledger: Ledger) -> Ledger:
    """Five postings over two months, one correction; an assay and a stocktake."""
    for number in range(5):
        ledger.post(f"p{number}", author="me", supersede=number == 4, flows=[
            flow(f"流{s}", number + s / 10, 202601 + number % 2, site=f"site-{min(number, 2)}")
            for s in range(3)
        ])  # fmt: skip
    ledger.post("lab", author="me", assays=[assay(detection_limit=None)], stocktakes=[stocktake()])
    return ledger


def actions(ledger: Ledger, version: int, table: str = "flows") -> dict[str, list[Any]]:
    """Actions of one commit by kind."""
    path = ledger.folder / table / LOG / f"{version:020d}.json"
    found: dict[str, list[Any]] = {}
    for line in path.read_text("utf-8").splitlines():
        ((kind, action),) = json.loads(line).items()
        found.setdefault(kind, []).append(action)
    return found


def read_back(ledger: Ledger, table: str = "flows") -> pa.Table:
    """All rows as the Delta engine reads them, in order of posting and row."""
    deltalake = pytest.importorskip("deltalake", reason="pip install cupral[publish]")
    rows = deltalake.DeltaTable(str(ledger.folder / table)).to_pyarrow_dataset().to_table()
    return rows.sort_by([("posting", "ascending"), ("row", "ascending")])


def every(ledger: Ledger, table: str = "flows") -> pa.Table:
    """All rows as the ledger reads them."""
    from cupral.ledger.stores.protocol import Filter

    return ledger.scan.every(table, ledger.manifest.files(table), Filter({}))


@pytest.mark.parametrize("table", ["flows", "assays", "stocktakes"])
def test_another_engine_reads_the_same_rows(posted: Ledger, table: str) -> None:
    publish(posted)
    rows = read_back(posted, table)
    assert rows.num_rows > 0
    assert (
        rows.select(every(posted, table).schema.names)
        .cast(every(posted, table).schema)
        .equals(every(posted, table))
    )


def test_publishing_again_writes_only_what_is_new(posted: Ledger) -> None:
    first = {done.table: done for done in publish(posted)}
    assert (first["flows"].version, first["flows"].added) == (0, 5)
    assert [(done.version, done.added) for done in publish(posted)] == [(0, 0)] * 3
    posted.post("late", author="me", flows=[flow("S9", 9.0)])
    told = [str(done) for done in publish(posted)]
    assert told[0] == "flows: version 1, +1 -0 files"
    assert actions(posted, 1)["add"][0]["dataChange"] is True
    assert actions(posted, 1)["txn"] == [{"appId": "Cupral", "version": 7}]
    assert "metaData" not in actions(posted, 1)
    assert read_back(posted).num_rows == every(posted).num_rows


def test_a_merging_is_a_removal_and_an_addition_without_change(posted: Ledger) -> None:
    publish(posted)
    before = read_back(posted)
    assert compact(posted, most_files=1)
    (flows, *_) = publish(posted)
    assert (flows.added, flows.removed) == (2, 5)
    moved = actions(posted, 1)
    assert not any(action["dataChange"] for action in moved["add"] + moved["remove"])
    assert read_back(posted).equals(before)
    sweep(posted, grace_seconds=-1)
    assert read_back(posted).equals(before)
    assert verify(posted, 2).intact


def test_a_log_that_was_deleted_is_written_again(posted: Ledger) -> None:
    publish(posted)
    before = read_back(posted)
    for path in (posted.folder / "flows" / LOG).iterdir():
        path.unlink()
    assert publish(posted)[0].version == 0
    assert read_back(posted).equals(before)


def test_files_are_left_out_by_their_bounds(posted: Ledger) -> None:
    publish(posted)
    stats = [json.loads(add["stats"]) for add in actions(posted, 0)["add"]]
    assert sum(told["numRecords"] for told in stats) == every(posted).num_rows
    for told in stats:
        least, greatest = told["minValues"], told["maxValues"]
        assert least["month"] == greatest["month"]
        assert len(least["start"]) == len("2026-01-01T00:00:00.000000")
        assert least.keys() == greatest.keys() >= {"site", "posting", "recorded_at"}
    deltalake = pytest.importorskip("deltalake", reason="pip install cupral[publish]")
    table = deltalake.DeltaTable(str(posted.folder / "flows"))
    some = table.file_uris(file_pruning_predicate="site = 'site-1'")
    assert len(some) == 1 < len(table.file_uris())
    rows = table.to_pyarrow_dataset().to_table(filter=pc.field("site") == "site-1")
    assert rows.num_rows == 3


def test_other_engines_may_read_but_not_write(posted: Ledger) -> None:
    deltalake = pytest.importorskip("deltalake", reason="pip install cupral[publish]")
    publish(posted)
    with pytest.raises(Exception, match=r"Unsupported table features .*cupralReadOnly"):
        deltalake.write_deltalake(str(posted.folder / "flows"), read_back(posted), mode="append")
    assert publish(posted)[0].version == 0


def test_what_another_engine_wrote_into_a_log_is_refused(posted: Ledger) -> None:
    publish(posted)
    log = posted.folder / "flows" / LOG
    (log / f"{1:020d}.json").write_text('{"commitInfo": {"engineInfo": "other"}}\n')
    with pytest.raises(Conflict, match="was not written by `cupral ledger publish`"):
        publish(posted)
    (log / f"{1:020d}.json").write_text('{"commitInfo": {"eng')
    with pytest.raises(Damaged, match=r"cannot be read; remove .* and publish again"):
        publish(posted)


def test_of_two_publishers_at_once_one_is_refused(
    posted: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = posted.manifest.present

    def slow(table: str) -> Any:
        monkeypatch.undo()
        publish(posted)
        return present(table)

    monkeypatch.setattr(type(posted.manifest), "present", lambda _, table: slow(table))
    with pytest.raises(Conflict, match="another publisher was quicker; publish again"):
        publish(posted)
    assert [path.suffix for path in (posted.folder / "flows" / LOG).iterdir()] == [".json"]
    assert read_back(posted).num_rows == every(posted).num_rows


def test_a_missing_file_is_named(posted: Ledger) -> None:
    gone = posted.manifest.files("flows")[0]
    gone.unlink()
    with pytest.raises(Damaged, match=gone.name):
        publish(posted)
    assert list((posted.folder / "flows" / LOG).iterdir()) == []


def test_an_empty_ledger_publishes_nothing(ledger: Ledger) -> None:
    assert publish(ledger) == []


def test_logs_are_left_alone_by_sweeps_and_backups(posted: Ledger, tmp_path: Path) -> None:
    from cupral.ledger.backup import backup

    publish(posted)
    assert sweep(posted, grace_seconds=-1) == []
    backup(posted, tmp_path / "b.tar")
    assert LOG.encode() not in (tmp_path / "b.tar").read_bytes()
