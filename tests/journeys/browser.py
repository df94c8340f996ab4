"""The system's Chromium, driven by Playwright, on pages that a real server serves."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Playwright

from cupral.surfaces.api.app import application
from cupral.system import open_ledger

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def chromium() -> str:
    """Path of a Chromium; the test is skipped without one, but never on the build server."""
    found = os.environ.get("CUPRAL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    if not found:
        reason = "no Chromium on this computer; install it, or set CUPRAL_CHROMIUM to its path"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def launched(playwright: Playwright) -> Browser:
    """A browser with a fresh profile."""
    return playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of a server on a ledger, as `cupral serve` runs it."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application(open_ledger(folder)), log_level="warning", lifespan="on",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    for _ in range(600):
        if server.started:
            break
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@dataclass(slots=True)
class Visit:
    """A page of a browser, with everything that went wrong and over the wire."""

    page: Page
    base: str
    complaints: list[str]
    requests: list[str]
    bytes: int = 0

    @staticmethod
    def on(page: Page, base: str) -> "Visit":
        """Watch a page."""
        visit = Visit(page, base, [], [])
        page.on(
            "console", lambda m: m.type in ("error", "warning") and visit.complaints.append(m.text)
        )
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("request", lambda request: visit.requests.append(request.url))
        page.set_default_timeout(30_000)
        return visit

    def open(self, path: str, lang: str = "en") -> None:
        """Open a page in a language and wait until it is there."""
        joint = "&" if "?" in path else "?"
        self.page.goto(f"{self.base}{path}{joint}lang={lang}", wait_until="load")

    def text(self, selector: str = "main") -> str:
        """The text that a reader sees within an element."""
        return self.page.inner_text(selector)

    def strangers(self) -> list[str]:
        """Requests to other hosts."""
        return [url for url in self.requests if not url.startswith((self.base, "data:"))]
