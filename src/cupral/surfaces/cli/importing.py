"""`cupral import KIND FILE`: meter files, assays, stocktakes and returns."""

from pathlib import Path
from typing import Annotated

import typer

from cupral.surfaces import intake
from cupral.surfaces.cli.generated import show_outcome
from cupral.surfaces.cli.session import author, content_of, session, write

Dry = Annotated[bool, typer.Option("--dry-run", help="Check everything, post nothing.")]
Correct = Annotated[bool, typer.Option("--correct", help="Replace rows that were posted before.")]
Gaps = Annotated[
    bool, typer.Option("--accept-gaps", help="Take rows with unmeasured time between them.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
File = Annotated[Path, typer.Argument(help="CSV or XLSX file in the shape of the template.")]
SiteOption = Annotated[str, typer.Option("--site", help="Site whose network names the meters.")]


def importing() -> typer.Typer:
    """The group of import commands."""
    group = typer.Typer(no_args_is_help=True, help="Import a file of rows, or write its template.")
    group.command("meters")(meters)
    group.command("assays")(assays)
    group.command("stocktakes")(stocktakes)
    group.command("returns")(returns)
    group.command("template")(template)
    return group


def meters(
    context: typer.Context, file: File, site: SiteOption, dry_run: Dry = False,
    correct: Correct = False, accept_gaps: Gaps = False, json_output: Json = False,
) -> None:  # fmt: skip
    """Import meter readings of a site."""
    _take(context, "meters", file, site, dry_run, correct, json_output, accept_gaps)


def assays(
    context: typer.Context, file: File, site: SiteOption, dry_run: Dry = False,
    correct: Correct = False, json_output: Json = False,
) -> None:  # fmt: skip
    """Import laboratory assays of a site."""
    _take(context, "assays", file, site, dry_run, correct, json_output)


def stocktakes(
    context: typer.Context, file: File, site: SiteOption, dry_run: Dry = False,
    correct: Correct = False, json_output: Json = False,
) -> None:  # fmt: skip
    """Import stocktakes of a site."""
    _take(context, "stocktakes", file, site, dry_run, correct, json_output)


def returns(
    context: typer.Context, file: File, dry_run: Dry = False, correct: Correct = False,
    json_output: Json = False,
) -> None:  # fmt: skip
    """Import monthly returns of enterprises."""
    _take(context, "returns", file, "", dry_run, correct, json_output)


def template(
    kind: Annotated[str, typer.Argument(help="meters, assays, stocktakes or returns.")],
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv or .xlsx.")],
) -> None:
    """Write the template of a kind of file."""
    write(out, intake.template(kind, out.suffix.removeprefix(".")))


def _take(
    context: typer.Context, kind: str, file: Path, site: str, dry_run: bool, correct: bool,
    json_output: bool, accept_gaps: bool = False,
) -> None:  # fmt: skip
    brought = intake.Brought(
        kind=kind, filename=file.name, content=content_of(file), author=author(), site=site,
        correct=correct, accept_gaps=accept_gaps,
    )  # fmt: skip
    outcome = intake.take(session(context).ledger, brought, dry_run=dry_run)
    show_outcome(outcome, json_output=json_output)
