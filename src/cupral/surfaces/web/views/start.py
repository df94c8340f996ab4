"""Start: the first page of who may not see everybody's rows: targets, clauses, one's own sites."""

from datetime import date
from typing import Any

from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.views.released import published
from cupral.surfaces.web.views.sites import months_of, own_sites
from cupral.systems.plan.compute import standing
from cupral.systems.plan.model import Plan
from cupral.systems.plan.queries import plans
from cupral.systems.plan.queries.status import bar_of


def start(asked: Asked, departments: list[dict[str, Any]]) -> Page:
    """The plan's targets with their thresholds, its clauses, and the reader's own sites."""
    plan = plans.find(asked.ledger, asked.get("plan", plans.SHANDONG))
    mine = own_sites(asked)
    months = months_of(asked, mine)
    content = {
        "plan": plan, "lines": _lines(asked, plan), "departments": departments,
        "published": published(asked, "plan.published_status", plan=plan.id),
        "sites": [{"site": site, "months": months.get(site.id, ())} for site in mine],
    }  # fmt: skip
    return Page(template="start.html", title=asked.language("overview.title"), content=content)


def _lines(asked: Asked, plan: Plan) -> list[dict[str, Any]]:
    """One line for each test of a target, as the plan sets it."""
    day = date(plan.year, 12, 31)
    found = []
    for target in plan.targets:
        for number, test in enumerate(target.tests):
            bar, _ = bar_of(asked.ledger, test, day)
            row = standing.row(target, bar, None, None, "")
            found.append({**row, "first": number == 0, "text": target.text_zh})
    return found
