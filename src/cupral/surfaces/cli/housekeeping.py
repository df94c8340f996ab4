"""`cupral ledger`: merge small files of rows, delete those that are no longer named."""

from typing import Annotated

import typer

from cupral.ledger.compaction import GRACE_SECONDS, compact, sweep
from cupral.surfaces.cli.session import author, reading


def group() -> typer.Typer:
    """The group of commands that keep the ledger's folder in order."""
    made = typer.Typer(no_args_is_help=True, help="Keep the ledger's folder in order.")
    made.command("compact")(compacted)
    made.command("sweep")(swept)
    return made


def compacted(context: typer.Context) -> None:
    """Merge the small files of each month; every row and every hash stays."""
    ledger = reading(context)
    with ledger.audited(author=author(), action="ledger.compact", arguments={}):
        made = compact(ledger)
    typer.echo(f"{len(made)} files written")


def swept(
    context: typer.Context,
    hours: Annotated[
        float, typer.Option(min=1.0, help="Leave files alone that are younger.")
    ] = GRACE_SECONDS / 3600.0,
) -> None:
    """Delete files that no posting names: replaced by merging, or left by a crash."""
    ledger = reading(context)
    with ledger.audited(author=author(), action="ledger.sweep", arguments={"hours": hours}):
        gone = sweep(ledger, grace_seconds=hours * 3600.0)
    typer.echo(f"{len(gone)} files deleted")
