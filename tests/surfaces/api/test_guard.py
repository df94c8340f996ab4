"""Headers of every answer, and orders from other sites."""

from collections.abc import AsyncIterator

import pytest

from cupral.surfaces.api import guard
from cupral.surfaces.api.guard import HEADERS, LOCAL, POLICY, guarded
from tests.surfaces.reader import BASE, Reader

PATHS = ("/", "/sites", "/why?reference=x:y", "/nowhere", "/api/postings", "/api/nowhere",
         "/static/x/y.css", "/healthz")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_policy(browser: Reader, path: str) -> None:
    answer = browser.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_policy_is_strict() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["base-uri"] == "'none'"
    assert rules["form-action"] == "'self'"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_header_names_are_lower_case_as_asgi_wants() -> None:
    assert all(name == name.lower() for name, _ in HEADERS)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
    ],
)
def test_orders_of_other_sites_are_refused(browser: Reader, headers: dict[str, str]) -> None:
    head = browser.ledger.head
    answer = browser.post("/reverse", headers=headers, data={"posting": "x", "reason": "y"})
    assert answer.status_code == 403
    assert answer.json()["title"] == "no right"
    assert answer.json()["next"]
    assert browser.ledger.head == head


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": BASE},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "none"},
    ],
)
def test_our_own_pages_and_programs_may_order(browser: Reader, headers: dict[str, str]) -> None:
    answer = browser.post("/refresh", headers=headers)
    assert answer.status_code == 303


def test_reading_is_free_for_everybody(browser: Reader) -> None:
    answer = browser.get("/api/postings", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8600", 200), ("localhost:8600", 200), ("[::1]:8600", 200), ("localhost", 200),
        ("evil.example", 421), ("evil.example:8600", 421), ("127.0.0.1.evil.example", 421),
        ("[", 421), ("", 421),
    ],
)  # fmt: skip
def test_a_name_that_only_points_here_is_not_answered(
    browser: Reader, host: str, status: int
) -> None:
    """Else a page of another site could read us through a name of its own."""
    strict = Reader(browser.ledger)
    strict.app = guarded(strict.inner, LOCAL)
    answer = strict.get("/api/postings", headers={"host": host})
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == POLICY


def test_a_huge_body_is_refused_however_it_is_sent(
    browser: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_BYTES", 1000)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    for content in (b"x" * 2000, parts()):
        answer = browser.post(
            "/api/query/efficiency/level", content=content,
            headers={"content-type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == 413
        assert "send parts" in answer.text


def test_a_delete_is_an_order(browser: Reader) -> None:
    answer = browser.ask("DELETE", "/api/jobs/x", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
