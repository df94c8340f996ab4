"""A reader of the pages and the interface, in this process: no port, no network."""

import asyncio
import time
from typing import Any

import httpx

from cupral.ledger.ledger import Ledger
from cupral.surfaces.api.app import create_app
from cupral.surfaces.api.guard import guarded

BASE = "http://127.0.0.1:8600"


class Reader:
    """Asks one application that serves a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.inner = create_app(ledger)
        self.app = guarded(self.inner)
        self.cookies: dict[str, str] = {}
        self.raises = True
        """Whether a defect ends the test; else it is answered, as a server answers it."""

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET a path."""
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST to a path."""
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; redirects are not followed."""
        return asyncio.run(self._ask(method, path, **options))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=self.raises)
        async with httpx.AsyncClient(
            transport=transport, base_url=BASE, cookies=self.cookies
        ) as client:
            return await client.request(method, path, **options)

    def page(self, path: str, lang: str = "en") -> str:
        """The text of a page that must be there."""
        answer = self.get(path, headers={"cookie": f"lang={lang}"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def finished(self, id: str) -> dict[str, Any]:
        """The end of a job."""
        for _ in range(1000):
            job: dict[str, Any] = self.get(f"/api/jobs/{id}").json()
            if job["state"] in ("done", "failed", "cancelled"):
                return job
            time.sleep(0.01)
        raise AssertionError(f"job {id} did not end: {job}")

    def order(self, path: str, **options: Any) -> dict[str, Any]:
        """POST a form or command and wait for the end of its job."""
        answer = self.post(path, **options)
        if answer.status_code == 303:
            return self.finished(answer.headers["location"].removeprefix("/jobs/"))
        assert answer.status_code == 202, answer.text
        return self.finished(answer.json()["id"])
