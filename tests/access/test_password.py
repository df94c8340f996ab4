"""Passwords: what is refused, and that hashes are those of argon2id."""

import pytest

from cupral.access.password import demand_strength, fits, hashed, one_time, weakness
from cupral.ledger.errors import InputError

GOOD = "violet tram in the orchard"


def test_a_hash_fits_its_password_only() -> None:
    kept = hashed(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert hashed(GOOD) != kept, "each has its own salt"
    assert fits(kept, GOOD)
    for other in (GOOD.upper(), GOOD + " ", "", GOOD[:-1], "x" * 10_000):
        assert not fits(kept, other)
    assert not fits("", GOOD)
    assert not fits("no hash", GOOD)


def test_two_keyboards_write_the_same_password() -> None:
    assert fits(hashed("na\u00efve caf\u00e9 tables"), "nai\u0308ve cafe\u0301 tables")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "has 5 characters; allowed are 12 to 256"),
        ("x" * 257, "has 257 characters"),
        ("aaaaaaaaaaaaaa", "repeats a few characters"),
        ("abcabcabcabcab", "repeats a few characters"),
        ("qwertyuiopasdf", "row of neighbouring keys"),
        ("0987654321098", "row of neighbouring keys"),
        ("Password123456", "known word"),
        ("P@ssw0rd!!2026", "known word"),
        ("li-wei-li-wei-9", "known word"),
        ("copper20262026", "known word"),
        ("woaini5201314!", "known word"),
    ],
)
def test_what_everybody_tries_is_refused(password: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        demand_strength(password, name="liwei" if "wei" in password else "li")


@pytest.mark.parametrize("password", [GOOD, "十二个字的密码也可以用啊", "a1b2 zq-- 77 ,,x"])
def test_no_rule_of_composition(password: str) -> None:
    demand_strength(password, name="li")
    assert weakness(password, "li") == ""


def test_one_time_passwords_are_strong_and_differ() -> None:
    made = {one_time() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        demand_strength(password, name="li")
