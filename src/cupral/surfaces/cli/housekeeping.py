"""`cupral ledger`: merge, delete and publish files of rows, back up and restore, migrate."""

from pathlib import Path
from typing import Annotated

import typer

from cupral.ledger import backup as archive
from cupral.ledger.compaction import GRACE_SECONDS, compact, sweep
from cupral.ledger.errors import NotFound
from cupral.ledger.publish import publish
from cupral.ledger.stores import migration, schema
from cupral.surfaces.cli.session import author, reading, session
from cupral.system import database_url


def group() -> typer.Typer:
    """The group of commands that keep the ledger's folder in order."""
    made = typer.Typer(no_args_is_help=True, help="Keep the ledger's folder in order.")
    made.command("compact")(compacted)
    made.command("sweep")(swept)
    made.command("publish")(published)
    made.command("backup")(backup)
    made.command("restore")(restore)
    made.command("migrate")(migrate)
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


def published(context: typer.Context) -> None:
    """Name the files in Delta logs beside them, so that other engines can read the tables.

    Publish again after posting and after merging, before the replaced files are swept. The logs
    are an export: delete them at any time.
    """
    ledger = reading(context)
    with ledger.audited(author=author(), action="ledger.publish", arguments={}):
        for table in publish(ledger):
            typer.echo(str(table))


def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="To write.")]) -> None:
    """Write the whole ledger into one file; others may go on writing meanwhile."""
    ledger = reading(context)
    with ledger.audited(author=author(), action="ledger.backup", arguments={"file": str(file)}):
        summary = archive.backup(ledger, file)
    typer.echo(f"{file}: {summary}")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    folder: Annotated[Path, typer.Argument(help="New folder of the ledger.")],
    database: Annotated[
        str | None,
        typer.Option(help="URL of an empty PostgreSQL database, or sqlite for one in the folder.",
                     envvar="CUPRAL_DATABASE"),
    ] = None,
) -> None:  # fmt: skip
    """Make the ledger of a backup in a new folder and audit it; nothing is overwritten."""
    ledger, verdict = archive.restore(file, folder, database_url(database))
    with ledger.audited(author=author(), action="ledger.restore", arguments={"file": str(file)}):
        typer.echo(f"{folder}: {verdict}")


def migrate(
    context: typer.Context,
    to: Annotated[int, typer.Option(help="Version of the tables.")] = schema.VERSION,
) -> None:
    """Bring the tables of the ledger to the version that this Cupral needs, or to another.

    Stop what uses the ledger first, and back it up: a step down loses what only later
    versions keep.
    """
    folder = session(context).folder
    if not folder.is_dir():
        raise NotFound(f"no ledger in {folder}; name its folder with --ledger")
    before = migration.migrate(folder, database_url(), to)
    typer.echo(f"{folder}: version {before} before, {to} now")
