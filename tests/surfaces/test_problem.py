"""Every error is told in four parts on every surface."""

import pytest

from cupral.ledger.errors import (
    CannotDecide,
    Conflict,
    CupralError,
    Damaged,
    Fault,
    InputError,
    NotFound,
    RowFaults,
    Unreachable,
)
from cupral.surfaces.problem import problem


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (InputError("x"), "not allowed", 422), (NotFound("x"), "not found", 404),
        (Conflict("x"), "conflict", 409), (CannotDecide("x"), "cannot decide", 409),
        (Damaged("x"), "damaged", 500), (Unreachable("x"), "unreachable", 503),
        (RowFaults("f.csv", []), "faulty rows", 422), (CupralError("x"), "error", 500),
    ],
)  # fmt: skip
def test_each_error_has_its_kind_and_status(error: CupralError, kind: str, status: int) -> None:
    found = problem(error)
    assert (found.kind, found.status) == (kind, status)


def test_the_message_is_parted_at_the_semicolons() -> None:
    found = problem(InputError("unit 'x' is not known; it takes t, kg; write for example t"))
    assert found.what == "unit 'x' is not known"
    assert found.allowed == "it takes t, kg"
    assert found.next == "write for example t"


def test_an_error_without_advice_gets_the_usual_one() -> None:
    assert problem(NotFound("no site 'x'")).next
    assert problem(Damaged("file gone")).next.startswith("run `cupral audit verify")


def test_cannot_decide_names_what_it_needs() -> None:
    found = problem(CannotDecide("no value", needs=["efficiency.x", "flows of 2026"]))
    assert found.allowed == "needs efficiency.x, flows of 2026"


def test_faults_come_along_and_the_headline_stays_short() -> None:
    fault = Fault(3, "amount", "1O", "is no number", "write 10")
    found = problem(RowFaults("march.csv", [fault]))
    assert found.faults == (fault,)
    assert found.what == "march.csv: 1 faults, nothing posted"


def test_the_document_is_a_problem_of_rfc_9457() -> None:
    document = problem(NotFound("no query 'x'; there are a, b"), "/api/query/x").document()
    assert document["type"] == "urn:cupral:not-found"
    assert document["title"] == "not found"
    assert document["status"] == 404
    assert document["where"] == "/api/query/x"
    assert document["allowed"] == "there are a, b"


def test_it_prints_without_empty_lines() -> None:
    lines = str(problem(InputError("wrong; mend it"), "row 3")).splitlines()
    assert lines == ["not allowed: wrong", "  where   row 3", "  next    mend it"]
