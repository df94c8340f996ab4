"""Random single-bit flips over all files of a ledger, rows and database: each is reported, or it
hit a byte that says nothing."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact
from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Site
from tests.ledger.rows import flow

UNSIGNED = {"result_scope", "removed_seq", "removed_at", "stale_since"}
"""Tables and columns that no hash covers: what is no posting, and what may change later."""
NOTED = {("document", "recorded_at"), ("document", "version"), ("document", "author"),
         ("result", "recorded_at"), ("result", "seq"), ("result", "parameters"),
         ("result", "code"), ("result", "id"), ("file", "added_seq"), ("file", "id")}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a compacted ledger, its database in one file."""
    ledger = Ledger.open(tmp_path_factory.mktemp("flips") / "ledger")
    for number in range(12):
        ticket = Document(kind="ticket", id=f"T{number}", party="P", body={"text": "x" * 200})
        ledger.post(f"p{number}", author="me", note="n", documents=[ticket], flows=[
            flow(f"S{s}", s + number, 202601 + number % 2) for s in range(6)
        ])  # fmt: skip
        ledger.put(Document(kind="note", id=f"N{number}", party="P", body={"text": "y" * 200}),
                   author="me")  # fmt: skip
        ledger.register(Site(id=f"s{number}", name_zh="厂" * 30, name_en="x" * 90, enterprise="E",
                             city="c"), author="me")  # fmt: skip
    compact(ledger, most_files=1)
    ledger.post("last", author="me", flows=[flow("S", 1.0, 202603)])
    ledger.manifest.database.dispose()
    with closing(sqlite3.connect(ledger.folder / "documents.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return ledger.folder


def said(database: Path) -> dict[str, Any]:
    """What the signed tables and columns of a database say."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("select name from sqlite_master where type = 'table'")
        return {
            table: [
                {c: row[c] for c in dict(row) if c not in UNSIGNED and (table, c) not in NOTED}
                for row in connection.execute(f"select * from {table}")  # noqa: S608
            ]
            for table in sorted({name for (name,) in names} - UNSIGNED)
        }  # fmt: skip


def reported(folder: Path) -> bool:
    """Whether opening or the audit says that something is wrong."""
    try:
        ledger = Ledger.open(folder)
        verdict = verify(ledger, 2)
        ledger.manifest.database.dispose()
    except sa.exc.DatabaseError:  # SQLite will not open it at all
        return True
    return not verdict.intact


def flipped(built: Path, copy: Path, seed: int, flips: int) -> tuple[int, int]:
    """Flip bits one by one; returns how many were reported and how many said nothing."""
    chance, whole = random.Random(seed), said(built / "documents.sqlite")
    paths = sorted(p for p in built.rglob("*") if p.suffix in (".parquet", ".sqlite"))
    found = silent = 0
    for _ in range(flips):
        path = chance.choice(paths)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(built, copy)
        content = bytearray(path.read_bytes())
        place = chance.randrange(len(content))
        content[place] ^= 1 << chance.randrange(8)
        (copy / path.relative_to(built)).write_bytes(content)
        named = ".parquet" in path.name and path not in kept_files(built)
        if reported(copy):
            found += 1
        else:
            assert named or path.suffix == ".sqlite", f"{path.name} byte {place} is not reported"
            assert said(copy / "documents.sqlite") == whole, f"database byte {place}"
            silent += 1
    return found, silent


def kept_files(folder: Path) -> list[Path]:
    """Files that hold the present rows; replaced ones wait for the sweep and are not audited."""
    ledger = Ledger.open(folder)
    files = ledger.manifest.files("flows")
    ledger.manifest.database.dispose()
    return files


def test_thirty_flips(built: Path, tmp_path: Path) -> None:
    found, silent = flipped(built, tmp_path / "copy", seed=1, flips=30)
    assert found + silent == 30
    assert found > 5


@pytest.mark.slow
def test_two_hundred_flips(built: Path, tmp_path: Path) -> None:
    found, silent = flipped(built, tmp_path / "copy", seed=2, flips=200)
    assert found + silent == 200
