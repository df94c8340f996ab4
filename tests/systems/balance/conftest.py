"""The small works for files that people bring, and an import into it."""

from collections.abc import Callable

import pytest

from cupral.ledger.ledger import Ledger
from cupral.systems.balance.commands import ImportReport, import_meters
from tests.systems.balance import works as small
from tests.systems.balance.malformed import text

Post = Callable[..., ImportReport]


@pytest.fixture
def works(ledger: Ledger) -> Ledger:
    """The small works, nothing posted."""
    small.register(ledger)
    return ledger


@pytest.fixture
def post(works: Ledger) -> Post:
    """Import CSV rows of meters into the works."""

    def imported(*lines: str, head: str = "meter,period,amount,unit", **more: bool) -> ImportReport:
        content = text(*lines, head=head)
        return import_meters(
            works, author="ann", site=small.SITE, content=content, filename="march.csv", **more
        )

    return imported
