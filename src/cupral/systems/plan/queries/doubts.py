"""Which doubted meters moved a target, at which site, and by how much.

Not a query itself: what `plan.target` and `plan.brief` read.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Line
from cupral.ledger.result import Result, Row
from cupral.system import ask
from cupral.systems.plan.compute import contributing, moving
from cupral.systems.plan.compute.contributing import Contribution
from cupral.systems.plan.queries.figures import MISSING, Answer
from cupral.systems.plan.queries.status import Standing


def contributions(ledger: Ledger, standing: Standing) -> list[Contribution]:
    """What each line or enterprise contributes to a target, on each basis."""
    sites = ledger.sites()
    return [row for answer in standing.answers for row in _of_answer(answer, sites)]


def _of_answer(answer: Answer, sites: Sequence[Any]) -> list[Contribution]:
    if answer.source is None:
        return []
    if answer.shares:
        return contributing.of_shares(answer.shares, answer.source)
    return [
        row
        for result in answer.results
        for row in contributing.of_parts(result, answer.source, sites)
    ]


def of(ledger: Ledger, standing: Standing, rows: Sequence[Contribution]) -> tuple[Row, ...]:
    """Doubted meters of the sites whose contribution the second figure moved.

    Returns
    -------
    tuple of dict
        {target, site, meters, kind, months, size, size_unit, direct, moved, moved_unit}:
        `direct` says that a doubted meter stands on the line's own streams, and then `moved`
        is the site's contribution by the second figure less the declared (else measured) one.
    """
    found = []
    for site, moved in moving.moved(rows).items():
        result = _balance(ledger, standing, site)
        if result is None:
            continue
        meters = _own_meters(ledger, site, {row["line"] for row in rows if row["site"] == site})
        found += moving.doubts(result, meters, moved, standing.rows[0]["target"])
    return tuple(found)


def _balance(ledger: Ledger, standing: Standing, site: str) -> Result | None:
    """The balance of a site that the target stands on."""
    for answer in standing.answers:
        for result in answer.results:
            if result.subject == site and "suspects" in result.tables:
                return result
    periods = [result.period for answer in standing.answers for result in answer.results]
    try:
        return ask(ledger, "balance.months", site=site, period=periods[-1])
    except MISSING:
        return None


def _own_meters(ledger: Ledger, site: str, lines: Iterable[str]) -> set[str]:
    """Meters on the metal and energy streams of some lines of a site."""
    wanted = set(lines)
    streams = {
        stream
        for line in ledger.site(site).lines
        if line.id in wanted
        for stream in (line.metal_stream, *_energy_streams(line))
    }
    return {meter.id for meter in ledger.network(site).meters if meter.stream in streams}


def _energy_streams(line: Line) -> set[str]:
    return {stream for boundary in line.boundaries for _, stream in line.energy(boundary)}
