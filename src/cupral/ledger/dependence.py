"""Dependence: which values of which parameters a Result stands on.

A value that is read is noted as the scope `parameter:ID` on its day (YYYYMMDD); all values of a
parameter as that scope on every day; many parameters by how their ids begin, as
`parameter:plan.published_*`. What the book says to these scopes is a Result's fingerprint: a
Result holds in every book that says the same.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from cupral.ledger.parameter import ParameterBook, in_force, said
from cupral.ledger.reading import Reading, note
from cupral.ledger.result import SCENARIO

TABLE = "parameter:"
"""What the table of such a scope begins with; the id follows."""
EVERY_DAY = (0, 99991231)
_LIKE = "*"


def note_value(id: str, day: date) -> None:
    """Note that the value of a day was read."""
    number = day.year * 10_000 + day.month * 100 + day.day
    note(f"{TABLE}{id}", span=(number, number))


def note_values(id: str) -> None:
    """Note that all values of a parameter, or of all that begin as before a '*', were read."""
    note(f"{TABLE}{id}", span=EVERY_DAY)


def names(id: str) -> list[str]:
    """Tables of all scopes that a parameter is within.

    Examples
    --------
    >>> names("a.b")
    ['parameter:a.b', 'parameter:*', 'parameter:a*', 'parameter:a.*', 'parameter:a.b*']
    """
    return [f"{TABLE}{id}", *(f"{TABLE}{id[:end]}{_LIKE}" for end in range(len(id) + 1))]


def fingerprint(book: ParameterBook, scopes: Iterable[Reading]) -> str:
    """Hash of what a book says to those of the scopes that are of parameters."""
    asked = {(table, first, last) for table, _, _, first, last in scopes if table.startswith(TABLE)}
    digest = hashlib.sha256()
    for one in sorted(asked):
        digest.update(_answer(book, one).encode())
    return digest.hexdigest()[:16]


def assumptions(book: ParameterBook, scopes: Iterable[Reading]) -> list[str]:
    """Badges of what a book assumes of the scopes, in the order of being assumed."""
    read = {table for table, *_ in scopes}
    return [
        f"{SCENARIO}assumes {id} = {value}"
        for id, value in book.assumed.items()
        if not read.isdisjoint(names(id))
    ]


def changed(
    asked: Iterable[tuple[str, int, int]], before: ParameterBook, after: ParameterBook
) -> list[tuple[str, str, str, int]]:
    """Of scopes (table, first and last day) those that two books answer differently."""
    return [
        (one[0], "*", "*", one[1]) for one in asked if _answer(before, one) != _answer(after, one)
    ]


def _answer(book: ParameterBook, asked: Sequence[Any]) -> str:
    """What a book says to a scope (table, first day, last day)."""
    key = tuple(asked)
    if key not in book.answers:
        book.answers[key] = json.dumps(_said(book, *key), sort_keys=True, default=str)
    return book.answers[key]


def _said(book: ParameterBook, table: str, first: int, last: int) -> Any:
    id = table.removeprefix(TABLE)
    if first != last:
        found = {name: [said(one) for one in dated] for name, dated in book.matching(id).items()}
        return [table, found]
    day = date(first // 10_000, first // 100 % 100, first % 100)
    return [table, first, id in book.values, said(in_force(book.values.get(id, ()), day))]
