"""Terminal: how results, tables and errors are printed."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cupral.ledger.errors import Fault
from cupral.ledger.explain import MOMENTS, moment
from cupral.ledger.result import Result
from cupral.surfaces.problem import Problem

FEW = 3
"""Rows that stand side by side if they are too wide for a table."""
BROAD = 40
"""Letters after which a cell may be folded."""
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
    """Print rows as a table, the first `most` of them; empty columns are left out.

    A few rows that are wider than the screen stand in columns instead; of many, the last
    columns are left out and named.
    """
    if not rows:
        return
    shown = [_texts(row) for row in rows[:most]]
    names = list(dict.fromkeys(name for row in shown for name, text in row.items() if text))
    out = console()
    fitting = _fitting(shown, names, out.width)
    if len(fitting) < len(names) and len(rows) <= FEW:
        out.print(_upright(title, shown, names))
        return
    out.print(_table(title, rows[:most], shown, fitting))
    if left := names[len(fitting) :]:
        out.print(f"  without {', '.join(left)}; --json prints all", markup=False)
    if len(rows) > most:
        out.print(f"  and {len(rows) - most} more rows; --json prints all", markup=False)


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: moment(value) if name in MOMENTS and value else cell(value)
        for name, value in row.items()
    }


def _fitting(rows: Sequence[Mapping[str, str]], names: Sequence[str], width: int) -> list[str]:
    """The first columns that stand side by side; one at least."""
    ends = accumulate(
        2 + max(cell_len(text) for text in (name, *(row.get(name, "")[:BROAD] for row in rows)))
        for name in names
    )
    return [name for name, end in zip(names, ends, strict=True) if end <= width] or list(names[:1])


def _table(
    title: str, rows: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, str]],
    names: Sequence[str],
) -> Table:  # fmt: skip
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=None)
    for name in names:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(escape(name), justify="right" if numeric else "left", overflow="fold")
    for row in shown:
        table.add_row(*(escape(row.get(name, "")) for name in names))
    return table


def _upright(title: str, rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> Table:
    """One line a column, the rows side by side."""
    table = Table(
        title=escape(title), title_justify="left", title_style="bold", box=None, show_header=False
    )
    table.add_column(no_wrap=True)
    for _ in rows:
        table.add_column(overflow="fold")
    for name in names:
        table.add_row(escape(name), *(escape(row.get(name, "")) for row in rows))
    return table


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
