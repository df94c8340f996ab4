"""Questions: a route for every query and command, described by its signature in OpenAPI."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cupral.ledger.errors import InputError
from cupral.surfaces.api.answers import answered
from cupral.surfaces.api.described import answers
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.signed import acting_name, demand_form_word, seen
from cupral.surfaces.plainness import plain
from cupral.surfaces.signature import Argument, Signature, signature
from cupral.surfaces.web.rendering import WORD
from cupral.system import ask, commands, demand_orderable, order, queries

Endpoint = Callable[[Request], Awaitable[Response]]
ORDERED = 202
"""Status of an order that has become a job."""
LOCAL = ("path",)
"""Arguments that name a file of this computer: a caller from elsewhere must not give them."""
_TYPES = {"bool": "boolean", "int": "integer", "float": "number", "text": "string"}


def add_questions(app: FastAPI, desk: Desk) -> None:
    """Add the routes of all systems."""
    for name, function in queries().items():
        found = signature(name, function).without(LOCAL)
        path = f"/api/query/{found.system}/{found.short}"
        _add(app, path, "GET", _asking(found), found, {"parameters": _parameters(found)})
        _add(app, path, "POST", _asking(found), found, _body(found))
    for name, function in commands().items():
        found = signature(name, function).without(LOCAL)
        path = f"/api/command/{found.system}/{found.short}"
        _add(app, path, "POST", _ordering(desk, found), found, _body(found, author=True), ORDERED)


def _add(
    app: FastAPI, path: str, method: str, endpoint: Endpoint, found: Signature,
    extra: dict[str, Any], status: int = 200,
) -> None:  # fmt: skip
    app.add_api_route(
        path, endpoint, methods=[method], summary=found.headline, description=found.description,
        tags=[found.system], operation_id=f"{method.lower()}_{found.name.replace('.', '_')}",
        response_model=None, openapi_extra=extra, status_code=status,
        responses=answers("Job" if status == ORDERED else "Result", status),
    )  # fmt: skip


def _asking(found: Signature) -> Endpoint:
    async def asking(request: Request) -> Response:
        arguments = await given(request, found)
        ledger = seen(request)
        result = await run_in_threadpool(lambda: ask(ledger, found.name, **arguments))
        return answered(request, result.document())

    return asking


def _ordering(desk: Desk, found: Signature) -> Endpoint:
    async def ordering(request: Request) -> Response:
        arguments = await given(request, found, ordering=True)
        told = request.headers.get("x-author") or request.query_params.get("author") or ""
        author, ledger = acting_name(request, told, "http"), seen(request)
        demand_orderable(ledger, found.name)
        job = desk.jobs.start(
            found.name,
            [("run", lambda _: plain(order(ledger, found.name, author=author, **arguments)))],
            owner=ledger.rights.name,
        )
        return answered(request, job.document(), ORDERED)

    return ordering


async def given(request: Request, found: Signature, *, ordering: bool = False) -> dict[str, Any]:
    """Arguments from the address, a JSON body or a form with a file; an order's word checked."""
    word = request.headers.get("x-form-word", "")
    if ordering and request.headers.get("content-type", "").startswith("application/json"):
        demand_form_word(request, word)
    if request.method == "GET":
        return found.read(dict(request.query_params))
    if request.headers.get("content-type", "").startswith("application/json"):
        return found.validated(await _json(request))
    async with request.form() as form:
        texts = {n: value for n, value in form.items() if isinstance(value, str) and n != "author"}
        files = {n: value for n, value in form.items() if isinstance(value, UploadFile)}
        contents = {name: await file.read() for name, file in files.items()}
    if ordering:
        demand_form_word(request, word or texts.pop(WORD, ""))
    names = {argument.name for argument in found.arguments}
    if files and "filename" in names:
        texts.setdefault("filename", next(iter(files.values())).filename or "")
    return found.read(texts, contents)


async def _json(request: Request) -> Mapping[str, Any]:
    try:
        content = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the body is no JSON ({error}); send an object of arguments") from None
    except RecursionError:
        raise InputError(
            "the body is nested too deeply to be read; send an object of plain arguments"
        ) from None
    if not isinstance(content, dict):
        raise InputError("the body is no object; send an object of arguments")
    return content


def _parameters(found: Signature) -> list[dict[str, Any]]:
    return [
        {"name": a.name, "in": "query", "required": a.required, "description": a.help,
         "schema": _schema(a)}
        for a in found.arguments
    ]  # fmt: skip


def _body(found: Signature, *, author: bool = False) -> dict[str, Any]:
    properties = {a.name: {**_schema(a), "description": a.help} for a in found.arguments}
    required = [a.name for a in found.arguments if a.required]
    schema = {"type": "object", "properties": properties, "required": required}
    form = {"multipart/form-data": {"schema": schema}} if author else {}
    return {"requestBody": {"content": {"application/json": {"schema": schema}, **form}}}


def _schema(argument: Argument) -> dict[str, Any]:
    if argument.kind == "bytes":
        return {"type": "string", "format": "binary"}
    schema: dict[str, Any] = {"type": _TYPES[argument.kind]} if argument.kind in _TYPES else {}
    if not argument.required and argument.default is not None:
        schema["default"] = argument.default
    return schema
