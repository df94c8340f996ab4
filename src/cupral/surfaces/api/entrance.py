"""Entrance: signing in by password or provider, out, and the change of a password."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral.access import signing_in
from cupral.access.provider import Asking, Provider
from cupral.access.refusal import NotSignedIn
from cupral.access.session import Session
from cupral.access.signing_in import Place
from cupral.ledger.errors import CupralError, InputError, NotFound
from cupral.surfaces.api.forms import sent_form
from cupral.surfaces.api.pages import answered, asked_by, paged
from cupral.surfaces.api.signed import (
    People,
    cookie_name,
    demand_account,
    person_of,
    set_cookie,
)
from cupral.surfaces.demonstration_logins import Login
from cupral.surfaces.problem import problem
from cupral.surfaces.web.views.entrance import password_page, sign_in_page

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")
"""An address of ours: it cannot be read as another host's."""
ASKING_SECONDS = 600
BACK = "/login/back"


@dataclass(frozen=True, slots=True)
class Entrance:
    """The door of one application."""

    people: People
    provider: Provider | None = None
    logins: tuple[Login, ...] = ()
    """Of the demonstration, shown to everybody."""

    async def shown(self, request: Request) -> Response:
        """The page to sign in."""
        return await self._page(request, local(request.query_params.get("next", "")))

    async def signed_in(self, request: Request) -> Response:
        """Sign in by password."""
        form, person = await sent_form(request, signing_in=True), person_of(request)
        self.people.limits.sign_in.demand(person.address, time.monotonic())
        place, onward = self._place(request), local(form.text("next"))
        try:
            word, begun = await run_in_threadpool(lambda: signing_in.by_password(
                self.people.desk.ledger, name=form.text("name"),
                password=form.texts.get("password", ""), code=form.text("code"), place=place,
            ))  # fmt: skip
        except NotSignedIn as error:
            return await self._page(request, onward, error)
        return await self._let_in(request, onward, word, begun)

    async def sent_away(self, request: Request) -> Response:
        """Send the browser to the identity provider."""
        provider, asking = self._provider(), Asking.new()
        onward = local(request.query_params.get("next", ""))
        address = await run_in_threadpool(lambda: provider.address(asking, _back(request)))
        answer = RedirectResponse(address, 303, {"cache-control": "no-store"})
        kept = " ".join((asking.state, asking.nonce, asking.verifier, onward))
        answer.set_cookie(
            _asking_name(request), kept.encode().hex(), max_age=ASKING_SECONDS, path="/",
            httponly=True, samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    async def come_back(self, request: Request) -> Response:
        """Take in who comes back from the identity provider."""
        provider, place = self._provider(), self._place(request)
        self.people.limits.sign_in.demand(place.address, time.monotonic())
        asking, onward = _asked(request)

        def begun() -> tuple[str, Session]:
            subject = provider.subject(request.query_params, asking, _back(request))
            return signing_in.by_provider(self.people.desk.ledger, subject=subject, place=place)

        try:
            word, made = await run_in_threadpool(begun)
        except NotSignedIn as error:
            answer = await self._page(request, onward, error)
        else:
            answer = await self._let_in(request, onward, word, made)
        answer.delete_cookie(_asking_name(request), path="/",
                             secure=request.url.scheme == "https")  # fmt: skip
        return answer

    async def signed_out(self, request: Request) -> Response:
        """End the session."""
        await sent_form(request)
        person = person_of(request)
        if person.session and person.account:
            name = person.account.name
            ledger = self.people.desk.ledger
            await run_in_threadpool(
                lambda: signing_in.sign_out(ledger, author=name, word=person.word)
            )
        answer = RedirectResponse("/", 303, {"clear-site-data": '"cache"'})
        set_cookie(request, answer, "")
        return answer

    async def password(self, request: Request) -> Response:
        """The page to change one's own password."""
        demand_account(request)
        asked = asked_by(request)
        return await answered(request, asked, lambda: password_page(asked, None))

    async def password_changed(self, request: Request) -> Response:
        """Change one's own password."""
        form, account = await sent_form(request), demand_account(request)
        asked, place = asked_by(request), self._place(request)
        try:
            if form.texts.get("new") != form.texts.get("again"):
                raise InputError("the new password was typed differently twice; type it again")
            word, begun = await run_in_threadpool(lambda: signing_in.change_password(
                self.people.desk.ledger, author=account.name, old=form.texts.get("old", ""),
                new=form.texts.get("new", ""), place=place,
            ))  # fmt: skip
        except (NotSignedIn, InputError) as error:
            found = problem(error, "password")
            return await answered(request, asked, lambda: password_page(asked, found))
        return await self._let_in(request, "/me", word, begun)

    async def _page(
        self, request: Request, onward: str, error: CupralError | None = None
    ) -> Response:
        asked = asked_by(request)
        found = problem(error, "login") if error else None
        title = self.provider.title if self.provider else ""
        return await answered(
            request, asked, lambda: sign_in_page(asked, onward, found, title, self.logins)
        )

    async def _let_in(self, request: Request, onward: str, word: str, begun: Session) -> Response:
        one_time = await run_in_threadpool(
            lambda: signing_in.must_change(self.people.desk.ledger, begun.account)
        )
        answer = RedirectResponse("/password" if one_time else onward or "/", 303)
        answer.headers["cache-control"] = "no-store"
        set_cookie(request, answer, word)
        return answer

    def _place(self, request: Request) -> Place:
        return Place(address=person_of(request).address, word=person_of(request).word,
                     agent=request.headers.get("user-agent", ""))  # fmt: skip

    def _provider(self) -> Provider:
        if self.provider is None:
            raise NotFound("no identity provider is set up; sign in by password")
        return self.provider


def local(address: str) -> str:
    """An address of this site, or nothing: nobody is led to another by signing in here.

    Examples
    --------
    >>> local("/sites?x=1"), local("//evil.example"), local("https://evil.example"), local("/\\\\e")
    ('/sites?x=1', '', '', '')
    """
    return address if _LOCAL.fullmatch(address) else ""


def add_entrance(app: FastAPI, entrance: Entrance) -> None:
    """Add the routes of the door."""
    routes: list[tuple[str, str, Callable[[Request], Any]]] = [
        ("GET", "/login", entrance.shown), ("POST", "/login", entrance.signed_in),
        ("GET", "/login/provider", entrance.sent_away), ("GET", BACK, entrance.come_back),
        ("POST", "/logout", entrance.signed_out), ("GET", "/password", entrance.password),
        ("POST", "/password", entrance.password_changed),
    ]  # fmt: skip
    for method, path, action in routes:
        app.router.routes.append(Route(path, paged(action), methods=[method]))


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{BACK}"


def _asking_name(request: Request) -> str:
    return f"{cookie_name(request)}-asking"


def _asked(request: Request) -> tuple[Asking, str]:
    try:
        kept = bytes.fromhex(request.cookies.get(_asking_name(request), "")).decode()
        state, nonce, verifier, onward = kept.split(" ")
    except ValueError:
        raise NotSignedIn("this browser has not asked to sign in, or too long ago; begin again") \
            from None  # fmt: skip
    return Asking(state=state, nonce=nonce, verifier=verifier), local(onward)
