"""Meter files that are wrong in 60 and more ways: each fault names its place and its cure."""

import pytest

from cupral.ledger.errors import RowFaults
from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from cupral.systems.balance.commands import import_meters
from tests.systems.balance.malformed import MALFORMED, Malformed, text
from tests.systems.balance.works import SITE, register


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A works whose meter F1 has January posted; no test may change it."""
    ledger = open_ledger(tmp_path_factory.mktemp("works"))
    register(ledger)
    content = text("F1,2026-01,100,t")
    import_meters(ledger, author="a", site=SITE, content=content, filename="january.csv")
    return ledger


def test_there_are_at_least_sixty_kinds_of_malformed_files() -> None:
    """Each has a name of its own."""
    assert len({case.name for case in MALFORMED}) == len(MALFORMED) >= 60


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_a_malformed_file_is_refused_with_row_column_and_cure(
    works: Ledger, case: Malformed
) -> None:
    """Nothing of it is posted, and the person reads where and what to do."""
    head, rows = works.head, works.flows(site=SITE).num_rows
    with pytest.raises(RowFaults) as refused:
        import_meters(works, author="a", site=SITE, content=case.content, filename=case.filename)
    found = [
        fault
        for fault in refused.value.faults
        if (fault.row, fault.column) == (case.row, case.column)
        and case.what in fault.what
        and case.cure in fault.cure
    ]
    assert found or not case.what, str(refused.value)
    assert all(fault.what and fault.cure for fault in refused.value.faults)
    assert "nothing posted" in str(refused.value)
    assert (works.head, works.flows(site=SITE).num_rows) == (head, rows)
