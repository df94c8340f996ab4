"""Guard: the headers of every answer, and refusal of orders that another site sends."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""No script, style, picture or connection that is not our own; nothing inline."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
)
_SAFE = ("GET", "HEAD", "OPTIONS")
_REFUSAL = json.dumps(
    {
        "type": "urn:cupral:no-right",
        "title": "no right",
        "status": 403,
        "what": "this order was sent by another site's page",
        "where": "headers Sec-Fetch-Site and Origin",
        "allowed": "orders from our own pages, or from programs that send no Origin",
        "next": "open our page over https, or on this computer, and give the order there",
    }
).encode()


def guarded(application: Application) -> Application:
    """The application behind the guard."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        if scope["method"] not in _SAFE and foreign(scope):
            await _refuse(_stamped(send))
            return
        await application(scope, receive, _stamped(send))

    return guard


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


def _stamped(send: Send) -> Send:
    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *HEADERS]
        await send(message)

    return stamped


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
