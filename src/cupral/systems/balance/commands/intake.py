"""Intake: rows of a file that have become nouns are compared with the ledger and posted.

The ledger decides by content, not by file name: a row that says what the ledger already says
is skipped, one that contradicts it needs `correct`, and nothing is posted while anything is
faulty (unless good rows are accepted in so many words).
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from cupral.ledger.errors import Fault, RowFaults
from cupral.ledger.flow import Origin
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.registers import Network
from cupral.ledger.template import Reading, Row, Template, read
from cupral.systems.balance.commands.plausibility import doubtful, plant_now
from cupral.systems.balance.commands.report import ImportReport
from cupral.systems.balance.commands.rows import Entry, Noun, Refused, network_of, span_of

Maker = Callable[[Ledger, Network, Row, Reading, str], Noun]
"""Makes the noun of one row of a file; the text says where the row came from."""

Posted = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows that stand in the ledger, by meter."""

PREVIEW = 5
_SAME = 1e-12
"""Two numbers of one row closer than this (relative) say the same."""
_CORRECT = "import with `correct` to replace the posted value, or delete the row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One file on its way into the ledger."""

    table: str
    """'flows', 'assays' or 'stocktakes'."""
    site: str
    author: str
    filename: str
    dry_run: bool
    correct: bool
    accept_good_rows: bool

    @property
    def name(self) -> str:
        """What the report and the errors call this file."""
        return f"{self.table}: {self.filename}"


def take(
    ledger: Ledger,
    intake: Intake,
    content: bytes,
    template: Template,
    maker: Maker,
    checks: Iterable[Callable[[Sequence[Entry]], tuple[list[Fault], list[Fault]]]] = (),
) -> ImportReport:
    """Read a file, check it against itself and the ledger, and post what is new.

    Parameters
    ----------
    maker : makes the noun of a row, from the site's network and where the file came from
    checks : of the rows of the file among themselves; each gives faults and warnings

    Raises
    ------
    RowFaults
        If anything is faulty; nothing is posted then.
    """
    network = network_of(ledger, intake.site)
    reading = read(content, intake.filename, template)
    sha = hashlib.sha256(content).hexdigest()[:12]

    def noun_of(row: Row) -> Noun:
        source = f"file:{intake.filename}#{row.number} sha256:{sha}"
        return maker(ledger, network, row, reading, source)

    entries, faults = _entries(reading, noun_of)
    warnings: list[Fault] = []
    faults = [*reading.faults, *faults]
    for check in checks:
        found, noticed = check(entries)
        faults, warnings = faults + found, warnings + noticed
    posted = _posted(ledger, intake, entries)
    new, found, noticed, known = _against_ledger(intake, entries, posted)
    faults, warnings = faults + found, warnings + noticed
    found, noticed = doubtful(
        new, _beside(new, posted), ratio=_usual_ratio(ledger), now=plant_now()
    )
    faults, warnings = faults + found, warnings + noticed
    faults = sorted(dict.fromkeys(faults), key=lambda fault: fault.row or 0)
    whole = not reading.headers or any(fault.row is None for fault in faults)
    if faults and (whole or not intake.accept_good_rows):
        raise RowFaults(intake.name, faults)
    faulty = {fault.row for fault in faults}
    new = [entry for entry in new if entry.row.number not in faulty]
    return _post(ledger, intake, new, reading.rows_read, faults, warnings, known)


def _entries(reading: Reading, noun_of: Callable[[Row], Noun]) -> tuple[list[Entry], list[Fault]]:
    entries, faults = [], []
    for row in reading.rows:
        try:
            entries.append(Entry(row, noun_of(row)))
        except Refused as refused:
            faults.append(refused.at(row, reading))
    return entries, faults


def _post(
    ledger: Ledger,
    intake: Intake,
    new: Sequence[Entry],
    rows_read: int,
    faults: Sequence[Fault],
    warnings: Sequence[Fault],
    known: str,
) -> ImportReport:
    posted = 0
    posting = known
    status: Any = "already" if not new else "dry run" if intake.dry_run else "posted"
    if status == "posted":
        posting = _posting_id(ledger, intake, new)
        rows: dict[str, Any] = {intake.table: [entry.noun for entry in new]}
        note = f"{intake.filename}, {len(new)} rows"
        receipt = ledger.post(
            posting, author=intake.author, note=note, supersede=intake.correct, **rows
        )
        status, posted = receipt.status, len(new) if receipt.status == "posted" else 0
    return ImportReport(
        name=intake.name,
        site=intake.site,
        status=status,
        rows_read=rows_read,
        rows_new=len(new),
        rows_posted=posted,
        faults=tuple(faults),
        warnings=tuple(warnings),
        posting="" if status == "dry run" else posting,
        preview=tuple(_preview(entry) for entry in new[:PREVIEW]),
    )


def _preview(entry: Entry) -> dict[str, Any]:
    names = (
        "meter",
        "stream",
        "process",
        "material",
        "element",
        "amount",
        "fraction",
        "unit",
        "sd",
    )
    shown = {n: getattr(entry.noun, n) for n in names if getattr(entry.noun, n, None) is not None}
    start, end = span_of(entry.noun)
    return {"row": entry.row.number, **shown, "start": f"{start}", "end": f"{end}"}


def _posting_id(ledger: Ledger, intake: Intake, new: Sequence[Entry]) -> str:
    """Id from content; what was posted once and undone since gets a further number."""
    plain = [_plain(entry.noun) | {"lineage": ""} for entry in new]
    lines = sorted(
        json.dumps(row, default=str, sort_keys=True, ensure_ascii=False) for row in plain
    )
    sha = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    id, number = f"{intake.table}:{intake.site}:{sha}", 2
    while ledger.posted(id):
        id, number = f"{intake.table}:{intake.site}:{sha}~{number}", number + 1
    return id


def _against_ledger(
    intake: Intake, entries: Sequence[Entry], posted: Posted
) -> tuple[list[Entry], list[Fault], list[Fault], str]:
    """New entries, faults, warnings and the posting that already says the rest."""
    new: list[Entry] = []
    faults: list[Fault] = []
    warnings: list[Fault] = []
    known = ""
    by_key = {_key(row): row for rows in posted.values() for row in rows}
    for entry in entries:
        same = by_key.get(_key(_plain(entry.noun)))
        if same is not None:
            said = _said(entry, same, intake)
            known = known or same["posting"]
            new += [entry] if said == "new" else []
            faults += [said] if isinstance(said, Fault) else []
            warnings += _other_sd(entry, same) if said == "said" else []
            continue
        across = _across(entry, posted.get(entry.noun.meter, ()))
        faults += [across] if across else []
        new.append(entry)
    return new, faults, warnings, known


def _plain(noun: Noun) -> dict[str, Any]:
    return {field.name: getattr(noun, field.name) for field in fields(noun)}


def _beside(new: Sequence[Entry], posted: Posted) -> list[Mapping[str, Any]]:
    """Posted rows of the meters that the new entries do not replace."""
    replaced = {_key(_plain(entry.noun)) for entry in new}
    return [row for rows in posted.values() for row in rows if _key(row) not in replaced]


def _usual_ratio(ledger: Ledger) -> float:
    return float(ledger.parameter("balance.implausible_ratio", plant_now().date()).value)


def _posted(ledger: Ledger, intake: Intake, entries: Sequence[Entry]) -> Posted:
    """Rows of the same meters that stand in the ledger, from a year before the first entry."""
    if not entries:
        return {}
    starts = [span_of(entry.noun)[0] for entry in entries]
    first, last = min(starts), max(span_of(entry.noun)[1] for entry in entries)
    period = Period.run((first.year - 1) * 100 + first.month, last.year * 100 + last.month)
    meters = sorted({entry.noun.meter for entry in entries})
    read_off = [str(Origin.MEASURED), str(Origin.MODELLED)]
    if intake.table == "stocktakes":
        rows = ledger.stocktakes(site=intake.site, origin=read_off, period=period)
    else:
        reader = ledger.flows if intake.table == "flows" else ledger.assays
        rows = reader(site=intake.site, origin=read_off, period=period, meter=meters)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["meter"], []).append(row)
    return found


def _said(entry: Entry, posted: Mapping[str, Any], intake: Intake) -> Fault | str:
    """'said' if the ledger says the same, 'new' if it is to be corrected, else the fault."""
    now, then = _value(_plain(entry.noun)), _value(posted)
    same_sd = math.isclose(entry.noun.sd, posted["sd"], rel_tol=1e-9, abs_tol=1e-15)
    if math.isclose(now, then, rel_tol=_SAME, abs_tol=1e-15):
        return "new" if intake.correct and not same_sd else "said"
    if intake.correct:
        return "new"
    return Fault(
        entry.row.number,
        "amount" if "amount" in posted else "value",
        f"{now:.10g}",
        f"{posted['meter']} already has {then:.10g} for this time, in posting {posted['posting']}",
        _CORRECT,
    )


def _other_sd(entry: Entry, posted: Mapping[str, Any]) -> list[Fault]:
    if math.isclose(entry.noun.sd, posted["sd"], rel_tol=1e-9, abs_tol=1e-15):
        return []
    what = f"the posted value has sd {posted['sd']:.4g}, the network now says {entry.noun.sd:.4g}"
    return [Fault(entry.row.number, None, "", what, "import with `correct` to restate it")]


def _across(entry: Entry, posted: Sequence[Mapping[str, Any]]) -> Fault | None:
    """The fault if a posted row of the meter overlaps the entry without being the same time."""
    start, end = span_of(entry.noun)
    for row in posted:
        from_, to = _times(row)
        if from_ < end and start < to:
            what = f"overlaps {from_} .. {to} of {row['meter']} in posting {row['posting']}"
            cure = "use the same times, or reverse that posting first"
            return Fault(entry.row.number, "start", "", what, cure)
    return None


def _times(row: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return (row.get("instant") or row["start"], row.get("instant") or row["end"])


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    place = row.get("stream") or row.get("process")
    return (place, row["meter"], row.get("element") or row["material"], *_times(row))


def _value(row: Mapping[str, Any]) -> float:
    return float(row["fraction"] if "fraction" in row else row["amount"])
