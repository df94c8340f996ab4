"""Accounts: three separate administrators, nobody grants himself anything, all is recorded."""

from typing import Any

import pytest

from cupral.access import administration, store
from cupral.access.account import GRANTED, Account
from cupral.access.session import of_account
from cupral.access.signing_in import Place, by_password
from cupral.access.token import make
from cupral.access.token import of_account as tokens_of
from cupral.ledger.errors import Conflict, InputError, NoRight, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise
from cupral.ledger.rights import ADMINISTRATORS, PUBLIC, Rights

PASSWORD = "violet tram in the orchard"  # noqa: S105


def officer(ledger: Ledger, role: str = "security", name: str = "chief") -> Ledger:
    """The ledger as an account of that role sees it."""
    return ledger.seen_by(Rights(name=name, roles=frozenset({role})))


def add(ledger: Ledger, **changed: Any) -> str:
    """An account with a lasting password."""
    given = {"author": "owner", "name": "li", "roles": ["enterprise"], "enterprises": ["E1"],
             "password": PASSWORD, **changed}  # fmt: skip
    return administration.add(ledger, **given)


@pytest.fixture(autouse=True)
def _enterprises(ledger: Ledger) -> None:
    for id in ("E1", "E2"):
        ledger.register(Enterprise(id=id, name_zh="", name_en="", chain="copper"), author="me")


def test_the_first_three_are_made_once_with_passwords_for_one_use(ledger: Ledger) -> None:
    assert not store.any_account(ledger)
    made = administration.begin(ledger, author="root")
    assert len(set(made.values())) == 3
    accounts = store.accounts(ledger)
    assert {next(iter(one.roles)) for one in accounts} == set(ADMINISTRATORS)
    assert all(one.one_time and one.rights().roles == {"public"} for one in accounts)
    with pytest.raises(Conflict, match="has accounts already"):
        administration.begin(ledger, author="root")
    assert [row["action"] for row in ledger.records.audit(3)] == ["accounts.init"] * 3
    assert not any(password in str(ledger.records.audit()) for password in made.values())


def test_only_hashes_are_kept(ledger: Ledger) -> None:
    add(ledger)
    kept = store.credentials(ledger, "li")
    assert kept is not None
    assert kept.password.startswith("$argon2id$")
    assert PASSWORD not in str(ledger.records.audit())


@pytest.mark.parametrize("role", [r for r in (*GRANTED, "public") if r != "security"])
def test_only_the_security_administrator_acts_on_accounts(ledger: Ledger, role: str) -> None:
    add(ledger)
    seen = officer(ledger, role)
    for act in (
        lambda: add(seen, author="chief", name="new"),
        lambda: administration.grant(seen, author="chief", name="li", roles=["department"]),
        lambda: administration.set_state(seen, author="chief", name="li", state="locked"),
        lambda: administration.reset(seen, author="chief", name="li"),
    ):
        before = store.accounts(ledger)
        with pytest.raises(NoRight, match="chief may not grant; allowed for security"):
            act()
        assert store.accounts(ledger) == before
        assert ledger.records.audit(1)[0]["outcome"].startswith("NoRight")


def test_nobody_grants_himself_anything(ledger: Ledger) -> None:
    add(ledger, name="chief", roles=["security"], enterprises=[])
    seen = officer(ledger)
    for act in (
        lambda: administration.grant(seen, author="chief", name="chief", roles=["department"]),
        lambda: administration.set_state(seen, author="chief", name="chief", state="active"),
        lambda: administration.reset(seen, author="chief", name="chief"),
    ):
        with pytest.raises(NoRight, match="nobody grants anything to himself"):
            act()
    with pytest.raises(NoRight, match="may not act in the name of owner"):
        add(seen)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": ""}, "cannot be the name"), ({"name": "owner"}, "cannot be the name"),
        ({"name": "a b"}, "cannot be the name"), ({"name": "x" * 65}, "cannot be the name"),
        ({"name": "<b>"}, "cannot be the name"), ({"roles": ["king"]}, "no role king"),
        ({"roles": ["owner"]}, "no role owner"), ({"roles": ["public"]}, "no role public"),
        ({"roles": ["security", "audit"], "enterprises": []}, "separate persons"),
        ({"roles": ["department"]}, "no role that acts for any"),
        ({"enterprises": ["E9"]}, "no enterprise E9 is registered; there are E1, E2"),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused(
    ledger: Ledger, changed: dict[str, Any], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        add(ledger, **changed)
    assert store.accounts(ledger) == []


def test_a_name_and_a_subject_are_of_one_account(ledger: Ledger) -> None:
    add(ledger, subject="s-1")
    with pytest.raises(Conflict, match="there is an account 'li'"):
        add(ledger)
    with pytest.raises(Conflict, match="has that subject"):
        add(ledger, name="wang", subject="s-1")
    found = store.by_subject(ledger, "s-1")
    assert found is not None
    assert found.name == "li"
    assert store.by_subject(ledger, "") is None
    with pytest.raises(NotFound, match="no account 'zhao'"):
        store.account(ledger, "zhao")


def test_what_is_granted_or_locked_ends_the_sessions(ledger: Ledger) -> None:
    add(ledger)
    seen = officer(ledger)

    def sign_in() -> None:
        by_password(ledger, name="li", password=PASSWORD, place=Place())
        assert len(of_account(ledger, "li")) == 1

    sign_in()
    after = administration.grant(seen, author="chief", name="li", roles=["signer"],
                                 enterprises=["E2"])  # fmt: skip
    assert (after.roles, after.enterprises) == ({"signer"}, {"E2"})
    assert store.account(ledger, "li") == after
    assert of_account(ledger, "li") == []
    sign_in()
    administration.set_state(seen, author="chief", name="li", state="locked")
    assert of_account(ledger, "li") == []
    administration.set_state(seen, author="chief", name="li", state="active")
    administration.set_state(seen, author="chief", name="li", state="disabled")
    with pytest.raises(Conflict, match="disabled for good"):
        administration.set_state(seen, author="chief", name="li", state="active")
    with pytest.raises(InputError, match="no state 'asleep'"):
        administration.set_state(seen, author="chief", name="li", state="asleep")


def test_a_reset_ends_everything_that_was_known(ledger: Ledger) -> None:
    add(ledger)
    by_password(ledger, name="li", password=PASSWORD, place=Place())
    make(ledger, author="owner", account="li")
    given = administration.reset(officer(ledger), author="chief", name="li")
    assert of_account(ledger, "li") == []
    assert all(token.revoked_at for token in tokens_of(ledger, "li"))
    assert store.account(ledger, "li").rights() == Rights(name="li", roles=frozenset({"public"}))
    by_password(ledger, name="li", password=given, place=Place())


def test_roles_of_a_token_are_some_of_the_accounts() -> None:
    account = Account(name="li", roles=frozenset({"enterprise", "verifier"}),
                      enterprises=frozenset({"E1"}))  # fmt: skip
    assert account.rights(["verifier"]).roles == {"verifier"}
    assert account.rights(["department"]).roles == {"public"}
    assert account.rights(["department"]).enterprises == frozenset()
    assert PUBLIC.name == "public"
