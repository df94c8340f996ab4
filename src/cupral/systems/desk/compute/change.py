"""Change: what differs between a kept Result and the same one under another value."""

from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.result import Result, Row

ORDER = ("verdict", "value", "details", "nothing")
"""Kinds of change, the heaviest first; details are tables, badges, needs or sources."""
_TABLES = ("parts", "tables")


def effect(before: Result, after: Result) -> Row:
    """One row: a Result, from what to what, and what of it changes."""
    difference = None
    if before.value is not None and after.value is not None:
        difference = after.value - before.value
    return {
        "result": f"result:{before.key}", "query": before.query, "subject": before.subject,
        "period": before.period, "before": before.value, "after": after.value,
        "change": difference, "unit": after.unit or before.unit, "status_before": before.status,
        "status_after": after.status, "changes": _kind(before, after),
        "rows_changed": _rows_changed(before, after),
        "needs": list(after.needs) if after.needs != before.needs else [],
    }  # fmt: skip


def by_size(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The heaviest change first: verdicts, then values by their relative size."""
    return tuple(sorted(rows, key=lambda row: (ORDER.index(row["changes"]), -_size(row))))


def _size(row: Row) -> float:
    if row["change"] is None:
        return 0.0 if row["before"] == row["after"] else float("inf")
    size = max(abs(row["before"]), abs(row["after"]), 1e-300)
    return float(abs(row["change"]) / size)


def _kind(before: Result, after: Result) -> str:
    if before.status != after.status:
        return "verdict"
    if before.value != after.value:
        return "value"
    old, new = _plain(before), _plain(after)
    verdicts = [[row.get("verdict") for row in one["parts"]] for one in (old, new)]
    if verdicts[0] != verdicts[1]:
        return "verdict"
    return "nothing" if old == new else "details"


def _plain(result: Result) -> dict[str, Any]:
    return {name: value for name, value in result.document().items() if name != "versions"}


def _rows_changed(before: Result, after: Result) -> int:
    """How many rows of its tables are other ones, are new or are gone."""
    old, new = ([*one.parts, *_inner(one.tables)] for one in (before, after))
    changed = sum(dict(a) != dict(b) for a, b in zip(old, new, strict=False))
    return changed + abs(len(old) - len(new))


def _inner(tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    return [row for name in sorted(tables) for row in tables[name]]
