"""Pages over HTTP: rendered once for each state of the ledger, then served from memory."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from markupsafe import escape
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral.access.refusal import TooOften
from cupral.ledger.errors import CupralError, NoRight, NotFound
from cupral.ledger.working_days import today_in_china
from cupral.surfaces.api.answers import told
from cupral.surfaces.api.assets import sent
from cupral.surfaces.api.desk import Desk, Kept
from cupral.surfaces.api.signed import person_of, seen
from cupral.surfaces.problem import Problem, problem
from cupral.surfaces.web.asked import Asked, Page, View
from cupral.surfaces.web.figures import link
from cupral.surfaces.web.language import LANGUAGES, language
from cupral.surfaces.web.rendering import WORD_PLACE, render
from cupral.surfaces.web.routes import VIEWS

YEAR = 31_536_000
_PLACE = WORD_PLACE.encode()
LOOK_AGAIN = "4"
"""Seconds after which a browser asks again for a page of an earlier state."""
CHECK_FIRST = "no-cache"
"""A browser may keep a page but asks whether it still holds."""


def add_pages(app: FastAPI, desk: Desk) -> None:
    """Add the routes of all pages."""
    for path, view in VIEWS:
        app.router.routes.append(Route(path, _route(desk, view), methods=["GET", "HEAD"]))
    app.add_exception_handler(HTTPException, _lost)


def _route(desk: Desk, view: View) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        asked, person = asked_by(request), person_of(request)
        key = (asked.path, tuple(sorted(asked.arguments.items())), asked.language.code, asked.part,
               asked.rights, today_in_china())  # fmt: skip
        state = desk.pulse.state if asked.personal else desk.pulse.content
        kept = await desk.pages.get(key, state, lambda: rendered(view, asked))
        if kept.status == 403 and person.account is None and not asked.part:
            return to_sign_in(request)
        kept = worded(request, kept, person.form_word)
        answer = sent(request, kept, cache=CHECK_FIRST if kept.fresh else "no-store")
        if not kept.fresh:
            answer.headers["refresh"] = LOOK_AGAIN
        answer.headers["vary"] = "accept-encoding, cookie, hx-request"
        if request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie("lang", asked.language.code, max_age=YEAR, samesite="lax")
        return answer

    return page


def to_sign_in(request: Request) -> Response:
    """Where the public is sent that may not see a page: to sign in, and then back to it."""
    place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(link("/login", next=place), 303, {"cache-control": "no-store"})


def worded(request: Request, kept: Kept, word: str) -> Kept:
    """A kept page with the session's word in its forms."""
    if not kept.worded:
        return kept
    etag = f"{kept.etag}-{word[:8]}" if kept.etag else ""
    if etag and etag in request.headers.get("if-none-match", ""):
        return replace(kept, etag=etag)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return replace(kept, squeezed=_squeezed(kept.body, word), etag=etag)
    return replace(kept, body=kept.body.replace(_PLACE, word.encode()), etag=etag)


@lru_cache(maxsize=1000)
def _squeezed(body: bytes, word: str) -> bytes:
    return gzip.compress(body.replace(_PLACE, word.encode()), 1, mtime=0)


async def answered(request: Request, asked: Asked, made: Callable[[], Page]) -> Response:
    """A page that is made for this request only."""
    kept = await run_in_threadpool(lambda: finished(asked, made()))
    return sent(request, worded(request, kept, person_of(request).form_word), cache="no-store")


def paged(action: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """The action; an error of ours becomes a page."""

    async def route(request: Request) -> Response:
        try:
            answer: Response = await action(request)
        except CupralError as error:
            answer = await refused(request, error)
        return answer

    return route


async def refused(request: Request, error: CupralError) -> Response:
    """A page for an error of ours; the public that has no right is sent to sign in."""
    asked = asked_by(request)
    if isinstance(error, NoRight) and not asked.signed_in and request.method == "GET":
        return to_sign_in(request)
    answer = await answered(request, asked, lambda: error_page(asked, error))
    if isinstance(error, TooOften):
        answer.headers["retry-after"] = str(error.seconds)
    return answer


def asked_by(request: Request) -> Asked:
    """What the reader of a page asks for, in which language."""
    code = request.query_params.get("lang") or request.cookies.get("lang") or LANGUAGES[0]
    arguments = {n: value for n, value in request.query_params.items() if n != "lang"}
    return Asked(
        ledger=seen(request), language=language(code), path=request.url.path, arguments=arguments,
        named=request.path_params, part="hx-request" in request.headers,
    )  # fmt: skip


def rendered(view: View, asked: Asked) -> Kept:
    """A page's bytes; an error of ours becomes a page that says what to do."""
    try:
        return finished(asked, view(asked))
    except CupralError as error:
        return finished(asked, error_page(asked, error))


def finished(asked: Asked, page: Page) -> Kept:
    """The bytes of a page, as they are and compressed."""
    body = render(asked, page).encode()
    etag = hashlib.sha256(body).hexdigest()[:16]
    notice = (
        f'<div class="demo" role="status"><p>{escape(asked.language("site.earlier"))}</p></div>'
    )
    return Kept(
        body, gzip.compress(body, 5, mtime=0), etag, page.status, "text/html", notice.encode(),
        worded=_PLACE in body,
    )  # fmt: skip


def error_page(asked: Asked, error: CupralError) -> Page:
    """The page of an error: what, where, allowed, next."""
    found = problem(error, asked.path)
    title = asked.language("problem.title")
    return Page(
        template="problem.html", title=title, content={"problem": found}, status=found.status
    )


def _unanswered(error: Exception, status: int, path: str) -> Problem:
    """Why an address of the interface has no answer."""
    if status == 404:
        return problem(NotFound(f"no address {path}; /api/openapi.json lists all there are"), path)
    detail = str(error.detail) if isinstance(error, HTTPException) else "error"
    return Problem("not allowed", status, detail, path, "", "see /api/openapi.json for what is")


async def _lost(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.url.path
    if path.startswith("/api/"):
        answer = told(_unanswered(error, status, path))
        answer.headers.update(getattr(error, "headers", None) or {})
        return answer
    if status != 404 or path.startswith("/static/"):
        detail = error.detail if isinstance(error, HTTPException) else "error"
        return Response(str(detail), status, media_type="text/plain")

    def lost(_asked: Asked) -> Page:
        raise NotFound(f"no page {path}; choose one from the navigation")

    kept = await run_in_threadpool(lambda: rendered(lost, asked_by(request)))
    return sent(request, kept, cache="no-store")
