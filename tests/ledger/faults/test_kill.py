"""kill -9 at random steps of posting, importing, reconciling, compacting and migrating.

After each: what was acknowledged stands whole, nothing stands in part, the chain is intact, and
doing the same again heals.
"""

import random
from pathlib import Path

import pytest

from cupral.ledger.audit import verify
from cupral.ledger.compaction import sweep
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.migration import migrate
from cupral.system import open_ledger
from tests.ledger.faults.operations import OPERATIONS, Children, children, month_of
from tests.ledger.processes import ROWS
from tests.systems.balance.works import SITE, register


def whole(ledger: Ledger, running: Children) -> None:
    """No acknowledged posting is lost; every posting has its rows, its ticket and its hash."""
    verdict = verify(ledger, 2)
    assert verdict.intact, str(verdict)
    standing = {row["id"] for row in ledger.postings()}
    assert running.acknowledged() <= standing
    tickets = {document.posting for document in ledger.documents("ticket")}
    assert tickets == {id for id in standing if id.startswith("post-")}


def healed(ledger: Ledger, operation: str, number: int) -> None:
    """After doing it again, the operation has been done exactly once."""
    if operation == "post":
        rows = ledger.manifest.get(f"post-{number}")["rows"]
        assert rows in (ROWS, 2 * ROWS), "with counter-rows if it corrected something"
        assert ledger.document("ticket", f"T{number}").version == 1
    if operation in ("import", "reconcile"):
        rows = ledger.flows(site=SITE, period=month_of(number), origin="measured")
        assert sorted(rows["amount"].to_pylist()) == [250.0, 1000.0 + number]
    if operation == "reconcile":
        rows = ledger.flows(site=SITE, period=month_of(number), origin="reconciled")
        assert len(set(rows["stream"].to_pylist())) == rows.num_rows > 0


def killed(folder: Path, seed: int, kills: int) -> None:
    """Kill so many operations at random steps, each then done again."""
    chance = random.Random(seed)
    ledger = open_ledger(folder)
    register(ledger)
    with children(folder) as running:
        steps = {name: running.run(name, 299) for name in OPERATIONS}
        for number in range(299):
            operation = chance.choice(sorted(OPERATIONS))
            kills -= running.run(operation, number, chance.randint(1, steps[operation])) == -9
            if operation == "migrate":  # as its user would, before anything opens the ledger
                migrate(folder)
            whole(ledger, running)
            running.run(operation, number)
            healed(ledger, operation, number)
            if not kills:
                break
        whole(ledger, running)
        before = ledger.flows()
        sweep(ledger, grace_seconds=-1)
        assert ledger.flows().equals(before)
        whole(ledger, running)
    assert kills == 0


@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    killed(tmp_path / "ledger", seed, kills=50)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    killed(tmp_path / "ledger", 100 + seed, kills=100)
