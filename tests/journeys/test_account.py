"""An auditor opens a site's metal account, judges its doubts, signs it, and sees it change."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.journeys.browser import Visit

pytestmark = pytest.mark.browser

SITE, PERIOD = "al-yt-1", "2026-01..2026-10"
METER = "al-yt-1.AC-2.rectifier"
ACCOUNT = f"/sites/{SITE}/account?period={PERIOD}"


@pytest.fixture(scope="module")
def ledger(own_province: Path) -> Ledger:
    """The ledger behind the pages."""
    return open_ledger(own_province)


def state(visit: Visit) -> str:
    """What the account says of itself."""
    return visit.page.locator(".facts .verdict").first.inner_text()


def finished(visit: Visit) -> None:
    """Wait for a job that went well, and go back to the account."""
    visit.page.locator(".verdict", has_text="done").wait_for()
    visit.page.click("a:has-text('Back to the account')")
    visit.page.locator("h2", has_text="The ten principles").wait_for()


class TestAnAccount:
    """One account from its first doubt to a change after it was signed, in this order."""

    def test_it_is_opened_from_the_site(self, visit: Visit) -> None:
        visit.open(f"/sites/{SITE}")
        visit.page.click("a:has-text('Metal account')")
        visit.page.locator("h2", has_text="Register of doubts").wait_for()
        assert state(visit) == "open doubts"
        assert METER in visit.text(".doubt")
        assert "fictional" in visit.text(".demo")
        assert visit.page.locator("#sign-head").is_visible()
        assert visit.page.locator("button:has-text('Sign the account')").count() == 0

    def test_its_doubts_are_judged_with_a_reason(self, visit: Visit, ledger: Ledger) -> None:
        visit.open(ACCOUNT)
        form = visit.page.locator("form[action$='/judge']").first
        form.locator("[value=confirmed]").check()
        form.locator("[name=reason]").fill("CT ratio plate 2000/5, set to 2036/5; report 17")
        form.locator("[name=author]").fill("auditor")
        form.locator("button").click()
        finished(visit)
        assert state(visit) == "ready to sign"
        assert "report 17" in visit.text(".doubt")
        judged = ledger.documents("doubt", party=SITE)
        assert {one.state for one in judged} == {"confirmed"}
        assert {one.author for one in judged} == {"auditor"}

    def test_it_is_signed(self, visit: Visit) -> None:
        visit.open(ACCOUNT)
        visit.page.fill("[name=statement]", "scope: all feeders and rectifiers")
        visit.page.fill("#signer", "chief auditor")
        visit.page.click("button:has-text('Sign the account')")
        finished(visit)
        assert state(visit) == "signed"
        assert "chief auditor" in visit.text("section:has(#sign-head)")

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_it_has_no_accessibility_violation(self, visit: Visit, lang: str) -> None:
        visit.open(ACCOUNT, lang)
        visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = Axe().run(visit.page)
        told = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]]
        assert told == []

    def test_it_is_printed_without_its_forms(self, visit: Visit) -> None:
        visit.open(ACCOUNT)
        visit.page.emulate_media(media="print")
        assert visit.page.locator("main form").first.is_hidden()
        assert visit.page.locator(".demo").is_visible()
        for head in ("principles", "doubts", "months", "meters", "sign"):
            assert visit.page.locator(f"#{head}-head").is_visible()

    def test_a_correction_changes_what_was_signed(self, visit: Visit) -> None:
        visit.open("/")
        visit.page.click("button:has-text('post it')")
        visit.page.locator(".verdict", has_text="done").wait_for()
        visit.open(ACCOUNT)
        assert state(visit) == "changed since signed"
        assert "changed" in visit.text("section:has(#sign-head) tbody")
