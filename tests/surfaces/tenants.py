"""Two rival enterprises on one ledger, and somebody of every role who may sign in.

Each has a workshop like that of `workshop.py` whose streams, meters and amounts have names of
their own, so that one look at an answer says whose they are.
"""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from cupral.access import administration
from cupral.access import token as tokens
from cupral.access.throttle import Throttle
from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.surfaces.api.app import create_app
from cupral.surfaces.api.guard import guarded
from cupral.surfaces.api.signed import Limits
from cupral.system import call, open_ledger, order
from tests.surfaces.reader import Reader
from tests.surfaces.workshop import MONTHS, NETWORK, TRUE

PASSWORD = "violet tram in the orchard"  # noqa: S105
SITES = {"ws-1": ("e-ws", "Zephyr"), "rv-1": ("e-rv", "Quartz")}
"""Site -> its enterprise, and the word in the names of all that is its own."""
AMOUNTS = {"ws-1": 1.0, "rv-1": 1.37}
ROLES: Mapping[str, tuple[str, ...]] = {
    "clerk": ("enterprise", "e-ws"), "chief": ("signer", "e-ws"), "rival": ("enterprise", "e-rv"),
    "judge": ("verifier", "e-ws"), "bureau": ("department",), "sysop": ("system",),
    "guard": ("security",), "auditor": ("audit",),
}  # fmt: skip


def names(site: str) -> list[str]:
    """Streams of a site: its own word before those of the workshop."""
    return [f"{SITES[site][1]}-{name}" for name in ("CONC", "SLAG", "MATTE", "DROSS", "ANODE")]


def network(site: str) -> bytes:
    """The workshop's network in the site's own words."""
    enterprise, word = SITES[site]
    text = NETWORK.replace("ws-1", site).replace("e-ws", enterprise)
    return re.sub(r"\b(CONC|SLAG|MATTE|DROSS|ANODE|POWER)\b", rf"{word}-\1", text).encode()


def amount(site: str, meter: str, number: int) -> float:
    """What a meter of a site reads in its n-th month: digits that nothing else has."""
    return round(TRUE[meter] * AMOUNTS[site] * (1 + 0.0001234567 * (number + 1)), 6)


def meter_file(site: str) -> bytes:
    """The readings of a site."""
    lines = ["meter,period,amount,unit"]
    for meter, (number, month) in itertools.product(TRUE, enumerate(MONTHS)):
        unit = "MWh" if meter == "POWER.feeder" else "t"
        name = f"{SITES[site][1]}-{meter}"
        lines.append(f"{name},{month},{amount(site, meter, number)!r},{unit}")
    return ("\n".join(lines) + "\n").encode()


def set_up(folder: Path) -> Ledger:
    """The ledger of both, with kept Results, a judged doubt, a return, and all accounts."""
    ledger = open_ledger(folder)
    for site, (enterprise, word) in SITES.items():
        order(ledger, "balance.define_network", author="engineer", content=network(site),
              filename=f"{word}.yaml")  # fmt: skip
        order(ledger, "balance.import_meters", author="engineer", site=site,
              content=meter_file(site), filename=f"{word}.csv")  # fmt: skip
        ledger.put(Document(kind="note", id=f"n-{word}", party=enterprise,
                            body={"said": f"{word} secret"}), author="engineer")  # fmt: skip
        for month in MONTHS:
            call(ledger, "balance.streams", site=site, period=month)
    for name, (role, *enterprises) in ROLES.items():
        administration.add(ledger, author="owner", name=name, roles=[role],
                           enterprises=enterprises, password=PASSWORD)  # fmt: skip
    return ledger


def secrets(site: str) -> set[str]:
    """What must not be in an answer to who may not see the site's rows."""
    word = SITES[site][1]
    digits = {
        f"{amount(site, meter, number):.6f}".rstrip("0")
        for meter in TRUE for number in range(len(MONTHS))
    }  # fmt: skip
    return {f"{word}-", f"{word} secret", *digits}


class Visitor(Reader):
    """A reader of the two enterprises' ledger; somebody may sign in."""

    def __init__(self, ledger: Ledger, shared: Any = None) -> None:
        self.ledger = ledger
        endless = Throttle(rate=1e9, burst=1e9)
        self.inner = shared or create_app(ledger, Limits(endless, endless, endless))
        self.app = guarded(self.inner)
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.raises = True

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        """Sign in by the form and keep the session."""
        answer = self.post("/login", data={"name": name, "password": password, **more})
        word = answer.cookies.get("cupral")
        if word:
            self.cookies["cupral"] = word
        return answer

    def with_token(self, name: str, **options: Any) -> str:
        """Act by a token of an account from now on."""
        word = tokens.make(self.ledger, author="owner", account=name, **options)
        self.headers["authorization"] = f"Bearer {word}"
        return word

    @property
    def form_word(self) -> str:
        """What the forms of this session carry."""
        from cupral.access.session import form_word

        return form_word(self.cookies["cupral"])

    def send(self, path: str, **data: str) -> httpx.Response:
        """Send a form of one of our pages."""
        return self.post(path, data={"form_word": self.form_word, **data})

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        options["headers"] = {**self.headers, **options.get("headers", {})}
        return await super()._ask(method, path, **options)
