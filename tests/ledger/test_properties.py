"""Any sequence of postings, corrections and reversals leaves what a plain dictionary would."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.ledger.audit import verify
from cupral.ledger.compaction import compact, sweep
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from tests.ledger.rows import flow

Row = tuple[str, int, int]
"""(stream, month, amount)"""

rows = st.lists(
    st.tuples(st.sampled_from(["S1", "S2", "S3"]), st.sampled_from([202601, 202602]),
              st.integers(-3, 9)),
    min_size=1, max_size=4, unique_by=lambda row: row[:2],
)  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), rows),
        st.tuples(st.just("correct"), rows),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("compact"), st.none()),
    ),
    max_size=9,
)


class Plain:
    """The ledger as anybody would write it: rows that stand, by their name."""

    def __init__(self) -> None:
        self.standing: dict[str, Row] = {}
        self.undone: dict[str, list[tuple[str, Row]]] = {}
        """What each posting took away, by name of the entry that did."""
        self.made: dict[str, list[str]] = {}
        self.counters: dict[str, dict[str, Row]] = {}
        """Counter-rows of each posting that stand, and what reversing them restores."""

    def post(self, id: str, given: list[Row], *, correct: bool) -> None:
        """Enter rows; a correction first takes away those of the same stream and month."""
        keys = {row[:2] for row in given}
        gone = [n for n, row in self.standing.items() if correct and row[:2] in keys]
        self.counters[id] = {name: self.standing.pop(name) for name in gone}
        self._enter(id, given)

    def reverse(self, id: str, posting: str) -> bool:
        """Take away what stands of a posting and restore what it took away."""
        mine = [name for name in self.made[posting] if name in self.standing]
        restored = self.counters[posting]
        if not mine and not restored:
            return False
        self.counters[posting] = {}
        self.counters[id] = {name: self.standing.pop(name) for name in mine}
        self._enter(id, list(restored.values()))
        return True

    def last(self, posting: str) -> tuple[bool, str]:
        """The last of its reversals and theirs, and whether that one undoes it."""
        undone = False
        while f"reverse:{posting}" in self.made:
            posting, undone = f"reverse:{posting}", not undone
        return undone, posting

    def _enter(self, id: str, given: list[Row]) -> None:
        names = [f"{id}/{number}" for number in range(len(given))]
        self.standing.update(zip(names, given, strict=True))
        self.made[id] = names

    def rows(self) -> list[Row]:
        """What stands, in order."""
        return sorted(self.standing.values())


def read(ledger: Ledger, as_of: int | None = None) -> list[Row]:
    """What stands in the ledger, in order."""
    found = ledger.flows(as_of=as_of).to_pylist()
    return sorted((row["stream"], row["month"], int(row["amount"])) for row in found)


def summed(given: list[Row]) -> dict[tuple[str, int], tuple[int, int]]:
    """Sum and count by stream and month."""
    keys = {row[:2] for row in given}
    mine = {key: [row[2] for row in given if row[:2] == key] for key in keys}
    return {key: (sum(values), len(values)) for key, values in mine.items()}


def carry_out(ledger: Ledger, plain: Plain, number: int, step: tuple[str, object]) -> None:
    """One step on both; each step has the number of its posting in its id."""
    what, given = step
    if what == "compact":
        compact(ledger)
        sweep(ledger, grace_seconds=-1)
    elif what == "reverse":
        ids = list(plain.made)
        posting = ids[int(given) % len(ids)] if ids else ""  # type: ignore[call-overload]
        if not posting:
            return
        reversed_already, last = plain.last(posting)
        try:
            receipt = ledger.reverse(posting, author="me", reason="x")
        except InputError:
            assert not reversed_already
            assert not plain.reverse("", last)
        else:
            assert (receipt.status == "already") == reversed_already
            assert reversed_already or plain.reverse(receipt.id, last)
    else:
        flows = [flow(s, a, m) for s, m, a in given]  # type: ignore[attr-defined]
        ledger.post(f"p{number}", author="me", flows=flows, supersede=what == "correct")
        plain.post(f"p{number}", list(given), correct=what == "correct")  # type: ignore[call-overload]


@settings(max_examples=30, deadline=None)
@given(steps)
def test_the_ledger_is_a_dictionary_that_never_forgets(given: list[tuple[str, object]]) -> None:
    folder = Path(tempfile.mkdtemp())
    ledger, plain, history = Ledger.open(folder), Plain(), [list[Row]()]
    try:
        for number, step in enumerate(given):
            carry_out(ledger, plain, number, step)
            assert read(ledger) == plain.rows()
            if ledger.head == len(history):
                history.append(plain.rows())
        totals = {
            (row["stream"], row["month"]): (int(row["amount"]), row["rows"])
            for row in ledger.totals(by=["stream", "month"]).to_pylist()
        }
        assert {key: pair for key, pair in totals.items() if pair != (0, 0)} == summed(plain.rows())
        for seq, rows in enumerate(history):
            assert read(ledger, as_of=seq) == rows
        assert verify(ledger, 2).intact
    finally:
        shutil.rmtree(folder)
