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
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_https_is_demanded_for_a_year_and_only_over_https(browser: Reader, path: str) -> None:
    over_https = browser.get(f"https://127.0.0.1:8600{path}")
    assert over_https.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert "strict-transport-security" not in browser.get(path).headers


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/healthz", "/api/query/x/y"])
def test_what_does_not_say_that_it_may_be_kept_is_not_kept(browser: Reader, path: str) -> None:
    """Refusals and errors too; what may be kept (assets, pages by their hash) says so once."""
    assert browser.get(path).headers.get_list("cache-control") in (["no-store"], ["no-cache"])
    refused = browser.post("/reverse", headers={"sec-fetch-site": "cross-site"})
    assert refused.headers.get_list("cache-control") == ["no-store"]
    assert len(browser.get("/").headers.get_list("cache-control")) == 1


@pytest.mark.parametrize("path", ["/", "/api/postings", "/sites", "/upload", "/healthz"])
def test_trace_and_unknown_methods_are_refused(browser: Reader, path: str) -> None:
    for method in ("TRACE", "PROPFIND", "PUT", "PATCH"):
        answer = browser.ask(method, path, headers={"x-secret": "s3cret"})
        assert answer.status_code == 405
        assert "s3cret" not in answer.text


def test_a_preflight_of_another_site_gets_no_leave(browser: Reader) -> None:
    """The guard does not rely on it, but no answer may grant what it refuses."""
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = browser.ask("OPTIONS", "/api/command/balance/reverse_posting", headers=asked)
    assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/", "text/html; charset=utf-8"), ("/nowhere", "text/html; charset=utf-8"),
        ("/healthz", "text/plain; charset=utf-8"), ("/api/postings", "application/json"),
        ("/api/nowhere", "application/problem+json"), ("/api/openapi.json", "application/json"),
        ("/template/meters.csv", "application/octet-stream"),
    ],
)  # fmt: skip
def test_every_answer_tells_its_media_type_and_text_its_encoding(
    browser: Reader, path: str, media: str
) -> None:
    assert browser.get(path).headers["content-type"] == media


@pytest.mark.parametrize("path", ["/api/postings", "/", "/upload", "/sites"])
def test_a_defect_tells_the_reader_nothing_of_our_inside(
    browser: Reader, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Neither the message nor a place in the code; the guard's headers stay."""

    def defect(*_given: object, **_named: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("cupral.ledger.ledger.Ledger.postings", defect)
    monkeypatch.setattr("cupral.ledger.ledger.Ledger.sites", defect)
    failing = Reader(browser.ledger)
    failing.raises = False
    answer = failing.get(path)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


def test_the_policy_is_strict() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["object-src"] == "'none'"
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


def test_what_is_refused_is_logged_without_what_was_asked(
    browser: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, path, address and status; no argument, which may be somebody's figure."""
    foreign = {"sec-fetch-site": "cross-site"}
    browser.post("/reverse?figure=42", headers=foreign, data={"posting": "p7"})
    (record,) = caplog.records
    assert record.getMessage() == "POST /reverse from 127.0.0.1 refused with 403"
    caplog.clear()
    browser.post("/refresh")
    assert not caplog.records


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
