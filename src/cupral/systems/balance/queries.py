"""What really flowed: reconciled streams, recoveries, consumption and losses of a site."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.balance.compute import formulae, free, measures, report
from cupral.systems.balance.compute.month import Sheet, sheets
from cupral.systems.balance.compute.statement import Statement, of_month, total

TREATMENTS = ("compensate", "keep")


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
        status="passed" if balance.raw.global_test_pass else "not passed",
        badges=sheet.badges,
        parts=report.streams(balance),
        tables={
            "summary": (report.summary(balance),),
            "meters": report.meters(balance),
            "suspects": report.suspects(balance),
            "balances": report.balances(balance),
            "loadings": measures.stream_loadings(of_month(balance)),
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
        group '' = independent part), summary and suspects by month.

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
        status="incomplete" if sheet.missing else "ok",
        badges=sheet.badges,
        parts=measures.stream_totals(sheet, statement),
        tables={
            "loadings": measures.stream_loadings(statement),
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
    """Recovery of each element: what left in products over all that left the site."""
    sheet, statement = _summed(ledger, site, period, treatment)
    products = ledger.parameter("balance.product_materials", _first_day(period))
    rows = measures.recoveries(sheet, statement, frozenset(products.value))
    return _answer(sheet, "balance.recoveries", period, rows, products.reference)


@query
def losses(ledger: Ledger, *, site: str, period: str, treatment: str = "compensate") -> Result:
    """Where each element was lost: streams that leave the site and are no product."""
    sheet, statement = _summed(ledger, site, period, treatment)
    products = ledger.parameter("balance.product_materials", _first_day(period))
    rows = measures.losses(sheet, statement, frozenset(products.value))
    return _answer(sheet, "balance.losses", period, rows, products.reference)


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


@query
def problem(ledger: Ledger, *, problem: dict[str, Any], level: float = 0.05) -> Result:
    """Reconcile anybody's own equations and measurements.

    Parameters
    ----------
    problem : dict
        {names, y, sd, A, b?, cov?} for linear balances `A x = b`, or {names, y, sd, state,
        start, constraints} for polynomial ones (lists of [coefficient, {name: power}]);
        null = unmeasured; optional lower bounds are not supported yet.
    level : float
        Significance level of the tests.

    Raises
    ------
    InputError
        If the problem is malformed or cannot be solved, with the reason.
    """
    del ledger
    return free.answer(problem, level)


@query
def two_product(
    ledger: Ledger, *, feed: float, conc: float, tail: float, rel_sd_each: float = 0.0
) -> Result:
    """Recovery and mass pull from the assays of feed, concentrate and tailing."""
    del ledger
    return formulae.two_products(feed, conc, tail, rel_sd_each)


@query
def three_product(
    ledger: Ledger, *, feed: list[float], conc1: list[float], conc2: list[float], tail: list[float]
) -> Result:
    """Pulls and recoveries of two concentrates from two assays of each stream."""
    del ledger
    return formulae.three_products(feed, conc1, conc2, tail)


@query
def propagation(
    ledger: Ledger, *, names: list[str], expressions: dict[str, str],
    x: list[float] | None = None, u: list[float] | None = None,
    corr: list[float] | None = None, observations: list[list[float]] | None = None,
) -> Result:  # fmt: skip
    """Values, uncertainties and correlations of formulae of correlated inputs (GUM).

    Parameters
    ----------
    names : list of str
        Names of the inputs.
    expressions : dict of str to str
        Result name to formula, e.g. {"R": "V / I * cos(phi)"}.
    x, u : list of float
        Input values and standard uncertainties.
    corr : list of float
        Correlation coefficients r12, r13, ..., r23, ...
    observations : list of list of float
        Instead of x, u, corr: simultaneous readings, one row a set.
    """
    del ledger
    if observations is None and (x is None or u is None):
        raise InputError("give x and u, or observations")
    return formulae.propagation(names, expressions, x=x, u=u, corr=corr, observations=observations)


def _summed(ledger: Ledger, site: str, period: str, treatment: str) -> tuple[Sheet, Statement]:
    sheet = site_sheet(ledger, site, period, treatment)
    return sheet, total([of_month(balance) for balance in sheet.balances])


def site_sheet(ledger: Ledger, site: str, period: str, treatment: str) -> Sheet:
    if treatment not in TREATMENTS:
        raise InputError(f"treatment {treatment!r} is not one of {TREATMENTS}")
    span = Period.parse(period)
    network = ledger.network(site)
    around = Period.run(_shift(span.months[0], -1), _shift(span.months[-1], 1))
    level = ledger.parameter("balance.significance_level", span.start.date())
    return sheets(
        network,
        ledger.site(site),
        span,
        flows=ledger.flows(site=site, origin=["measured", "modelled"], period=span).to_pylist(),
        assays=ledger.assays(site=site, origin=["measured", "modelled"], period=span).to_pylist(),
        stocktakes=ledger.stocktakes(site=site, origin="measured", period=around).to_pylist(),
        treatment=treatment,
        level=level.value,
        references=(f"network:{site}@{network.version}", level.reference),
    )


def _shift(month: int, by: int) -> int:
    index = month // 100 * 12 + month % 100 - 1 + by
    return index // 12 * 100 + index % 12 + 1


def _first_day(period: str) -> date:
    return Period.parse(period).start.date()


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
        status="incomplete" if sheet.missing else "ok",
        badges=(*sheet.badges, *badges),
        parts=rows,
        lineage=(*sheet.lineage, *references),
    )
