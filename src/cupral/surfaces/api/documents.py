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
from cupral.surfaces.api.actions import Form, sent_form, told_by
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.web.views.documents import address
from cupral.system import order

MOVES = {"submitted": "submit", "under_review": "review", "withdrawn": "withdraw",
         "accepted": "decide", "refused": "decide", "returned": "decide"}  # fmt: skip
"""State to be reached -> the order that leads there."""
FILES = "/attachments/{kind}/{sha256}/{id:path}"


def add_documents(app: FastAPI, desk: Desk) -> None:
    """Add the routes of the forms and files of documents."""
    routes = (
        ("/documents", _draft, "POST"), ("/documents/{kind}/{id:path}", _act, "POST"),
        ("/inbox", _read, "POST"), (FILES, _file, "GET"),
    )  # fmt: skip
    for path, action, method in routes:
        made = _bound(desk, action)
        app.router.routes.append(Route(path, told_by(desk, made), methods=[method]))


def _bound(desk: Desk, action: Any) -> Any:
    async def bound(request: Request) -> Response:
        answer: Response = await action(desk, request)
        return answer

    return bound


async def _draft(desk: Desk, request: Request) -> Response:
    form = await sent_form(request)
    given = {name: form.text(name) for name in ("kind", "party", "title", "id")}
    made = await _ordered(desk, "draft", form, body={"text": form.text("text")}, **given)
    return RedirectResponse(address(made.kind, made.id), 303)


async def _act(desk: Desk, request: Request) -> Response:
    """A move, a comment, a file or a change of one document, as its field `do` says."""
    form = await sent_form(request)
    named = {name: request.path_params[name] for name in ("kind", "id")}
    do = form.text("do")
    if do == "comment":
        await _ordered(desk, "comment", form, text=form.text("text"), **named)
    elif do == "attach":
        name, given = form.file()
        await _ordered(desk, "attach", form, content=given, filename=name, **named)
    elif do == "revise":
        body = {name: form.text(name) for name in ("title", "text")}
        await _ordered(desk, "revise", form, body=body, version=_version(form), **named)
    elif do in MOVES:
        more = {"outcome": do} if MOVES[do] == "decide" else {}
        await _ordered(desk, MOVES[do], form, version=_version(form), reason=form.text("reason"),
                       **more, **named)  # fmt: skip
    else:
        allowed = ", ".join(["comment", "attach", "revise", *MOVES])
        raise InputError(f"a form asks to {do!r}; it can ask for {allowed}")
    return RedirectResponse(address(**named), 303)


async def _read(desk: Desk, request: Request) -> Response:
    form = await sent_form(request)
    await _ordered(desk, "read_notice", form, number=_whole(form, "number"))
    return RedirectResponse("/inbox", 303)


async def _file(desk: Desk, request: Request) -> Response:
    """An attached file: to be saved, never to be shown in our name."""
    wanted = request.path_params

    def found() -> tuple[bytes, Mapping[str, str]]:
        desk.ledger.document(wanted["kind"], wanted["id"])  # refuses those of others
        for kept in attachments(desk.ledger, wanted["kind"], wanted["id"]):
            if kept.sha256 == wanted["sha256"]:
                named = f"attachment; filename*=UTF-8''{quote(kept.name, safe='')}"
                headers = {"content-disposition": named, "content-type": kept.media,
                           "cache-control": "private, no-cache"}  # fmt: skip
                return content(desk.ledger.folder, kept), headers
        raise NotFound(f"{wanted['kind']} {wanted['id']!r} has no such file; look at its list")

    held, headers = await run_in_threadpool(found)
    return Response(held, headers=dict(headers))


async def _ordered(desk: Desk, command: str, form: Form, **given: Any) -> Any:
    name = f"documents.{command}"
    return await run_in_threadpool(lambda: order(desk.ledger, name, author=form.author, **given))


def _version(form: Form) -> int:
    return _whole(form, "version")


def _whole(form: Form, name: str) -> int:
    text = form.text(name)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InputError(f"{name} {text[:20]!r} is no whole number; open the page again")
    return int(text)
