"""`cupral check FILE`: cases through the queries that users call."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cupral.surfaces.check import CaseReport, Verdict, judges, read_cases, run_cases
from cupral.surfaces.cli.terminal import cell, console, show_json


def check(
    file: Annotated[Path, typer.Argument(help="Case file: .json or .jsonl.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Run the cases of a file and print each computed value beside the expected one."""
    report = run_cases(read_cases(file), judges())
    if json_output:
        show_json(report.document())
    else:
        _show(report)
    raise typer.Exit(report.code)


def _show(report: CaseReport) -> None:
    for verdict in report.verdicts:
        if verdict.judged:
            _show_verdict(verdict)
    out = console()
    kinds = sorted({verdict.kind for verdict in report.verdicts if not verdict.judged})
    for kind in kinds:
        ids = [verdict.id for verdict in report.verdicts if verdict.kind == kind]
        out.print(f"[yellow]not judged[/] {escape(kind or '(no kind)')}: {escape(', '.join(ids))}")
    failed = report.judged - report.passed
    out.print(
        f"{len(report.verdicts)} cases: {report.passed} ok, {failed} FAIL,"
        f" {len(report.verdicts) - report.judged} not judged"
    )


def _show_verdict(verdict: Verdict) -> None:
    out = console()
    word = "[green]ok[/]" if verdict.ok else "[bold red]FAIL[/]"
    said = escape(f"{verdict.kind}  {verdict.title}")
    out.print(f"{word}  [bold]{escape(verdict.id)}[/] {said}")
    if verdict.error:
        out.print(f"      [red]{escape(verdict.error)}[/]")
    for line in verdict.checks:
        mark = "ok  " if line.ok else "FAIL"
        shown = f"computed {_shown(line.computed)}  expected {_shown(line.expected)}"
        out.print(f"    {mark}  {escape(line.name)}: {escape(shown)}  ({escape(line.tolerance)})")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return cell(value) if value is not None else "none"
