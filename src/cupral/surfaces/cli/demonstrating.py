"""`cupral demo`: the demonstration province and its story."""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from cupral.demonstration import build, story
from cupral.surfaces.cli.session import DEMONSTRATION_FOLDER
from cupral.system import code_version, open_ledger, parameter_book

BUILDING = ".building"
FILE = "story.json"


@dataclass(frozen=True, slots=True)
class Told:
    """The story of a built demonstration, and what it was told by."""

    lines: list[str]
    head: int
    code: str
    parameters: str

    @property
    def present(self) -> bool:
        """Whether code and parameters are still those that told it."""
        return (self.code, self.parameters) == (code_version(), parameter_book().version)


def demo(
    folder: Annotated[Path, typer.Option(help="Folder of the ledger.")] = DEMONSTRATION_FOLDER,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it again.")] = False,
) -> None:
    """Build the demonstration province (once) and tell its story."""
    told = None if rebuild else told_before(folder)
    if told is None:
        told = made(folder)
    for line in told.lines:
        typer.echo(line)
    if not told.present:
        typer.echo(f"(told by an earlier version; `cupral demo --folder {folder} --rebuild` anew)")


def told_before(folder: Path) -> Told | None:
    """The story of a finished demonstration; None if it has to be built.

    One that other code built is built again, unless somebody has posted to it since.
    """
    try:
        told = Told(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    untouched = open_ledger(folder).head == told.head
    return None if untouched and not told.present else told


def made(folder: Path) -> Told:
    """Build the demonstration beside its place and tell its story on a copy.

    Half a build never stays; the served ledger stands before the late file of the story, so
    that a reader of the pages can post it.
    """
    beside = folder.with_name(folder.name + BUILDING)
    if beside.exists():
        shutil.rmtree(beside)
    ledger = build(beside, progress=_shown)
    with tempfile.TemporaryDirectory(prefix="cupral-story-") as place:
        copy = Path(place) / "ledger"
        shutil.copytree(beside, copy)
        lines = story(open_ledger(copy), copy, shown=folder)
    told = Told(lines, ledger.head, code_version(), parameter_book().version)
    (beside / FILE).write_text(json.dumps(asdict(told), ensure_ascii=False), encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    beside.rename(folder)
    return told


def _shown(step: str, share: float) -> None:
    """Progress on one line of a screen, nothing in a file."""
    if sys.stderr.isatty():
        end = "\n" if share >= 1.0 else ""
        sys.stderr.write(f"\r\033[K{share:4.0%}  {step}{end}")
        sys.stderr.flush()
