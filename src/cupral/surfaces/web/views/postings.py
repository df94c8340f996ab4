"""Postings: the chain of everything that was written, its audit, and reversal."""

from collections.abc import Iterable

from cupral.ledger.audit import verify
from cupral.ledger.correction import REVERSE
from cupral.ledger.explain import moment
from cupral.surfaces.plainness import shortened
from cupral.surfaces.web.asked import Asked, Page

A_PAGE = 60


def postings(asked: Asked) -> Page:
    """The latest postings, newest first; `?before=` goes further back, `?verify=` audits."""
    asked.ledger.guard.rows("read", "posting", ())
    every, asked_for = asked.ledger.postings(), asked.get("before", "0")
    before = int(asked_for) if asked_for.isascii() and asked_for.isdigit() else 0
    earlier = [row for row in every if not before or row["seq"] < before]
    shown = earlier[-A_PAGE:][::-1]
    level = asked.get("verify")
    content = {
        "rows": [{**row, "at": moment(row["recorded_at"])} for row in shown],
        "count": len(every), "next": shown[-1]["seq"] if len(earlier) > A_PAGE else 0,
        "verdict": verify(asked.ledger, 2 if level == "2" else 1) if level else None,
        "trail": [
            {**row, **{name: shortened(str(row[name])) for name in ("arguments", "outcome")}}
            for row in (asked.ledger.records.audit(30) if asked.rights.may("audit") else ())
        ],
        "reversed": undone([row["id"] for row in every]),
    }  # fmt: skip
    return Page(template="postings.html", title=asked.language("nav.postings"), content=content)


def undone(ids: Iterable[str]) -> set[str]:
    """Postings of which a reversal stands, given all in order.

    Examples
    --------
    >>> sorted(undone(["a", "b", "reverse:a", "reverse:b", "reverse:reverse:b"]))
    ['a', 'reverse:b']
    """
    found: set[str] = set()
    for id in reversed(list(ids)):
        if id.startswith(REVERSE) and id not in found:
            found.add(id.removeprefix(REVERSE))
    return found
