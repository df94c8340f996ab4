"""Who contributes what to a target's figure, and who holds the gap."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cupral.ledger.registers import Site
from cupral.ledger.result import Result
from cupral.systems.plan.compute.gathering import Share
from cupral.systems.plan.model import Source

LEVELS = ("city", "cluster", "enterprise", "site")
"""Ways to add contributions up."""
SEVERAL = "several"
"""City or cluster of an enterprise whose sites lie in more than one."""

Contribution = dict[str, Any]


def of_shares(shares: Iterable[Share], basis: str, unit: str) -> list[Contribution]:
    """One row for each line of a gathered figure."""
    return [
        {
            "basis": basis, "city": share.site.city, "cluster": share.site.cluster,
            "enterprise": share.site.enterprise, "site": share.site.id, "line": share.line.id,
            "element": share.element, "value": share.value, "measured": share.measured,
            "sd": math.hypot(*share.loadings.values()) if share.loadings else None,
            "weight": share.weight, "base": None, "unit": unit,
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
            "basis": source.basis, **_place(part, sites),
            "line": part.get("line", ""), "unit": source.unit or result.unit,
            **{name: part.get(column) for name, column in source.parts.items()},
        }
        for part in result.parts
        if part.get("enterprise") or part.get("site")
    ]  # fmt: skip


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
    """Contributions added up by city, cluster, enterprise or site, one row for each basis.

    Examples
    --------
    >>> rows = [{"basis": "declared", "city": "东营", "value": v, "unit": "t"} for v in (1.0, 2.0)]
    >>> rolled(rows, "city")
    [{'city': '东营', 'basis': 'declared', 'value': 3.0, 'share': 1.0, 'unit': 't'}]
    """
    keys = dict.fromkeys((row["basis"], row[level], row["unit"]) for row in rows)
    totals = {
        key: math.fsum(
            row["value"] or 0.0
            for row in rows
            if (row["basis"], row[level], row["unit"]) == key
        )
        for key in keys
    }
    whole = {
        basis: math.fsum(total for (of, _, _), total in totals.items() if of == basis)
        for basis, _, _ in keys
    }
    return [
        {
            level: name, "basis": basis, "value": total,
            "share": total / whole[basis] if whole[basis] else None, "unit": unit,
        }
        for (basis, name, unit), total in totals.items()
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
            **{name: row[name] for name in ("city", "cluster", "enterprise", "site", "line")},
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
            **{name: row[name] for name in ("city", "cluster", "enterprise", "site", "line")},
            "due": threshold, "gives": row["value"],
            "gap": row["weight"] / whole * (row["value"] - threshold),
            "by": "share of output", "unit": row["unit"],
        }
        for row in rows
        if row["value"] is not None
    ]  # fmt: skip
    return sorted(gaps, key=lambda row: -abs(row["gap"]))
