"""Every page in a real browser: accessible, light, within its width, with and without scripts."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.journeys.browser import NARROW, WIDE, Visit

pytestmark = pytest.mark.browser

T8 = "result:plan.target%3Ftarget%3DT8"
PAGES = {
    "overview": "/", "declared": "/?basis=declared", "map": "/?target=T8", "sites": "/sites",
    "smelter": "/sites/cu-dy-1", "potlines": "/sites/al-yt-1?month=202610", "upload": "/upload",
    "account": "/sites/cu-yt-1/account?period=2026-01..2026-10",
    "networks": "/networks", "network": "/networks/al-yt-1", "new": "/networks/new",
    "documents": "/documents", "inbox": "/inbox",
    "systems": "/systems", "parameters": "/parameters", "desk": "/parameters/statistics.prices",
    "postings": "/postings?verify=1",
    "why": f"/why?reference={T8}", "row": "/why?reference=flows:meters:202610/0",
    "parameter": "/why?reference=parameter:efficiency.al_liquid_ac",
    "query": "/query/efficiency/level?norm=al_liquid_ac&value=13000",
    "problem": "/query/balance/problem", "lost": "/nowhere",
}  # fmt: skip
FIRST_PAGE_BYTES, FIRST_PAGE_REQUESTS, LATER_PAGE_BYTES = 600_000, 6, 60_000


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_an_accessibility_violation(visit: Visit, name: str, lang: str) -> None:
    visit.open(PAGES[name], lang)
    if name in ("smelter", "potlines"):
        visit.page.locator("[data-drawn]").wait_for()
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = Axe().run(visit.page)
    told = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]]
    assert told == []
    if name == "lost":
        visit.complaints.clear()  # the browser notes the status 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_drawer_has_no_accessibility_violation(visit: Visit, lang: str) -> None:
    visit.open("/", lang)
    visit.page.locator(".targets .fig a").first.click()
    visit.page.locator("dialog[open] h1").wait_for()
    visit.page.wait_for_timeout(300)
    found = Axe().run(visit.page)
    told = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]]
    assert told == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_page_is_wider_than_its_screen(
    chrome: Browser, base: str, size: dict[str, int], lang: str
) -> None:
    context = chrome.new_context(viewport=size)  # type: ignore[arg-type]
    visit = Visit.on(context.new_page(), base)
    too_wide = []
    for name, path in PAGES.items():
        visit.open(path, lang)
        if visit.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            too_wide.append(name)
    context.close()
    assert too_wide == []


def weighed(chrome: Browser, base: str, *paths: str) -> list[tuple[int, int, list[str]]]:
    """Bytes over the wire, requests and strangers of pages that are opened one after another."""
    context = chrome.new_context(viewport=WIDE, locale="zh-CN")  # type: ignore[arg-type]
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    weights: list[tuple[int, int, list[str]]] = []
    for path in paths:
        sizes: list[float] = []
        visit = Visit.on(page, base)
        session.on("Network.loadingFinished", lambda e, to=sizes: to.append(e["encodedDataLength"]))
        page.goto(base + path, wait_until="load")
        page.wait_for_timeout(700)
        weights.append((int(sum(sizes)), len(visit.requests), visit.strangers()))
    context.close()
    return weights


def test_the_first_page_is_light(chrome: Browser, base: str) -> None:
    ((size, requests, strangers),) = weighed(chrome, base, "/")
    print(f"first page: {size} bytes, {requests} requests")
    assert size <= FIRST_PAGE_BYTES
    assert requests <= FIRST_PAGE_REQUESTS
    assert strangers == []


def test_even_a_first_page_with_a_chart_is_light(chrome: Browser, base: str) -> None:
    ((size, requests, strangers),) = weighed(chrome, base, "/sites/cu-dy-1")
    assert size <= FIRST_PAGE_BYTES
    assert requests <= FIRST_PAGE_REQUESTS
    assert strangers == []


def test_later_pages_are_lighter(chrome: Browser, base: str) -> None:
    paths = [path for name, path in PAGES.items() if name not in ("smelter", "potlines", "lost")]
    heavy = [
        (path, size)
        for path, (size, _, _) in zip(paths, weighed(chrome, base, *paths), strict=True)
        if size > LATER_PAGE_BYTES
    ]
    assert heavy == []


def test_charts_are_drawn_in_our_own_colours(visit: Visit) -> None:
    visit.open("/sites/cu-dy-1")
    visit.page.locator("[data-drawn] svg").wait_for()
    colours = visit.page.eval_on_selector_all(
        "[data-drawn] svg path", "paths => [...new Set(paths.map(p => p.getAttribute('fill')))]"
    )
    ours = {"#b8693a", "#8497a3", "#6b625a", "#5c9a97", "#56656f"}
    drawn = {c.lower() for c in colours if c and c.startswith("#")}
    assert drawn <= ours
    assert len(drawn) >= 3


def test_the_language_switch_keeps_the_place(visit: Visit) -> None:
    visit.page.goto(f"{visit.base}/parameters?system=plan")
    assert visit.page.get_attribute("html", "lang") == "zh-CN"
    visit.page.click("a[hreflang='en']")
    assert visit.page.get_attribute("html", "lang") == "en"
    assert "system=plan" in visit.page.url
    visit.page.click("nav a:has-text('Sites')")
    assert visit.page.get_attribute("html", "lang") == "en"


def test_the_switch_shows_the_declared_figures(visit: Visit) -> None:
    visit.open("/")
    last = visit.page.locator(".targets tbody tr").last
    assert "33.54" in last.locator(".fig a").inner_text()
    visit.page.click(".switch a:has-text('Declared')")
    visit.page.wait_for_url("**basis=declared**")
    assert "36.62" in visit.page.locator(".targets tbody tr").last.locator(".fig a").inner_text()


@pytest.mark.parametrize("basis", ["reconciled", "declared"])
def test_the_summary_counts_what_the_table_shows(visit: Visit, basis: str) -> None:
    visit.open(f"/?basis={basis}")
    said = visit.page.locator(".targets .verdict").all_inner_texts()
    met = sum(text.startswith("met") for text in said)
    undecided = sum(text == "cannot decide" for text in said)
    summary = f"by {basis} figures: {met} of {len(said)} tests met, {undecided} cannot be decided"
    assert summary in visit.text(".title")
    assert undecided == (2 if basis == "declared" else 0)
    assert visit.page.locator(".targets .bar-range").count() == len(said) - undecided
    assert "percentage points" in visit.page.locator(".targets tr").last.inner_text()


def test_a_keyboard_reaches_the_content_first(visit: Visit) -> None:
    visit.open("/")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "skip"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "content"


class TestWithoutScripts:
    """Everything reads and works with scripts switched off."""

    @pytest.fixture
    def still(self, chrome: Browser, base: str) -> Visit:
        """A browser without scripts."""
        context = chrome.new_context(java_script_enabled=False, viewport=WIDE)  # type: ignore[arg-type]
        return Visit.on(context.new_page(), base)

    def test_every_page_shows_its_figures(self, still: Visit) -> None:
        still.open("/")
        text = still.text()
        assert "33.54" in text
        assert "T8" in text
        still.open("/sites/cu-dy-1")
        assert "Streams: measured, reconciled, adjustment" in still.text()

    def test_why_is_a_page_of_its_own(self, still: Visit) -> None:
        still.open("/")
        still.page.locator(".targets .fig a").last.click()
        still.page.wait_for_url("**/why?reference=*")
        assert "One target in depth" in still.text()

    def test_a_file_is_uploaded(self, still: Visit) -> None:
        still.open("/upload?site=cu-dy-1")
        still.page.set_input_files(
            "#file", {"name": "x.csv", "mimeType": "text/csv", "buffer": b"meter,period,amount\n"}
        )
        still.page.fill("#author", "x")
        still.page.click("button:has-text('Check only')")
        still.page.wait_for_url("**/jobs/*")
        still.page.locator(".verdict", has_text="failed").wait_for()
        assert "Faulty rows" in still.text()

    def test_a_question_is_asked(self, still: Visit) -> None:
        still.open("/query/efficiency/level")
        still.page.fill("[name=norm]", "al_liquid_ac")
        still.page.fill("[name=value]", "13001")
        still.page.click("button:has-text('Run')")
        still.page.locator("main", has_text="level 3").wait_for()


def test_pages_are_printed_without_their_navigation(visit: Visit, tmp_path: Path) -> None:
    visit.open("/")
    visit.page.emulate_media(media="print")
    assert not visit.page.locator(".nav").is_visible()
    assert not visit.page.locator(".switch").is_visible()
    assert visit.page.locator(".targets").is_visible()
    pdf = tmp_path / "overview.pdf"
    visit.page.pdf(path=str(pdf))
    assert pdf.read_bytes().startswith(b"%PDF")
