"""What every test may ask for: the shared reference files, and a fresh ledger."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger

# CI tries the same examples each time; at the desk every run tries new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference files: CUPRAL_SHARED, or `shared` beside the repository."""
    folder = Path(os.environ.get("CUPRAL_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no {folder.name}/data beside the repository; set CUPRAL_SHARED to its folder")
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger of its own, with the parameters that the systems ship."""
    opened = open_ledger(tmp_path / "ledger")
    yield opened
    opened.records.database.dispose()
