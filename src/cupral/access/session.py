"""Session: how a browser shows that it is somebody; only the hash of its word is kept."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from cupral.access import store
from cupral.access.account import Account
from cupral.ledger.errors import NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import schema

IDLE, ABSOLUTE = 3600, 12 * 3600
"""Seconds after which an unused session, and any session, has ended (a shift of twelve hours)."""
TOUCHED = 300
"""Seconds that may pass before it is written down again that a session is used."""
MOST = 20
"""Sessions of one account; the oldest gives way."""
SECOND = 1_000_000
table = schema.account_session


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser."""

    sha: str
    id: str
    """By which pages and audit records name it."""
    account: str
    began_at: int
    seen_at: int
    address: str
    agent: str

    def ended(self, now: int) -> bool:
        """Whether it was unused, or there, for too long."""
        idle = now - self.seen_at > (IDLE + TOUCHED) * SECOND
        return idle or now - self.began_at > ABSOLUTE * SECOND


def hash_of(word: str) -> str:
    """What is kept of a session's or token's word: 256 bits of chance need no slow hash."""
    return hashlib.sha256(word.encode()).hexdigest()


def form_word(word: str) -> str:
    """What the forms of a session carry, so that no other site's page can order in its name."""
    return hashlib.sha256(f"form {word}".encode()).hexdigest()[:32]


def begin(
    connection: sa.Connection, account: Account, *, address: str, agent: str, instead_of: str = ""
) -> tuple[str, Session]:
    """Begin a session with a new word, whatever word the browser had; returns both."""
    word, at = secrets.token_urlsafe(32), store.now()
    made = Session(sha=hash_of(word), id=secrets.token_hex(4), account=account.name, began_at=at,
                   seen_at=at, address=address, agent=_plain(agent))  # fmt: skip
    if instead_of:
        connection.execute(sa.delete(table).where(table.c.sha == hash_of(instead_of)))
    old = sa.select(table.c.sha).where(table.c.account == account.name)
    kept = connection.execute(old.order_by(table.c.began_at.desc())).scalars().all()
    connection.execute(sa.delete(table).where(table.c.sha.in_(kept[MOST - 1 :])))
    connection.execute(sa.delete(table).where(table.c.began_at < at - ABSOLUTE * SECOND))
    names = ("sha", "id", "account", "began_at", "seen_at", "address", "agent")
    connection.execute(sa.insert(table).values(**{name: getattr(made, name) for name in names}))
    return word, made


def found(ledger: Ledger, word: str) -> Session | None:
    """The session of a word, if it has not ended."""
    with ledger.records.database.connect() as connection:
        row = connection.execute(sa.select(table).where(table.c.sha == hash_of(word))).first()
    session = Session(**row._mapping) if row else None
    return session if session and not session.ended(store.now()) else None


def of_account(ledger: Ledger, name: str) -> list[Session]:
    """Sessions of an account, latest first."""
    query = sa.select(table).where(table.c.account == name).order_by(table.c.began_at.desc())
    with ledger.records.database.connect() as connection:
        rows = [Session(**row._mapping) for row in connection.execute(query)]
    return [session for session in rows if not session.ended(store.now())]


def touch(connection: sa.Connection, shas: Collection[str], at: int) -> None:
    """Write down that sessions were used."""
    connection.execute(sa.update(table).where(table.c.sha.in_(sorted(shas))).values(seen_at=at))


def end(ledger: Ledger, *, author: str, id: str) -> None:
    """End a session of the author's own.

    Raises
    ------
    NotFound
        If he has none of that id.
    """
    with schema.writing(ledger.records.database) as connection:
        mine = (table.c.id == id, table.c.account == author)
        if not connection.execute(sa.delete(table).where(*mine)).rowcount:
            raise NotFound(f"no session {id!r} of yours; your account's page lists them")
        store.record(connection, author, "session.end", {"id": id})


def _plain(agent: str) -> str:
    return "".join(c for c in agent[:200] if c.isprintable())
