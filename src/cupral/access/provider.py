"""Provider: sign-in by OpenID Connect, authorization code with PKCE, set up by the environment.

What comes back is believed only after issuer, audience, times, nonce and signature are checked
with an algorithm of our own list (OpenID Connect Core 3.1.3.7, RFC 7636, RFC 9207, RFC 8725).
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from cupral.access.refusal import NotSignedIn
from cupral.ledger.errors import InputError, Unreachable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Of signatures: none without a key, none with a key that both sides know."""
SECONDS = 5.0
"""For which an answer of the provider is waited."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""
KEPT = 600
"""Seconds for which what the provider says of itself is believed."""
LARGEST = 1_000_000
"""Bytes of an answer of the provider that are read."""
_PREFIX = "CUPRAL_OIDC_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the browser keeps while it is at the provider; three words of chance."""

    state: str
    nonce: str
    verifier: str

    @staticmethod
    def new() -> "Asking":
        """Fresh words."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return Asking(state=state, nonce=nonce, verifier=verifier)


@dataclass(slots=True, kw_only=True)
class Provider:
    """One provider and our place with it."""

    issuer: str
    client: str
    secret: str = field(default="", repr=False)
    title: str = ""
    scope: str = "openid"
    claim: str = "sub"
    """Claim of the token that is the subject of an account."""
    back: str = ""
    """Address to which the provider sends the browser back; empty = that of the request."""
    _said: tuple[float, Mapping[str, Any], Mapping[str, Any]] | None = None

    def address(self, asking: Asking, back: str) -> str:
        """Where the browser is sent to sign in."""
        digest = hashlib.sha256(asking.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.client, "redirect_uri": self.back or back,
            "scope": self.scope, "state": asking.state, "nonce": asking.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        place = self._description()["authorization_endpoint"]
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def subject(self, answer: Mapping[str, str], asking: Asking, back: str) -> str:
        """Who came back from the provider.

        Raises
        ------
        NotSignedIn
            If the answer is not one to what this browser asked, or does not stand every check.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), asking.state.encode()):
            raise _refused("the answer is not to what this browser asked (state)")
        if "error" in answer or not answer.get("code"):
            raise _refused("the provider did not sign you in")
        if answer.get("iss", self.issuer) != self.issuer:
            raise _refused("the answer is from another provider (iss)")
        token = self._exchanged(answer["code"], asking, back).get("id_token")
        claims = self._claims(str(token), asking.nonce)
        subject = claims.get(self.claim)
        if not isinstance(subject, str) or not subject:
            raise _refused(f"its token has no text in claim {self.claim}")
        return subject

    def _exchanged(self, code: str, asking: Asking, back: str) -> Mapping[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "client_id": self.client,
                "redirect_uri": self.back or back, "code_verifier": asking.verifier}  # fmt: skip
        place = self._description()["token_endpoint"]
        login = (self.client, self.secret) if self.secret else None
        return _fetched("POST", place, data=form, auth=login)

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        import jwt  # noqa: PLC0415  (of the optional extra `oidc`)

        try:
            claims: Mapping[str, Any] = jwt.decode(
                token, self._key(token), algorithms=list(ALGORITHMS), audience=self.client,
                issuer=self.issuer, leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, KeyError) as error:
            raise _refused(f"its token is not to be believed ({error})") from None
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise _refused("its token is not for what this browser asked (nonce)")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", "" if several else self.client) != self.client:
            raise _refused("its token was given to another client (azp)")
        return claims

    def _key(self, token: str) -> Any:
        import jwt  # noqa: PLC0415

        head = jwt.get_unverified_header(token)
        if head.get("alg") not in ALGORITHMS:
            raise _refused(f"its token is signed by {head.get('alg')!r}, which is not allowed")
        for keys in (self._keys(), self._keys(anew=True)):
            shown = [key for key in jwt.PyJWKSet.from_dict(dict(keys)).keys
                     if key.public_key_use in (None, "sig") and key.key_type != "oct"]  # fmt: skip
            named = [key for key in shown if key.key_id == head.get("kid")]
            if "kid" not in head and len(shown) == 1:  # it may leave the name of an only key away
                named = shown
            if named:
                return named[0].key
        raise _refused("its token is signed with a key that the provider does not show")

    def _description(self) -> Mapping[str, Any]:
        return self._told()[1]

    def _keys(self, *, anew: bool = False) -> Mapping[str, Any]:
        if anew:
            self._said = None
        return self._told()[2]

    def _told(self) -> tuple[float, Mapping[str, Any], Mapping[str, Any]]:
        """What the provider says of itself, and its keys."""
        if self._said is None or time.monotonic() - self._said[0] > KEPT:
            place = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            said = _fetched("GET", place)
            if said.get("issuer") != self.issuer:
                raise _refused(f"it calls itself {said.get('issuer')!r}, not {self.issuer!r}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _demand_safe(str(said.get(name, "")), name)
            self._said = (time.monotonic(), said, _fetched("GET", said["jwks_uri"]))
        return self._said


def configured(environment: Mapping[str, str] = os.environ) -> Provider | None:
    """The provider that the environment names; None if it names none.

    CUPRAL_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET, _TITLE, _SCOPE, _CLAIM, _REDIRECT.

    Raises
    ------
    InputError
        If it is half named, or its address is not safe, or the extra is not installed.
    """
    told = {n.removeprefix(_PREFIX): v for n, v in environment.items() if n.startswith(_PREFIX)}
    issuer, client = told.get("ISSUER", ""), told.get("CLIENT_ID", "")
    if not issuer:
        return None
    if not client:
        raise InputError(f"{_PREFIX}ISSUER is set but not {_PREFIX}CLIENT_ID; set both or none")
    _demand_safe(issuer, f"{_PREFIX}ISSUER")
    _demand_installed()
    return Provider(
        issuer=issuer, client=client, secret=told.get("CLIENT_SECRET", ""),
        title=told.get("TITLE", urlsplit(issuer).hostname or ""),
        scope=told.get("SCOPE", "openid"), claim=told.get("CLAIM", "sub"),
        back=told.get("REDIRECT", ""),
    )  # fmt: skip


def _demand_installed() -> None:
    try:
        import httpx  # noqa: F401, PLC0415
        import jwt  # noqa: F401, PLC0415
    except ImportError:
        raise InputError("sign-in by a provider needs more; pip install 'cupral[oidc]'") from None


def _demand_safe(url: str, name: str) -> None:
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise InputError(f"{name} is {url!r}; it takes https (http on this computer only)")


def _fetched(method: str, url: str, **options: Any) -> Mapping[str, Any]:
    """A JSON object; redirects are not followed."""
    import httpx  # noqa: PLC0415

    try:
        with (
            httpx.Client(timeout=SECONDS, trust_env=False) as client,
            client.stream(method, url, headers={"accept": "application/json"}, **options) as answer,
        ):
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise _refused(f"its answer is larger than {LARGEST:,} bytes")
        content = json.loads(body)
    except (httpx.HTTPError, ValueError) as error:
        raise Unreachable(f"the identity provider does not answer ({error}); try later") from None
    if answer.status_code != 200 or not isinstance(content, dict):
        raise _refused(f"{urlsplit(url).path} answers {answer.status_code}")
    return content


def _refused(why: str) -> NotSignedIn:
    return NotSignedIn(f"sign-in by the identity provider failed: {why}; begin again")
