"""The small province, built once, with its standing."""

import pytest

from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import call, open_ledger
from tests.systems.plan.province import THROUGH, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The small province; tests must not post to it."""
    return build(open_ledger(tmp_path_factory.mktemp("plan") / "ledger"))


@pytest.fixture(scope="session")
def standing(built: Ledger) -> Result:
    """Its standing through April 2026, kept."""
    return call(built, "plan.status", through=THROUGH)
