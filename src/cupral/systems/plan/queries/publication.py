"""The targets as the public sees them: drafted for a release, and read from releases only."""

from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.release import NOTE_EN, NOTE_ZH, SECRET, bases, released, secrecy
from cupral.ledger.result import Result
from cupral.methods.secrecy import Rule
from cupral.system import query
from cupral.systems.plan.compute import publishing
from cupral.systems.plan.model import Plan
from cupral.systems.plan.queries import doubts, plans
from cupral.systems.plan.queries.status import Standing, stand


@query
def published_status(ledger: Ledger, *, plan: str = plans.SHANDONG) -> Result:
    """Targets as last published: headline values, or that they are withheld for secrecy.

    Parameters
    ----------
    plan : plan id

    Returns
    -------
    Result
        value = number of published figures; parts = one row for each test.

    Raises
    ------
    CannotDecide
        If nothing of the plan has been published.
    """
    document = released(ledger, _id(plan))
    rows = tuple(document.body["rows"])
    return Result(
        query="plan.published_status", subject=plan, period=document.body["through"],
        value=float(sum(row["mark"] != SECRET for row in rows)), unit="1", parts=rows,
        tables={"summary": ({name: document.body[name] for name in _SUMMARY},)},
        badges=tuple(document.body["badges"]), lineage=(f"document:release/{document.id}",),
        demonstration=document.demonstration,
    )  # fmt: skip


_SUMMARY = ("through", "note_zh", "note_en", "title_zh", "title_en")


def _id(plan: str) -> str:
    return f"plan:{plan}"


def drafted(ledger: Ledger, plan: str, through: str) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Body of the release, what it stands on by enterprise, and whether that is demonstration."""
    wanted = plans.find(ledger, plan)
    months = plans.months_through(ledger, wanted, through)
    numbers = secrecy(ledger, months.last_day)
    rule = Rule(numbers.holders, numbers.shares, numbers.p)
    versions = bases(ledger, _id(plan))
    rows: list[dict[str, Any]] = []
    basis: dict[str, Any] = {}
    demonstration = False
    for target in wanted.targets:
        standing = stand(ledger, wanted, target, months)
        demonstration |= any(row["demonstration"] for row in standing.rows)
        rows += _published(ledger, standing, versions, rule, (months, basis))
    last = months.months[-1]
    body = {
        "through": f"{last // 100}-{last % 100:02d}", "rows": rows, "note_zh": NOTE_ZH,
        "note_en": NOTE_EN, **_titles(wanted), "badges": list(numbers.badges),
        "parameters": list(numbers.references),
    }  # fmt: skip
    return body, basis, demonstration


def _titles(plan: Plan) -> dict[str, str]:
    return {"title_zh": plan.title_zh, "title_en": plan.title_en}


def _published(
    ledger: Ledger, standing: Standing, versions: Sequence[Mapping[str, Any]], rule: Rule,
    into: tuple[Period, dict[str, Any]],
) -> list[dict[str, Any]]:  # fmt: skip
    """The rows of one target; what those that are shown stand on is noted in `into`."""
    months, basis = into
    contributions, rows = doubts.contributions(ledger, standing), []
    for row in standing.rows:
        id = str(row["test_id"])
        before = [version[id] for version in versions if id in version]
        groups = publishing.given(contributions, str(row["decided_by"]))
        shown, mine = publishing.shown(row, groups, before, rule, str(months))
        rows.append(shown)
        if shown["mark"] == "":
            basis[id] = {"given": mine, "row": shown}
        elif before and shown["mark"] != SECRET:
            basis[id] = before[-1]
    return rows
