"""Tables: what a page must know of rows that came from any query."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
_REFERENCE = re.compile(
    r"(flows|assays|stocktakes|parameter|result|posting|document|network):\S.*", re.DOTALL
)
MOST_COLUMNS = 16
"""Of a table on a page; the interface gives all."""
LONG = 4
"""Rows from which on a column that never changes is told once."""
_HIDDEN = ("demonstration",)
_FIRST = (
    "target", "test_id", "indicator_zh", "indicator_en", "test", "clause", "kind", "name_zh",
    "name_en", "site", "line", "stream", "process", "balance", "meter", "meters", "group",
    "element", "product", "material", "city", "enterprise", "month", "period", "basis", "declared",
    "measured", "reading", "reconciled", "value", "sd", "low", "high", "share", "unit", "verdict",
    "decided_by", "probability_verdict", "distance",
)  # fmt: skip
"""Columns that stand first, in this order: what a row is about, then its figures."""
FIRST_TABLES = ("summary", "suspects")
"""Tables that stand before the parts."""


def column_names(rows: Rows, language: str = "") -> list[str]:
    """Names of all columns in their order: no empty ones, none of the other language.

    Examples
    --------
    >>> column_names([{"name_zh": "铜", "name_en": "copper", "note": None}], "en")
    ['name_en']
    """
    names = dict.fromkeys(name for row in rows for name in row)
    other = {"zh": "_en", "en": "_zh"}.get(language, " ")
    mine = f"_{language}"
    names = {n: None for n in names if not (n.endswith(other) and n[:-3] + mine in names)}
    place = {name: number for number, name in enumerate(_FIRST)}
    return [
        name
        for name in sorted(names, key=lambda name: place.get(name, len(_FIRST)))
        if name not in _HIDDEN and any(row.get(name) not in (None, "", [], ()) for row in rows)
    ]


def fitting(rows: Rows, names: Sequence[str]) -> list[str]:
    """The columns that a page has room for: the first ones, and those that lead on.

    Examples
    --------
    >>> fitting([{}], [str(n) for n in range(40)])[-1]
    '15'
    """
    leading = [n for n in names[MOST_COLUMNS:] if any(is_references(r.get(n)) for r in rows)]
    return [*names[:MOST_COLUMNS], *leading]


def constant_columns(rows: Rows) -> list[str]:
    """Columns of words that say the same in every row of a longer table.

    Examples
    --------
    >>> constant_columns([{"kind": "sum", "value": 1.0}] * 4), constant_columns([{"kind": "sum"}])
    (['kind'], [])
    """
    if len(rows) < LONG:
        return []
    first = rows[0]
    return [
        name
        for name, value in first.items()
        if isinstance(value, str) and value and not is_reference(value)
        and name not in _HIDDEN and all(row.get(name) == value for row in rows)
    ]  # fmt: skip


def badge_counts(badges: Sequence[str]) -> list[tuple[str, int]]:
    """How many badges there are of each kind (the words before the colon).

    Examples
    --------
    >>> badge_counts(["unconfirmed: a", "unconfirmed: b", "proposal"])
    [('unconfirmed', 2), ('proposal', 1)]
    """
    return list(Counter(badge.partition(":")[0] for badge in badges).items())


def is_numeric(rows: Rows, name: str) -> bool:
    """Whether a column holds only numbers (and gaps)."""
    values = [row.get(name) for row in rows]
    return all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    )


def is_reference(value: Any) -> bool:
    """Whether a value names something that can be explained.

    Examples
    --------
    >>> is_reference("flows:march/3"), is_reference("a flow"), is_reference(3)
    (True, False, False)
    """
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def is_references(value: Any) -> bool:
    """Whether a value is a list of such names."""
    return isinstance(value, list | tuple) and bool(value) and all(map(is_reference, value))
