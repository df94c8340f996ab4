"""Oracles: growth that a person can reckon once a missing index is in; RFC 8032; old periods."""

from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cupral.ledger.errors import CannotDecide
from cupral.ledger.ledger import Ledger
from cupral.system import ask, call, order, refresh
from cupral.systems.desk.compute import signing
from tests.systems.desk.acts import LEVELS, NORM, enter
from tests.systems.statistics.filings import filing, register

INDEX = "statistics.price_index"


def test_a_missing_index_is_entered_confirmed_and_decides(ledger: Ledger) -> None:
    """Two makers of 100 t each, then 110 t and 105 t in money, over prices of 110 and 100.

    Value added is 2 a tonne: 220 / 1.1 + 210 / 1.0 = 410 is 2.5 % over 400.
    """
    register(ledger)
    for year, amounts in ((2025, (100.0, 100.0)), (2026, (110.0, 105.0))):
        rows = [filing(firm, f"{year}-03", amount)
                for firm, amount in zip(("cu-a", "al-a"), amounts, strict=True)]  # fmt: skip
        if year == 2026:
            for row in rows:
                del row["price_index"]
        order(ledger, "statistics.file_returns", author="t", returns=rows)
    question = {"year": 2026, "through": "2026-03"}
    with pytest.raises(CannotDecide) as refused:
        ask(ledger, "statistics.value_added_growth", **question)
    assert refused.value.needs == (INDEX,)
    enter(ledger, INDEX, {"copper": 110, "aluminium": 100}, valid_from="2026-01-01")
    found = ask(ledger, "statistics.value_added_growth", **question)
    assert found.value == pytest.approx(2.5)


def test_an_old_period_keeps_the_rules_of_its_own_date(ledger: Ledger) -> None:
    """GB 21346-2022: 12,950 is level 1 before the amendment and level 2 from its day on."""
    enter(ledger)
    answers = {
        on: ask(ledger, "efficiency.level", norm="al_liquid_ac", value=12_950.0, on=on)
        for on in ("2026-02", "2026-03")
    }
    assert answers["2026-02"].status == "level 1"
    assert answers["2026-03"].status == "level 2"
    assert answers["2026-02"].lineage[0] == f"parameter:{NORM}@2024-01-01"
    assert answers["2026-03"].lineage[0] == f"parameter:{NORM}@2026-03-01"


def test_a_result_is_bit_identical_when_other_parameters_change(ledger: Ledger) -> None:
    """Its hash covers the values that it used and no others."""
    question = {"norm": "al_liquid_ac", "value": 12_950.0, "on": "2026-02"}
    before = call(ledger, "efficiency.level", **question)
    enter(ledger)
    enter(ledger, "plan.near_level", 0.02, valid_from="2026-01-01")
    assert ledger.kept("efficiency.level", before.arguments) == before
    assert ledger.stale_results() == []
    assert ledger.book.on(NORM, date(2026, 3, 1)).value == LEVELS


def test_a_refreshed_result_says_what_a_new_ledger_would(ledger: Ledger) -> None:
    question = {"norm": "al_liquid_ac", "value": 12_950.0, "on": "2026-03"}
    call(ledger, "efficiency.level", **question)
    enter(ledger)
    assert [old.status for old in ledger.stale_results()] == ["level 1"]
    (new,) = refresh(ledger)
    assert new.status == "level 2"
    assert [row["version"] for row in ledger.versions(new.key)] == [2, 1]


def test_the_signature_is_that_of_the_standard() -> None:
    """RFC 8032 section 7.1, test 1: the public key of a secret key, and its signature of ''."""
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    assert signing.public_of(private) == public
    assert private.sign(b"").hex() == signature
    opened = signing.opened(signing.signed({"a": [1.5, "铜"]}, private).text.encode())
    assert (opened.key, opened.content) == (public, {"a": [1.5, "铜"]})
