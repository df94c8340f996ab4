"""Session: which ledger a command works on, and who its author is."""

import getpass
import os
from dataclasses import dataclass, field
from pathlib import Path

import typer

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger

DEFAULT_FOLDER = Path("var/ledger")
DEMONSTRATION_FOLDER = Path("var/demo")


@dataclass(slots=True)
class Session:
    """The ledger folder of one command line; the ledger is opened when first needed."""

    folder: Path
    _ledger: Ledger | None = field(default=None)

    @property
    def ledger(self) -> Ledger:
        """The ledger that the commands of this line share."""
        if self._ledger is None:
            self._ledger = open_ledger(self.folder)
        return self._ledger


def session(context: typer.Context) -> Session:
    """The session of the root command."""
    found = context.find_root().obj
    return found if isinstance(found, Session) else Session(DEFAULT_FOLDER)


def reading(context: typer.Context) -> Ledger:
    """The ledger to read; one that does not exist is not created by a question.

    Raises
    ------
    NotFound
        If the folder holds no ledger.
    """
    found = session(context)
    if not found.folder.is_dir():
        raise NotFound(
            f"no ledger in {found.folder}; run `cupral demo` for the demonstration province,"
            " import a file, or name another folder with --ledger"
        )
    return found.ledger


def author() -> str:
    """Who posts: CUPRAL_AUTHOR, or the user of the computer."""
    return os.environ.get("CUPRAL_AUTHOR") or getpass.getuser()


def write(file: Path, content: bytes) -> None:
    """Write a file that the user named, and say so.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}); choose a folder that there is"
        ) from None
    typer.echo(f"wrote {file}")


def content_of(file: Path) -> bytes:
    """The bytes of a file that the user named.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); check the name") from None
