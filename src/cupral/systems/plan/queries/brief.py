"""The monthly brief of a plan: targets, what changed, faulty meters, clauses by department."""

from collections.abc import Sequence

from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result, Row, result_key
from cupral.system import bound, query
from cupral.systems.plan.compute import changes, moving
from cupral.systems.plan.model import Plan
from cupral.systems.plan.queries import doubts, plans
from cupral.systems.plan.queries.status import Standing, answer, stand, status
from cupral.systems.plan.queries.supervision import clauses


@query
def brief(ledger: Ledger, *, plan: str = plans.SHANDONG, through: str = "") -> Result:
    """Content of the monthly brief; `brief_docx` and `brief_xlsx` print it.

    Parameters
    ----------
    ledger : Ledger
    plan : str
        Plan id.
    through : str
        Last month counted, e.g. '2026-10'; empty = the last declared month of the plan's year.

    Returns
    -------
    Result
        value = number of tests met; tables `title`, `targets`, `changes` (since the last kept
        version of plan.status that said otherwise), `meters`, `departments`, `clauses`.

    Raises
    ------
    NotFound
        If there is no such plan.
    InputError
        If `through` is not a month of the plan's year.
    CannotDecide
        If no month is named and nothing is declared in the plan's year.
    """
    wanted = plans.find(ledger, plan)
    months = plans.months_through(ledger, wanted, through)
    found = [stand(ledger, wanted, target, months) for target in wanted.targets]
    standing = answer(wanted, months, found)
    supervised = clauses(ledger, plan=plan, on=str(months.last_day))
    return Result(
        query="plan.brief",
        subject=wanted.id,
        period=str(months),
        value=standing.value,
        unit=standing.unit,
        badges=standing.badges,
        needs=standing.needs,
        parts=standing.parts,
        tables={
            "title": (_title(wanted, standing),),
            "targets": standing.parts,
            "changes": _changes(ledger, standing, plan, through),
            "meters": _meters(ledger, found),
            "departments": supervised.tables["departments"],
            "clauses": _by_department(wanted, supervised.parts),
        },
        lineage=tuple(dict.fromkeys((*standing.lineage, *supervised.lineage))),
        demonstration=standing.demonstration or supervised.demonstration,
    )


def _title(plan: Plan, standing: Result) -> Row:
    summary = standing.tables["summary"][0]
    return {
        "title_zh": f"{plan.title_zh}月度简报", "title_en": f"{plan.title_en}: monthly brief",
        "issuer": plan.issuer, "source": plan.source, "status": plan.status,
        "through": summary["through"],
        **{name: summary[name] for name in ("tests", "met", "not_met", "cannot_decide")},
    }  # fmt: skip


def _changes(ledger: Ledger, standing: Result, plan: str, through: str) -> tuple[Row, ...]:
    key = result_key("plan.status", bound(status, {"plan": plan, "through": through}))
    other = changes.latest_other(ledger.versions(key), standing.parts)
    if other is None:
        return ()
    return changes.changes(other["body"]["parts"], standing.parts, other["seq"])


def _meters(ledger: Ledger, found: Sequence[Standing]) -> tuple[Row, ...]:
    rows = [
        row
        for standing in found
        for row in doubts.of(ledger, standing, doubts.contributions(ledger, standing))
    ]
    return moving.telling(rows)


def _by_department(plan: Plan, rows: Sequence[Row]) -> tuple[Row, ...]:
    order = {department.zh: number for number, department in enumerate(plan.departments)}
    return tuple(sorted(rows, key=lambda row: (order[row["lead"]], row["clause"])))
