"""Sign-in by OpenID Connect: with a real provider in a process of its own, and a hostile one."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from cupral.access.provider import Asking, Provider, configured
from cupral.access.refusal import NotSignedIn
from cupral.ledger.errors import InputError, Unreachable
from cupral.surfaces.api.app import create_app
from cupral.surfaces.api.signed import Limits
from cupral.system import open_ledger
from tests.surfaces.tenants import Visitor

BACK = "http://127.0.0.1:8600/login/back"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def real() -> Iterator[str]:
    """Issuer of oidc-provider-mock (Authlib's server), a process on a port of this computer."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield issuer
    process.terminate()
    process.wait(10)


def consented(address: str, subject: str) -> dict[str, str]:
    """What the provider answers to a person who signs in there."""
    answer = httpx.post(address, data={"sub": subject}, trust_env=False)
    assert answer.status_code in (302, 303), answer.text
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in asked.items()}


def test_a_person_of_a_real_provider_is_known(real: str) -> None:
    provider, asking = Provider(issuer=real, client="cupral", secret="s"), Asking.new()  # noqa: S106
    answer = consented(provider.address(asking, BACK), "sub-li")
    assert provider.subject(answer, asking, BACK) == "sub-li"


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_an_answer_to_another_browser_is_refused(real: str, name: str) -> None:
    provider = Provider(issuer=real, client="cupral", secret="s")  # noqa: S106
    asking, other = Asking.new(), Asking.new()
    changed = {"state": asking.state, "nonce": asking.nonce, "verifier": asking.verifier,
               name: getattr(other, name)}  # fmt: skip
    answer = consented(provider.address(asking, BACK), "sub-li")
    with pytest.raises(NotSignedIn, match=f"({name})"):
        provider.subject(answer, Asking(**changed), BACK)


def test_the_pages_lead_to_a_real_provider_and_back(real: str, tmp_path: Path) -> None:
    from cupral.access import administration

    ledger = open_ledger(tmp_path / "l")
    administration.add(ledger, author="me", name="li", roles=["department"], subject="sub-li",
                       password="violet tram in the orchard")  # noqa: S106  # fmt: skip
    provider = Provider(issuer=real, client="cupral", secret="s", title="ID")  # noqa: S106
    visitor = Visitor(ledger, create_app(ledger, Limits(), provider))
    assert 'href="/login/provider"' in visitor.get("/login").text

    def through(subject: str, **changed: str) -> httpx.Response:
        sent = visitor.get("/login/provider?next=/postings")
        asking = sent.cookies["cupral-asking"]
        answer = {**consented(sent.headers["location"], subject), **changed}
        return visitor.get("/login/back", params=answer,
                           headers={"cookie": f"cupral-asking={asking}"})  # fmt: skip

    back = through("sub-li")
    assert (back.status_code, back.headers["location"]) == (303, "/postings")
    visitor.cookies["cupral"] = back.cookies["cupral"]
    assert visitor.get("/postings").status_code == 200
    visitor.cookies = {}
    assert through("sub-unknown").status_code == 401
    assert through("sub-li", state="x").status_code == 401
    assert through("sub-li", code="x").status_code == 401
    assert visitor.get("/login/back?code=x&state=y").status_code == 401
    assert visitor.get("/login/back", headers={"cookie": "cupral-asking=zz"}).status_code == 401
    ledger.records.database.dispose()


# -- a provider that lies ----------------------------------------------------------------------

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Liar:
    """Answers whatever token a test wants."""

    def __init__(self) -> None:
        self.token: Callable[[], str] = str
        self.description: dict[str, Any] = {}
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
                keys = {"keys": [{**key, "kid": "k", "use": "sig"}]}
                self.answer(keys if self.path == "/keys" else liar.described())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.answer({"id_token": liar.token()})

            def answer(self, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def described(self) -> dict[str, Any]:
        """What it says of itself."""
        usual = {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/a",
                 "token_endpoint": f"{self.issuer}/t",
                 "jwks_uri": f"{self.issuer}/keys"}  # fmt: skip
        return {**usual, **self.description}


@pytest.fixture
def liar() -> Iterator[Liar]:
    """A lying provider."""
    made = Liar()
    yield made
    made.server.shutdown()
    made.server.server_close()


def claims(liar: Liar, **changed: Any) -> dict[str, Any]:
    """Claims of a good token, some changed or (None) left out."""
    now = int(time.time())
    good = {"iss": liar.issuer, "sub": "li", "aud": "cupral", "exp": now + 60, "iat": now,
            "nonce": "n"}  # fmt: skip
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(
    liar: Liar, *, key: Any = KEY, alg: str = "RS256", kid: str = "k", **changed: Any
) -> str:
    """A token."""
    return jwt.encode(claims(liar, **changed), key, algorithm=alg, headers={"kid": kid})


def subject(liar: Liar, answer: dict[str, str] | None = None) -> str:
    """Who comes back from the lying provider."""
    asking = Asking(state="s", nonce="n", verifier="v")
    provider = Provider(issuer=liar.issuer, client="cupral")
    return provider.subject(answer or {"state": "s", "code": "c"}, asking, BACK)


def test_a_good_token_is_believed(liar: Liar) -> None:
    liar.token = lambda: signed(liar)
    assert subject(liar) == "li"
    liar.token = lambda: signed(liar, aud=["cupral", "other"], azp="cupral")
    assert subject(liar) == "li"


LONG = "x" * 64
LIES: dict[str, Callable[[Liar], str]] = {
    "another issuer": lambda liar: signed(liar, iss="https://evil.example"),
    "another audience": lambda liar: signed(liar, aud="other"),
    "another's token": lambda liar: signed(liar, aud=["cupral", "other"], azp="other"),
    "several audiences": lambda liar: signed(liar, aud=["cupral", "other"]),
    "expired": lambda liar: signed(liar, exp=int(time.time()) - 120),
    "issued tomorrow": lambda liar: signed(liar, iat=int(time.time()) + 86_400),
    "no end": lambda liar: signed(liar, exp=None),
    "no nonce": lambda liar: signed(liar, nonce=None),
    "another nonce": lambda liar: signed(liar, nonce="m"),
    "no subject": lambda liar: signed(liar, sub=None),
    "another key": lambda liar: signed(liar, key=OTHER_KEY),
    "an unknown key": lambda liar: signed(liar, kid="zz"),
    "no signature": lambda liar: signed(liar, key="", alg="none"),
    "a shared secret": lambda liar: signed(liar, key=LONG, alg="HS256"),
    "no token": lambda _: "x.y.z", "empty": lambda _: "",
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_is_believed(liar: Liar, lie: str) -> None:
    liar.token = lambda: LIES[lie](liar)
    with pytest.raises(NotSignedIn, match="sign-in by the identity provider failed"):
        subject(liar)


@pytest.mark.parametrize(
    "answer",
    [{"state": "x", "code": "c"}, {"code": "c"}, {"state": "s"}, {"state": "s", "error": "no"},
     {"state": "s", "code": "c", "iss": "https://evil.example"}],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(liar: Liar, answer: dict[str, str]) -> None:
    liar.token = lambda: signed(liar)
    with pytest.raises(NotSignedIn):
        subject(liar, answer)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("issuer", "https://evil.example", NotSignedIn),
        ("token_endpoint", "http://evil.example", InputError),
        ("jwks_uri", "file:///etc/passwd", InputError), ("authorization_endpoint", "", InputError),
    ],
)  # fmt: skip
def test_what_it_says_of_itself_is_checked(
    liar: Liar, name: str, value: str, error: type[Exception]
) -> None:
    liar.description = {name: value}
    with pytest.raises(error):
        Provider(issuer=liar.issuer, client="cupral").address(Asking.new(), BACK)


def test_a_provider_that_does_not_answer_is_out_of_reach() -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        Provider(issuer=f"http://127.0.0.1:{free_port()}", client="c").address(Asking.new(), BACK)


def test_it_is_set_up_by_the_environment() -> None:
    assert configured({}) is None
    told = {"CUPRAL_OIDC_ISSUER": "https://id.example", "CUPRAL_OIDC_CLIENT_ID": "c",
            "CUPRAL_OIDC_CLIENT_SECRET": "hidden", "CUPRAL_OIDC_CLAIM": "upn"}  # fmt: skip
    found = configured(told)
    assert found is not None
    assert (found.issuer, found.client, found.claim, found.title) == (
        "https://id.example", "c", "upn", "id.example")  # fmt: skip
    assert "hidden" not in repr(found)
    for name, value in (("ISSUER", "http://id.example"), ("CLIENT_ID", "")):
        with pytest.raises(InputError, match="CUPRAL_OIDC_"):
            configured({**told, f"CUPRAL_OIDC_{name}": value})
