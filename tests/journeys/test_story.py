"""The story of the demonstration in three clicks: why, which meter, the corrected file."""

import re
import time

import pytest

from cupral.demonstration.faults import KEY
from cupral.system import open_ledger
from tests.journeys.browser import Visit

pytestmark = pytest.mark.browser


def test_first_click_why(visit: Visit) -> None:
    """From the flipped target to its lines, in a drawer that closes again."""
    visit.open("/")
    flip = visit.page.locator(".callout.alarm").first
    assert "T8" in flip.inner_text()
    assert "36.62 % (met)" in flip.inner_text()
    assert "33.54 % (not met)" in flip.inner_text()
    link = flip.locator("a.why").first
    link.click()
    drawer = visit.page.locator("dialog[open]")
    drawer.locator("h1").wait_for()
    text = drawer.inner_text()
    assert "One target in depth" in text
    assert KEY.meter in text
    visit.page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    assert link.evaluate("link => link === document.activeElement")


def test_second_click_the_suspect_meter(visit: Visit) -> None:
    """From the flipped target to the meter, and one more to the row, its file and line."""
    visit.open("/")
    visit.page.locator(".callout.alarm .trace a", has_text=KEY.meter).click()
    visit.page.wait_for_url(re.compile(f"/sites/{KEY.site}"))
    suspect = visit.page.locator("tr.suspect", has_text=KEY.meter)
    assert "suspect" in suspect.inner_text()
    suspect.locator("a.why").first.click()
    drawer = visit.page.locator("dialog[open]")
    drawer.locator("h1").wait_for()
    assert KEY.meter in drawer.inner_text()
    assert "measured" in drawer.inner_text()


def test_two_clicks_lead_from_a_target_down_to_meter_rows(visit: Visit) -> None:
    visit.open("/")
    visit.page.locator(".targets .fig a").nth(1).click()
    drawer = visit.page.locator("dialog[open]")
    drawer.locator("h1").wait_for()
    drawer.locator("a.code", has_text="balance.months").first.click()
    drawer.locator("caption", has_text="Ledger rows").wait_for()
    assert "meters:" in drawer.inner_text()


def test_third_click_the_corrected_file(visit: Visit, own_province: object) -> None:
    """The corrected file is posted; the target becomes a new version; nothing is lost."""
    ledger = open_ledger(own_province)  # type: ignore[arg-type]
    head = ledger.head
    visit.open("/")
    assert "Kept version 1 of 1" in visit.text()
    visit.page.locator(".callout.alarm button", has_text="corrected file").click()
    visit.page.locator(".verdict", has_text="done").wait_for()
    report = visit.text()
    assert "12" in report
    assert "results were recomputed" in report
    assert "plan.status" in report
    assert ledger.head == head + 1
    began = time.monotonic()
    visit.page.locator("main a", has_text="See the targets").first.click()
    visit.page.locator("main", has_text="Kept version 2 of 2").wait_for()
    assert time.monotonic() - began < 15
    assert KEY.meter not in visit.text()
    visit.page.locator("main a", has_text="Kept version 2 of 2").click()
    history = visit.page.locator("dialog[open] section", has_text="Versions")
    history.wait_for()
    assert f"stale since posting {head + 1}" in history.inner_text()


def test_the_late_file_is_posted_once(visit: Visit) -> None:
    visit.open("/demonstration/corrected-ct-ratio.csv")
    assert "was posted before" in visit.text()
    visit.complaints.clear()
