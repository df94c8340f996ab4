"""Two ledgers that the tests of efficiency ask: only declared, and metered as well."""

import pytest

from cupral.ledger.ledger import Ledger
from tests.systems.efficiency.potlines import declare, measure, register


@pytest.fixture
def declared(ledger: Ledger) -> Ledger:
    """Three series, no networks, twelve declared months."""
    register(ledger, networks=False)
    declare(ledger)
    return ledger


@pytest.fixture
def metered(ledger: Ledger) -> Ledger:
    """Three series with networks: declared too low on L2, exact meters."""
    register(ledger)
    declare(ledger, factor=0.99)
    measure(ledger)
    return ledger
