"""Trail file: the audit records of a time as CSV or JSON lines; the export is recorded too."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from cupral.ledger.errors import InputError
from cupral.ledger.explain import moment
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.rows import PLANT_TIME
from cupral.ledger.stores.trail import FIELDS

FORMS = ("csv", "jsonl")
COLUMNS = (*FIELDS, "sha")
_DAY, _EVER = 86_400_000_000, 2**62
"""Microseconds of a day, and later than any record."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a cell begins that a spreadsheet takes for a formula."""


def exported(
    ledger: Ledger, *, author: str, form: str, first: str = "", last: str = ""
) -> Iterator[bytes]:
    """The records of the days from `first` to `last` (both included), oldest first.

    Raises
    ------
    NoRight
        If the person may not audit.
    InputError
        If the form or a day is not one.
    """
    arguments = {"form": form, "first": first, "last": last}
    with ledger.audited(author=author, action="audit.export", arguments=arguments):
        ledger.rights.demand("audit")
        if form not in FORMS:
            raise InputError(f"no form {form!r} of the audit trail; there are {', '.join(FORMS)}")
        begin = _microseconds(_day(first, "first")) if first else 0
        end = _microseconds(_day(last, "last")) + _DAY if last else _EVER
    rows = ledger.records.trail.between(begin, end)
    return _csv(rows) if form == "csv" else _lines(rows)


def safe(value: Any) -> str:
    """A cell that no spreadsheet runs as a formula.

    Examples
    --------
    >>> safe("=1+1"), safe("done"), safe(7)
    ("'=1+1", 'done', '7')
    """
    text = str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield ("\ufeff" + ",".join(COLUMNS) + "\r\n").encode()
    for row in rows:
        out = io.StringIO()
        told = {**row, "at": moment(row["at"])}
        csv.writer(out).writerow([safe(told[name]) for name in COLUMNS])
        yield out.getvalue().encode()


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield (
            json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False) + "\n"
        ).encode()


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name} {text!r} is no day; write for example 2026-01-31") from None


def _microseconds(day: date) -> int:
    return int(datetime.combine(day, time(), PLANT_TIME).timestamp()) * 1_000_000
