"""Pages over HTTP: made once for each state of the ledger, honest while they are made anew."""

import asyncio
import threading
import time

import pytest

from cupral.ledger.ledger import Ledger
from cupral.surfaces.api import desk as desks
from cupral.surfaces.api.desk import Desk, Kept, Pages
from cupral.system import order
from tests.surfaces.reader import Reader
from tests.surfaces.workshop import SITE, meter_file


def kept(text: str, status: int = 200) -> Kept:
    """A body."""
    return Kept(f"<!--earlier-->{text}".encode(), b"", text, status, "text/html", b"<p>old</p>")


def post_april(ledger: Ledger) -> None:
    """A posting that changes the state."""
    order(ledger, "balance.import_meters", author="a", site=SITE,
          content=meter_file(("2026-04",)), filename="april.csv")  # fmt: skip


class TestPages:
    """The store of rendered bodies."""

    def test_a_body_is_made_once_for_a_state(self) -> None:
        pages, made = Pages(), []

        async def run() -> None:
            for _ in range(3):
                await pages.get(("a",), 1, lambda: made.append(1) or kept("x"))

        asyncio.run(run())
        assert made == [1]

    def test_many_readers_wait_for_one_making(self) -> None:
        pages, made = Pages(), []

        def make() -> Kept:
            made.append(1)
            time.sleep(0.05)
            return kept("x")

        async def run() -> set[str]:
            found = await asyncio.gather(*(pages.get(("a",), 1, make) for _ in range(100)))
            return {body.etag for body in found}

        assert asyncio.run(run()) == {"x"}
        assert made == [1]

    def test_a_new_state_makes_it_anew(self) -> None:
        pages = Pages()

        async def run() -> list[str]:
            return [(await pages.get(("a",), s, lambda s=s: kept(str(s)))).etag for s in (1, 2)]

        assert asyncio.run(run()) == ["1", "2"]

    def test_who_waits_too_long_gets_the_earlier_page_that_says_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desks, "PATIENCE", 0.05)
        pages, gate = Pages(), threading.Event()

        def slow() -> Kept:
            gate.wait(5)
            return kept("new")

        async def run() -> tuple[Kept, Kept]:
            await pages.get(("a",), 1, lambda: kept("old"))
            early = await pages.get(("a",), 2, slow)
            gate.set()
            return early, await pages.get(("a",), 2, slow)

        early, late = asyncio.run(run())
        assert not early.fresh
        assert early.body == b"<p>old</p>old"
        assert early.etag == ""
        assert late.fresh
        assert late.body.endswith(b"new")

    def test_errors_are_not_kept(self) -> None:
        pages, made = Pages(), []

        async def run() -> None:
            for _ in range(2):
                await pages.get(("a",), 1, lambda: made.append(1) or kept("x", 404))

        asyncio.run(run())
        assert made == [1, 1]

    def test_a_failure_does_not_lock_the_page(self) -> None:
        pages = Pages()

        def broken() -> Kept:
            raise ValueError("defect")

        async def run() -> str:
            with pytest.raises(ValueError, match="defect"):
                await pages.get(("a",), 1, broken)
            return (await pages.get(("a",), 1, lambda: kept("x"))).etag

        assert asyncio.run(run()) == "x"

    def test_only_so_many_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(desks, "KEPT_PAGES", 3)
        pages = Pages()

        async def run() -> None:
            for number in range(6):
                await pages.get((number,), 1, lambda: kept("x"))

        asyncio.run(run())
        assert len(pages._kept) == 3


def test_the_pulse_changes_with_postings_registers_and_documents(workshop: Ledger) -> None:
    desk = Desk.of(workshop)
    seen = [desk.pulse.state]
    assert desk.pulse.state == seen[0]
    post_april(workshop)
    seen.append(desk.pulse.state)
    order(workshop, "plan.report_progress", author="a", clause="T09-M1", unit="省发展改革委",
          progress=5.0, on="2026-05-01")  # fmt: skip
    seen.append(desk.pulse.state)
    desk.pulse.close()
    assert len(set(seen)) == 3


def test_a_page_changes_after_a_posting(reader: Reader) -> None:
    before = reader.page("/postings")
    assert "april" not in before
    post_april(reader.ledger)
    assert "2 postings" in reader.page("/postings")


def test_a_page_that_the_browser_has_is_not_sent_again(browser: Reader) -> None:
    etag = browser.get("/sites").headers["etag"]
    answer = browser.get("/sites", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_browser_asks_whether_its_page_still_holds(browser: Reader) -> None:
    headers = browser.get("/sites").headers
    assert headers["cache-control"] == "no-cache"
    assert {"cookie", "hx-request"} <= set(headers["vary"].split(", "))


def test_pages_are_compressed_for_those_who_can(browser: Reader) -> None:
    assert browser.get("/sites").headers["content-encoding"] == "gzip"
    plain = browser.get("/sites", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("path", ["/nowhere", "/sites/none", "/query/no/such", "/networks/none"])
def test_what_is_not_there_is_a_page_that_says_what_to_do(browser: Reader, path: str) -> None:
    answer = browser.get(path, headers={"cookie": "lang=en"})
    assert answer.status_code == 404
    assert "What to do" in answer.text
    assert "<h1>Not found</h1>" in answer.text


def test_a_slash_too_many_is_mended(browser: Reader) -> None:
    answer = browser.get("/sites/")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/sites")


def test_the_interface_answers_lost_callers_in_plain_text(browser: Reader) -> None:
    answer = browser.get("/api/nowhere")
    assert answer.status_code == 404
    assert "<html" not in answer.text


class TestLanguage:
    """Chinese first; the choice is remembered."""

    def test_chinese_without_a_choice(self, browser: Reader) -> None:
        assert '<html lang="zh-CN">' in browser.get("/sites").text

    def test_a_choice_is_kept_in_a_cookie(self, browser: Reader) -> None:
        answer = browser.get("/sites", params={"lang": "en"})
        assert '<html lang="en">' in answer.text
        assert "lang=en" in answer.headers["set-cookie"]
        assert "samesite=lax" in answer.headers["set-cookie"].lower()

    def test_the_cookie_is_followed(self, browser: Reader) -> None:
        assert '<html lang="en">' in browser.get("/sites", headers={"cookie": "lang=en"}).text

    def test_an_unknown_language_is_chinese_and_not_remembered(self, browser: Reader) -> None:
        answer = browser.get("/sites", params={"lang": "xx"})
        assert '<html lang="zh-CN">' in answer.text
        assert "set-cookie" not in answer.headers

    def test_the_switch_keeps_the_page_and_its_arguments(self, browser: Reader) -> None:
        text = browser.get("/parameters", params={"system": "plan"}).text
        assert 'href="/parameters?system=plan&amp;lang=en"' in text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/?through=9999-12-31", 422), ("/query/plan/status?through=9999-12-31", 422),
     ("/api/query/plan/status?through=9999-12-31", 422), ("/postings?before=²", 200),
     ("/postings?before=x", 200), ("/static/x/%00", 404)],
)  # fmt: skip
def test_odd_addresses_are_no_defects(browser: Reader, path: str, status: int) -> None:
    assert browser.get(path).status_code == status
