"""Nobody learns from any answer what is another enterprise's: thousands of random requests.

Each answer (page, file, JSON, header, error) is searched for names and amounts that belong to
an enterprise whose rows the asker may not see. What the asker has himself written into the
request is no leak.
"""

import asyncio
import io
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cupral.ledger.ledger import Ledger
from cupral.surfaces.signature import signature
from cupral.system import commands, queries
from tests.surfaces import tenants
from tests.surfaces.reader import BASE
from tests.surfaces.tenants import ROLES, SITES, Visitor
from tests.surfaces.workshop import MONTHS

FOREIGN: dict[str, tuple[str, ...]] = {
    "": ("ws-1", "rv-1"), "clerk": ("rv-1",), "chief": ("rv-1",), "rival": ("ws-1",),
    "judge": ("rv-1",), "sysop": ("ws-1", "rv-1"), "guard": ("ws-1", "rv-1"),
    "auditor": ("ws-1", "rv-1"),
}  # fmt: skip
"""Who asks ('' = the public) -> the sites of which he must learn nothing."""
PAGES = ("/", "/sites", "/upload", "/networks", "/systems", "/parameters", "/postings",
         "/postings?verify=2", "/me", "/accounts", "/operation", "/login", "/nowhere",
         "/networks/new", "/api/postings", "/api/sites", "/api/parameters", "/api/systems",
         "/api/openapi.json", "/template/meters.csv", "/healthz",
         "/demonstration/corrected-ct-ratio.csv")  # fmt: skip
SITE_PAGES = ("/sites/{s}", "/sites/{s}?month={m}", "/sites/{s}/account",
              "/sites/{s}/account?period={m}", "/networks/{s}", "/networks/{s}/file.yaml",
              "/networks/{s}/file.xlsx", "/api/network/{s}", "/upload?site={s}")  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "int": [0, 1, 3], "float": [0.5, 1e9], "bool": [True, False], "json": [[], {}, [[1.0]]]
}  # fmt: skip
TEXTS = ["T2", "copper", "x", "cathode_copper"]


@dataclass(slots=True)
class Asker:
    """Makes random requests in one person's name."""

    name: str
    cookies: dict[str, str]
    form_word: str
    chance: random.Random
    references: list[str]
    jobs: list[str]
    etags: dict[str, str] = field(default_factory=dict)

    def request(self) -> tuple[str, str, dict[str, Any]]:
        """Method, path and options."""
        make = self.chance.choice(
            (self._page, self._site, self._site, self._why, self._why, self._query, self._query,
             self._query, self._order, self._form, self._job)
        )  # fmt: skip
        method, path, options = make()
        if method == "GET" and path in self.etags and self.chance.random() < 0.5:
            options = {"headers": {"if-none-match": self.etags[path]}}
        return method, path, options

    def _site_id(self) -> str:
        return self.chance.choice((*SITES, *SITES, "ws-2", "", "*", "ws-1,rv-1"))

    def _month(self) -> str:
        return self.chance.choice((*MONTHS, "2026", "2026-01..2026-03", "2025", "x", "202601"))

    def _page(self) -> tuple[str, str, dict[str, Any]]:
        return "GET", self.chance.choice(PAGES), {}

    def _site(self) -> tuple[str, str, dict[str, Any]]:
        path = self.chance.choice(SITE_PAGES)
        return "GET", path.format(s=quote(self._site_id(), ""), m=quote(self._month(), "")), {}

    def _why(self) -> tuple[str, str, dict[str, Any]]:
        reference = self.chance.choice(self.references)
        if self.chance.random() < 0.2:
            parent = reference.partition("/")[0]
            changed = (reference[:-1], f"{reference}#1", parent, f"{reference}/0")
            reference = self.chance.choice(changed)
        page = self.chance.choice(("/why", "/api/explain"))
        return "GET", f"{page}?reference={quote(reference, '')}", {}

    def _arguments(self, name: str, function: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for argument in signature(name, function).without(("path",)).arguments:
            if not argument.required and self.chance.random() < 0.5:
                continue
            if argument.name in ("site", "party", "enterprise"):
                values[argument.name] = self.chance.choice(
                    (self._site_id(), *(enterprise for enterprise, _ in SITES.values()))
                )
            elif argument.name in ("period", "through", "month", "base"):
                values[argument.name] = self._month()
            elif argument.kind == "bytes":
                continue
            else:
                values[argument.name] = self.chance.choice(VALUES.get(argument.kind, TEXTS))
        return values

    def _query(self) -> tuple[str, str, dict[str, Any]]:
        name = self.chance.choice(sorted(queries()))
        values, path = self._arguments(name, queries()[name]), name.replace(".", "/")
        if self.chance.random() < 0.3:
            return "POST", f"/api/query/{path}", {"json": values}
        place = self.chance.choice(("/api/query", "/query"))
        plain = {n: v if isinstance(v, str) else json.dumps(v) for n, v in values.items()}
        return "GET", f"{place}/{path}?{httpx.QueryParams({**plain, 'run': '1'} if place == '/query' else plain)}", {}  # fmt: skip  # noqa: E501

    def _order(self) -> tuple[str, str, dict[str, Any]]:
        name = self.chance.choice(sorted(commands()))
        values = self._arguments(name, commands()[name])
        return "POST", f"/api/command/{name.replace('.', '/')}", {
            "json": values, "headers": {"x-form-word": self.form_word}}  # fmt: skip

    def _form(self) -> tuple[str, str, dict[str, Any]]:
        site, word = self._site_id() or "x", {"form_word": self.form_word}
        posting = self.chance.choice(self.references).partition(":")[2].partition("/")[0]
        path, data = self.chance.choice((
            ("/reverse", {"posting": posting, "reason": "x"}), ("/refresh", {}),
            (f"/sites/{quote(site, '')}/account/sign", {"period": self._month(), "statement": "x"}),
            (f"/networks/{quote(site, '')}", {"do": "preview", "site-0-id": site}),
            ("/demonstration/correct", {}), (f"/jobs/{self.chance.choice(self.jobs)}/post", {}),
            (f"/jobs/{self.chance.choice(self.jobs)}/cancel", {}),
        ))  # fmt: skip
        return "POST", path, {"data": {**word, **data}}

    def _job(self) -> tuple[str, str, dict[str, Any]]:
        id = self.chance.choice(self.jobs)
        return "GET", self.chance.choice((f"/jobs/{id}", f"/api/jobs/{id}", f"/api/jobs/{id}/events")), {}  # fmt: skip  # noqa: E501


def leaked(answer: httpx.Response, asked: str, secrets: set[str]) -> set[str]:
    """Secrets in an answer that the asker has not written himself."""
    body = answer.content
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist())
    text = body.decode(errors="replace") + str(answer.headers.raw)
    return {secret for secret in secrets if secret in text and secret not in asked}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Two tenants."""
    made = tenants.set_up(tmp_path_factory.mktemp("tenants") / "ledger")
    yield made
    made.records.database.dispose()


@pytest.fixture(scope="module")
def tenants_server(ledger: Ledger) -> Visitor:
    """Its application."""
    return Visitor(ledger)


def references(ledger: Ledger) -> list[str]:
    """Everything that can be explained, of both."""
    found = [f"result:{row['key']}" for row in ledger.results()]
    for row in ledger.postings():
        found += [f"posting:{row['id']}", *(f"flows:{row['id']}/{n}" for n in range(0, 21, 4))]
    for site, (_enterprise, word) in SITES.items():
        found += [f"network:{site}@1", f"document:note/n-{word}"]
        found += [f"result:balance.accounts?period=2026-01..2026-03&site={site}"]
    return [*found, "parameter:plan.relations@2026-01-01", "x:y"]


def askers(server: Visitor, seed: int) -> list[Asker]:
    """One of each role, and the public; each knows the numbers of all jobs."""
    jobs = []
    for site, (_enterprise, word) in SITES.items():
        names = {"ws-1": "clerk", "rv-1": "rival"}
        steps = [("run", lambda _, word=word: {"meter": f"{word}-CONC.belt"})]
        jobs.append(server.inner.state.desk.jobs.start(word, steps, owner=names[site]).id)
    known, made = references(server.ledger), []
    for number, name in enumerate(FOREIGN):
        one = Visitor(server.ledger, server.inner)
        if name:
            one.sign_in(name)
        word = one.form_word if name else ""
        made.append(Asker(name, dict(one.cookies), word, random.Random(seed + number), known, jobs))
    return made


def ask_all(server: Visitor, requests: int, seed: int) -> tuple[dict[int, int], list[str]]:
    """How often each status was answered, and every leak."""
    found: list[str] = []
    counts: dict[int, int] = {}
    everybody = askers(server, seed)

    async def run() -> None:
        transport = httpx.ASGITransport(app=server.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            for number in range(requests):
                asker = everybody[number % len(everybody)]
                method, path, options = asker.request()
                client.cookies = httpx.Cookies(asker.cookies)
                answer = await client.request(method, path, **options)
                counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
                if etag := answer.headers.get("etag"):
                    for other in everybody:  # each tries what another's browser has kept
                        other.etags[path] = etag
                secrets = set().union(*(tenants.secrets(site) for site in FOREIGN[asker.name]))
                leaks = leaked(answer, f"{path} {options}", secrets)
                if leaks or answer.status_code >= 500:
                    found.append(f"{asker.name or 'public'} {method} {path}: "
                                 f"{answer.status_code} {sorted(leaks)[:3]}")  # fmt: skip

    asyncio.run(run())
    return counts, found


def test_the_secrets_are_there_for_who_may_see_them(tenants_server: Visitor) -> None:
    """Else the searches below could not fail."""
    for name, site in (("clerk", "ws-1"), ("rival", "rv-1"), ("bureau", "rv-1")):
        one = Visitor(tenants_server.ledger, tenants_server.inner)
        one.sign_in(name)
        body = one.get(f"/networks/{site}/file.xlsx")
        assert leaked(body, "", tenants.secrets(site)) >= {f"{SITES[site][1]}-"}
        rows = one.get("/api/explain", params={"reference": next(
            r for r in references(one.ledger) if r.startswith("flows") and SITES[site][1] in str(
                one.get("/api/explain", params={"reference": r}).text))})  # fmt: skip
        assert len(leaked(rows, "", tenants.secrets(site))) >= 2, rows.text
    assert set(FOREIGN) == {"", *ROLES} - {"bureau"}


def test_random_requests_of_every_role_leak_nothing(tenants_server: Visitor) -> None:
    counts, leaks = ask_all(tenants_server, 2000, seed=20261125)
    assert leaks == []
    assert counts[200] > 300, counts
    assert counts[403] > 300, counts
    assert counts.get(304, 0) > 5, counts


@pytest.mark.slow
def test_a_hundred_thousand_random_requests_leak_nothing(tenants_server: Visitor) -> None:
    for part in range(50):
        assert ask_all(tenants_server, 2000, seed=1000 * part)[1] == []


def test_an_etag_of_another_is_worth_nothing(tenants_server: Visitor) -> None:
    clerk, rival = (Visitor(tenants_server.ledger, tenants_server.inner) for _ in range(2))
    clerk.sign_in("clerk")
    rival.sign_in("rival")
    for path in ("/sites/ws-1", "/", "/postings", "/networks", "/sites"):
        kept = clerk.get(path)
        answer = rival.get(path, headers={"if-none-match": kept.headers["etag"]})
        assert answer.status_code != 304, path
        assert leaked(answer, path, tenants.secrets("ws-1")) == set()


def test_errors_name_nothing_of_others(tenants_server: Visitor) -> None:
    """Faulty files and questions about what is not there list only what is the asker's."""
    clerk = Visitor(tenants_server.ledger, tenants_server.inner)
    clerk.sign_in("clerk")
    files = {"file": ("a.csv", b"meter,period,amount\nnone,2026-05,1\n", "text/csv")}
    for site in SITES:
        data = {"form_word": clerk.form_word, "kind": "meters", "site": site, "mode": "check"}
        job = clerk.order("/upload", files=files, data=data)
        assert job["state"] == "failed"
        told = json.dumps(job)
        assert not [secret for secret in tenants.secrets("rv-1") if secret in told]
