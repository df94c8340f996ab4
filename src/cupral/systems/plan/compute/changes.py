"""What changed in the standing of a plan between two versions of it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cupral.ledger.result import Row

NOISE = 1e-9
"""Relative difference below which two versions of a figure say the same."""
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
            if was.get(met) != row[met] or not _same(was.get(figure), row[figure]):
                rows.append(
                    {
                        "test_id": row["test_id"], "target": row["target"], "figure": figure,
                        "was": was.get(figure), "now": row[figure], "unit": row["unit"],
                        "was_met": was.get(met), "now_met": row[met], "since": since,
                    }
                )  # fmt: skip
    return tuple(rows)


def _same(before: float | None, now: float | None) -> bool:
    """Whether two figures are one, up to the noise of floating-point sums."""
    if before is None or now is None:
        return before is now
    return math.isclose(before, now, rel_tol=NOISE, abs_tol=NOISE)


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
