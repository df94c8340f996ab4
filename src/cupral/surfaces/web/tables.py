"""Tables: what a page must know of rows that came from any query."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
_REFERENCE = re.compile(
    r"(flows|assays|stocktakes|parameter|result|posting|document|network):\S.*", re.DOTALL
)
_HIDDEN = ("demonstration",)


def column_names(rows: Rows) -> list[str]:
    """Names of all columns in the order in which they first come, empty ones left out."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [
        name
        for name in names
        if name not in _HIDDEN and any(row.get(name) not in (None, "", [], ()) for row in rows)
    ]


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
