"""A workshop's ledger and a reader of its pages."""

import shutil
from pathlib import Path

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.surfaces import workshop as plant
from tests.surfaces.reader import Reader


@pytest.fixture(scope="session")
def built_workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a workshop that is only copied."""
    folder = tmp_path_factory.mktemp("built") / "workshop"
    plant.set_up(folder)
    return folder


@pytest.fixture
def workshop(built_workshop: Path, tmp_path: Path) -> Ledger:
    """A ledger of its own that holds the workshop and its three months."""
    folder = tmp_path / "workshop"
    shutil.copytree(built_workshop, folder)
    return open_ledger(folder)


@pytest.fixture(scope="module")
def shared_workshop(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """One workshop for all tests of a file that only read."""
    return plant.set_up(tmp_path_factory.mktemp("workshop") / "ledger")


@pytest.fixture
def reader(workshop: Ledger) -> Reader:
    """Reads and changes a workshop of its own."""
    return Reader(workshop)


@pytest.fixture(scope="module")
def browser(shared_workshop: Ledger) -> Reader:
    """Reads the shared workshop."""
    return Reader(shared_workshop)
