"""The audit trail: chained, whole, exportable, safe in a spreadsheet."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from cupral.access.trail_file import COLUMNS, exported
from cupral.ledger.audit import verify
from cupral.ledger.errors import InputError, NoRight
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import EVERYTHING, PUBLIC, Rights
from cupral.ledger.stores import trail
from tests.ledger.server import again

AUDITOR = Rights(name="auditor", roles=frozenset({"audit"}))


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Six records, one by somebody with a dangerous name, one of a failure."""
    for author in ("li", "=HYPERLINK(1)", "@x", "wang"):
        with ledger.audited(author=author, action="-act", arguments={"a": "+1"}):
            pass
    with pytest.raises(InputError), ledger.audited(author="li", action="b", arguments={}):
        raise InputError("faulty; mend it")
    trail.origin.set(trail.Origin("10.0.0.7", "abcd"))
    with ledger.audited(author="li", action="c", arguments={"content": b"123"}):
        pass
    trail.origin.set(trail.Origin())
    return ledger


def change(ledger: Ledger, *statements: str) -> tuple[str, ...]:
    """What the audit finds after an owner of the database has changed it."""
    with ledger.records.database.connect() as connection:
        for statement in statements:
            assert connection.execute(sa.text(statement)).rowcount
        connection.commit()
    return verify(ledger).damages


def test_an_untouched_trail_is_intact_and_says_from_where(filled: Ledger) -> None:
    verdict = verify(filled)
    assert verdict.intact
    latest = filled.records.audit(1)[0]
    assert verdict.trail_sha == latest["sha"]
    assert (latest["address"], latest["session"]) == ("10.0.0.7", "abcd")
    assert json.loads(latest["arguments"]) == {"content": "3 bytes"}


@pytest.mark.parametrize(
    "statements",
    [
        ["UPDATE audit SET author = 'zhao' WHERE id = 1"],
        ["UPDATE audit SET outcome = 'done' WHERE id = 5"],
        ["UPDATE audit SET at = at + 1 WHERE id = 3"],
        ["UPDATE audit SET address = '' WHERE id = 6"],
        ["DELETE FROM audit WHERE id = 1"], ["DELETE FROM audit WHERE id = 3"],
        ["DELETE FROM audit WHERE id = 6"], ["DELETE FROM audit"], ["DELETE FROM audit_head"],
        ["UPDATE audit SET id = 99 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 3",
         "UPDATE audit SET id = 3 WHERE id = 99"],
        ["INSERT INTO audit (id, at, author, action, arguments, outcome) "
         "VALUES (7, 1, 'x', 'x', '{}', 'done')"],
    ],
)  # fmt: skip
def test_change_deletion_reordering_and_addition_are_found(
    filled: Ledger, statements: list[str]
) -> None:
    damages = change(filled, *statements)
    assert damages
    assert all("audit record" in damage for damage in damages)


def test_records_of_several_processes_are_one_chain(ledger: Ledger) -> None:
    def write(number: int) -> None:
        mine = again(ledger)
        for _ in range(5):
            with mine.audited(author=f"p{number}", action="x", arguments={}):
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [row["id"] for row in ledger.records.audit()] == list(range(20, 0, -1))
    assert verify(ledger).intact


def test_a_spreadsheet_runs_nothing(filled: Ledger) -> None:
    seen = filled.seen_by(AUDITOR)
    text = b"".join(exported(seen, author="auditor", form="csv")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + 6 + 1, "the export itself is recorded before it begins"
    cells = [cell for row in rows for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_json_lines_can_be_verified_elsewhere(filled: Ledger) -> None:
    lines = b"".join(exported(filled, author="owner", form="jsonl")).decode().splitlines()
    before = "0" * 64
    for row in map(json.loads, lines):
        assert trail.chained(before, row) == row["sha"]
        before = row["sha"]
    assert len(lines) == 7


def test_an_export_is_of_days_and_of_the_auditor_only(filled: Ledger) -> None:
    assert len(list(exported(filled, author="owner", form="jsonl", last="2020-01-01"))) == 0
    assert len(list(exported(filled, author="owner", form="jsonl", first="2020-01-01"))) == 8
    faults = (({"form": "pdf"}, "no form 'pdf'"), ({"first": "x"}, "first 'x' is no day"))
    for given, why in faults:
        with pytest.raises(InputError, match=why):
            list(exported(filled, author="owner", **{"form": "csv", **given}))
    for rights in (PUBLIC, Rights(name="x", roles=frozenset({"department"})),
                   Rights(name="x", roles=frozenset({"security"}))):  # fmt: skip
        theirs = filled.seen_by(rights)
        with pytest.raises(NoRight, match="may not audit"):
            list(exported(theirs, author=rights.name, form="csv"))
    assert filled.records.audit(1)[0]["outcome"].startswith("NoRight")
    with pytest.raises(NoRight, match="may not audit"):
        verify(filled.seen_by(PUBLIC))
    assert verify(filled.seen_by(EVERYTHING)).intact
