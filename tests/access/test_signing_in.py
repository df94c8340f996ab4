"""Signing in: same refusal for all, slower after failures, new words, ends of sessions."""

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from cupral.access import administration, one_time_code, session, signing_in, store, token
from cupral.access.refusal import NotSignedIn, TooOften
from cupral.access.session import SECOND
from cupral.access.signing_in import Place, by_password
from cupral.ledger.errors import InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import Rights
from cupral.ledger.stores import schema
from tests.ledger.server import again

PASSWORD = "violet tram in the orchard"  # noqa: S105
NEW = "seven grey boats asleep"


@pytest.fixture(autouse=True)
def _account(ledger: Ledger) -> None:
    administration.add(ledger, author="owner", name="li", roles=["department", "verifier"],
                       password=PASSWORD, subject="sub-li")  # fmt: skip


def sign_in(ledger: Ledger, word: str = "", **changed: str) -> str:
    """Sign in and return the word."""
    given = {"name": "li", "password": PASSWORD, **changed}
    made, _ = by_password(ledger, place=Place(address="10.0.0.1", agent="x", word=word), **given)
    return made


def aged(ledger: Ledger, seconds: float, *columns: str) -> None:
    """Let everything in the database have happened earlier."""
    with schema.writing(ledger.records.database) as connection:
        for table, names in {"account_session": ("began_at", "seen_at"), "api_token":
                             ("expires_at",), "failed_sign_in": ("last_at",)}.items():  # fmt: skip
            found = schema.metadata.tables[table]
            for name in (n for n in names if n in columns or not columns):
                earlier = found.c[name] - int(seconds * SECOND)
                connection.execute(sa.update(found).values({name: earlier}))


def test_a_session_is_kept_by_its_hash_and_seen_by_every_process(ledger: Ledger) -> None:
    word = sign_in(ledger)
    with ledger.records.database.connect() as connection:
        rows = str(connection.execute(sa.select(schema.account_session)).all())
    assert word not in rows
    assert len(word) == 43
    found = session.found(again(ledger), word)
    assert found is not None
    assert (found.account, found.address) == ("li", "10.0.0.1")
    for other in ("", word[:-1], word.swapcase(), found.sha):
        assert session.found(ledger, other) is None


def test_signing_in_changes_the_word(ledger: Ledger) -> None:
    """A word that somebody else has put into the browser is worth nothing afterwards."""
    first = sign_in(ledger)
    second = sign_in(ledger, word=first)
    assert second != first
    assert session.found(ledger, first) is None
    third = sign_in(ledger, word="planted-by-somebody-else")
    assert session.found(ledger, "planted-by-somebody-else") is None
    assert session.found(ledger, third) is not None


@pytest.mark.parametrize(
    ("seconds", "columns", "ended"),
    [
        (session.IDLE + session.TOUCHED + 1, ("seen_at",), True),
        (session.IDLE - 1, ("seen_at",), False),
        (session.ABSOLUTE + 1, ("began_at",), True), (session.ABSOLUTE - 60, ("began_at",), False),
    ],
)  # fmt: skip
def test_sessions_end_unused_and_in_any_case(
    ledger: Ledger, seconds: float, columns: tuple[str, ...], ended: bool
) -> None:
    word = sign_in(ledger)
    aged(ledger, seconds, *columns)
    assert (session.found(ledger, word) is None) == ended


def test_a_used_session_goes_on(ledger: Ledger) -> None:
    word = sign_in(ledger)
    aged(ledger, session.IDLE - 1, "seen_at")
    with schema.writing(ledger.records.database) as connection:
        session.touch(connection, [session.hash_of(word)], store.now())
    aged(ledger, session.IDLE - 1, "seen_at")
    assert session.found(ledger, word) is not None


def test_one_ends_ones_own_sessions_only(ledger: Ledger) -> None:
    word = sign_in(ledger)
    (mine,) = session.of_account(ledger, "li")
    with pytest.raises(NotFound, match="no session"):
        session.end(ledger, author="wang", id=mine.id)
    session.end(ledger, author="li", id=mine.id)
    assert session.found(ledger, word) is None
    word = sign_in(ledger)
    signing_in.sign_out(ledger, author="li", word=word)
    assert session.found(ledger, word) is None


def test_too_many_sessions_push_out_the_oldest(ledger: Ledger) -> None:
    first = sign_in(ledger)
    for _ in range(session.MOST):
        with schema.writing(ledger.records.database) as connection:
            session.begin(connection, store.account(ledger, "li"), address="", agent="")
    assert session.found(ledger, first) is None
    assert len(session.of_account(ledger, "li")) == session.MOST


REFUSED: dict[str, Callable[[Ledger], object]] = {
    "wrong password": lambda ledger: sign_in(ledger, password=NEW),
    "no such account": lambda ledger: sign_in(ledger, name="nobody"),
    "locked": lambda ledger: (
        administration.set_state(ledger, author="owner", name="li", state="locked"),
        sign_in(ledger),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_every_refusal_says_the_same_and_is_recorded(ledger: Ledger, what: str) -> None:
    with pytest.raises(NotSignedIn, match=r"^name, password or code is wrong, or the account"):
        REFUSED[what](ledger)
    latest = ledger.records.audit(1)[0]
    assert (latest["action"], latest["outcome"]) == ("session.begin", "NotSignedIn: refused")


def test_a_name_that_is_none_takes_as_long(ledger: Ledger) -> None:
    def seconds(name: str) -> float:
        began = time.perf_counter()
        with pytest.raises(NotSignedIn):
            sign_in(ledger, name=name, password=NEW)
        return time.perf_counter() - began

    seconds("warm")
    known, unknown = (min(seconds(name) for _ in range(3)) for name in ("li", "nobody"))
    assert 0.4 < known / unknown < 2.5


@pytest.mark.parametrize("name", ["li", "nobody"])
def test_whoever_guesses_has_to_wait_longer_and_longer(ledger: Ledger, name: str) -> None:
    for _ in range(signing_in.FREE):
        with pytest.raises(NotSignedIn):
            sign_in(ledger, name=name, password=NEW)
    waits = []
    for _ in range(4):
        with pytest.raises(TooOften) as told:
            sign_in(again(ledger), name=name)
        waits.append(told.value.seconds)
        aged(ledger, told.value.seconds, "last_at")
        with pytest.raises(NotSignedIn):
            sign_in(ledger, name=name, password=NEW)
    assert waits == sorted(waits)
    assert waits[-1] > 100
    aged(ledger, signing_in.LONGEST, "last_at")
    if name == "li":
        sign_in(ledger)
        with pytest.raises(NotSignedIn):
            sign_in(ledger, password=NEW)
        sign_in(ledger)


def test_a_changed_password_ends_all_sessions(ledger: Ledger) -> None:
    words = [sign_in(ledger), sign_in(ledger)]
    for given, error, why in (
        ({"old": NEW, "new": NEW}, NotSignedIn, "is wrong"),
        ({"old": PASSWORD, "new": PASSWORD}, InputError, "is the old one"),
        ({"old": PASSWORD, "new": "password1234"}, InputError, "known word"),
    ):
        with pytest.raises(error, match=why):
            signing_in.change_password(ledger, author="li", place=Place(), **given)
    word, _ = signing_in.change_password(
        ledger, author="li", old=PASSWORD, new=NEW, place=Place(word=words[0])
    )
    assert [session.found(ledger, one) is not None for one in (*words, word)] == [
        False, False, True]  # fmt: skip
    with pytest.raises(NotSignedIn):
        sign_in(ledger)
    sign_in(ledger, password=NEW)


def test_a_second_factor_is_asked_for_and_its_code_taken_once(ledger: Ledger) -> None:
    secret = one_time_code.new_secret()

    def code(later: int = 0) -> str:
        return one_time_code.code(secret, int(time.time()) // 30 + later)

    factor = {"author": "li", "password": PASSWORD, "secret": secret}
    with pytest.raises(InputError, match="not the present one"):
        signing_in.set_second_factor(ledger, **factor, code="000000")
    with pytest.raises(NotSignedIn):
        signing_in.set_second_factor(ledger, **{**factor, "password": NEW}, code=code())
    signing_in.set_second_factor(ledger, **factor, code=code(-1))
    assert store.account(ledger, "li").second_factor
    assert secret not in str(ledger.records.audit())
    for wrong in ("", "123456", code(-1)):
        with pytest.raises(NotSignedIn):
            sign_in(ledger, code=wrong)
    given = code()
    sign_in(ledger, code=given)
    with pytest.raises(NotSignedIn):
        sign_in(ledger, code=given)
    signing_in.set_second_factor(ledger, author="li", password=PASSWORD, secret="", code=code(1))
    sign_in(ledger)


def test_tokens_are_shown_once_scoped_expire_and_are_revoked(ledger: Ledger) -> None:
    mine = ledger.seen_by(Rights(name="li", roles=frozenset({"department"})))
    word = token.make(mine, author="li", account="li", roles=["verifier"], days=3, title="robot")
    assert word not in str(ledger.records.audit())
    found = token.found(again(ledger), word)
    assert found is not None
    assert (found.roles, found.account) == ({"verifier"}, "li")
    for other in ("", word[:-1], word + "x", word.upper(), f"Bearer {word}"):
        assert token.found(ledger, other) is None
    with pytest.raises(InputError, match="li has no role system; there are department, verifier"):
        token.make(mine, author="li", account="li", roles=["system"])
    with pytest.raises(InputError, match="1 to 366"):
        token.make(mine, author="li", account="li", days=367)
    stranger = ledger.seen_by(Rights(name="wang", roles=frozenset({"department"})))
    with pytest.raises(NoRight, match="may not act in the name of li"):
        token.make(stranger, author="wang", account="li")
    with pytest.raises(NoRight):
        token.revoke(stranger, author="wang", account="li", prefix=found.prefix)
    aged(ledger, 3 * 86_400 + 1, "expires_at")
    assert token.found(ledger, word) is None
    other = token.make(mine, author="li", account="li")
    (latest, _) = token.of_account(ledger, "li")
    assert latest.roles == {"department", "verifier"}
    token.revoke(mine, author="li", account="li", prefix=latest.prefix)
    assert token.found(ledger, other) is None
    with pytest.raises(NotFound, match="no living token"):
        token.revoke(mine, author="li", account="li", prefix=latest.prefix)


def test_a_provider_lets_in_whom_the_security_administrator_knows(ledger: Ledger) -> None:
    word, _ = signing_in.by_provider(ledger, subject="sub-li", place=Place())
    assert session.found(ledger, word) is not None
    for subject in ("sub-wang", ""):
        with pytest.raises(NotSignedIn, match="no active account here has that subject"):
            signing_in.by_provider(ledger, subject=subject, place=Place())
    administration.set_state(ledger, author="owner", name="li", state="locked")
    with pytest.raises(NotSignedIn):
        signing_in.by_provider(ledger, subject="sub-li", place=Place())
