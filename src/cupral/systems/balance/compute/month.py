"""All months of a period of one site: readings split by month, each month solved by itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cupral.ledger.errors import CannotDecide
from cupral.ledger.period import Period
from cupral.ledger.registers import Network, Site
from cupral.methods.reconcile import ReconcileError
from cupral.systems.balance.compute.layout import layout
from cupral.systems.balance.compute.readings import label, month_readings, partial
from cupral.systems.balance.compute.solve import solve
from cupral.systems.balance.model import Judgement, MonthBalance, Noun, Reading

Row = Mapping[str, Any]
_NAMED = 12
"""Meters that a badge names one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The reconciled months of a site in a period."""

    network: Network
    balances: tuple[MonthBalance, ...]
    missing: tuple[int, ...]
    """Months of the period without any reading."""
    partial: tuple[str, ...]
    """What of a month was read, where that is not the whole, with the meters."""
    badges: tuple[str, ...]
    lineage: tuple[str, ...]
    judgements: tuple[Judgement, ...] = ()
    """What people decided about its doubts."""


def sheets(
    network: Network, site: Site, period: Period, *, flows: Sequence[Row], assays: Sequence[Row],
    stocktakes: Sequence[Row], treatment: str, level: float, references: tuple[str, ...],
    judgements: Sequence[Judgement] = (),
) -> Sheet:  # fmt: skip
    """Reconcile every month that has readings.

    Raises
    ------
    CannotDecide
        If no month has any.
    """
    meters = {meter.id for meter in network.meters}
    flows = [row for row in flows if row["meter"] in meters or row["meter"].startswith("prior:")]
    by_month = _by_month(flows), _by_month(assays)
    months = [month for month in period.months if by_month[0][month]]
    if not months:
        raise CannotDecide(
            f"site {network.site} has no meter readings in {period}",
            needs=[f"meter readings of {network.site} for {period}"],
        )
    balances = tuple(
        solved(
            network,
            month,
            tuple(month_readings(month, by_month[0][month], by_month[1][month], stocktakes)),
            treatment,
            level,
            tuple(one for one in judgements if one.month == month),
        )
        for month in months
    )
    incomplete = tuple(said for month in months for said in _partial(month, by_month[0][month]))
    return Sheet(
        network=network,
        balances=balances,
        missing=tuple(month for month in period.months if month not in months),
        partial=incomplete,
        badges=(*_badges(site, balances, set(period.months) - set(months)), *incomplete),
        lineage=(*references, *_references(balances)),
        judgements=tuple(judgements),
    )


@lru_cache(maxsize=2048)
def solved(
    network: Network, month: int, readings: tuple[Reading, ...], treatment: str, level: float,
    judgements: tuple[Judgement, ...] = (),
) -> MonthBalance:  # fmt: skip
    """One month reconciled; a month that was solved before with the same readings is at hand.

    Raises
    ------
    CannotDecide
        If the readings contradict the balances so much that no answer is found.
    """
    try:
        equations = layout(network, readings)
        return solve(month, equations, treatment=treatment, level=level, judgements=judgements)
    except ReconcileError as error:
        raise CannotDecide(
            f"site {network.site} {month} cannot be reconciled: {error}",
            needs=[f"readings of {network.site} for {month} that can be balanced"],
        ) from error


def _by_month(rows: Sequence[Row]) -> defaultdict[int, list[Row]]:
    months: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        months[row["month"]].append(row)
    return months


def _partial(month: int, flows: Sequence[Row]) -> list[str]:
    return [
        f"incomplete month: {said}, {', '.join(meters[:_NAMED])}"
        + (f" and {len(meters) - _NAMED} more" if len(meters) > _NAMED else "")
        for said, meters in partial(month, flows).items()
    ]


def _badges(site: Site, balances: Sequence[MonthBalance], missing: set[int]) -> tuple[str, ...]:
    aside: dict[str, list[int]] = {}
    for balance in balances:
        for position in sorted(balance.set_aside):
            name = label(balance.month, balance.layout.readings[position])
            aside.setdefault(name, []).append(balance.month)
    badges = [
        f"set aside as suspect: {meter} ({', '.join(str(m) for m in months)})"
        for meter, months in aside.items()
    ]
    badges += [said for balance in balances for said in _below_zero(balance)]
    if missing:
        badges.append(f"no readings: {', '.join(str(month) for month in sorted(missing))}")
    return (*badges, site.attribution) if site.attribution else tuple(badges)


def _below_zero(balance: MonthBalance) -> list[str]:
    """Flows that the balances turn round; small ones may, within their sd."""
    value, sd = balance.final.value, balance.final.sd
    return [
        f"below zero: {one.where} {value[i]:.3g} ± {sd[i]:.2g} ({balance.month})"
        for i, one in enumerate(balance.layout.variables)
        if one.noun == Noun.FLOW and value[i] < -1e-6 * sd[i]
    ]


def _references(balances: Sequence[MonthBalance]) -> list[str]:
    return [
        reference
        for balance in balances
        for reading in balance.layout.readings.values()
        for reference in reading.references
    ]
