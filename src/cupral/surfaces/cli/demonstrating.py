"""`cupral demo`: the demonstration province and its story."""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from cupral.demonstration import build, story
from cupral.ledger.errors import Conflict
from cupral.ledger.stores.database import EMBEDDED
from cupral.ledger.stores.migration import migrate
from cupral.surfaces import demonstration_logins
from cupral.surfaces.cli.session import DEMONSTRATION_FOLDER
from cupral.system import code_version, open_ledger, parameter_book

FILE = "story.json"


@dataclass(frozen=True, slots=True)
class Told:
    """The story of a built demonstration, and what it was told by."""

    lines: list[str]
    code: str
    parameters: str
    state: list[int] = field(default_factory=list)
    """State of the ledger when it was built (`Ledger.state`); none in stories of earlier form."""
    head: int = 0
    """Of the earlier form."""

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
    show_logins(folder)
    if not told.present:
        typer.echo(f"(told by an earlier version; `cupral demo --folder {folder} --rebuild` anew)")


def show_logins(folder: Path) -> None:
    """Make the demonstration's accounts (once) and say what they are."""
    ledger = open_ledger(folder, database=EMBEDDED)
    logins = demonstration_logins.made(ledger, author="demonstration")
    if logins:
        typer.echo("\nDemonstration logins (known to everybody; fictional data only):")
    for one in logins:
        typer.echo(f"  {one.name:18} {one.password:24} {', '.join((*one.roles, *one.enterprises))}")


def told_before(folder: Path) -> Told | None:
    """The story of a finished demonstration; None if it has to be built.

    One that other code built is built again, unless somebody has posted, filed or registered
    anything since.
    """
    told = _read(folder)
    if told is None or told.present:
        return told
    migrate(folder)
    untouched = list(open_ledger(folder, database=EMBEDDED).state) == told.state
    return None if untouched else told


def _read(folder: Path) -> Told | None:
    try:
        return Told(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def made(folder: Path) -> Told:
    """Build the demonstration beside its place and tell its story on a copy.

    Half a build never stays; the served ledger stands before the late file of the story, so
    that a reader of the pages can post it.

    Raises
    ------
    Conflict
        If the folder holds something else than a demonstration; nothing is touched.
    """
    _refuse_strange(folder)
    beside = folder.absolute()
    beside.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{beside.name}.building-", dir=beside.parent) as place:
        built, copy = Path(place) / "built", Path(place) / "copy"
        ledger = build(built, progress=_shown)
        shutil.copytree(built, copy)
        lines = story(open_ledger(copy, database=EMBEDDED), copy, shown=folder)
        told = Told(lines, code_version(), parameter_book().version, list(ledger.state))
        (built / FILE).write_text(json.dumps(asdict(told), ensure_ascii=False), encoding="utf-8")
        _refuse_strange(folder)
        if folder.exists():
            shutil.rmtree(folder)
        built.rename(folder)
    return told


def _refuse_strange(folder: Path) -> None:
    if not folder.exists() or _read(folder) is not None:
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise Conflict(
            f"{folder} holds something else than a demonstration; choose another --folder,"
            " or delete it yourself"
        )


def _shown(step: str, share: float) -> None:
    """Progress on one line of a screen, nothing in a file."""
    if sys.stderr.isatty():
        end = "\n" if share >= 1.0 else ""
        sys.stderr.write(f"\r\033[K{share:4.0%}  {step}{end}")
        sys.stderr.flush()
