"""Rows: each column is described once, and the nouns are what the files hold."""

from dataclasses import FrozenInstanceError, fields

import pytest

from cupral.ledger.flow import DESCRIPTIONS, HEADER, NOUNS, SCHEMAS, TIME_COLUMN, Origin
from cupral.ledger.stores.rows import KEYS
from tests.ledger.rows import flow


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_table_is_the_header_and_its_noun(table: str) -> None:
    noun = [field.name for field in fields(NOUNS[table])]
    assert SCHEMAS[table].names == [*HEADER, *noun]
    assert TIME_COLUMN[table] in noun
    assert set(KEYS[table]) <= set(noun)
    assert not [name for name in SCHEMAS[table].names if not DESCRIPTIONS.get(name)]


def test_nothing_is_described_that_is_not_there() -> None:
    assert set(DESCRIPTIONS) == {name for schema in SCHEMAS.values() for name in schema.names}


def test_there_are_five_origins_and_nouns_do_not_change() -> None:
    assert [str(o) for o in Origin] == ["measured", "declared", "reconciled", "modelled", "planned"]
    with pytest.raises(FrozenInstanceError):
        flow().amount = 3.0  # type: ignore[misc]
