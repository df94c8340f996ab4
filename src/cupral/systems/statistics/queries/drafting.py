"""The draft of a release: what enterprises filed, by table, period, place and enterprise.

Not a query itself: what the command `release` reads before it publishes.
"""

from collections import defaultdict
from typing import Any

from cupral.ledger.errors import CannotDecide, Conflict, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.release import NOTE_EN, NOTE_ZH, bases, secrecy
from cupral.methods.secrecy import Rule, SecrecyError
from cupral.systems.statistics.compute import releasing
from cupral.systems.statistics.compute.releasing import Basis, Entries, Sheet
from cupral.systems.statistics.model import MONEY, PRODUCTS
from cupral.systems.statistics.queries.reading import Desk, desk, place

Filed = dict[str, dict[str, Entries]]
"""Table -> period -> entries."""


def drafted(
    ledger: Ledger, through: str, *, incomplete: bool
) -> tuple[dict[str, Any], dict[str, Any], bool]:  # fmt: skip
    """Body of the release, what it stands on by enterprise, and whether that is demonstration."""
    year = Period.parse(through).months[-1] // 100
    chosen = desk(ledger, year, through)
    gaps = [gap for firm in chosen.returns for gap in chosen.missing(firm)]
    if gaps and not incomplete:
        raise CannotDecide(
            f"{len(gaps)} returns are missing ({', '.join(gaps[:3])}); file them, or release"
            " incomplete", needs=gaps,
        )  # fmt: skip
    numbers = secrecy(ledger, chosen.span.last_day)
    rule = Rule(numbers.holders, numbers.shares, numbers.p)
    versions, filed = bases(ledger, f"statistics:{year}"), _filed(chosen)
    _refuse_regrouping(versions, filed)
    sheets, basis = _settled(filed, versions, rule)
    steps = chosen.parameter("release_rounding")
    rows = [row for one in sheets for row in releasing.cells(one, basis[one.name], steps[one.unit])]
    body = {
        "year": year, "through": through, "periods": _periods(filed), "cells": rows,
        "held": [reason for one in sheets for reason in one.held], "missing": len(gaps),
        "note_zh": NOTE_ZH, "note_en": NOTE_EN,
        "badges": [*numbers.badges, "unconfirmed: statistics.release_rounding"],
        "parameters": list(numbers.references),
    }  # fmt: skip
    return body, basis, any(chosen.firms[firm].demonstration for firm in chosen.returns)


def _settled(
    filed: Filed, versions: list[Any], rule: Rule
) -> tuple[list[Sheet], dict[str, Basis]]:  # fmt: skip
    sheets, basis = [], {}
    for name, periods in filed.items():
        before = [version[name] for version in versions if name in version]
        money = name == "money"
        made = releasing.sheet(name, "CNY" if money else "t", MONEY if money else ("output",),
                               periods, before)  # fmt: skip
        try:
            basis[name] = releasing.settled(made, before, rule)
        except SecrecyError as error:
            raise Conflict(f"release refused: {name}: {error}") from None
        sheets.append(made)
    return sheets, basis


def _filed(chosen: Desk) -> Filed:
    """Output of each product that anybody makes, and the sums of money, by period."""
    rows = _rows(chosen)
    periods = _grouped({_months(row) for row in rows})
    found: dict[str, dict[str, Entries]] = defaultdict(lambda: {p: {} for p in periods.values()})
    for row in rows:
        kind, _, product = row["stream"].removeprefix("return:").partition(":")
        table, measure = (product, "output") if product else ("money", kind)
        where = place(chosen, row["site"], product)
        key = where["city"] or "-"
        key = key if product else f"{where['chain']}|{key}"
        entries = found[table][periods[_months(row)]].setdefault(measure, [])
        entries.append([key, row["site"], row["amount"]])
    return {
        name: {period: _added(entries) for period, entries in found[name].items()}
        for name in sorted(found)
    }


def _rows(chosen: Desk) -> list[dict[str, Any]]:
    streams = [*(f"return:output:{p}" for p in PRODUCTS), *(f"return:{m}" for m in MONEY)]
    table = chosen.ledger.flows(stream=streams, origin="declared", meter="return",
                                period=chosen.span)  # fmt: skip
    listed = set(chosen.returns)
    return [r for r in table.to_pylist() if r["site"] in listed and r["end"] <= chosen.span.end]


def _added(entries: Entries) -> Entries:
    """Rows of one enterprise and place added up."""
    found: Entries = {}
    for measure, rows in entries.items():
        sums: dict[tuple[str, str], float] = defaultdict(float)
        for key, firm, amount in rows:
            sums[key, firm] += amount
        found[measure] = [[*pair, total] for pair, total in sorted(sums.items())]
    return found


def _months(row: dict[str, Any]) -> tuple[int, ...]:
    return Period.spanning(row["start"], row["end"]).months


def _grouped(spans: set[tuple[int, ...]]) -> dict[tuple[int, ...], str]:
    """The period that each span counts in: months that somebody merged stand together."""
    groups: list[set[int]] = []
    for span in sorted(spans):
        mine = [group for group in groups if group & set(span)]
        groups = [group for group in groups if group not in mine]
        groups.append(set(span).union(*mine))
    named = {min(group): _named(min(group), max(group)) for group in sorted(groups, key=min)}
    group_of = {month: min(group) for group in groups for month in group}
    return {span: named[group_of[span[0]]] for span in sorted(spans)}


def _named(first: int, last: int) -> str:
    merged = Period.parse(f"{first // 100}-JF")
    return str(merged if merged.months == (first, last) else Period.run(first, last))


def _periods(filed: Filed) -> list[str]:
    return list(dict.fromkeys(period for periods in filed.values() for period in periods))


def _refuse_regrouping(versions: list[Any], filed: Filed) -> None:
    """A release goes on from the last one: the same periods, and perhaps more."""
    if not versions:
        return
    before = {period for table in versions[-1].values() for period in table}
    lost = sorted(before - set(_periods(filed)))
    if lost:
        raise Conflict(
            f"{', '.join(lost)} is published already and would be missing or merged; release"
            " through a later month, with January and February filed as before"
        )
    tables = sorted(set(versions[-1]) - set(filed))
    if tables:
        raise InputError(f"the published tables {', '.join(tables)} have no returns any more")
