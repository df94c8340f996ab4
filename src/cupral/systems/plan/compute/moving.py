"""How far the second figure moved a site's contribution, and which doubted meters explain it."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cupral.ledger.result import Result, Row
from cupral.systems.plan.compute.contributing import SEVERAL, Contribution

DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Move:
    """How far a site's contribution moved."""

    amount: float
    unit: str


def moved(rows: Sequence[Contribution]) -> Mapping[str, Move]:
    """By site: its contribution by the second figure less the declared, else the measured one.

    Examples
    --------
    >>> row = {"site": "s", "line": "l", "unit": "t", "value": 3.0, "basis": "reconciled"}
    >>> moved([row, {**row, "value": 2.0, "basis": "declared"}])
    {'s': Move(amount=1.0, unit='t')}
    """
    told = {(row["site"], row["line"]): row["value"] for row in rows if row["basis"] == DECLARED}
    found: dict[str, list[float]] = {}
    units = {}
    for row in rows:
        before = told.get((row["site"], row["line"]), row.get("measured"))
        if row["basis"] == DECLARED or row["site"] in ("", SEVERAL) or row["value"] is None:
            continue
        if before is not None and row["value"] != before:
            found.setdefault(row["site"], []).append(row["value"] - before)
            units[row["site"]] = row["unit"]
    return {site: Move(math.fsum(parts), units[site]) for site, parts in found.items()}


def doubts(balance: Result, own: Collection[str], move: Move, target: str) -> list[Row]:
    """The doubted meters of a site's balance, one row for each group and kind.

    Parameters
    ----------
    balance : Result
        Answer of `balance.months`, with table `suspects`.
    own : collection of str
        Meters on the streams of the lines that the target counts.
    move : Move
        How far the site's contribution moved.
    target : str
        Target id.
    """
    groups: dict[tuple[tuple[str, ...], str], list[Row]] = {}
    for row in balance.tables["suspects"]:
        groups.setdefault((tuple(dict.fromkeys(row["group"])), row["kind"]), []).append(row)
    direct = {meters: any(meter in own for meter in meters) for meters, _ in groups}
    rows = [
        {
            "target": target, "site": balance.subject, "meters": list(meters), "kind": kind,
            "months": [row["month"] for row in found],
            "size": math.fsum(row["size"] for row in found) / len(found),
            "size_unit": found[0]["unit"], "direct": direct[meters],
            "moved": move.amount if direct[meters] else None, "moved_unit": move.unit,
        }
        for (meters, kind), found in groups.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (not row["direct"], -len(row["months"])))


def telling(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The doubts that moved a target: those of meters on the very streams it counts."""
    return tuple(row for row in rows if row["direct"])
