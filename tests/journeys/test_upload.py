"""A plant's energy manager brings a month's meter file and gets back a balance."""

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.journeys.browser import Visit

pytestmark = pytest.mark.browser

SITE = "al-bz-1"


@pytest.fixture(scope="module")
def ledger(own_province: object) -> Ledger:
    """The ledger behind the pages."""
    return open_ledger(own_province)  # type: ignore[arg-type]


def november(ledger: Ledger, **changed: str) -> bytes:
    """A meter file of November 2026: October's amounts under the next month."""
    rows = ledger.flows(site=SITE, origin="measured", period="2026-10").to_pylist()
    lines = ["meter,period,amount,unit"]
    for row in rows:
        amount = changed.get(row["meter"], repr(row["amount"]))
        lines.append(f"{row['meter']},2026-11,{amount},{row['unit']}")
    return ("\n".join(lines) + "\n").encode()


def bring(visit: Visit, content: bytes, button: str) -> None:
    """Fill in the form and send it."""
    visit.open(f"/upload?site={SITE}")
    visit.page.set_input_files(
        "#file", {"name": "november.csv", "mimeType": "text/csv", "buffer": content}
    )
    visit.page.fill("#author", "energy manager")
    visit.page.click(f"button:has-text('{button}')")
    visit.page.wait_for_url("**/jobs/*")
    visit.page.locator(".verdict", has_text="done").or_(
        visit.page.locator(".verdict", has_text="failed")
    ).first.wait_for()


def test_a_template_is_downloaded(visit: Visit) -> None:
    visit.open("/upload")
    with visit.page.expect_download() as download:
        visit.page.click("a[href='/template/meters.xlsx']")
    assert download.value.suggested_filename == "cupral-meters.xlsx"


def test_a_faulty_file_is_told_by_row_and_column(visit: Visit, ledger: Ledger) -> None:
    head, meter = ledger.head, f"{SITE}.F-1.feeder"
    bring(visit, november(ledger, **{meter: "12O34"}), "Check and post")
    text = visit.text()
    assert "Nothing was posted" in text
    assert "12O34" in text
    assert "amount" in text
    assert ledger.head == head


def test_a_checked_file_is_posted_seen_and_reversed(visit: Visit, ledger: Ledger) -> None:
    head = ledger.head
    bring(visit, november(ledger), "Check only")
    assert "nothing is posted yet" in visit.text()
    assert ledger.head == head
    visit.page.click("button:has-text('Post')")
    visit.page.locator("main", has_text="Posted as").wait_for()
    assert ledger.head == head + 1
    visit.page.click("a:has-text('See the site')")
    visit.page.locator("h2", has_text="Balance test of 2026-11").wait_for()
    assert "Redundancy" in visit.text()
    visit.page.go_back()
    visit.page.click("summary:has-text('Reverse')")
    visit.page.fill("#reason", "sent by mistake")
    visit.page.click("button:has-text('Reverse')")
    visit.page.locator(".verdict", has_text="done").wait_for()
    assert ledger.flows(site=SITE, origin="measured", period="2026-11").num_rows == 0


def test_the_ledger_page_tells_the_whole_story(visit: Visit, ledger: Ledger) -> None:
    bring(visit, november(ledger), "Check and post")
    visit.open("/postings")
    text = visit.text()
    assert "energy manager" in text
    visit.page.click("a:has-text('Verify every row')")
    visit.page.locator("h2", has_text="Intact").wait_for()


def test_an_open_page_learns_of_a_posting(visit: Visit, ledger: Ledger) -> None:
    """The line at the foot is live: it names the new posting and offers to reload."""
    visit.open("/sites")
    visit.page.locator(".live[data-on]").wait_for()
    posting = ledger.postings()[-1]["id"]
    ledger.reverse(posting, author="somebody else", reason="a test")
    link = visit.page.locator(".live a")
    link.wait_for()
    assert str(ledger.head) in link.inner_text()
