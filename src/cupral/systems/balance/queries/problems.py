"""Anybody's own problem: equations and measurements, formulae of metal accounting, GUM."""

from typing import Any

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.balance.compute import formulae, free, window


@query
def problem(ledger: Ledger, *, problem: dict[str, Any], level: float = 0.05) -> Result:
    """Reconcile anybody's own equations and measurements.

    Parameters
    ----------
    problem : dict
        {names, y, sd, A, b?, cov?} for linear balances `A x = b`, or {names, y, sd, state,
        start, constraints} for polynomial ones (lists of [coefficient, {name: power}]);
        null = unmeasured. `lower` and `upper` bound the variables (null = none): the answer is
        the optimum within them; sd, classes and tests stay those without bounds. Polynomial
        balances are refused when a bound would bind.
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
def steady(
    ledger: Ledger, *, hours: list[float], value: list[float], level: float = 0.05,
    tolerance: float | None = None,
) -> Result:  # fmt: skip
    """Whether a signal is steady over a window of less than a day.

    A snapshot balance without change of stock is honest in a steady window only; months use
    stock changes instead, so a day or longer is refused.

    Parameters
    ----------
    hours : list of float
        Times of the samples [h], ascending.
    value : list of float
        The samples.
    level : float
        Probability of calling a steady window transient.
    tolerance : float
        Largest movement that may be ignored, as share of the mean.

    Returns
    -------
    Result
        value the drift over the window, status 'steady', 'transient' or 'cannot decide'.
    """
    del ledger
    return window.steady(hours, value, level, tolerance)


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
