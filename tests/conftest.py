"""What every test may ask for: the shared reference files, and a fresh ledger."""

import os
from pathlib import Path

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference files: CUPRAL_SHARED, or `shared` beside the repository."""
    folder = Path(os.environ.get("CUPRAL_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no {folder.name}/data beside the repository; set CUPRAL_SHARED to its folder")
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger of its own, with the parameters that the systems ship."""
    return open_ledger(tmp_path / "ledger")
