"""A request in a browser: opened, submitted, taken up, sent back, accepted, found again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from cupral.system import open_ledger
from tests.journeys.browser import NARROW, Visit, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an empty ledger that is served."""
    folder = tmp_path_factory.mktemp("office") / "ledger"
    open_ledger(folder).records.database.dispose()
    with served(folder) as address:
        yield address


def act(visit: Visit, heading: str, author: str, **fields: str) -> None:
    """Open one of the folded forms, fill it in, and send it."""
    form = visit.page.locator("details", has=visit.page.get_by_text(heading, exact=True)).last
    form.locator("summary").click()
    for name, text in fields.items():
        form.locator(f"[name={name}]").fill(text)
    form.locator("[name=author]").fill(author)
    form.locator("button").click()
    visit.page.wait_for_load_state()


def clean(visit: Visit) -> None:
    """No accessibility violation, and nothing wider than a narrow screen."""
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = Axe().run(visit.page)
    assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]] == []
    wide = visit.page.viewport_size
    visit.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    visit.page.set_viewport_size(wide)  # type: ignore[arg-type]
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")


def test_a_request_goes_through_the_office(visit: Visit, tmp_path: Path) -> None:
    visit.open("/documents")
    visit.page.locator("summary", has_text="Write a new document").click()
    visit.page.fill("#new-party", "E1")
    visit.page.fill("#new-title", "绿电直连申请")
    visit.page.fill("#new-text", "容量 50 MW")
    visit.page.fill("#new-author", "li")
    visit.page.get_by_role("button", name="Keep as draft").click()
    visit.page.wait_for_url("**/documents/request/*")
    place = visit.page.url
    assert "draft" in visit.text()
    report = tmp_path / "可研报告.txt"
    report.write_text("可行性研究", encoding="utf-8")
    visit.page.locator("summary", has_text="Attach a file").click()
    visit.page.set_input_files("#file", report)
    visit.page.fill("#file-author", "li")
    visit.page.get_by_role("button", name="Attach a file").click()
    visit.page.get_by_role("link", name="可研报告.txt").wait_for()
    act(visit, "Submit", "li")
    act(visit, "Take up", "wang")
    clean(visit)
    act(visit, "Return", "wang", reason="缺环评批复")
    assert "缺环评批复" in visit.text()
    act(visit, "Submit", "li")
    act(visit, "Take up", "wang")
    act(visit, "Accept", "wang")
    assert "accepted (now)" in str(visit.page.locator("svg.stations").get_attribute("aria-label"))
    with visit.page.expect_download() as caught:
        visit.page.get_by_role("link", name="可研报告.txt").click()
    assert caught.value.suggested_filename == "可研报告.txt"
    assert Path(caught.value.path()).read_text("utf-8") == "可行性研究"
    visit.open("/documents")
    visit.page.fill("#text", "环评")
    visit.page.get_by_role("button", name="Search").click()
    visit.page.wait_for_load_state()
    assert visit.page.get_by_role("link", name="绿电直连申请").get_attribute("href") in place
    clean(visit)
    visit.open("/inbox", "zh")
    assert "未读通知" in visit.text()
    clean(visit)
