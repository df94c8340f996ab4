"""Signing in over HTTP: sessions, tokens, forms, limits, redirects; and who sees which page."""

import asyncio
from pathlib import Path

import httpx
import pytest

from cupral.access import administration, session
from cupral.access.throttle import Throttle
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.surfaces.api import serving, signed
from cupral.surfaces.api.app import create_app
from cupral.surfaces.api.entrance import local
from cupral.surfaces.api.signed import Limits
from cupral.system import open_ledger
from tests.surfaces import tenants
from tests.surfaces.tenants import PASSWORD, Visitor


def test_the_public_is_sent_to_sign_in_and_back(visitor: Visitor) -> None:
    answer = visitor.get("/sites/ws-1?month=202601")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fsites%2Fws-1%3Fmonth%3D202601"
    signed_in = visitor.sign_in("clerk", next="/sites/ws-1?month=202601")
    assert signed_in.headers["location"] == "/sites/ws-1?month=202601"
    assert visitor.get("/sites/ws-1?month=202601").status_code == 200


def test_the_cookie_is_out_of_reach(visitor: Visitor) -> None:
    given = visitor.sign_in("clerk").headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=lax" in given
    assert "Secure" not in given
    secure = visitor.post("https://127.0.0.1:8600/login",
                          data={"name": "clerk", "password": PASSWORD})  # fmt: skip
    assert secure.headers["set-cookie"].startswith("__Host-cupral=")
    assert "Secure" in secure.headers["set-cookie"]
    assert "Path=/" in secure.headers["set-cookie"]
    assert "Domain" not in secure.headers["set-cookie"]


@pytest.mark.parametrize("given", ["planted-by-another", "", "x" * 5000])
def test_a_planted_word_is_nobody_and_is_replaced(visitor: Visitor, given: str) -> None:
    visitor.headers["cookie"] = f"cupral={given}"
    assert visitor.get("/me").status_code == 303
    answer = visitor.sign_in("clerk")
    assert answer.cookies["cupral"] not in ("", given)
    assert visitor.get("/me").status_code == 303, "the planted word is still nobody"


def test_a_wrong_password_is_a_page_that_tells_nothing(visitor: Visitor) -> None:
    pages = [visitor.sign_in(name, "wrong").text for name in ("auditor", "no-such-account")]
    assert pages[0] == pages[1]
    assert visitor.sign_in("auditor", "wrong").status_code == 401


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil",
     "javascript:alert(1)", "evil.example", "/ok\r\nset-cookie: x=1", "///evil", "", "/a\\b"],
)  # fmt: skip
def test_nobody_is_led_to_another_site(visitor: Visitor, onward: str) -> None:
    assert local(onward) == ""
    assert visitor.sign_in("clerk", next=onward).headers["location"] == "/"
    page = visitor.get("/login", params={"next": onward}).text
    assert 'name="next" value=""' in page
    assert "next=" not in page.split("<main")[1]


def test_forms_need_the_word_of_the_session(own: Visitor) -> None:
    own.sign_in("clerk")
    page = own.get("/upload").text
    assert page.count(own.form_word) == page.count('method="post"') > 0
    for data in ({}, {"form_word": ""}, {"form_word": "0" * 32}):
        for path in ("/upload", "/reverse", "/refresh", "/logout", "/me/token", "/password",
                     "/jobs/x/cancel", "/networks/new", "/sites/ws-1/account/sign"):  # fmt: skip
            assert own.post(path, data=data).status_code == 403, path
    command = "/api/command/balance/reverse_posting"
    assert own.post(command, json={"posting": "x", "reason": "y"}).status_code == 403
    assert own.ask("DELETE", "/api/jobs/x").status_code == 403
    with_word = own.post(command, json={"posting": "x", "reason": "y"},
                         headers={"x-form-word": own.form_word})  # fmt: skip
    assert with_word.status_code == 202
    assert own.get("/me").status_code == 200, "still signed in: /logout was refused"


def test_kept_pages_carry_the_word_of_each_session(visitor: Visitor) -> None:
    """Two browsers of one account share the kept page but not the word; nor its hash."""
    other = Visitor(visitor.ledger, visitor.inner)
    for one in (visitor, other):
        one.sign_in("clerk")
    first, second = visitor.get("/upload"), other.get("/upload")
    assert visitor.form_word in first.text
    assert visitor.form_word not in second.text
    etag = {"if-none-match": first.headers["etag"]}
    assert visitor.get("/upload", headers=etag).status_code == 304
    assert other.get("/upload", headers=etag).status_code == 200
    for encoding in ("gzip", "identity"):
        answer = visitor.get("/upload", headers={"accept-encoding": encoding})
        assert visitor.form_word in answer.text


def test_sign_ins_and_refusals_leave_kept_pages_alone(own: Visitor) -> None:
    """Each commit would else let every page be made anew for everybody; a posting does."""
    own.sign_in("bureau")
    desk = own.inner.state.desk
    own.get("/sites")
    content, state = desk.pulse.content, desk.pulse.state
    Visitor(own.ledger, own.inner).sign_in("clerk")
    Visitor(own.ledger, own.inner).sign_in("clerk", "wrong")
    own.get("/accounts")
    own.inner.state.people.flush()
    assert desk.pulse.state != state
    assert desk.pulse.content == content
    posting = own.ledger.postings()[0]["id"]
    own.ledger.reverse(posting, author="owner", reason="x")
    assert desk.pulse.content != content
    assert "202601" not in own.get("/sites").text.split("ws-1")[1].split("</tr>")[0]


def test_signing_out_and_a_new_password_end_it(own: Visitor) -> None:
    own.sign_in("clerk")
    kept = dict(own.cookies)
    assert own.send("/logout").status_code == 303
    own.cookies = kept
    assert own.get("/me").status_code == 303
    own.sign_in("clerk")
    other = Visitor(own.ledger, own.inner)
    other.sign_in("clerk")
    new = "seven grey boats asleep"
    refused = own.send("/password", old=PASSWORD, new=new, again="another thing here")
    assert refused.status_code == 422
    changed = own.send("/password", old=PASSWORD, new=new, again=new)
    assert changed.status_code == 303
    assert own.get("/me").status_code == 303
    assert other.get("/me").status_code == 303
    own.cookies["cupral"] = changed.cookies["cupral"]
    assert own.get("/me").status_code == 200


def test_sessions_hold_in_every_process(own: Visitor) -> None:
    own.sign_in("clerk")
    elsewhere = Visitor(open_ledger(own.ledger.folder))
    elsewhere.cookies = dict(own.cookies)
    assert elsewhere.get("/me").status_code == 200
    administration.set_state(elsewhere.ledger, author="owner", name="clerk", state="locked")
    assert own.get("/me").status_code == 303
    assert elsewhere.get("/me").status_code == 303
    elsewhere.ledger.records.database.dispose()


def test_an_expired_session_is_nobody(own: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    own.sign_in("clerk")
    assert own.get("/me").status_code == 200
    monkeypatch.setattr(session, "ABSOLUTE", -1)
    assert own.get("/me").status_code == 303, "also one that is remembered"


def test_a_one_time_password_opens_the_change_only(own: Visitor) -> None:
    given = administration.add(own.ledger, author="owner", name="new", roles=["department"])
    answer = own.sign_in("new", given, next="/postings")
    assert answer.headers["location"] == "/password"
    assert own.get("/sites/ws-1").status_code == 403
    assert own.get("/me").status_code == 200
    new = "seven grey boats asleep"
    changed = own.send("/password", old=given, new=new, again=new)
    own.cookies["cupral"] = changed.cookies["cupral"]
    assert own.get("/sites/ws-1").status_code == 200


def test_tokens_act_with_their_roles_and_without_forms(own: Visitor) -> None:
    word = own.with_token("clerk")
    asked = "/api/query/balance/streams?site={}&period=2026-01"
    assert own.get(asked.format("ws-1")).status_code == 200
    assert own.get(asked.format("rv-1")).status_code == 403
    job = own.order("/api/command/balance/reverse_posting", json={"posting": "x", "reason": "y"})
    assert job["state"] == "failed"
    assert "x" in job["problem"]["what"]
    assert own.get("/me").status_code == 403, "a token has no account's page"
    for wrong in (word[:-1], "x", "", "cupral_00000000_" + "a" * 43):
        answer = own.get(asked.format("ws-1"), headers={"authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["title"] == "not signed in"
    administration.set_state(own.ledger, author="owner", name="clerk", state="locked")
    assert own.get(asked.format("ws-1")).status_code == 401


def test_a_token_is_made_scoped_and_revoked_on_the_page(own: Visitor) -> None:
    own.sign_in("clerk")
    page = own.send("/me/token", **{"title": "robot", "days": "5", "role-enterprise": "yes"}).text
    word = page.split('class="code">cupral_')[1].split("<")[0]
    robot = Visitor(own.ledger, own.inner)
    robot.headers["authorization"] = f"Bearer cupral_{word}"
    assert robot.get("/api/postings").status_code == 200
    own.send("/me/revoke", prefix=word.partition("_")[0])
    assert robot.get("/api/postings").status_code == 401
    assert own.send("/me/token", title="x", days="x").status_code == 422
    assert own.send("/me/nothing").status_code == 422


def test_orders_are_in_ones_own_name(own: Visitor) -> None:
    own.sign_in("clerk")
    posting = own.ledger.postings()[0]["id"]
    refused = own.send("/reverse", posting=posting, reason="x", author="chief")
    assert refused.status_code == 403
    own.with_token("clerk")
    answer = own.post("/api/command/balance/reverse_posting", headers={"x-author": "chief"},
                      json={"posting": posting, "reason": "x"})  # fmt: skip
    assert answer.status_code == 403
    done = own.order("/api/command/balance/reverse_posting",
                     json={"posting": posting, "reason": "x"})  # fmt: skip
    assert done["state"] == "done", done
    latest = next(row for row in own.ledger.records.audit() if row["action"].startswith("balance"))
    assert latest["author"] == "clerk"
    assert latest["session"].startswith("token ")
    assert latest["address"] == "127.0.0.1"


def test_jobs_are_there_for_their_owner_only(own: Visitor) -> None:
    own.sign_in("clerk")
    header, *rows = tenants.meter_file("ws-1").splitlines()
    april = [row.replace(b"2026-03", b"2026-04") for row in rows if b"2026-03" in row]
    content = b"\n".join((header, *april))
    answer = own.post("/upload", data={"form_word": own.form_word, "kind": "meters",
                                       "site": "ws-1", "mode": "check"},
                      files={"file": ("a.csv", content, "text/csv")})  # fmt: skip
    assert answer.status_code == 303, answer.text
    id = answer.headers["location"].removeprefix("/jobs/")
    assert own.finished(id)["state"] == "done"
    for name in ("rival", "chief", "bureau", None):
        other = Visitor(own.ledger, own.inner)
        if name:
            other.sign_in(name)
        for path in (f"/jobs/{id}", f"/api/jobs/{id}", f"/api/jobs/{id}/events"):
            assert other.get(path).status_code in (404, 303)
        if name:
            assert other.send(f"/jobs/{id}/post").status_code == 404
            assert other.send(f"/jobs/{id}/cancel").status_code == 404
    posted = own.send(f"/jobs/{id}/post")
    job = own.finished(posted.headers["location"].removeprefix("/jobs/"))
    assert job["state"] == "done", job["problem"]
    assert not [key for key in job["result"]["recomputed"] if "rv-1" in key]


def test_refusals_are_written_down_many_at_once(own: Visitor) -> None:
    own.sign_in("clerk")
    before = len(own.ledger.records.audit())
    for _ in range(3):
        own.get("/sites/rv-1")
    own.get("/api/query/balance/streams?site=rv-1&period=2026-01")
    assert len(own.ledger.records.audit()) == before
    own.inner.state.people.flush()
    rows = own.ledger.records.audit()[:4]
    assert {row["author"] for row in rows} == {"clerk"}
    assert {row["action"] for row in rows} == {"GET refused"}
    assert len(own.ledger.records.audit()) == before + 4


@pytest.mark.parametrize("name", ["clerk", None])
def test_who_asks_too_often_waits(shared: Ledger, name: str | None) -> None:
    few = Throttle(rate=0.1, burst=5)
    reader = Visitor(shared, create_app(shared, Limits(few, few, Throttle(1e9, 1e9))))
    if name:
        reader.with_token(name)
    answers = [reader.get("/api/systems") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 11
    assert answers[-1].json()["title"] == "too often"
    assert reader.get("/healthz").status_code == 200


def test_sign_ins_from_one_address_are_few(shared: Ledger) -> None:
    endless = Throttle(1e9, 1e9)
    app = create_app(shared, Limits(endless, endless, Throttle(rate=0.1, burst=2)))
    reader = Visitor(shared, app)
    codes = [reader.sign_in(f"guess-{n}", "x").status_code for n in range(4)]
    assert codes == [401, 401, 429, 429]


def test_answers_are_kept_by_nobody_else(visitor: Visitor) -> None:
    visitor.sign_in("clerk")
    for path in ("/", "/sites/ws-1", "/api/postings", "/me", "/networks/ws-1/file.yaml"):
        assert visitor.get(path).headers["cache-control"].startswith("private")


def test_a_ledger_without_accounts_is_its_computers_own(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    reader = Visitor(ledger)
    assert reader.get("/api/postings").status_code == 200
    transport = httpx.ASGITransport(app=reader.app, client=("10.0.0.9", 5))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/api/postings")

    answer = asyncio.run(ask())
    assert answer.status_code == 403
    assert "cupral accounts init" in answer.json()["next"]
    administration.begin(ledger, author="me")
    assert reader.get("/api/postings").status_code == 403
    assert asyncio.run(ask()).status_code == 403
    assert reader.get("/").status_code == 200
    ledger.records.database.dispose()


def test_others_are_let_in_only_where_everybody_signs_in(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    with pytest.raises(InputError, match="has no accounts, so whoever reaches"):
        serving.demand_closed(ledger, "0.0.0.0", known_logins=True)  # noqa: S104
    administration.begin(ledger, author="me")
    serving.demand_closed(ledger, "0.0.0.0", known_logins=False)  # noqa: S104
    administration.add(ledger, author="me", name="demo", roles=["department"], password=PASSWORD,
                       demonstration=True)  # fmt: skip
    with pytest.raises(InputError, match="--allow-demonstration-logins"):
        serving.demand_closed(ledger, "0.0.0.0", known_logins=False)  # noqa: S104
    serving.demand_closed(ledger, "0.0.0.0", known_logins=True)  # noqa: S104
    ledger.records.database.dispose()


def test_the_limits_are_those_that_are_documented() -> None:
    limits = signed.Limits()
    assert (limits.account.rate, limits.address.rate, limits.sign_in.rate) == (100.0, 50.0, 2.0)
