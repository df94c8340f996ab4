"""Answers: plain content as JSON, errors as problem+json."""

import gzip
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cupral.access.refusal import NotSignedIn, TooOften
from cupral.ledger.errors import CupralError
from cupral.surfaces.problem import Problem, problem

_WORTH_SQUEEZING = 1000


def answered(request: Request, content: Any, status: int = 200) -> Response:
    """Plain content as JSON, compressed if that is worth it."""
    body = json.dumps(content, ensure_ascii=False, default=str, allow_nan=False).encode()
    headers = {"cache-control": "no-cache", "vary": "accept-encoding"}
    if len(body) > _WORTH_SQUEEZING and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, 5, mtime=0)
    return Response(body, status, headers, "application/json")


async def problem_answer(request: Request, error: Exception) -> Response:
    """An error of ours as problem+json with its four parts."""
    if not isinstance(error, CupralError):
        raise error
    answer = told(problem(error, request.url.path))
    if isinstance(error, TooOften):
        answer.headers["retry-after"] = str(error.seconds)
    if isinstance(error, NotSignedIn):
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def told(found: Problem) -> Response:
    """A problem as application/problem+json."""
    body = json.dumps(found.document(), ensure_ascii=False, default=str).encode()
    return Response(body, found.status, media_type="application/problem+json")
