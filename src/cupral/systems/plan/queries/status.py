"""Where do we stand against each target of a plan?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cupral.ledger.errors import CannotDecide
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.period import Period
from cupral.ledger.result import Result, Row
from cupral.system import query
from cupral.systems.plan.compute import judging, standing
from cupral.systems.plan.compute.standing import Bar
from cupral.systems.plan.model import Plan, Target, Test
from cupral.systems.plan.queries import plans
from cupral.systems.plan.queries.figures import Answer, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A target with its rows and all that they stand on."""

    rows: tuple[Row, ...]
    answers: tuple[Answer, Answer]
    """Declared, and the second figure."""
    lineage: tuple[str, ...]


@query
def status(ledger: Ledger, *, plan: str = plans.SHANDONG, through: str = "") -> Result:
    """Every target of a plan: declared, reconciled or modelled, the test, how sure, how far.

    Parameters
    ----------
    ledger : Ledger
    plan : str
        Plan id; a loaded plan file or the shipped one.
    through : str
        Last month counted, e.g. '2026-10'; empty = the last declared month of the plan's year.

    Returns
    -------
    Result
        value = number of tests met; parts = one row for each test, with the verdict by the
        declared figure, by the second one (`basis` reconciled or modelled), and `verdict` by
        the one that decides: a reconciled figure overrules a declared one, a modelled one does
        not. Table `summary`: `flipped` lists the tests whose verdict reconciliation reverses,
        `doubted` those that a modelled figure contradicts. A row without a figure says
        'cannot decide' and what it needs.

    Raises
    ------
    NotFound
        If there is no such plan.
    InputError
        If `through` is not a month of the plan's year.
    """
    wanted = plans.find(ledger, plan)
    try:
        months = plans.months_through(ledger, wanted, through)
    except CannotDecide as error:
        return _undecided(wanted, error)
    return answer(wanted, months, [stand(ledger, wanted, one, months) for one in wanted.targets])


def stand(ledger: Ledger, plan: Plan, target: Target, months: Period) -> Standing:
    """The rows of one target."""
    found = (bar_of(ledger, test, months.last_day) for test in target.tests)
    bars, parameters = zip(*found, strict=True)
    try:
        metric = plans.metric(plan, target.metric)
    except CannotDecide as error:
        answers, accumulates = (Answer(needs=error.needs), Answer(needs=error.needs)), False
    else:
        answers = Reader(ledger, bars[0], months).both(metric)
        accumulates = metric.accumulates
    rows = [
        _row(target, bar, used, answers, standing.judged_on(
            bar.test.figure, accumulates=accumulates, months=len(months.months)))
        for bar, used in zip(bars, parameters, strict=True)
    ]  # fmt: skip
    used = [item.reference for group in parameters for item in group]
    used += [reference for answer in answers for reference in answer.lineage]
    keys = [f"result:{result.key}" for answer in answers for result in answer.results]
    return Standing(rows=tuple(rows), answers=answers, lineage=tuple(dict.fromkeys(used + keys)))


def bar_of(ledger: Ledger, test: Test, day: date) -> tuple[Bar, tuple[Parameter, ...]]:
    """A test with threshold and meaning from the parameters in force on a day."""
    relations = ledger.parameter("plan.relations", day)
    sign = judging.operator(test.relation, relations.value)
    used = [relations]
    threshold = test.value
    if threshold is None:
        used.append(ledger.parameter(test.parameter, day))
        threshold = float(used[-1].value)
    tolerance = 0.0
    if sign == "near":
        used.append(ledger.parameter(f"plan.near_{test.figure}", day))
        relative = used[-1].unit == "1"
        tolerance = float(used[-1].value) * (abs(threshold) if relative else 1.0)
    return Bar(test=test, sign=sign, threshold=threshold, tolerance=tolerance), tuple(used)


def _row(
    target: Target, bar: Bar, used: Sequence[Parameter], answers: tuple[Answer, Answer],
    judged: tuple[str, str],
) -> Row:  # fmt: skip
    declared, second = (answer.figures.get(bar.test.figure) for answer in answers)
    basis = answers[1].basis or answers[0].basis
    badges = [f"unconfirmed: {item.id}" for item in used if not item.confirmed]
    badges = (["proposal"] if bar.test.proposal else []) + badges
    results = [result for answer in answers for result in answer.results]
    return {
        **standing.row(target, bar, declared, second, basis),
        "basis": basis,
        "judged_on_zh": judged[0], "judged_on_en": judged[1],
        "note_zh": target.note_zh, "note_en": target.note_en,
        "badges": list(dict.fromkeys(
            badges + [badge for answer in answers for badge in answer.badges])),
        "needs": _needs(bar, answers),
        "behind": [row for answer in answers for row in answer.behind],
        "results": list(dict.fromkeys(result.key for result in results)),
        "demonstration": any(result.demonstration for result in results),
    }  # fmt: skip


def _needs(bar: Bar, answers: tuple[Answer, Answer]) -> list[str]:
    """What the figures of a row lack: all of it, or a part of what they sum up."""
    needs: list[str] = []
    for name, answer in zip(("declared", answers[1].basis or "second"), answers, strict=True):
        figure = answer.figures.get(bar.test.figure)
        if figure is None:
            lacking = answer.needs or (f"the {bar.test.figure} of {name} figures",)
        elif standing.comparable(figure.unit, bar.test.unit):
            lacking = answer.needs
        else:
            lacking = (f"a figure in {bar.test.unit}, not in {figure.unit}",)
        needs += [f"{name}: {need}" for need in lacking]
    return list(dict.fromkeys(needs))


def answer(plan: Plan, months: Period, found: Sequence[Standing]) -> Result:
    """The standing of a plan from those of its targets."""
    rows = [row for one in found for row in one.rows]
    verdicts = [row["verdict"] for row in rows]
    return Result(
        query="plan.status",
        subject=plan.id,
        period=str(months),
        value=float(verdicts.count(judging.MET)),
        unit="1",
        status="ok",
        needs=_flat(rows, "needs"),
        badges=_flat(rows, "badges"),
        parts=tuple(rows),
        tables={"summary": (_summary(plan, months, rows),)},
        lineage=tuple(dict.fromkeys(reference for one in found for reference in one.lineage)),
        demonstration=any(row["demonstration"] for row in rows),
    )


def _summary(plan: Plan, months: Period, rows: Sequence[Row]) -> dict[str, Any]:
    verdicts = [row["verdict"] for row in rows]
    against = [row for row in rows if standing.contradicted(row)]
    return {
        "plan": plan.id, "title_zh": plan.title_zh, "title_en": plan.title_en,
        "through": f"{months.months[-1] // 100}-{months.months[-1] % 100:02d}",
        "tests": len(rows), "met": verdicts.count(judging.MET),
        "not_met": verdicts.count(judging.NOT_MET),
        "cannot_decide": verdicts.count(judging.UNDECIDED),
        "flipped": [row["test_id"] for row in against if row["basis"] == "reconciled"],
        "doubted": [row["test_id"] for row in against if row["basis"] == "modelled"],
    }  # fmt: skip


def _flat(rows: Sequence[Row], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for row in rows for text in row[name]))


def _undecided(plan: Plan, error: CannotDecide) -> Result:
    return Result(
        query="plan.status", subject=plan.id, period=str(plan.year), status="cannot decide",
        needs=error.needs,
    )  # fmt: skip
