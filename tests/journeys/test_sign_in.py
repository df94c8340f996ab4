"""Signing in with a demonstration login, with a real browser: seen, entered, left."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from cupral.surfaces import demonstration_logins
from cupral.system import open_ledger
from tests.journeys.browser import Visit, served

pytestmark = pytest.mark.browser
CLOSED = {"enterprise": "/sites/cu-dy-1", "security": "/postings"}


@pytest.fixture(scope="module")
def base(province: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a served copy that has accounts."""
    folder = shutil.copytree(province, tmp_path_factory.mktemp("accounts") / "province")
    demonstration_logins.made(open_ledger(folder), author="me")
    with served(folder) as address:
        yield address


def enter(visit: Visit, name: str) -> None:
    """Enter as an account of the demonstration."""
    visit.open("/login")
    visit.page.click(f"button[aria-label='Enter as {name}']")
    visit.page.locator(".who", has_text=name).wait_for()


def violations(visit: Visit) -> list[str]:
    """What is not accessible on the page."""
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = Axe().run(visit.page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_public_sees_targets_and_the_door(visit: Visit, lang: str) -> None:
    for path in ("/", "/sites", "/login"):
        visit.open(path, lang)
        assert violations(visit) == []
    visit.open("/postings", lang)
    assert "/login?next=" in visit.page.url


@pytest.mark.parametrize("role", ["enterprise", "security", "audit", "system", "department"])
def test_everybody_enters_sees_his_pages_and_leaves(visit: Visit, role: str) -> None:
    enter(visit, f"demo-{role}")
    addresses = visit.page.locator("nav.nav a").evaluate_all("all => all.map(a => a.pathname)")
    for path in [*addresses, "/me", "/password"]:
        visit.open(path)
        assert violations(visit) == [], path
    if role in CLOSED:
        visit.open(CLOSED[role])
        assert "may not read" in visit.text()
        visit.complaints.clear()  # the browser notes the status 403
    visit.open("/me")
    visit.page.click("button:has-text('Sign out')")
    visit.page.locator(".who", has_text="Sign in").wait_for()
