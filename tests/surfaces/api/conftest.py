"""Two tenants, and somebody who visits them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.surfaces import tenants
from tests.surfaces.tenants import Visitor


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two tenants, only copied."""
    return tenants.set_up(tmp_path_factory.mktemp("tenants") / "ledger").folder


@pytest.fixture(scope="module")
def shared(built: Path) -> Ledger:
    """The ledger for tests that only read."""
    return open_ledger(built)


@pytest.fixture
def visitor(shared: Ledger) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(shared)


@pytest.fixture
def own(built: Path, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody on a ledger of his own."""
    ledger = open_ledger(shutil.copytree(built, tmp_path / "own"))
    yield Visitor(ledger)
    ledger.records.database.dispose()
