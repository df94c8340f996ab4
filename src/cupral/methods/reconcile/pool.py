"""Gross errors that persist: many periods judged as one, and the smallest error they show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cupral.methods.reconcile.candidate import KINDS, SAME, Candidates, Kind, candidates
from cupral.methods.reconcile.estimate import POWER, check_level
from cupral.methods.reconcile.problem import Index, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.search import Search
from cupral.methods.reconcile.suspect import ODDS, Suspect, named, searched

WINDOWS, SEED = 4_000, 1988
"""Noise windows behind a confidence set of onsets, always the same ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Detectability:
    """What a search can find: limits, and the smallest error found with probability 0.9."""

    limit: float
    """A bias is named when its statistic exceeds this [1]; infinite when nothing is tested."""
    leak_limit: float
    """A leak is named when its statistic exceeds this, and no bias is likelier [1]."""
    bias: Vector
    """Smallest detectable bias of each stream, in all periods (n,) [unit, or 1 when
    proportional]; inf where no balance shows it, NaN when biases were not asked for."""
    leak: Vector
    """Smallest detectable leak of each balance (m,) [unit]; inf or NaN likewise."""


def pooled_suspects(
    periods: Sequence[Reconciliation],
    *,
    level: float | None = None,
    kinds: Iterable[Kind] = KINDS,
    rows: Iterable[int] | None = None,
    odds: float = ODDS,
    proportional: bool = False,
    onset: bool = False,
    lasting: ArrayLike | None = None,
) -> tuple[Suspect, ...]:
    """Which gross errors persist over the periods, the most likely first.

    The search of `suspects` on all periods together, their noise independent: an error that
    stays for T alike periods moves its statistic by sqrt(T). Let sd be the random part alone: a
    calibration error within its tolerance persists, so it is found as the bias it is. Members
    of a group cannot be told apart over the whole window; where the measured set or the
    network changes, more can. Signatures that are estimated (`proportional`, nonlinear) count
    as the same when they correlate by more than 0.995.

    Parameters
    ----------
    periods
        Answers of `reconcile` or `reconcile_nonlinear` for the same streams, in time order.
        A stream or balance that a period lacks is a column or row of zeros in it.
    level, kinds, rows, odds
        As in `suspects`; the level is that of the first period by default.
    proportional
        False: a bias is the same number of units in every period. True: it is the same share
        of the (reconciled) flow, as of a miscalibrated belt scale. Leaks are in units.
    onset
        True: an error begins in some period and stays. Every period is tried, and the limit
        is that of all streams and onsets.
    lasting : (n, g), or (T, n, g) [unit], optional
        What honest meters keep over all periods, such as a calibration error within its
        tolerance: each column is one sd of one such error. The periods are then reconciled
        with the rest of each sd alone. By default every sd is random from period to period,
        and an error that stays within it is named in the end.

    Returns
    -------
    tuple of Suspect
        Sizes are in units, or shares of the flow when `proportional`. With `onset`, `onsets`
        holds the true one with probability ``1 - level`` if the first member is the cause.

    Raises
    ------
    ReconcileError, ShapeError
        No periods, unlike streams or balances; as in `suspects`.

    Source
    ------
    Narasimhan and Mah 1987, AIChE J. 33:1514; Siegmund 1988, Int. Stat. Rev. 56:31 (confidence
    sets by the conditional likelihood ratio).

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile, suspects
    >>> flows, sd = [[1, -1, 0], [0, 1, -1]], [1.0, 1.0, 1.0]
    >>> months = [reconcile(flows, [100.0, 100.0 + (t > 2) * 2, 100.0], sd) for t in range(9)]
    >>> suspects(months[3]), suspects(months[8])
    ((), ())
    >>> (one,) = pooled_suspects(months, onset=True)
    >>> one.kind, one.members, round(one.size[0], 9), one.onset, one.onsets
    ('bias', (1,), 2.0, 3, (1, 2, 3, 4))
    """
    found = candidates(
        periods, kinds=kinds, rows=rows, proportional=proportional, onset=onset, lasting=lasting
    )
    level = periods[0].level if level is None else level
    search = searched(found, level, odds)
    result = named(search, found)
    return _dated(search, found, result, level) if onset else result


def _dated(
    search: Search, found: Candidates, result: tuple[Suspect, ...], level: float
) -> tuple[Suspect, ...]:
    """Each suspect with the onsets that its first member could have."""
    chosen = [explanation.direction for explanation, _ in search.named]
    return tuple(
        replace(one, onsets=_onsets(search, found, one, [c for c in chosen if c != mine], level))
        for one, mine in zip(result, chosen, strict=True)
    )


def _onsets(
    search: Search, found: Candidates, suspect: Suspect, others: list[int], level: float
) -> tuple[int, ...]:
    """Onsets that the conditional likelihood ratio does not reject at the level."""
    kind = np.arange(len(found.names)) < found.bias
    mine = (found.names == suspect.members[0]) & (kind == (suspect.kind == "bias"))
    columns = np.flatnonzero(mine & (found.label >= 0))
    place = np.searchsorted(found.directions, found.label[columns])
    chosen = np.unique(place)
    score, information = search.beside(chosen.tolist(), others)
    left = np.diagonal(information) > SAME * search.full[chosen]
    length = np.sqrt(np.diagonal(information)[left])
    correlation = information[np.ix_(left, left)] / np.outer(length, length)
    believed = chosen[left][_believed(score[left] / length, correlation, level)]
    return tuple(found.onset[columns[np.isin(place, believed)]].tolist())


def _believed(
    statistic: Vector, correlation: NDArray[np.float64], level: float
) -> NDArray[np.bool_]:
    """Whether each onset can be the true one, given its own statistic."""
    root, vectors = np.linalg.eigh(correlation)
    noise = np.random.default_rng(SEED).standard_normal((len(root), WINDOWS))
    noise = vectors @ (np.sqrt(np.maximum(root, 0.0))[:, None] * noise)
    most = float((statistic**2).max())
    chance = np.empty(len(statistic))
    for t, follow in enumerate(correlation):
        # under onset t the others follow its statistic, whatever the size of the error
        moved = noise + follow[:, None] * (statistic[t] - noise[t])
        chance[t] = np.mean((moved**2).max(axis=0) >= most * (1.0 - 1e-9))
    return chance > level


def detectability(
    periods: Reconciliation | Sequence[Reconciliation],
    *,
    level: float | None = None,
    kinds: Iterable[Kind] = KINDS,
    rows: Iterable[int] | None = None,
    odds: float = ODDS,
    proportional: bool = False,
    onset: bool = False,
    lasting: ArrayLike | None = None,
) -> Detectability:
    """The smallest errors that the search of `suspects` or `pooled_suspects` would find.

    Parameters
    ----------
    periods, level, kinds, rows, odds, proportional, onset, lasting
        As in the search; one reconciliation stands for itself. Measurements play no part,
        save as the flows of proportional biases.

    Returns
    -------
    Detectability
        An error of that size in all periods passes its limit with probability 0.9.

    Raises
    ------
    ReconcileError, ShapeError
        As in the search.

    Examples
    --------
    >>> from cupral.methods.reconcile import reconcile
    >>> month = reconcile([[1, -1, 0], [0, 1, -1]], [100.0, 101.0, 100.0], [1.0, 1.0, 1.0])
    >>> one, year = detectability(month), detectability([month] * 12)
    >>> (one.bias / year.bias).round(3).tolist()
    [3.464, 3.464, 3.464]
    """
    months = [periods] if isinstance(periods, Reconciliation) else periods
    found = candidates(
        months, kinds=kinds, rows=rows, proportional=proportional, onset=onset, lasting=lasting
    )
    level = months[0].level if level is None else level
    check_level(level)
    search = Search(found, odds)
    squared = search.squared_limit(level) if len(search.full) else np.inf
    return _detectability(search, found, squared, months[0])


def _detectability(
    search: Search, found: Candidates, squared: float, month: Reconciliation
) -> Detectability:
    """Sizes whose statistic passes the limit with probability `POWER`."""
    size = np.full(len(found.names), np.inf)
    shown = found.label >= 0
    place = np.searchsorted(found.directions, found.label[shown])
    length = np.sqrt(search.full[place]) * np.abs(found.relative[shown])
    squared_limit = squared + search.handicap[place]
    size[shown] = np.sqrt(special.chndtrinc(squared_limit, 1.0, 1.0 - POWER)) / length
    bias = np.full(len(month.value), np.nan)
    leak = np.full(month.system.projector.shape[1], np.nan)
    whole: Index = np.flatnonzero(found.onset == 0)
    for target, part in ((bias, whole[whole < found.bias]), (leak, whole[whole >= found.bias])):
        target[found.names[part]] = size[part]
    limits = np.sqrt([squared, squared + search.penalty])
    return Detectability(float(limits[0]), float(limits[1]), bias, leak)
