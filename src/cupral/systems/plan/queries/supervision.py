"""The supervision ledger of a plan's clauses, and who owns what the plan names."""

from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result, Row
from cupral.system import manifests, query
from cupral.systems.plan.compute import coverage as owning
from cupral.systems.plan.compute import shipped
from cupral.systems.plan.model import Clause, Plan
from cupral.systems.plan.queries import plans


@query
def clauses(
    ledger: Ledger, *, plan: str = plans.SHANDONG, department: str = "", task: int = 0, on: str = ""
) -> Result:
    """Supervision ledger: each clause with its units, deadline, progress, evidence and systems.

    Parameters
    ----------
    ledger : Ledger
    plan : str
        Plan id.
    department : str
        Only clauses that this unit leads or supports, by its Chinese or English name.
    task : int
        Only clauses of this task; 0 = all.
    on : str
        Day (YYYY-MM-DD) against which deadlines count as overdue; empty = none is overdue.

    Returns
    -------
    Result
        value = mean progress [%] of the clauses shown, unreported ones as 0; parts = one row a
        clause; tables `departments` and `history`.

    Raises
    ------
    NotFound
        If there is no such plan or task.
    InputError
        If the department is not one of the plan's.
    """
    wanted = plans.find(ledger, plan)
    unit = _unit(wanted, department)
    known = [one.no for one in wanted.tasks]
    if task and task not in known:
        raise NotFound(f"plan {plan} has no task {task}; it has {known}")
    history = _history(ledger, wanted)
    every = [_clause_row(wanted, clause, history[clause.id], on) for clause in wanted.clauses]
    rows = [row for row in every if _shown(row, unit, task)]
    shown = {row["clause"] for row in rows}
    return Result(
        query="plan.clauses",
        subject=plan,
        period=on,
        value=sum(row["progress"] or 0.0 for row in rows) / len(rows) if rows else None,
        unit="%",
        parts=tuple(rows),
        tables={
            "departments": tuple(_department_row(wanted, one, every) for one in wanted.departments),
            "history": tuple(
                _report_row(document)
                for id, documents in history.items()
                for document in documents
                if id in shown
            ),
        },
        lineage=tuple(
            f"document:clause/{plan}:{id}"
            for id, documents in history.items()
            if documents and id in shown
        ),
        demonstration=any(d.demonstration for documents in history.values() for d in documents),
    )


@query
def coverage(ledger: Ledger, *, plan: str = plans.SHANDONG) -> Result:
    """Which system owns each product, technology, cluster, region and policy the plan names.

    Returns
    -------
    Result
        value = how many have no owner; parts = one row for everything named, with owner and
        whether that system is built; tables `ownerless`, `summary`, `systems`.
    """
    wanted, owners, built = plans.find(ledger, plan), shipped.owners(), set(manifests())
    rows = owning.rows(wanted, owners, built)
    ownerless = tuple(row for row in rows if not row["owner"])
    return Result(
        query="plan.coverage",
        subject=plan,
        value=float(len(ownerless)),
        unit="1",
        needs=tuple(f"owner of {row['kind']} {row['name_zh']}" for row in ownerless),
        parts=rows,
        tables={
            "ownerless": ownerless,
            "summary": owning.counted(rows),
            "systems": tuple(
                {"system": name, "name_zh": title["zh"], "name_en": title["en"],
                 "built": name in built, "owns": sum(row["owner"] == name for row in rows)}
                for name, title in owners["systems"].items()
            ),
        },
        lineage=tuple(f"document:plan/{loaded.id}" for loaded in ledger.documents("plan", id=plan)),
    )  # fmt: skip


def _unit(plan: Plan, department: str) -> str:
    for known in plan.departments:
        if department in ("", known.zh, known.en):
            return known.zh if department else ""
    names = ", ".join(f"{known.zh} ({known.en})" for known in plan.departments)
    raise InputError(f"{department!r} is no unit of plan {plan.id}; its units: {names}")


def _shown(row: Row, unit: str, task: int) -> bool:
    return (not unit or unit in (row["lead"], *row["supporting"])) and task in (0, row["task"])


def _history(ledger: Ledger, plan: Plan) -> dict[str, list[Document]]:
    """All reports on each clause of a plan, the earliest first."""
    found: dict[str, list[Document]] = {f"{plan.id}:{one.id}": [] for one in plan.clauses}
    for document in ledger.documents("clause", latest=False):
        if document.id in found:
            found[document.id].append(document)
    return {one.id: found[f"{plan.id}:{one.id}"] for one in plan.clauses}


def _clause_row(plan: Plan, clause: Clause, history: Sequence[Document], on: str) -> dict[str, Any]:
    report: Mapping[str, Any] = history[-1].body if history else {}
    deadline = report.get("deadline", clause.deadline)
    state = history[-1].state if history else "not reported"
    served = {name: manifest.clauses for name, manifest in manifests().items()}
    systems = owning.serving(clause, served, shipped.owners())
    return {
        "clause": clause.id, "task": clause.task, "title_zh": _title(plan, clause.task)[0],
        "title_en": _title(plan, clause.task)[1],
        "text_zh": clause.text_zh, "text_en": clause.text_en,
        "lead": clause.lead, "supporting": list(clause.supporting),
        "deadline": deadline,
        "deadline_note": "" if "deadline" in report else clause.deadline_note,
        "progress": report.get("progress"), "state": state,
        "overdue": _overdue(deadline, state, on),
        "evidence": list(report.get("evidence", ())), "note": report.get("note", ""),
        "reported_by": report.get("unit", ""), "reported_on": report.get("reported_on", ""),
        "reports": len(history),
        "systems": list(systems), "built": [name for name in systems if name in served],
    }  # fmt: skip


def _title(plan: Plan, task: int) -> tuple[str, str]:
    return next((one.title_zh, one.title_en) for one in plan.tasks if one.no == task)


def _overdue(deadline: str, state: str, on: str) -> bool:
    return bool(on) and state != "done" and Period.parse(deadline).end <= Period.parse(on).start


def _department_row(plan: Plan, department: Any, rows: Sequence[Row]) -> dict[str, Any]:
    leads = [row for row in rows if row["lead"] == department.zh]
    supports = [row for row in rows if department.zh in row["supporting"]]
    mine = leads or supports
    return {
        "plan": plan.id, "department_zh": department.zh, "department_en": department.en,
        "lead": len(leads), "supporting": len(supports),
        "reported": sum(row["reports"] > 0 for row in mine),
        "done": sum(row["state"] == "done" for row in mine),
        "overdue": sum(row["overdue"] for row in mine),
        "progress": sum(row["progress"] or 0.0 for row in mine) / len(mine) if mine else None,
    }  # fmt: skip


def _report_row(document: Document) -> dict[str, Any]:
    return {
        **{name: value for name, value in document.body.items() if name != "plan"},
        "version": document.version, "state": document.state, "author": document.author,
    }  # fmt: skip
