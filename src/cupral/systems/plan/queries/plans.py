"""Find a plan and its day: the loaded document, else the one that Cupral ships."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.systems.plan.compute import reading, shipped
from cupral.systems.plan.model import Clause, Metric, Plan, Target

SHANDONG = "shandong-nonferrous-2026"


def find(ledger: Ledger, id: str) -> Plan:
    """The plan of that id: as loaded last, else as shipped.

    Raises
    ------
    NotFound
        If there is none; the known ones are named.
    """
    loaded = ledger.documents("plan", id=id)
    if loaded:
        return reading.plan(loaded[-1].body)
    if id in shipped.plans():
        return shipped.plans()[id]
    known = [*shipped.plans(), *(document.id for document in ledger.documents("plan"))]
    raise NotFound(f"no plan {id!r}; there are {', '.join(dict.fromkeys(known))}")


def target(plan: Plan, id: str) -> Target:
    """The target of that id."""
    for found in plan.targets:
        if found.id == id:
            return found
    known = ", ".join(item.id for item in plan.targets)
    raise NotFound(f"plan {plan.id} has no target {id!r}; it has {known}")


def clause(plan: Plan, id: str) -> Clause:
    """The clause of that id."""
    for found in plan.clauses:
        if found.id == id:
            return found
    known = ", ".join(item.id for item in plan.clauses)
    raise NotFound(f"plan {plan.id} has no clause {id!r}; it has {known}")


def metric(plan: Plan, id: str) -> Metric:
    """The metric that a target names: the plan's own, else the shipped one.

    Raises
    ------
    CannotDecide
        If neither knows it.
    """
    found: Mapping[str, Metric] = {**shipped.metrics(), **plan.metrics}
    if id not in found:
        raise CannotDecide(
            f"no query answers metric {id!r}; describe it under [metrics.{id}] of the plan file,"
            f" or use one of {', '.join(sorted(found))}",
            needs=[f"metric {id}"],
        )
    return found[id]


def months_through(ledger: Ledger, plan: Plan, through: str) -> Period:
    """January of the plan's year to the month `through` (empty = the last declared month).

    Raises
    ------
    InputError
        If the month is not of the plan's year.
    CannotDecide
        If no month is named and nothing is declared in the plan's year.
    """
    year = str(plan.year)
    if not through:
        rows: list[dict[str, Any]] = ledger.totals(
            by=("end",), origin="declared", period=year
        ).to_pylist()
        ends = [row["end"] for row in rows if row["rows"] > 0]
        if not ends:
            raise CannotDecide(
                f"no return of {year} is filed; name the month, or file returns",
                needs=[f"declared rows of {year}"],
            )
        first = datetime(plan.year, 1, 1)
        return Period.run(plan.year * 100 + 1, Period.spanning(first, max(ends)).months[-1])
    span = Period.parse(through)
    if span.months[-1] // 100 != plan.year or span.kind not in ("month", "january-february"):
        raise InputError(
            f"through {through!r} is no month of {year}, the year of plan {plan.id};"
            f" write {year}-01 to {year}-12"
        )
    return Period.run(plan.year * 100 + 1, span.months[-1])
