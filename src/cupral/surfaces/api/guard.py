"""Guard: headers of every answer; no orders from other sites, no strange names, no huge bodies."""

import json
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

from cupral.ledger.template.reading import SIZE_LIMIT

_LOG = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
"""No script, style, picture or connection that is not our own; nothing inline."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
)
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""Told over https only: without it the promise could not be kept."""
NOT_KEPT = (b"cache-control", b"no-store")
"""For every answer that does not say itself whether a browser may keep it."""
MOST_BYTES = SIZE_LIMIT + 4_000_000
"""Largest body that is taken: the largest file, and the form around it."""
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this computer: only these are answered when only it can reach us."""
_SAFE = ("GET", "HEAD", "OPTIONS")


def _refusal(status: int, what: str, where: str, allowed: str, cure: str) -> tuple[int, bytes]:
    content = {"type": "urn:cupral:no-right", "title": "no right", "status": status, "what": what,
               "where": where, "allowed": allowed, "next": cure}  # fmt: skip
    return status, json.dumps(content).encode()


_FOREIGN = _refusal(
    403, "this order was sent by another site's page", "headers Sec-Fetch-Site and Origin",
    "orders from our own pages, or from programs that send no Origin",
    "open our page over https, or on this computer, and give the order there",
)  # fmt: skip
_MISNAMED = _refusal(
    421, "this server does not answer to that name", "header Host", ", ".join(sorted(LOCAL)),
    "open http://127.0.0.1 with the port that `cupral serve` printed",
)  # fmt: skip


def guarded(application: Application, hosts: Collection[str] = ()) -> Application:
    """The application behind the guard; with `hosts`, only these names are answered.

    The names keep a page of another site from reaching us through a name of its own that it
    lets point to this computer.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        refusal = _refused(scope, hosts)
        if refusal:
            told = (scope["method"], scope["path"], (scope.get("client") or ("?",))[0], refusal[0])
            _LOG.warning("%s %s from %s refused with %d", *told)
            await _refuse(_stamped(scope, send), *refusal)
        else:
            await application(scope, _limited(receive), _stamped(scope, send))

    return guard


def _refused(scope: Scope, hosts: Collection[str]) -> tuple[int, bytes] | None:
    if hosts and _host(scope) not in hosts:
        return _MISNAMED
    return _FOREIGN if scope["method"] not in _SAFE and foreign(scope) else None


def _host(scope: Scope) -> str:
    named = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    try:
        return urlsplit(f"//{named}").hostname or ""
    except ValueError:
        return ""


def foreign(scope: Scope) -> bool:
    """Whether a browser says that the request comes from another site's page.

    Browsers say so in Sec-Fetch-Site (over https, and to this computer itself). Elsewhere
    Origin has to name our host; our own pages send `null` there, because they send no referrer,
    so orders from a browser need https or the computer itself.
    """
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    return bool(origin) and urlsplit(origin).netloc != host


def _stamped(scope: Scope, send: Send) -> Send:
    ours = (*HEADERS, HTTPS_ONLY) if scope.get("scheme") == "https" else HEADERS

    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = [*message.get("headers", ())]
            kept = () if any(name == NOT_KEPT[0] for name, _ in told) else (NOT_KEPT,)
            message["headers"] = [*told, *kept, *ours]
        await send(message)

    return stamped


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise HTTPException(413, f"the body is larger than {MOST_BYTES:,} bytes; send parts")
        return message

    return limited


async def _refuse(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
