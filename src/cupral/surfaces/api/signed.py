"""Signed: who a request comes from, by session or token, and how often he may ask.

The one place that says so: every route takes the ledger from `seen(request)`. While a ledger
has no account, it is one person's own: who sits at this computer may do everything.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cupral.access import session as sessions
from cupral.access import store
from cupral.access import token as tokens
from cupral.access.account import Account
from cupral.access.refusal import NotSignedIn, TooOften
from cupral.access.session import Session
from cupral.access.throttle import Throttle
from cupral.access.token import Token
from cupral.ledger.errors import NoRight
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import EVERYTHING, OWNER, PUBLIC, Rights
from cupral.ledger.stores import schema, trail
from cupral.surfaces.api.answers import problem_answer
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.guard import LOCAL, Application, Message, Receive, Scope, Send

KEPT_PEOPLE = 5000
FLUSH_SECONDS = 5.0
"""After which refusals, and the use of sessions, are written down, many at once."""
MOST_WAITING = 5000
"""Refusals that wait to be written; more are only counted."""
FREE = ("/static/", "/healthz")
"""Addresses that are the same for everybody."""
PLACE = "cupral.person"


@dataclass(frozen=True, slots=True)
class Person:
    """Who a request comes from."""

    rights: Rights
    account: Account | None = None
    session: Session | None = None
    token: Token | None = None
    word: str = ""
    """Of the session: what the browser's cookie holds."""
    address: str = ""

    @property
    def form_word(self) -> str:
        """What the forms of this session carry; empty if none is needed."""
        return sessions.form_word(self.word) if self.session else ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often may be asked."""

    account: Throttle = field(default_factory=lambda: Throttle(rate=100.0, burst=400.0))
    address: Throttle = field(default_factory=lambda: Throttle(rate=50.0, burst=300.0))
    """Of whoever has not signed in."""
    sign_in: Throttle = field(default_factory=lambda: Throttle(rate=2.0, burst=100.0))
    """Sign-ins from one address: each costs a slow hash."""


@dataclass(slots=True)
class People:
    """Who has lately been recognised, in which state of the database."""

    desk: Desk
    limits: Limits = field(default_factory=Limits)
    _known: "OrderedDict[str, tuple[int, Person]]" = field(default_factory=OrderedDict)
    _closed: tuple[int, bool] = (-1, False)
    _entries: list[trail.Entry] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)
    _flushed: float = field(default_factory=time.monotonic)

    async def closed(self) -> bool:
        """Whether the ledger has accounts; once it has, it always will."""
        state = self.desk.pulse.state
        if not self._closed[1] and self._closed[0] != state:
            found = await run_in_threadpool(store.any_account, self.desk.ledger)
            self._closed = (state, found)
        return self._closed[1]

    async def person(self, request: Request) -> Person:
        """Who a request comes from.

        Raises
        ------
        NotSignedIn
            If it carries a token that is none (any more).
        NoRight
            If the ledger has no accounts and the request is from another computer.
        TooOften
            If the account or address has asked too often.
        """
        address = request.client.host if request.client else ""
        if not await self.closed():
            if address not in LOCAL:
                raise NoRight(
                    "this ledger has no accounts and answers only its own computer;"
                    " make accounts there by `cupral accounts init`"
                )
            return Person(EVERYTHING, address=address)
        found = await self._recognised(request, address)
        if found.account:
            self.limits.account.demand(found.account.name, time.monotonic())
        else:
            self.limits.address.demand(address, time.monotonic())
        return found

    async def _recognised(self, request: Request, address: str) -> Person:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            found = await self._known_by(given.strip(), self._by_token)
            if found is None:
                self.limits.address.demand(address, time.monotonic())
                raise NotSignedIn("the token is none, has expired or was revoked; make another")
        else:
            word = request.cookies.get(cookie_name(request), "")
            found = await self._known_by(word, self._by_session) if word else None
        if found is None:
            return Person(PUBLIC, address=address)
        if found.session and store.now() - found.session.seen_at > sessions.TOUCHED * 1_000_000:
            self._used.add(found.session.sha)
        return Person(found.rights, found.account, found.session, found.token, found.word, address)

    async def _known_by(self, word: str, look: Callable[[str], Person | None]) -> Person | None:
        """The person of a word, looked up again when anything in the database has changed."""
        key, state = sessions.hash_of(word), self.desk.pulse.state
        known = self._known.get(key)
        if known is None or known[0] != state:
            person = await run_in_threadpool(look, word)
            if person is None:
                self._known.pop(key, None)
                return None
            self._known[key] = known = (state, person)
            while len(self._known) > KEPT_PEOPLE:
                self._known.popitem(last=False)
        held = known[1].session or known[1].token
        return None if held is None or held.ended(store.now()) else known[1]

    def _by_session(self, word: str) -> Person | None:
        found = sessions.found(self.desk.ledger, word)
        account = self._active(found.account) if found else None
        return Person(account.rights(), account, session=found, word=word) if account else None

    def _by_token(self, word: str) -> Person | None:
        found = tokens.found(self.desk.ledger, word)
        account = self._active(found.account) if found else None
        if found is None or account is None:
            return None
        return Person(account.rights(found.roles), account, token=found)

    def _active(self, name: str) -> Account | None:
        account = store.account(self.desk.ledger, name)
        return account if account.state == "active" else None

    # -- what is written down later --------------------------------------------------------

    def refused(self, request: Request, person: Person, status: int) -> None:
        """Note that something was refused."""
        if len(self._entries) < MOST_WAITING:
            told = {"address": request.url.path, "status": status}
            self._entries.append(
                trail.entry(person.rights.name, f"{request.method} refused", told, "NoRight")
            )

    @property
    def due(self) -> bool:
        """Whether something has waited long enough to be written down."""
        waiting = bool(self._entries or self._used)
        return waiting and time.monotonic() - self._flushed > FLUSH_SECONDS

    def flush(self) -> None:
        """Write down what waits, in one transaction."""
        entries, self._entries = self._entries, []
        used, self._used = self._used, set()
        self._flushed = time.monotonic()
        if entries or used:
            with schema.writing(self.desk.ledger.records.database) as connection:
                trail.write(connection, entries)
                sessions.touch(connection, used, store.now())


def person_of(request: Request) -> Person:
    """Who a request comes from; the middleware has found out."""
    found = request.scope[PLACE]
    assert isinstance(found, Person)  # noqa: S101
    return found


def demand_account(request: Request) -> Account:
    """The account that is signed in by a browser.

    Raises
    ------
    NoRight
        If none is.
    """
    person = person_of(request)
    if person.account is None or person.session is None:
        raise NoRight("nobody is signed in here; sign in")
    return person.account


def seen(request: Request) -> Ledger:
    """The ledger as whoever asks may use it."""
    ledger: Ledger = request.app.state.desk.ledger
    return ledger.seen_by(person_of(request).rights)


def acting_name(request: Request, given: str, usual: str) -> str:
    """In whose name an order is given: the account's, whatever it says of itself.

    Raises
    ------
    NoRight
        If it says that it comes from somebody else.
    """
    rights = person_of(request).rights
    if OWNER in rights.roles:
        return given or usual
    if given:
        rights.demand_name(given)
    return rights.name


def demand_form_word(request: Request, given: str) -> None:
    """Refuse an order that a session's own pages have not sent.

    Raises
    ------
    NoRight
        If a browser's session orders without the word of its forms.
    """
    wanted = person_of(request).form_word
    if wanted and given != wanted:
        raise NoRight(
            "the order did not come from a page of your present session; open the page again and"
            " send it from there (programs use a token)"
        )


def cookie_name(request: Request) -> str:
    """Name of the session's cookie; over https one that no other host can set."""
    return "__Host-cupral" if request.url.scheme == "https" else "cupral"


def set_cookie(request: Request, answer: Response, word: str) -> None:
    """Let the browser keep a session's word (empty = forget it)."""
    answer.set_cookie(
        cookie_name(request), word, max_age=sessions.ABSOLUTE if word else 0, path="/",
        httponly=True, samesite="lax", secure=request.url.scheme == "https",
    )  # fmt: skip


class Signed:
    """The middleware: recognises who asks, keeps to the limits, notes refusals."""

    def __init__(self, app: Application, people: People) -> None:
        self.app, self.people = app, people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"].startswith(FREE):
            scope[PLACE] = Person(PUBLIC)
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            person = await self.people.person(request)
        except (NotSignedIn, NoRight, TooOften) as error:
            answer = await problem_answer(request, error)
            await answer(scope, receive, send)
            return
        scope[PLACE] = person
        trail.origin.set(
            trail.Origin(person.address, person.session.id if person.session
                         else f"token {person.token.prefix}" if person.token else "")
        )  # fmt: skip
        await self.app(scope, receive, self._watched(request, person, send))
        if self.people.due:
            await run_in_threadpool(self.people.flush)

    def _watched(self, request: Request, person: Person, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 403 and OWNER not in person.rights.roles:
                    self.people.refused(request, person, 403)
                message["headers"] = [
                    (name, b"private, " + value
                     if name == b"cache-control" and not value.startswith(b"p") else value)
                    for name, value in message.get("headers", ())
                ]  # fmt: skip
            await send(message)

        return watched if OWNER not in person.rights.roles else send
