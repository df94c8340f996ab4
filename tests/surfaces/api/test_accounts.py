"""Which pages open to whom, and what the three administrators do on theirs."""

import pytest

from tests.surfaces.tenants import Visitor


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        (None, "/ /sites /released /systems /parameters"),
        ("clerk", "/ /sites /upload /networks /documents /released /systems /parameters /postings"),
        ("judge", "/ /sites /networks /documents /released /systems /parameters /postings"),
        (
            "bureau",
            "/ /sites /upload /networks /documents /released /systems /parameters /postings",
        ),
        ("sysop", "/ /sites /released /systems /parameters /operation"),
        ("guard", "/ /sites /released /systems /parameters /accounts"),
        ("auditor", "/ /sites /released /systems /parameters /audit"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_navigation_shows_what_opens(
    visitor: Visitor, name: str | None, pages: str, lang: str
) -> None:
    if name:
        visitor.sign_in(name)
    page = visitor.get(f"/?lang={lang}").text
    nav = page.split("<nav", 1)[1].split("</nav>")[0]
    shown = [part.split('"')[0] for part in nav.split('href="')[1:]]
    assert shown == pages.split()
    for path in shown:
        assert visitor.get(path).status_code == 200, path
    closed = {"/upload", "/networks", "/documents", "/postings", "/operation", "/accounts"}
    for path in (closed | {"/audit"}) - set(shown):
        assert visitor.get(path).status_code == (403 if name else 303), path


def test_administrators_do_their_part_on_the_pages(own: Visitor) -> None:
    own.sign_in("guard")
    made = own.send("/accounts", **{"do": "add", "name": "wang", "role-enterprise": "yes",
                                    "enterprises": "e-rv，e-ws"})  # fmt: skip
    assert made.status_code == 200
    given = made.text.split('class="code">')[1].split("<")[0]
    assert Visitor(own.ledger, own.inner).sign_in("wang", given).headers["location"] == "/password"
    assert own.send("/accounts", **{"do": "locked", "name": "wang"}).status_code == 200
    assert own.send("/accounts", **{"do": "grant", "name": "guard", "role-audit": "y"}
                    ).status_code == 403  # fmt: skip
    assert own.send("/accounts", **{"do": "melt", "name": "wang"}).status_code == 422
    own.sign_in("sysop")
    for what in ("compact", "sweep", "backup"):
        answer = own.send("/operation", do=what)
        job = own.finished(answer.headers["location"].removeprefix("/jobs/"))
        assert job["state"] == "done", job["problem"]
    assert len(list((own.ledger.folder / "backups").glob("*.tar"))) == 1
    assert own.send("/operation", do="melt").status_code == 422
    own.sign_in("auditor")
    trail = own.get("/audit?verify=1").text
    for word in ("accounts.add", "accounts.grant", "session.begin", "ledger.backup", "NoRight"):
        assert word in trail
    assert own.get("/audit/trail.jsonl").text.count("\n") > 10
    assert own.get("/audit/trail.csv?first=2026-13-01").status_code == 422
    assert own.get("/audit/trail.pdf").status_code == 422
