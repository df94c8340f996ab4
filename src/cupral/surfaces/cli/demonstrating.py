"""`cupral demo`: the demonstration province and its story."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from cupral.demonstration import build
from cupral.ledger.ledger import Ledger
from cupral.surfaces.cli.session import DEMONSTRATION_FOLDER
from cupral.system import open_ledger

BUILDING = ".building"


def demo(
    folder: Annotated[Path, typer.Option(help="Folder of the ledger.")] = DEMONSTRATION_FOLDER,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it again.")] = False,
) -> None:
    """Build the demonstration province (once) and tell its story."""
    if rebuild and folder.exists():
        shutil.rmtree(folder)
    ledger = demonstration(folder)
    typer.echo(f"{folder}: {ledger.head} postings")


def demonstration(folder: Path) -> Ledger:
    """The demonstration ledger; built beside its place first, so that half a build never stays."""
    if folder.is_dir():
        return open_ledger(folder)
    beside = folder.with_name(folder.name + BUILDING)
    if beside.exists():
        shutil.rmtree(beside)
    build(beside)
    beside.rename(folder)
    return open_ledger(folder)
