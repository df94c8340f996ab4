"""The second factor against the published vectors."""

import base64

import pytest

from cupral.access.one_time_code import address, code, new_secret, step_of

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"),
        (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_vectors_of_rfc_6238_appendix_b(seconds: int, expected: str) -> None:
    assert code(SECRET, seconds // 30, 8) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    list(enumerate(("755224", "287082", "359152", "969429", "338314", "254676"))),
)
def test_the_vectors_of_rfc_4226_appendix_d(count: int, expected: str) -> None:
    assert code(SECRET, count) == expected


def test_neighbours_are_taken_once_and_others_never() -> None:
    for late in (-1, 0, 1):
        assert step_of(SECRET, code(SECRET, 100 + late), seconds=3000, last=0) == 100 + late
        assert step_of(SECRET, code(SECRET, 100 + late), seconds=3000, last=100 + late) is None
    for given in (code(SECRET, 98), code(SECRET, 102), "", "abcdef", "１２３４５６"):
        assert step_of(SECRET, given, seconds=3000, last=0) is None


def test_a_secret_is_new_each_time_and_fits_an_app() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
    assert (
        address(SECRET, "li wei") == f"otpauth://totp/Cupral:li%20wei?secret={SECRET}&issuer=Cupral"
    )
