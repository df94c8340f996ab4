"""Password: hashed by argon2id; long enough and not a well-known one, nothing else is asked.

Bounds follow OWASP ASVS 5.0 section 6.2 (at least 8, better 15 characters; no rules of
composition; a list of what everybody tries) and RFC 9106 section 4 (second recommended option).
"""

import re
import secrets
import threading
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cupral.ledger.errors import InputError

SHORTEST, LONGEST = 12, 256
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
"""RFC 9106: 64 MiB, three passes; one lane, because the processors serve other readers too."""
_FREE = threading.BoundedSemaphore(2)
"""Hashes at once: each takes 64 MiB, and a crowd that signs in shall not take all memory."""
_LEET = str.maketrans("013457@$!|", "oleastasii")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiopasdfghjklzxcvbnm",
         "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm")  # fmt: skip
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of one-time passwords: nothing that is misread."""


def hashed(password: str) -> str:
    """The hash to be kept."""
    with _FREE:
        return _HASHER.hash(_normal(password))


def fits(kept: str, password: str) -> bool:
    """Whether a password is the one of a hash; takes as long if there is no hash."""
    if len(password) > LONGEST:
        return False
    nobodys = _nobodys()
    try:
        with _FREE:
            return _HASHER.verify(kept or nobodys, _normal(password)) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def one_time() -> str:
    """A password for the first sign-in, with 99 bits of chance."""
    parts = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(parts)


def demand_strength(password: str, *, name: str) -> None:
    """Refuse a password that is short, long, or among the first that an attacker tries.

    Raises
    ------
    InputError
        Saying what is wrong with it.
    """
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise InputError(
            f"the password has {len(text)} characters; allowed are {SHORTEST} to {LONGEST} of any"
            " kind; take a few words that nobody else would put together"
        )
    why = weakness(text, name)
    if why:
        raise InputError(f"the password {why}; choose one that nobody would guess")


def weakness(password: str, name: str) -> str:
    """Why a password is easily guessed; empty if it is not.

    Examples
    --------
    >>> weakness("passwordpassword", "li"), weakness("P@ssw0rd2026!", "li")
    ('is a known word with additions', 'is a known word with additions')
    >>> weakness("123456789012", "li"), weakness("abcabcabcabc", "li")
    ('is a row of neighbouring keys', 'repeats a few characters')
    >>> weakness("copper kettle on friday", "li")
    ''
    """
    plain = password.lower()
    if re.fullmatch(r"(.{1,4}?)\1+.{0,3}", plain) or len(set(plain)) < 5:
        return "repeats a few characters"
    if any(plain in (row * 4) or plain in (row[::-1] * 4) for row in _ROWS):
        return "is a row of neighbouring keys"
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    rest = [re.sub(r"[\W\d_]+", "", text) for text in (plain, bare.translate(_LEET))]
    for core in rest:
        for word in (*known(), name.lower()):
            if core and core.replace(word, "") == "":
                return "is a known word with additions"
    return ""


@cache
def known() -> frozenset[str]:
    """Words that stand alone in many passwords."""
    text = Path(__file__).with_name("known_words.txt").read_text(encoding="utf-8")
    return frozenset(word for word in text.split() if not word.startswith("#"))


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


def _normal(password: str) -> str:
    """One form for what looks the same, as two keyboards may send it."""
    return unicodedata.normalize("NFKC", password)
