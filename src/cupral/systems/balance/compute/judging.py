"""Doubts of the months beside what people decided about them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cupral.systems.balance.model import Doubt, Judgement, Layout, MonthBalance

Row = dict[str, Any]
CONFIRMED, DISMISSED, OPEN = "confirmed", "dismissed", "open"
VERDICTS = (CONFIRMED, DISMISSED, OPEN)


def key(kind: str, meters: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """What identifies a doubt within its month, in whatever order its meters are given."""
    return kind, tuple(sorted(set(meters)))


def identifier(site: str, month: int, kind: str, meters: Iterable[str]) -> str:
    """Id of the document that judges a doubt.

    Examples
    --------
    >>> identifier("cu-1", 202603, "bias", ["B", "A"])
    'cu-1/202603/bias/A+B'
    """
    return f"{site}/{month}/{kind}/{'+'.join(key(kind, meters)[1])}"


def judgement(body: Mapping[str, Any], author: str) -> Judgement:
    """A judgement from the body of its document."""
    return Judgement(
        month=body["month"], kind=body["kind"], meters=tuple(body["meters"]),
        verdict=body["verdict"], culprits=tuple(body["culprits"]), author=author,
        reason=body["reason"],
    )  # fmt: skip


def set_aside(
    layout: Layout, doubts: Iterable[Doubt], judgements: Iterable[Judgement]
) -> frozenset[int]:
    """Variables whose reading is not believed: open doubts and confirmed ones, not dismissed.

    A confirmed judgement stays in force when the readings no longer raise the doubt.
    """
    judged = {one.group: one for one in judgements if one.verdict != OPEN}
    aside: set[int] = set()
    for doubt in doubts:
        if key(doubt.kind, doubt.meters) not in judged:
            aside.update(doubt.members)
    confirmed = [one for one in judged.values() if one.verdict == CONFIRMED]
    guilty = {meter for one in confirmed for meter in one.culprits or one.meters}
    doubted = {i for doubt in doubts for i in doubt.members}
    for meter in guilty:
        readings = [i for i, v in enumerate(layout.variables) if v.meter == meter]
        # of several readings of one meter (stocktakes), those in doubt, if any are
        aside.update([i for i in readings if i in doubted] or readings)
    return frozenset(aside)


def register(balances: Sequence[MonthBalance], judgements: Iterable[Judgement]) -> tuple[Row, ...]:
    """One row a doubt of each month: evidence, state, and who decided why.

    A judged doubt that the readings no longer raise is listed too, with no statistic.
    """
    judged = {(one.month, *one.group): one for one in judgements}
    rows = []
    for balance in balances:
        found = {key(doubt.kind, doubt.meters): doubt for doubt in balance.doubts}
        for group, doubt in found.items():
            rows.append(_row(balance.month, group, doubt, judged.get((balance.month, *group))))
        gone = [one for one in judged.values() if one.month == balance.month]
        rows += [
            _row(balance.month, one.group, None, one) for one in gone if one.group not in found
        ]
    return tuple(rows)


def _row(
    month: int, group: tuple[str, tuple[str, ...]], doubt: Doubt | None, one: Judgement | None
) -> Row:
    kind, meters = group
    return {
        "month": month, "kind": kind, "meters": list(meters),
        "size": doubt.size if doubt else None, "size_sd": doubt.size_sd if doubt else None,
        "unit": doubt.unit if doubt else None,
        "statistic": doubt.statistic if doubt else None,
        "also": list(doubt.also) if doubt else [],
        "state": one.verdict if one else OPEN,
        "culprits": list(one.culprits) if one else [],
        "author": one.author if one else "", "reason": one.reason if one else "",
    }  # fmt: skip
