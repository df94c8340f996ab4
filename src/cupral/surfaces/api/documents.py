"""Forms and downloads of documents: each order is carried out at once and leads back."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.stores.attachments import attachments, content
from cupral.surfaces.api.forms import Form, sent_form
from cupral.surfaces.api.pages import paged
from cupral.surfaces.api.signed import seen
from cupral.surfaces.web.views.documents import address
from cupral.system import order

MOVES = {"submitted": "submit", "under_review": "review", "withdrawn": "withdraw",
         "accepted": "decide", "refused": "decide", "returned": "decide"}  # fmt: skip
"""State to be reached -> the order that leads there."""
FILES = "/attachments/{kind}/{sha256}/{id:path}"


def add_documents(app: FastAPI) -> None:
    """Add the routes of the forms and files of documents."""
    routes = (
        ("/documents", _draft, "POST"), ("/documents/{kind}/{id:path}", _act, "POST"),
        ("/inbox", _read, "POST"), (FILES, _file, "GET"),
    )  # fmt: skip
    for path, action, method in routes:
        app.router.routes.append(Route(path, paged(action), methods=[method]))


async def _draft(request: Request) -> Response:
    form = await sent_form(request)
    given = {name: form.text(name) for name in ("kind", "party", "title", "id")}
    made = await _ordered(request, "draft", form, body={"text": form.text("text")}, **given)
    return RedirectResponse(address(made.kind, made.id), 303)


async def _act(request: Request) -> Response:
    """A move, a comment, a file or a change of one document, as its field `do` says."""
    form = await sent_form(request)
    named = {name: request.path_params[name] for name in ("kind", "id")}
    do = form.text("do")
    if do == "comment":
        await _ordered(request, "comment", form, text=form.text("text"), **named)
    elif do == "attach":
        name, given = form.file()
        await _ordered(request, "attach", form, content=given, filename=name, **named)
    elif do == "revise":
        body = {name: form.text(name) for name in ("title", "text")}
        await _ordered(request, "revise", form, body=body, version=_version(form), **named)
    elif do in MOVES:
        more = {"outcome": do} if MOVES[do] == "decide" else {}
        await _ordered(request, MOVES[do], form, version=_version(form), reason=form.text("reason"),
                       **more, **named)  # fmt: skip
    else:
        allowed = ", ".join(["comment", "attach", "revise", *MOVES])
        raise InputError(f"a form asks to {do!r}; it can ask for {allowed}")
    return RedirectResponse(address(**named), 303)


async def _read(request: Request) -> Response:
    form = await sent_form(request)
    await _ordered(request, "read_notice", form, number=_whole(form, "number"))
    return RedirectResponse("/inbox", 303)


async def _file(request: Request) -> Response:
    """An attached file: to be saved, never to be shown in our name."""
    wanted, ledger = request.path_params, seen(request)

    def found() -> tuple[bytes, Mapping[str, str]]:
        ledger.document(wanted["kind"], wanted["id"])  # refuses those of others
        for kept in attachments(ledger, wanted["kind"], wanted["id"]):
            if kept.sha256 == wanted["sha256"]:
                named = f"attachment; filename*=UTF-8''{quote(kept.name, safe='')}"
                headers = {"content-disposition": named, "content-type": kept.media,
                           "cache-control": "private, no-cache"}  # fmt: skip
                return content(ledger.folder, kept), headers
        raise NotFound(f"{wanted['kind']} {wanted['id']!r} has no such file; look at its list")

    held, headers = await run_in_threadpool(found)
    return Response(held, headers=dict(headers))


async def _ordered(request: Request, command: str, form: Form, **given: Any) -> Any:
    name = f"documents.{command}"
    ledger = seen(request)
    return await run_in_threadpool(lambda: order(ledger, name, author=form.author, **given))


def _version(form: Form) -> int:
    return _whole(form, "version")


def _whole(form: Form, name: str) -> int:
    text = form.text(name)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InputError(f"{name} {text[:20]!r} is no whole number; open the page again")
    return int(text)
