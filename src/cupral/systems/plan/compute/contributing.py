"""Who contributes what to a target's figure, and who holds the gap."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cupral.ledger.registers import Site
from cupral.ledger.result import Result
from cupral.systems.plan.compute.gathering import GATHERERS, Share
from cupral.systems.plan.model import Source

LEVELS = ("city", "cluster", "enterprise", "site")
"""Ways to add contributions up."""
SEVERAL = "several"
"""City or cluster of an enterprise whose sites lie in more than one."""

_NUMBERS = ("value", "base", "capacity", "intensity")
"""Columns of a contribution that are added up or sorted by."""

Contribution = dict[str, Any]


def of_shares(shares: Iterable[Share], source: Source) -> list[Contribution]:
    """One row for each line of a gathered figure."""
    kind = "mean" if GATHERERS[source.gather].mean else "sum"
    return [
        {
            "basis": source.basis, "kind": kind, "city": share.site.city,
            "cluster": share.site.cluster,
            "enterprise": share.site.enterprise, "site": share.site.id, "line": share.line.id,
            "element": share.element, "value": share.value, "measured": share.measured,
            "sd": math.hypot(*share.loadings.values()) if share.loadings else None,
            "weight": share.weight, "base": share.base, "unit": source.unit,
        }
        for share in shares
    ]  # fmt: skip


def of_parts(result: Result, source: Source, sites: Sequence[Site]) -> list[Contribution]:
    """One row for each part of a Result that names an enterprise or a site.

    Parameters
    ----------
    result : Result
    source : Source
        Its `parts` name the columns that hold 'value' and 'base', and others to show; its
        `unit` is that of value and base, empty = the Result's.
    sites : sequence of Site
        Places of the province; they say where an enterprise is.
    """
    if "value" not in source.parts:
        return []
    return [
        {
            "basis": source.basis, "kind": "sum", **_place(part, sites),
            "line": part.get("line", ""), "element": "", "unit": source.unit or result.unit,
            **{name: _shown(name, part.get(column)) for name, column in source.parts.items()},
        }
        for part in result.parts
        if part.get("enterprise") or part.get("site")
    ]  # fmt: skip


def _shown(name: str, found: Any) -> Any:
    return number(found) if name in _NUMBERS else found


def number(found: Any) -> float | None:
    """A cell that is a number; None for text, flags and empty cells.

    Examples
    --------
    >>> number(1.5), number("declared"), number(True)
    (1.5, None, None)
    """
    plain = isinstance(found, int | float) and not isinstance(found, bool)
    return found if plain else None


def _place(part: Mapping[str, Any], sites: Sequence[Site]) -> dict[str, str]:
    site = next((site for site in sites if site.id == part.get("site")), None)
    enterprise = str(part.get("enterprise") or (site.enterprise if site else ""))
    mine = [site] if site else [one for one in sites if one.enterprise == enterprise]
    return {
        "city": _one(one.city for one in mine), "cluster": _one(one.cluster for one in mine),
        "enterprise": enterprise, "site": site.id if site else _one(one.id for one in mine),
    }  # fmt: skip


def _one(names: Iterable[str]) -> str:
    different = {name for name in names if name}
    return different.pop() if len(different) == 1 else SEVERAL if different else ""


def rolled(rows: Sequence[Contribution], level: str) -> list[dict[str, Any]]:
    """Contributions by city, cluster, enterprise or site: sums add up, means are weighted.

    Returns
    -------
    list of dict
        One row for each basis and element: value, and the share of all (sums only).

    Examples
    --------
    >>> row = {"basis": "declared", "kind": "sum", "city": "东营", "element": "", "unit": "t"}
    >>> rolled([{**row, "value": 1.0}, {**row, "value": 2.0}], "city")[0]["value"]
    3.0
    """
    groups: dict[tuple[str, ...], list[Contribution]] = {}
    for row in rows:
        if row["value"] is not None:
            key = (row[level], row["basis"], row["element"], row["unit"], row["kind"])
            groups.setdefault(key, []).append(row)
    whole: dict[str, float] = {}
    for (_, basis, *_), found in groups.items():
        whole[basis] = whole.get(basis, 0.0) + _sum(found)
    return [
        {
            level: name, "basis": basis, "element": element, "kind": kind, "unit": unit,
            "value": _sum(found) if kind == "sum" else _mean(found),
            "share": _sum(found) / whole[basis] if kind == "sum" and whole[basis] else None,
        }
        for (name, basis, element, unit, kind), found in groups.items()
    ]  # fmt: skip


def _sum(rows: Sequence[Contribution]) -> float:
    return math.fsum(row["value"] for row in rows)


def _mean(rows: Sequence[Contribution]) -> float:
    weight = math.fsum(row["weight"] for row in rows)
    return math.fsum(row["value"] * row["weight"] for row in rows) / weight


def gaps(
    rows: Sequence[Contribution], required: float, projection: float = 1.0
) -> list[dict[str, Any]]:
    """Who holds the gap, by what the contributions know of themselves.

    Parameters
    ----------
    rows : sequence of dict
        Contributions on one basis.
    required : float
        Threshold of the test [unit of the rows].
    projection : float
        Full year over to date [1].
    """
    known = [row for row in rows if row["value"] is not None]
    if not known or any(row["element"] for row in known):
        return []
    if all(row.get("capacity") is not None for row in known):
        return share_gaps(known)
    if known[0]["kind"] == "mean":
        return mean_gaps(known, required)
    return sum_gaps(known, required, projection)


def share_gaps(rows: Sequence[Contribution]) -> list[dict[str, Any]]:
    """What each part that does not count would add to a share, those that come next first.

    Parameters
    ----------
    rows : sequence of dict
        Contributions with `capacity` (any unit) and `intensity` (low = next).
    """
    whole = math.fsum(row["capacity"] for row in rows)
    out = [row for row in rows if row["value"] == 0.0]
    out.sort(key=lambda row: (row.get("intensity") is None, row.get("intensity") or 0.0))
    return [
        {
            **_where(row), "due": row["capacity"] / whole, "gives": 0.0,
            "gap": row["capacity"] / whole, "intensity": row.get("intensity"),
            "by": "capacity, next first", "unit": row["unit"],
        }
        for row in out
    ]  # fmt: skip


def sum_gaps(
    rows: Sequence[Contribution], required: float, projection: float
) -> list[dict[str, Any]]:
    """Who holds the gap of a sum: each part's due share of what is required, less what it gives.

    Parameters
    ----------
    rows : sequence of dict
        Contributions to date [unit of value], with last year's `base` where known.
    required : float
        What the year must bring to meet the test [same unit].
    projection : float
        Full year over to date [1].

    Returns
    -------
    list of dict
        `due` by the part's share of last year's base (of the present where a base is missing),
        `gives` its full-year projection, `gap` = due - gives; largest first. The gaps add up
        to the required amount less the projected total.
    """
    based = all(row.get("base") for row in rows)
    weights = [(row["base"] if based else row["value"]) or 0.0 for row in rows]
    whole = math.fsum(weights)
    gaps = [
        {
            **_where(row),
            "due": required * weight / whole, "gives": (row["value"] or 0.0) * projection,
            "gap": required * weight / whole - (row["value"] or 0.0) * projection,
            "by": "last year's base" if based else "present share", "unit": row["unit"],
        }
        for row, weight in zip(rows, weights, strict=True)
        if whole
    ]  # fmt: skip
    return sorted(gaps, key=lambda row: -row["gap"])


def mean_gaps(rows: Sequence[Contribution], threshold: float) -> list[dict[str, Any]]:
    """Who holds the gap of a weighted mean: weight share times distance from the threshold.

    Parameters
    ----------
    rows : sequence of dict
        Contributions with `value` and `weight`.
    threshold : float
        [unit of value]

    Returns
    -------
    list of dict
        `gap` = weight / all weights x (value - threshold); largest first. The gaps add up to
        the mean less the threshold.
    """
    whole = math.fsum(row["weight"] for row in rows)
    gaps = [
        {
            **_where(row),
            "due": threshold, "gives": row["value"],
            "gap": row["weight"] / whole * (row["value"] - threshold),
            "by": "share of output", "unit": row["unit"],
        }
        for row in rows
        if row["value"] is not None
    ]  # fmt: skip
    return sorted(gaps, key=lambda row: -abs(row["gap"]))


def _where(row: Contribution) -> dict[str, Any]:
    return {name: row[name] for name in (*LEVELS, "line")}
