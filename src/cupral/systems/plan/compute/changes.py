"""What changed in the standing of a plan between two versions of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cupral.ledger.result import Row

FIGURES = {"declared": "met_declared", "reconciled": "met_reconciled"}
"""Figure of a row -> its verdict."""


def changes(before: Sequence[Row], now: Sequence[Row], since: int) -> tuple[Row, ...]:
    """One row for each figure of a test that differs.

    Parameters
    ----------
    before, now : rows of `plan.status`
    since : int
        Number of the ledger's last posting that the earlier version stood on.
    """
    old = {row["test_id"]: row for row in before}
    rows = []
    for row in now:
        was = old.get(row["test_id"], {})
        for figure, met in FIGURES.items():
            if (was.get(figure), was.get(met)) != (row[figure], row[met]):
                rows.append(
                    {
                        "test_id": row["test_id"], "target": row["target"], "figure": figure,
                        "was": was.get(figure), "now": row[figure], "unit": row["unit"],
                        "was_met": was.get(met), "now_met": row[met], "since": since,
                    }
                )  # fmt: skip
    return tuple(rows)


def latest_other(
    versions: Iterable[Mapping[str, Any]], now: Sequence[Row]
) -> Mapping[str, Any] | None:
    """The latest kept version whose rows differ from the present ones.

    Parameters
    ----------
    versions : iterable of mapping
        Kept versions, latest first, as `Ledger.versions` gives them.
    now : rows of `plan.status`
    """
    for version in versions:
        if changes(version["body"]["parts"], now, 0):
            return version
    return None
