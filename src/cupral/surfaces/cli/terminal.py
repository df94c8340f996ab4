"""Terminal: how results, tables and errors are printed."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cupral.ledger.errors import Fault
from cupral.ledger.result import Result
from cupral.surfaces.problem import Problem

PIPED_WIDTH = 160
"""Columns when the output is not a screen, so that tables are not crushed."""


def console(*, error: bool = False) -> Console:
    """A console on the present output."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=not stream.isatty())


def show_json(content: Any) -> None:
    """Print plain content as JSON."""
    text = json.dumps(content, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(text + "\n")


def show_result(result: Result, *, rows: int = 40) -> None:
    """Print a Result: its statement, badges, needs, parts, further tables and sources."""
    out = console()
    out.print(f"[bold]{escape(result.query)}[/]  {escape(result.subject)} {escape(result.period)}")
    out.print(f"  {escape(statement(result))}   [bold]{escape(result.status)}[/]")
    for need in result.needs:
        out.print(f"  needs {escape(need)}")
    for badge in result.badges:
        out.print(f"  [yellow]! {escape(badge)}[/]")
    if result.demonstration:
        out.print("  [yellow]! demonstration data[/]")
    if result.parts:
        show_rows("parts", result.parts, rows)
    for name, table in result.tables.items():
        show_rows(name, table, rows)
    for reference in result.lineage[:3]:
        out.print(f"  from {escape(reference)}")
    if len(result.lineage) > 3:
        out.print(f"  and {len(result.lineage) - 3} more sources")


def statement(result: Result) -> str:
    """Value, spread, unit and interval in one line."""
    if result.value is None:
        return "—"
    spread = f" ± {result.sd:.3g}" if result.sd is not None else ""
    known = result.low is not None and result.high is not None
    interval = f"  [{result.low:,.6g}, {result.high:,.6g}]" if known else ""
    return f"{result.value:,.6g}{spread} {result.unit}{interval}"


def show_rows(title: str, rows: Sequence[Mapping[str, Any]], most: int = 40) -> None:
    """Print rows as a table, the first `most` of them."""
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=None)
    for name in names:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(escape(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows[:most]:
        table.add_row(*(escape(cell(row.get(name))) for name in names))
    console().print(table)
    if len(rows) > most:
        console().print(f"  and {len(rows) - most} more rows; --json prints all")


def cell(value: Any) -> str:
    """One value of a table as text.

    Examples
    --------
    >>> cell(1234567.891), cell(None), cell(True), cell([1, "a"])
    ('1.23457e+06', '', 'yes', '1, a')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}" if 1000 <= abs(value) < 1e6 else f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    return str(value)


def show_problem(found: Problem) -> None:
    """Print an error in its four parts, faulty rows as a table."""
    out = console(error=True)
    out.print(f"[bold red]{escape(found.kind)}[/]: {escape(found.what)}")
    for name in ("where", "allowed", "next"):
        if text := getattr(found, name):
            out.print(f"  {name:8}{escape(text)}")
    if found.faults:
        _show_faults(found.faults)


def _show_faults(faults: Iterable[Fault]) -> None:
    table = Table(box=None)
    for name in ("row", "column", "value", "what is wrong", "cure"):
        table.add_column(name, overflow="fold")
    for fault in faults:
        row = "file" if fault.row is None else str(fault.row)
        cells = (row, fault.column or "", fault.value, fault.what, fault.cure)
        table.add_row(*(escape(text) for text in cells))
    console(error=True).print(table)
