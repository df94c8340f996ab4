"""The demonstration, built once for all workers, and a browser on a copy of it."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from cupral.surfaces.cli.demonstrating import FILE, made
from tests.journeys.browser import WIDE, Visit, launched, served


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Folder of the demonstration as `cupral demo` builds it; nobody may write to it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder = shared / "province"
    with (shared / "province.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / FILE).exists():
            made(folder)
    return folder


@pytest.fixture(scope="module")
def own_province(province: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that the tests of one file may post to."""
    folder = tmp_path_factory.mktemp("own") / "province"
    shutil.copytree(province, folder)
    return folder


@pytest.fixture(scope="module")
def base(own_province: Path) -> Iterator[str]:
    """Address of the served copy."""
    with served(own_province) as address:
        yield address


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for a file."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chrome: Browser, base: str) -> Iterator[Visit]:
    """A fresh profile on a wide screen; nothing may go wrong in it."""
    context = chrome.new_context(viewport=WIDE)  # type: ignore[arg-type]
    watched = Visit.on(context.new_page(), base)
    yield watched
    context.close()
    assert watched.complaints == []
    assert watched.strangers() == []
