"""Pages over HTTP: rendered once for each state of the ledger, then served from memory."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from markupsafe import escape
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cupral.ledger.errors import CupralError, NotFound
from cupral.surfaces.api.answers import told
from cupral.surfaces.api.assets import sent
from cupral.surfaces.api.desk import Desk, Kept
from cupral.surfaces.problem import Problem, problem
from cupral.surfaces.web.asked import Asked, Page, View
from cupral.surfaces.web.language import LANGUAGES, language
from cupral.surfaces.web.rendering import render
from cupral.surfaces.web.routes import VIEWS

YEAR = 31_536_000
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
        asked = asked_by(request, desk)
        key = (asked.path, tuple(sorted(asked.arguments.items())), asked.language.code, asked.part)
        kept = await desk.pages.get(key, desk.pulse.state, lambda: rendered(view, asked))
        answer = sent(request, kept, cache=CHECK_FIRST if kept.fresh else "no-store")
        if not kept.fresh:
            answer.headers["refresh"] = LOOK_AGAIN
        answer.headers["vary"] = "accept-encoding, cookie, hx-request"
        if request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie("lang", asked.language.code, max_age=YEAR, samesite="lax")
        return answer

    return page


def asked_by(request: Request, desk: Desk) -> Asked:
    """What the reader of a page asks for, in which language."""
    code = request.query_params.get("lang") or request.cookies.get("lang") or LANGUAGES[0]
    arguments = {n: value for n, value in request.query_params.items() if n != "lang"}
    return Asked(
        ledger=desk.ledger, language=language(code), path=request.url.path, arguments=arguments,
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
        body, gzip.compress(body, 5, mtime=0), etag, page.status, "text/html", notice.encode()
    )


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
        return told(_unanswered(error, status, path))
    if status != 404 or path.startswith("/static/"):
        detail = error.detail if isinstance(error, HTTPException) else "error"
        return Response(str(detail), status, media_type="text/plain")

    def lost(_asked: Asked) -> Page:
        raise NotFound(f"no page {path}; choose one from the navigation")

    desk: Desk = request.app.state.desk
    kept = await run_in_threadpool(lambda: rendered(lost, asked_by(request, desk)))
    return sent(request, kept, cache="no-store")
