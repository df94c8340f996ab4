"""One-time code: the second factor by RFC 6238 (SHA-1, 30 s, 6 digits), as every app has it."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote

STEP = 30
"""Seconds for which a code is shown."""
DIGITS = 6


def new_secret() -> str:
    """A secret of 160 bits, as apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int, digits: int = DIGITS) -> str:
    """The code of a step of 30 s since 1970 (RFC 4226 section 5.3).

    Examples
    --------
    >>> code(base64.b32encode(b"12345678901234567890").decode(), 59 // 30, 8)
    '94287082'
    """
    key = base64.b32decode(secret)
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: str, given: str, *, seconds: float, last: int) -> int | None:
    """The step whose code was given, if it is this one or a neighbour and later than the last."""
    now, told = int(seconds) // STEP, given.replace(" ", "")
    for step in (now, now - 1, now + 1):
        if step > last and hmac.compare_digest(code(secret, step).encode(), told.encode()):
            return step
    return None


def address(secret: str, name: str) -> str:
    """What an app reads from a QR code or a link."""
    return f"otpauth://totp/Cupral:{quote(name)}?secret={secret}&issuer=Cupral"
