"""One target in depth: what each city, cluster, enterprise, site and line gives."""

from collections.abc import Sequence
from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.ledger.quantity import factor
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.plan.compute import contributing
from cupral.systems.plan.compute.contributing import Contribution
from cupral.systems.plan.compute.standing import comparable
from cupral.systems.plan.model import Plan
from cupral.systems.plan.queries import doubts, plans
from cupral.systems.plan.queries.status import Standing, stand


@query
def target(ledger: Ledger, *, target: str, plan: str = plans.SHANDONG, through: str = "") -> Result:
    """One target in depth: contributions by city, cluster, enterprise and site; who holds the gap.

    Parameters
    ----------
    ledger : Ledger
    target : str
        Target id, e.g. 'T2'.
    plan : str
        Plan id.
    through : str
        Last month counted, e.g. '2026-10'; empty = the last declared month of the plan's year.

    Returns
    -------
    Result
        value, sd, interval and status of the target's first test by the figure that decides it
        [unit of the test]; parts = contributions, one row a line or enterprise
        and basis; tables `tests`, `by_city`, `by_cluster`, `by_enterprise`, `by_site`, `gap`
        (largest first), `suspects`.

    Raises
    ------
    NotFound
        If there is no such plan or target.
    InputError
        If `through` is not a month of the plan's year.
    CannotDecide
        If no month is named and nothing is declared in the plan's year.
    """
    wanted = plans.find(ledger, plan)
    months = plans.months_through(ledger, wanted, through)
    standing = stand(ledger, wanted, plans.target(wanted, target), months)
    rows = doubts.contributions(ledger, standing)
    return _answer(ledger, wanted, str(months), standing, rows)


def _answer(
    ledger: Ledger, plan: Plan, months: str, standing: Standing, rows: Sequence[Contribution]
) -> Result:
    first = standing.rows[0]
    second = first["decided_by"] not in ("declared", "")
    low, high = (first["low"], first["high"]) if second else (None, None)
    return Result(
        query="plan.target",
        subject=f"{plan.id} {first['target']} {first['test']}",
        period=months,
        value=first["reconciled"] if second else first["declared"],
        unit=first["unit"],
        sd=first["sd"] if second else first["declared_sd"],
        low=low,
        high=high,
        origin=first["decided_by"],
        status=first["verdict"],
        needs=tuple(dict.fromkeys(need for row in standing.rows for need in row["needs"])),
        badges=tuple(dict.fromkeys(badge for row in standing.rows for badge in row["badges"])),
        parts=tuple(rows),
        tables={
            "tests": tuple({n: v for n, v in row.items() if n != "behind"}
                           for row in standing.rows),
            "elements": tuple(first["behind"]),
            **{f"by_{level}": tuple(contributing.rolled(rows, level))
               for level in contributing.LEVELS},
            "gap": tuple(_gaps(standing, rows)),
            "suspects": doubts.of(ledger, standing, rows),
        },
        lineage=standing.lineage,
        demonstration=any(row["demonstration"] for row in standing.rows),
    )  # fmt: skip


def _gaps(standing: Standing, rows: Sequence[Contribution]) -> list[dict[str, Any]]:
    """Who holds the gap of the first test, on its second basis if that has contributions."""
    first = standing.rows[0]
    for answer in reversed(standing.answers):
        figure = answer.figures.get(first["figure"])
        mine = [row for row in rows if row["basis"] == answer.basis]
        if figure is not None and mine and comparable(first["unit"], mine[0]["unit"]):
            required = first["threshold"] * factor(first["unit"], mine[0]["unit"])
            projection = figure.value / figure.to_date if figure.to_date else 1.0
            return contributing.gaps(mine, required, projection)
    return []
