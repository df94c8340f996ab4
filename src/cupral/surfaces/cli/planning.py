"""`cupral plan status` and `cupral plan brief`: the plan at a glance, and as a document."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cupral.ledger.errors import InputError
from cupral.ledger.result import Result
from cupral.surfaces.cli.amending import effects, key
from cupral.surfaces.cli.session import reading, write
from cupral.surfaces.cli.terminal import console, show_json, show_rows
from cupral.system import ask
from cupral.systems.plan.compute.document import brief_docx
from cupral.systems.plan.compute.workbook import brief_xlsx

Json = Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")]
Through = Annotated[str, typer.Option(help="Last month counted; empty = the last declared one.")]
UNDECIDED = "cannot decide"
MOST_NEEDS = 2
PLAN = "shandong-nonferrous-2026"
PlanOption = Annotated[str, typer.Option("--plan", help="Id of the plan.")]


def status(
    context: typer.Context, plan: PlanOption = PLAN, through: Through = "",
    json_output: Json = False,
) -> None:  # fmt: skip
    """Every target: declared, reconciled, test, verdict, and how sure that is."""
    result = ask(reading(context), "plan.status", plan=plan, through=through)
    if json_output:
        show_json(result.document())
        return
    out = console()
    if result.status == UNDECIDED:
        lacking = ", ".join(result.needs)
        out.print(f"{_title(result)}: {result.status}, needs {lacking}", markup=False)
        out.print("name the last month to see what each target needs: --through", markup=False)
        return
    show_rows(_title(result), [_line(row) for row in result.parts])
    for row in result.parts:
        for need in _needs(row):
            out.print(f"  {row['target']} needs {need}", markup=False)
    if result.demonstration:
        out.print("demonstration data: a fictional province, scaled to the plan's base")
    out.print("why: cupral plan target --target T8", markup=False)


def _title(result: Result) -> str:
    return f"{result.subject} through {result.period.partition('..')[2] or result.period}"


def _line(row: Any) -> dict[str, Any]:
    """A row of the table: both figures with what each says, then the verdict and its chance."""
    low, high = row["low"], row["high"]
    interval = "" if low is None or high is None else f" [{_figure(low)} .. {_figure(high)}]"
    chance = row["probability_verdict"]
    return {
        "": row["target"], "indicator": row["indicator_zh"], "test": row["test"],
        "declared": _says(row["declared"], "", row["met_declared"]),
        "second [5 .. 95 %]": _says(row["reconciled"], f"{interval} {row['basis']}",
                                    row["met_reconciled"]),
        "verdict": row["verdict"], "decided by": row["decided_by"],
        "P(met)": "" if chance is None else f"{chance:.2f}",
    }  # fmt: skip


def _says(value: float | None, more: str, verdict: str) -> str:
    return "-" if value is None else f"{_figure(value)}{more}: {verdict}"


def _needs(row: Any) -> list[str]:
    """What a row lacks: the first two needs, and how many more there are."""
    more = len(row["needs"]) - MOST_NEEDS
    return [*row["needs"][:MOST_NEEDS], *([f"{more} more; --json prints all"] if more > 0 else [])]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def brief(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="File to write: .docx or .xlsx.")],
    plan: PlanOption = PLAN,
    through: Through = "",
) -> None:
    """Write the monthly brief as a document or a workbook."""
    writers = {".docx": brief_docx, ".xlsx": brief_xlsx}
    if out.suffix not in writers:
        raise InputError(f"{out}: a brief is written as .docx or .xlsx; choose one")
    result = ask(reading(context), "plan.brief", plan=plan, through=through)
    write(out, writers[out.suffix](result))


WRITTEN = {"plan": {"status": status, "brief": brief}, "desk": {"key": key, "effects": effects}}
"""Commands of systems that are written by hand; the others are made from signatures."""
