"""What each meter is worth, and where another one should stand."""

import numpy as np

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.balance.compute import metering
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.model import MonthBalance, Noun
from cupral.systems.balance.queries.sheet import site_sheet


@query
def influence(ledger: Ledger, *, site: str, period: str, stream: str) -> Result:
    """How much each meter says about one stream, and how well it were known without it.

    Parameters
    ----------
    site : str
    period : str
        One month, YYYY-MM.
    stream : str
        The stream whose reconciled flow is asked about.

    Returns
    -------
    Result
        value the flow, sd its standard uncertainty; parts one row a meter {meter, derivative,
        share of the variance, sd_without (none: nothing else determines it)}.

    Raises
    ------
    InputError
        If the period is not one month or the site has no such stream.
    CannotDecide
        If the measurements do not determine the stream; needs names single meters that would.
    """
    sheet, balance, position = _stream(ledger, site, period, stream)
    if not np.isfinite(balance.final.value[position]):
        helping = metering.opening(balance, position)
        raise CannotDecide(
            f"{site} {period}: no meter determines {stream}",
            needs=[f"a meter on {name}" for name in helping] or ["two or more further meters"],
        )
    found = metering.influences(balance, position)
    return Result(
        query="balance.influence",
        subject=f"{site} {stream}",
        period=period,
        value=float(balance.final.value[position]),
        sd=float(balance.final.sd[position]),
        unit=metering.unit(balance, stream),
        origin="reconciled",
        badges=sheet.badges,
        parts=found,
        lineage=sheet.lineage,
    )


@query
def next_meters(
    ledger: Ledger, *, site: str, period: str, relative_sd: float, stream: str = "", limit: int = 5
) -> Result:
    """Where one more meter would help most: for one stream, or for the whole site.

    Parameters
    ----------
    site : str
    period : str
        One month, YYYY-MM.
    relative_sd : float
        Standard uncertainty of the extra meter as a share of its flow [1].
    stream : str
        The stream to be known better; empty = the whole site.
    limit : int
        How many places are named.

    Returns
    -------
    Result
        parts one row a place, best first {stream, opened (streams that become determined),
        before, after: sd of the stream, or for the site the sum of relative variances}.

    Raises
    ------
    InputError
        If an argument is not allowed or the site has no such stream.
    """
    if not 0.0 < relative_sd < 1.0:
        raise InputError(f"relative_sd is {relative_sd}; allowed is more than 0, less than 1")
    if limit < 1:
        raise InputError(f"limit is {limit}; ask for at least one place")
    if stream:
        sheet, balance, position = _stream(ledger, site, period, stream)
    else:
        (sheet, balance), position = _month(ledger, site, period), None
    return Result(
        query="balance.next_meters",
        subject=f"{site} {stream}".strip(),
        period=period,
        origin="planned",
        badges=sheet.badges,
        parts=metering.places(balance, relative_sd, position, limit),
        lineage=sheet.lineage,
    )


def _month(ledger: Ledger, site: str, period: str) -> tuple[Sheet, MonthBalance]:
    if len(Period.parse(period).months) != 1:
        raise InputError(f"a meter's worth is asked of one month, not {period}; give YYYY-MM")
    sheet = site_sheet(ledger, site, period, "compensate")
    return sheet, sheet.balances[0]


def _stream(ledger: Ledger, site: str, period: str, stream: str) -> tuple[Sheet, MonthBalance, int]:
    sheet, balance = _month(ledger, site, period)
    position = balance.layout.index(Noun.FLOW, stream)
    if position < 0:
        names = [one.id for one in sheet.network.streams]
        raise InputError(f"{site} has no stream {stream!r}; its streams are {', '.join(names)}")
    return sheet, balance, position
