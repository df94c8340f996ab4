"""Accounts over HTTP: one's own account, everybody's to the security administrator, the trail,
and the operation of the ledger."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from cupral.access import administration, session, signing_in, token, trail_file
from cupral.access.account import Account
from cupral.ledger.backup import backup
from cupral.ledger.compaction import compact, sweep
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.surfaces.api.forms import Form, sent_form
from cupral.surfaces.api.pages import answered, asked_by, paged
from cupral.surfaces.api.signed import People, demand_account, seen
from cupral.surfaces.web.asked import Page
from cupral.surfaces.web.views.accounts import accounts_page, own_page
from cupral.surfaces.web.views.trail import operation_page, trail_page

_MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


@dataclass(frozen=True, slots=True)
class Offices:
    """The pages of accounts and of the three administrators."""

    people: People

    async def own(self, request: Request) -> Response:
        """One's own sessions, tokens and second factor."""
        account, asked = demand_account(request), asked_by(request)
        return await answered(request, asked, lambda: own_page(asked, account))

    async def own_changed(self, request: Request) -> Response:
        """Change something of one's own account."""
        form, account = await sent_form(request), demand_account(request)
        asked, ledger = asked_by(request), seen(request)
        what = request.path_params["what"]
        if what not in _OWN:
            raise InputError(f"nothing of an account is called {what!r}; go back to its page")
        told = await run_in_threadpool(lambda: _OWN[what](ledger, account, form))
        if told is None:
            return RedirectResponse("/me", 303)
        return await answered(request, asked, lambda: own_page(asked, account, **told))

    async def accounts(self, request: Request) -> Response:
        """All accounts, to the security administrator."""
        asked = asked_by(request)
        asked.rights.demand("grant")
        return await answered(request, asked, lambda: accounts_page(asked))

    async def accounts_changed(self, request: Request) -> Response:
        """Make, grant, lock or reset an account."""
        form, asked = await sent_form(request), asked_by(request)
        asked.rights.demand("grant")
        given = await run_in_threadpool(lambda: _administered(asked.ledger, form))
        return await answered(
            request, asked, lambda: accounts_page(asked, name=form.text("name"), given=given)
        )

    async def trail(self, request: Request) -> Response:
        """The audit trail, to the audit administrator."""
        asked = asked_by(request)
        asked.rights.demand("audit")

        def made() -> Page:
            self.people.flush()
            return trail_page(asked)

        return await answered(request, asked, made)

    async def trail_sent(self, request: Request) -> Response:
        """The audit trail as a file."""
        ledger, form = seen(request), request.path_params["form"]
        days = {name: request.query_params.get(name, "") for name in ("first", "last")}

        def begun() -> Any:
            self.people.flush()
            return trail_file.exported(ledger, author=ledger.rights.name, form=form, **days)

        lines = await run_in_threadpool(begun)
        headers = {"content-disposition": f'attachment; filename="audit.{form}"',
                   "cache-control": "no-store"}  # fmt: skip
        return StreamingResponse(
            iterate_in_threadpool(lines), headers=headers, media_type=_MEDIA[form]
        )

    async def operation(self, request: Request) -> Response:
        """What the system administrator can do."""
        asked = asked_by(request)
        asked.rights.demand("operate")
        return await answered(request, asked, lambda: operation_page(asked))

    async def operated(self, request: Request) -> Response:
        """Merge, sweep or back up."""
        form, ledger = await sent_form(request), seen(request)
        what = form.text("do")
        if what not in _OPERATIONS:
            raise InputError(f"no operation {what!r}; there are {', '.join(_OPERATIONS)}")
        ledger.rights.demand("operate")

        def done(_earlier: Any) -> dict[str, str]:
            with ledger.audited(author=form.author, action=f"ledger.{what}", arguments={}):
                return {what: _OPERATIONS[what](self.people.desk.ledger)}

        job = self.people.desk.jobs.start(what, [(what, done)], owner=ledger.rights.name)
        return RedirectResponse(f"/jobs/{job.id}", 303)


def add_offices(app: FastAPI, people: People) -> None:
    """Add the routes."""
    made = Offices(people)
    routes: list[tuple[str, str, Callable[[Request], Any]]] = [
        ("GET", "/me", made.own), ("POST", "/me/{what}", made.own_changed),
        ("GET", "/accounts", made.accounts), ("POST", "/accounts", made.accounts_changed),
        ("GET", "/audit", made.trail), ("GET", "/audit/trail.{form}", made.trail_sent),
        ("GET", "/operation", made.operation), ("POST", "/operation", made.operated),
    ]  # fmt: skip
    for method, path, action in routes:
        app.router.routes.append(Route(path, paged(action), methods=[method]))


def _end_session(ledger: Ledger, account: Account, form: Form) -> None:
    session.end(ledger, author=account.name, id=form.text("id"))


def _make_token(ledger: Ledger, account: Account, form: Form) -> dict[str, str]:
    days = form.text("days") or str(token.DAYS)
    if not (days.isascii() and days.isdigit()):
        raise InputError(f"days {days!r} is no number; write 1 to {token.MOST_DAYS}")
    roles = [role for role in account.roles if form.text(f"role-{role}")]
    word = token.make(ledger, author=account.name, account=account.name, roles=roles,
                      title=form.text("title"), days=min(int(days[:6]), 10_000))  # fmt: skip
    return {"token": word}


def _revoke_token(ledger: Ledger, account: Account, form: Form) -> None:
    token.revoke(ledger, author=account.name, account=account.name, prefix=form.text("prefix"))


def _second_factor(ledger: Ledger, account: Account, form: Form) -> None:
    signing_in.set_second_factor(
        ledger, author=account.name, password=form.texts.get("password", ""),
        secret=form.text("secret"), code=form.text("code"),
    )  # fmt: skip


_OWN: dict[str, Callable[[Ledger, Account, Form], dict[str, str] | None]] = {
    "session": _end_session, "token": _make_token, "revoke": _revoke_token,
    "factor": _second_factor,
}  # fmt: skip


def _administered(ledger: Ledger, form: Form) -> str:
    """Carry out an order of the security administrator; a one-time password if it made one."""
    what, name = form.text("do"), form.text("name")
    roles = [key.removeprefix("role-") for key in form.texts if key.startswith("role-")]
    enterprises = form.text("enterprises").replace("，", ",").split(",")
    if what == "add":
        return administration.add(
            ledger, author=form.author, name=name, roles=roles, enterprises=enterprises,
            subject=form.text("subject"),
        )  # fmt: skip
    if what == "reset":
        return administration.reset(ledger, author=form.author, name=name)
    if what == "grant":
        administration.grant(ledger, author=form.author, name=name, roles=roles,
                             enterprises=enterprises)  # fmt: skip
    else:
        administration.set_state(ledger, author=form.author, name=name, state=what)
    return ""


def _backed_up(ledger: Ledger) -> str:
    """A backup beside the files of the ledger: it holds everybody's rows and is not sent."""
    file = ledger.folder / "backups" / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.tar"
    return f"{file.name}: {backup(ledger, file)}"


_OPERATIONS: dict[str, Callable[[Ledger], str]] = {
    "compact": lambda ledger: f"{len(compact(ledger))} files written",
    "sweep": lambda ledger: f"{len(sweep(ledger))} files deleted",
    "backup": _backed_up,
}
