"""What rows of meter, laboratory and stocktake files share: faults, meters, times, overlaps."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from cupral.ledger.errors import Fault, InputError, NotFound
from cupral.ledger.flow import Assay, Flow, Stocktake
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Meter, Network
from cupral.ledger.template import Reading, Row, suggest

Noun = Flow | Assay | Stocktake


class Refused(Exception):
    """A row cannot be taken; carries the fault without its row number."""

    def __init__(self, column: str | None, value: Any, what: str, cure: str) -> None:
        super().__init__(what)
        self.column, self.value, self.what, self.cure = column, value, what, cure

    def at(self, row: Row, reading: Reading) -> Fault:
        """The fault with the row number and the header as the file writes it."""
        shown = "" if self.value is None else str(self.value)
        column = reading.headers.get(self.column or "", self.column)
        return Fault(row.number, column, shown, self.what, self.cure)


@dataclass(frozen=True, slots=True)
class Entry:
    """A noun with the row of the file that it came from."""

    row: Row
    noun: Noun


def span_of(noun: Noun) -> tuple[datetime, datetime]:
    return (noun.instant, noun.instant) if isinstance(noun, Stocktake) else (noun.start, noun.end)


def overlaps(entries: Sequence[Entry]) -> tuple[list[Fault], list[Fault]]:
    """Rows of one file that repeat or overlap an earlier row of the same meter."""
    faults = []
    for first, second in successive(entries):
        (start, end), (from_, to) = span_of(first.noun), span_of(second.noun)
        if (start, end) == (from_, to):
            what = f"repeats the time of row {first.row.number} for {second.noun.meter}"
            faults.append(Fault(second.row.number, "start", f"{from_}", what, "delete one of them"))
        elif from_ < end:
            what = f"overlaps row {first.row.number} ({start} .. {end}) of {second.noun.meter}"
            cure = "let each row start where the one before ends"
            faults.append(Fault(second.row.number, "start", f"{from_}", what, cure))
    return faults, []


def successive(entries: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs of rows that follow each other in time on one meter."""
    by_meter: dict[str, list[Entry]] = {}
    for entry in entries:
        by_meter.setdefault(entry.noun.meter, []).append(entry)
    pairs = []
    for rows in by_meter.values():
        rows.sort(key=lambda entry: (span_of(entry.noun), entry.row.number))
        pairs += list(pairwise(rows))
    return pairs


def network_of(ledger: Ledger, site: str) -> Network:
    """The latest network of a site.

    Raises
    ------
    InputError
        If the site has none, naming those that have.
    """
    try:
        return ledger.network(site)
    except NotFound:
        known = ledger.networks()
        raise InputError(
            f"site {site!r} has no network{suggest(site, known)}; define one with"
            f" balance.define_network, or use one of {offered(site, known)}"
        ) from None


def meter_of(ledger: Ledger, network: Network, id: str, kind: str) -> Meter:
    """The meter of that id and kind, or a refusal that says where it is instead."""
    for meter in network.meters:
        if meter.id == id:
            if meter.kind == kind:
                return meter
            what = f"{id!r} is a meter of kind {meter.kind!r}, not {kind!r}"
            raise Refused("meter", id, what, f"import it with the {meter.kind} template")
    elsewhere = [
        site
        for site in ledger.networks()
        if site != network.site and id in {meter.id for meter in ledger.network(site).meters}
    ]
    if elsewhere:
        what = f"meter {id!r} belongs to site {elsewhere[0]!r}, this file is for {network.site!r}"
        raise Refused("meter", id, what, "import the row into its own site")
    known = [meter.id for meter in network.meters if meter.kind == kind]
    what = f"site {network.site!r} has no {kind} meter {id!r}{suggest(id, known)}"
    cure = f"use one of {offered(id, known)}, or add it to the network"
    raise Refused("meter", id, what, cure)


def offered(word: str, known: Iterable[str], most: int = 12) -> str:
    """Names to choose from, those most like a word first, and how many more there are.

    Examples
    --------
    >>> offered("sales", ["AC-1", "SALE", "SALES-2"], most=2)
    'SALE, SALES-2 and 1 more'
    """

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, word.casefold(), name.casefold()).ratio()

    names = sorted(sorted(set(known)), key=likeness, reverse=True)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "(none defined)") + more


def span_of_row(row: Row) -> tuple[datetime, datetime]:
    """Start and end of a row, from its period or its two times."""
    period, start, end = row["period"], row["start"], row["end"]
    if period is not None:
        if (start or period.start, end or period.end) != (period.start, period.end):
            what = f"period {period} is {period.start} .. {period.end}, start and end say otherwise"
            raise Refused("period", period, what, "write the period or start and end, not both")
        return period.start, period.end
    for column, value in (("start", start), ("end", end)):
        if value is None:
            what = f"there is no period and no {column}"
            where = column if column in row.values else "period"
            raise Refused(where, "", what, "write the period, e.g. 2026-03, or start and end")
    if end <= start:
        what = f"the end ({end}) is not after the start ({start})"
        raise Refused(
            "end", end, what, "the end is the first moment after the period; swap or correct"
        )
    return start, end
