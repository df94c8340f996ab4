"""What really flowed: reconciled streams, recoveries, consumption and losses of a site."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.balance.compute import measures, report
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.compute.statement import Statement, of_month, total
from cupral.systems.balance.queries.sheet import site_sheet

OUTLETS = {
    "recoveries": (measures.recoveries, "recovery", "product"),
    "losses": (measures.losses, "loss", "loss"),
}
"""Measure of each query of outlets, what it tells, and the end an element is followed to."""


@query
def streams(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """Reconciled flows of a site in a month, with sd, classes, tests and suspects.

    Parameters
    ----------
    site : str
        A site with a registered network.
    period : str
        One month, YYYY-MM.
    treatment : str
        'compensate' sets doubted meters aside (and says so), 'keep' believes them.

    Returns
    -------
    Result
        value J [1]; parts one row a stream; tables summary, meters, suspects, balances, loadings.

    Raises
    ------
    InputError
        If the period is not one month or the treatment is unknown.
    CannotDecide
        If the site has no readings in the month.
    """
    if len(Period.parse(period).months) != 1:
        raise InputError(f"balance.streams answers one month, not {period}; ask balance.months")
    sheet = site_sheet(ledger, site, period, treatment)
    (balance,) = sheet.balances
    return Result(
        query="balance.streams",
        subject=site,
        period=period,
        value=float(balance.raw.objective),
        unit="1",
        origin="reconciled",
        status=report.verdict(balance.raw),
        badges=sheet.badges,
        parts=report.streams(balance),
        tables={
            "summary": (report.summary(balance),),
            "meters": report.meters(balance),
            "suspects": report.suspects(balance),
            "balances": report.balances(balance),
            "loadings": measures.stream_loadings(of_month(balance), f"{site}/{period}"),
        },
        lineage=sheet.lineage,
    )


@query
def months(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """Reconciled flows of a site summed over the months of a period.

    Returns
    -------
    Result
        parts one row a stream with its sum and sd; tables loadings (stream, group, loading;
        groups are independent errors of unit variance, those named 'own:' of this period only),
        summary and suspects by month.

    Raises
    ------
    CannotDecide
        If the site has no readings in the period.
    """
    sheet, statement = _summed(ledger, site, period, treatment)
    return Result(
        query="balance.months",
        subject=site,
        period=period,
        value=float(len(sheet.balances)),
        unit="months",
        origin="reconciled",
        status=_status(sheet),
        badges=sheet.badges,
        parts=measures.stream_totals(sheet, statement),
        tables={
            "loadings": measures.stream_loadings(statement, f"{site}/{period}"),
            "summary": tuple(report.summary(balance) for balance in sheet.balances),
            "suspects": tuple(row for b in sheet.balances for row in report.suspects(b)),
        },
        lineage=sheet.lineage,
    )


@query
def elements(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """What each stream carried of each element over a period."""
    sheet, statement = _summed(ledger, site, period, treatment)
    return _answer(sheet, "balance.elements", period, measures.contents(sheet, statement))


@query
def recoveries(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """Recovery of each element: what left in products over all that left the processes.

    An element is followed through every process that balances it, and through stocks whose
    contents are all known. Where some of it is handed to a process that does not follow it and
    that loses some, there is no recovery: the row is empty and `needs` says what is missing.

    Raises
    ------
    CannotDecide
        If no element is followed into any product.
    """
    return _outlets(ledger, "recoveries", site, period, treatment)


@query
def losses(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """Where each element was lost: outlets that are no product, with their share of all that left.

    Raises
    ------
    CannotDecide
        If no element is followed out of any process.
    """
    return _outlets(ledger, "losses", site, period, treatment)


@query
def consumption(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """Specific consumption of each line and boundary, by carrier and in standard coal.

    Returns
    -------
    Result
        parts rows {line, product, boundary, output [t], energy [MWh or kgce], intensity,
        sd, unit}; 'liquid_ac', 'dc' and the like in kWh/t, 'comprehensive' in kgce/t.
    """
    sheet, statement = _summed(ledger, site, period, treatment)
    coal = ledger.parameter("balance.standard_coal", _first_day(period))
    rows, unknown = measures.consumption(sheet, ledger.site(site), statement, coal.value)
    if unknown:
        needs = [f"balance.standard_coal of {material}" for material in unknown]
        raise CannotDecide(f"no standard coal coefficient for {', '.join(unknown)}", needs=needs)
    used = any(row["unit"] == "kgce/t" for row in rows)
    badges = () if coal.confirmed or not used else (f"unconfirmed: {coal.id}",)
    references = (coal.reference,) if used else ()
    return _answer(sheet, "balance.consumption", period, rows, *references, badges=badges)


def _summed(ledger: Ledger, site: str, period: str, treatment: str) -> tuple[Sheet, Statement]:
    sheet = site_sheet(ledger, site, period, treatment)
    return sheet, total([of_month(balance) for balance in sheet.balances])


def _first_day(period: str) -> date:
    return Period.parse(period).start.date()


def _outlets(ledger: Ledger, name: str, site: str, period: str, treatment: str) -> Result:
    """What left of each element, by the measure behind the query of this name."""
    measure, what, end = OUTLETS[name]
    sheet, statement = _summed(ledger, site, period, treatment)
    products = ledger.parameter("balance.product_materials", _first_day(period))
    rows = measure(sheet, statement, frozenset(products.value))
    if not rows:
        raise _unfollowed(sheet, what, end)
    return _answer(sheet, f"balance.{name}", period, rows, products.reference)


def _unfollowed(sheet: Sheet, what: str, end: str) -> CannotDecide:
    site = sheet.network.site
    return CannotDecide(
        f"no {what} can be told at {site}: no element is followed from what it takes to a {end}",
        needs=[f"an element among the balances of {site}, and the compositions of its streams"],
    )


def _status(sheet: Sheet, rows: tuple[Mapping[str, Any], ...] = ()) -> str:
    undecided = any(row.get("needs") for row in rows)
    return "incomplete" if sheet.missing or sheet.partial or undecided else "ok"


def _undecided(rows: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    needs = [f"cannot decide {r['element']}: needs {r['needs']}" for r in rows if r.get("needs")]
    return tuple(dict.fromkeys(needs))


def _answer(
    sheet: Sheet,
    query_name: str,
    period: str,
    rows: tuple[Mapping[str, Any], ...],
    *references: str,
    badges: tuple[str, ...] = (),
) -> Result:
    return Result(
        query=query_name,
        subject=sheet.network.site,
        period=period,
        origin="reconciled",
        status=_status(sheet, rows),
        badges=(*sheet.badges, *badges, *_undecided(rows)),
        parts=rows,
        lineage=(*sheet.lineage, *references),
    )
