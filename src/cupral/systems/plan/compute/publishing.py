"""Which figures of a plan may be published, by the enterprises that contribute to them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cupral.ledger.release import HELD, SECRET
from cupral.ledger.result import Row
from cupral.methods.secrecy import Column, Rule, difference, entries, sensitivity
from cupral.systems.plan.compute.contributing import Contribution

Given = dict[str, list[float]]
"""Enterprise -> what it adds to the figure, what it weighs in it, last year's base."""
SUPPRESSED_EN = "suppressed: needs at least three enterprises, none dominant"
SUPPRESSED_ZH = "不公布：须有三家以上企业且无一家占优"
HELD_EN = "the earlier figure: its revision would single out an enterprise"
HELD_ZH = "上一版数据：修订会暴露个别企业"
_SHOWN = ("target", "test_id", "indicator_zh", "indicator_en", "figure", "relation", "threshold",
          "unit", "judged_on_zh", "judged_on_en")  # fmt: skip
DIGITS = 2
"""Digits after the point of a published figure, in the unit of the plan (10 kt, 10^8 CNY, %)."""


def given(rows: Sequence[Contribution], basis: str) -> list[Given]:
    """What each enterprise contributes on a basis: of means and shares by weight.

    One group for each element, because such a figure is one element's, the lowest.
    """
    elements = dict.fromkeys(row["element"] for row in rows if row["basis"] == basis)
    found = [_given([row for row in rows if row["element"] == e], basis) for e in elements]
    return [group for group in found if group]


def _together(groups: Sequence[Given]) -> Given:
    firms = sorted({firm for group in groups for firm in group})
    none = [0.0, 0.0, 0.0]
    return {
        firm: [
            sum(parts) for parts in zip(*(group.get(firm, none) for group in groups), strict=True)
        ]
        for firm in firms
    }


def _given(rows: Sequence[Contribution], basis: str) -> Given:
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in rows:
        value = row["value"]
        if row["basis"] != basis or value is None:
            continue
        weight = row.get("capacity")
        weight = row.get("weight") if weight is None else weight
        mean = row["kind"] == "mean"
        adds = value * (weight or 0.0) if mean else value
        mine = found[row["enterprise"]]
        mine[0] += adds
        mine[1] += adds if weight is None else weight
        mine[2] += row.get("base") or 0.0
    return dict(found)


def shown(
    row: Row, groups: Sequence[Given], before: Sequence[Mapping[str, Any]], rule: Rule, through: str
) -> tuple[dict[str, Any], Given]:  # fmt: skip
    """A test's row as the public sees it, and what each enterprise contributes to it.

    Parameters
    ----------
    before : what earlier published versions of the figure stood on, {given, row}, oldest first
    """
    if not groups or not all(_public(one, rule) for one in groups):
        return _withheld(row), {}
    mine = _together(groups)
    if any(_singles(one["given"], mine, rule) for one in before):
        held = {"mark": HELD, "note_zh": HELD_ZH, "note_en": HELD_EN}
        return {**before[-1]["row"], **held}, mine
    second = row["decided_by"] != "declared"
    value = row["reconciled" if second else "declared"]
    if value is None:
        return _withheld(row), {}
    made = {
        **{name: row[name] for name in _SHOWN}, "through": through, "mark": "",
        "value": round(value, DIGITS), "basis": row["decided_by"],
        "verdict": row["verdict"], "enterprises": len(mine), "note_zh": "", "note_en": "",
    }  # fmt: skip
    return made, mine


def _withheld(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _SHOWN}, "through": "", "mark": SECRET, "value": None,
        "basis": "", "verdict": "", "enterprises": None, "note_zh": SUPPRESSED_ZH,
        "note_en": SUPPRESSED_EN,
    }  # fmt: skip


def _column(mine: Given, firms: Sequence[str], part: int) -> Column:
    """What the enterprises that count have of one part; one cell."""
    kept = [(n, mine[firm][part]) for n, firm in enumerate(firms) if mine.get(firm, [0] * 3)[part]]
    holder, amount = np.array([n for n, _ in kept], int), np.array([a for _, a in kept], float)
    return entries(1, np.zeros(len(kept), int), holder, amount)


def _public(mine: Given, rule: Rule) -> bool:
    """Whether the weights, and last year's base where there is one, pass the rule."""
    firms = sorted(mine)
    weights, bases = _column(mine, firms, 1), _column(mine, firms, 2)
    enough = weights.cell.size >= rule.holders and not sensitivity(weights, rule).primary[0]
    return enough and not sensitivity(bases, rule).primary[0]


def _singles(before: Given, after: Given, rule: Rule) -> bool:
    """Whether the step between two published figures stands on too few who changed."""
    firms = sorted({*before, *after})
    for part in range(3):
        change = difference(_column(before, firms, part), _column(after, firms, part))
        if sensitivity(change, rule).primary[0]:
            return True
    return False
