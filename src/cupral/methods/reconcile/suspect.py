"""Gross errors: which meter lies, or which process leaks, as far as the balances can tell."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from cupral.methods.reconcile.candidate import KINDS, Candidates, Kind, candidates
from cupral.methods.reconcile.estimate import check_level
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.search import Explanation, Search

ODDS = 50.0
"""How many times likelier a biased meter is than a leak before the measurements are seen."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One gross error, with everyone who cannot be told apart as its cause."""

    kind: Kind
    """'bias' of a meter or 'leak' of a balance."""
    members: tuple[int, ...]
    """Streams (bias) or rows (leak), from 0; any one of them explains the error equally well."""
    statistic: float
    """Square root of the likelihood ratio when it was named [1]; beside `Detectability.limit`."""
    size: tuple[float, ...]
    """For each member, if it is the cause: reading minus truth, or unrecorded outflow [unit]."""
    size_sd: tuple[float, ...]
    """Standard uncertainty of each size [unit]."""
    also: tuple["Suspect", ...] = ()
    """The same error seen as the other kind: a leak that looks exactly like the bias, or one
    that the measurements alone would rather believe, though not by the odds."""
    onset: int = 0
    """Period in which the first member's error begins, from 0."""
    onsets: tuple[int, ...] = (0,)
    """Confidence set of that period; see `pooled_suspects`."""


def suspects(
    reconciliation: Reconciliation,
    *,
    level: float | None = None,
    kinds: Iterable[Kind] = KINDS,
    rows: Iterable[int] | None = None,
    odds: float = ODDS,
) -> tuple[Suspect, ...]:
    """Which gross errors explain the imbalances, the most likely first.

    Generalised likelihood ratio with serial compensation: the likeliest significant candidate
    is named, its effect is taken away, and the search goes on until none is significant.
    Noise alone names anybody in `level` of all cases, and anybody more after a right name. The
    limit of the largest statistic is computed for the directions as they are correlated, with
    a standard error of 0.4 per mille up to 100 directions and 0.9 per mille at 1,000; beyond
    4,000 it is Sidak's, which is never lower, or the chi-square limit of all directions if
    that is less.

    Parameters
    ----------
    reconciliation
        Answer of `reconcile` or `reconcile_nonlinear`.
    level
        Significance level of the whole search; that of the reconciliation by default.
    kinds
        'bias' (a meter reads falsely), 'leak' (an unrecorded outflow), or both.
    rows
        Rows that may leak, from 0; all by default. Leave out rows that are no mass balance.
    odds : float [1]
        How many times likelier than a leak a bias is beforehand: a leak is named when its
        squared statistic exceeds that of every bias by ``2 ln odds``. At 50 the search for
        biases keeps about 99 % of the power it would have if leaks did not exist
        (benchmarks/power_of_detection.py); at 1 both compete on equal terms.

    Returns
    -------
    tuple of Suspect
        Empty when nothing is significant. A leak that looks exactly like a bias (a stream to
        the outside that touches this balance alone) is named in `also` of the bias, and so is
        a leak that fits better than the bias named, but not by the odds.

    Raises
    ------
    ReconcileError
        Unknown kind or row, a level outside (0, 1), or odds below 1.

    Source
    ------
    Narasimhan and Mah 1987, AIChE J. 33:1514 (generalised likelihood ratio).

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> flows = [[1, -1, 0], [0, 1, -1]]
    >>> (one,) = suspects(reconcile(flows, [100.0, 110.0, 100.0], [1.0, 1.0, 1.0]))
    >>> one.kind, one.members, one.size[0]
    ('bias', (1,), 10.0)
    """
    found = candidates([reconciliation], kinds=kinds, rows=rows)
    return named(searched(found, reconciliation.level if level is None else level, odds), found)


def searched(found: Candidates, level: float, odds: float) -> Search:
    """The search through all candidates, done."""
    check_level(level)
    search = Search(found, odds)
    search.run(level)
    return search


def named(search: Search, found: Candidates) -> tuple[Suspect, ...]:
    """Suspects with sizes estimated together."""
    directions = [chosen.direction for chosen, _ in search.named]
    result = []
    for chosen, rival in search.named:
        others = [one for one in directions if one != chosen.direction]
        first, *twins = _seen(search, found, chosen, others)
        if rival is not None:
            twins += _seen(search, found, rival, others)
        result.append(replace(first, also=tuple(twins)))
    return tuple(result)


def _seen(
    search: Search, found: Candidates, explanation: Explanation, others: list[int]
) -> list[Suspect]:
    """One explanation as biases, as leaks, or as both; nothing if the others replace it."""
    size, sd = search.size(explanation.direction, others)
    if not np.isfinite(sd):
        return []
    leaders = found.directions[explanation.same]
    gain = dict(zip(leaders.tolist(), explanation.gain.tolist(), strict=True))
    columns = np.flatnonzero(np.isin(found.label, leaders))
    scale = found.relative[columns] * [gain[one] for one in found.label[columns].tolist()]
    result = []
    for kind, part in (("bias", columns < found.bias), ("leak", columns >= found.bias)):
        if part.any():
            members, first = np.unique(found.names[columns[part]], return_index=True)
            share = scale[part][first]
            result.append(
                Suspect(
                    kind,  # type: ignore[arg-type]
                    tuple(members.tolist()),
                    explanation.statistic,
                    tuple((size / share).tolist()),
                    tuple((sd / np.abs(share)).tolist()),
                    onset=int(found.onset[columns[part][first[0]]]),
                )
            )
    return result
