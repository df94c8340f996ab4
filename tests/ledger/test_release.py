"""Release: versions for the public, what they stood on for the department, and files."""

from typing import Any

import pytest

from cupral.ledger.errors import CannotDecide
from cupral.ledger.release import BASIS, TEMPLATE, bases, publish, release_file, released
from cupral.ledger.template import read
from cupral.system import open_ledger

CELL = {"table": "output", "item": "gold", "chain": "", "city": "东营市", "period": "2026-03",
        "span": "month", "unit": "t", "value": 1.5, "mark": "", "enterprises": 4}  # fmt: skip


def made(ledger: Any, value: float, firm: float) -> Any:
    """One version with one cell."""
    body = {"cells": [{**CELL, "value": value}, {**CELL, "value": None, "mark": "x",
                                                 "enterprises": None}]}  # fmt: skip
    return publish(ledger, "statistics:2026", author="d", body=body, basis={"gold": firm},
                   demonstration=True)  # fmt: skip


def test_versions_stay_and_bases_come_in_order(tmp_path: Any) -> None:
    """The public has the latest; the department what each stood on."""
    ledger = open_ledger(tmp_path)
    with pytest.raises(CannotDecide, match="no release statistics:2026"):
        released(ledger, "statistics:2026")
    assert made(ledger, 1.5, 0.1).version == 1
    assert made(ledger, 1.5, 0.2).version == 1  # the same to the public: no version
    assert made(ledger, 1.6, 0.3).version == 2
    assert [one["gold"] for one in bases(ledger, "statistics:2026")] == [0.1, 0.3]
    assert released(ledger, "statistics:2026").body["cells"][0]["value"] == 1.6
    assert {document.party for document in ledger.documents(BASIS, latest=False)} == {"department"}


def test_both_are_one_posting_in_the_chain(tmp_path: Any) -> None:
    """A release is hashed with what it stands on."""
    ledger = open_ledger(tmp_path)
    made(ledger, 1.5, 0.1)
    assert [one["id"] for one in ledger.postings()] == ["release:statistics:2026:1"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_holds_values_marks_and_notes(tmp_path: Any, form: Any) -> None:
    """It can be read back by its own template."""
    content = release_file(made(open_ledger(tmp_path), 1.5, 0.1), form)
    rows = read(content, f"released.{form}", TEMPLATE).rows
    assert (rows[0]["value"], rows[0]["enterprises"], rows[0]["city"]) == (1.5, 4.0, "东营市")
    assert (rows[1]["value"], rows[1]["mark"]) == (None, "x")
    assert "fictional" in rows[-1]["item"]
