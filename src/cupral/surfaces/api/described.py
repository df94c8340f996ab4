"""Described: what every answer of the interface looks like, for its OpenAPI description."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

Described = dict[int | str, dict[str, Any]]
_TEXT, _WHOLE, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_ANY: dict[str, Any] = {}
_ROWS = {"type": "array", "items": {"type": "object"}}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **optional}, "required": [*required]}


_SCHEMAS: dict[str, Any] = {
    "Problem": _object(
        {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "what": _TEXT, "where": _TEXT,
         "allowed": _TEXT, "next": _TEXT}, detail=_TEXT, faults=_ROWS,
    ),
    "Result": _object(
        {"query": _TEXT, "subject": _TEXT, "status": _TEXT, "parts": _ROWS,
         "tables": {"type": "object"}, "lineage": {"type": "array", "items": _TEXT},
         "demonstration": _FLAG},
    ),
    "Job": _object(
        {"id": _TEXT, "title": _TEXT, "done": _WHOLE, "of": _WHOLE, "step": _TEXT,
         "steps": {"type": "array", "items": _TEXT},
         "state": {"enum": ["waiting", "running", "done", "failed", "cancelled"]}},
        result=_ANY, problem=_ANY, created=_TEXT,
    ),
    "Record": {"type": "object"},
    "Records": {"type": "array", "items": {"type": "object"}},
}  # fmt: skip
_WHY = {
    400: "The body cannot be read.", 401: "The token is none, has expired or was revoked.",
    403: "Whoever asks may not; or an order lacks the word of its session.",
    404: "There is no such thing, to who asks.", 409: "It cannot be decided, or collides.",
    413: "The body is too large.", 422: "A value is not allowed.",
    429: "Asked too often; Retry-After says for how many seconds to wait.",
    503: "The database server does not answer.",
}  # fmt: skip


def answers(schema: str, status: int = 200, *, media: str = "application/json") -> Described:
    """What a route answers: its content, and every problem."""
    problem = {"application/problem+json": {"schema": _referred("Problem")}}
    told: Described = {code: {"description": why, "content": problem} for code, why in _WHY.items()}
    content = {media: {"schema": _referred(schema) if schema else _TEXT}}
    return {status: {"description": "The answer.", "content": content}, **told}


def in_path(*names: str) -> dict[str, Any]:
    """Values that stand in the address."""
    return {"parameters": [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]}  # fmt: skip


def in_query(names: Sequence[str]) -> list[dict[str, Any]]:
    """Texts that may stand behind the question mark."""
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]


def describe(app: FastAPI) -> None:
    """Let the description hold the schemas and how one shows who he is."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description,
                               routes=app.routes)  # fmt: skip
            schemes = {"token": {"type": "http", "scheme": "bearer"},
                       "session": {"type": "apiKey", "in": "cookie", "name": "cupral"}}  # fmt: skip
            made["components"] = {"schemas": _SCHEMAS, "securitySchemes": schemes}
            made["security"] = [{}, {"token": []}, {"session": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _referred(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}
