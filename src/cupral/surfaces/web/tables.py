"""Tables: what a page must know of rows that came from any query."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
_REFERENCE = re.compile(
    r"(flows|assays|stocktakes|parameter|result|posting|document|network):\S.*", re.DOTALL
)
_HIDDEN = ("demonstration",)


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
