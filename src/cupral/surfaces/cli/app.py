"""The root command: which word is served by which module.

Only the module of the word that was typed is imported, so every command starts quickly.
"""

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import cupral.systems
from cupral.ledger.errors import CupralError
from cupral.surfaces.cli.session import DEFAULT_FOLDER, Session
from cupral.surfaces.cli.terminal import show_problem
from cupral.surfaces.problem import problem

ERROR_CODE = 2
"""Exit code after an error that Cupral raised on purpose."""

COMMANDS = {
    "demo": ("demonstrating:demo", "Build the demonstration province and tell its story."),
    "explain": ("explaining:explain", "Follow a number to what it stands on."),
    "reverse": ("explaining:reverse", "Undo a posting by a reversing entry."),
    "check": ("checking:check", "Run the cases of a file through the queries."),
    "serve": ("serving:serve", "Serve the pages and the HTTP interface."),
}
GROUPS = {
    "import": ("importing:importing", "Import files of rows, or write their templates."),
    "network": ("networks:group", "Processes, streams and meters of a site."),
    "audit": ("explaining:audit_group", "Prove that nothing has changed."),
    "accounts": ("accounts:group", "Who may sign in."),
    "ledger": ("housekeeping:group", "Keep the ledger's folder in order."),
}
"""Word -> (module:attribute of this package, help)."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    arguments = ledger_first(list(sys.argv[1:] if argv is None else argv))
    try:
        build(asked_word(arguments))(args=arguments, prog_name="cupral")
    except CupralError as error:
        show_problem(problem(error))
        raise SystemExit(ERROR_CODE) from None


def build(word: str = "") -> typer.Typer:
    """The command tree; only the branch of `word` is filled in."""
    app = typer.Typer(
        name="cupral", no_args_is_help=True, add_completion=False,
        pretty_exceptions_enable=False, rich_markup_mode=None,
        help="The operating system of a province's copper and aluminium industry.",
    )  # fmt: skip
    app.callback()(_root)
    for name, (place, help) in COMMANDS.items():
        app.command(name, help=help)(_attribute(place) if name == word else _stub)
    for name, (place, help) in GROUPS.items():
        group = _attribute(place)() if name == word else typer.Typer(no_args_is_help=True)
        app.add_typer(group, name=name, help=help)
    for name in sorted(module.name for module in pkgutil.iter_modules(cupral.systems.__path__)):
        help = f"Queries and commands of system {name}."
        app.add_typer(_system(name, filled=name == word), name=name, help=help)
    return app


def _root(
    context: typer.Context,
    ledger: Annotated[
        Path, typer.Option(envvar="CUPRAL_LEDGER", help="Folder of the ledger.", show_default=True)
    ] = DEFAULT_FOLDER,
) -> None:
    context.obj = Session(ledger)


def _stub() -> None:
    """Stand in for a command that was not asked for."""


def _attribute(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"cupral.surfaces.cli.{module}"), name)


def _system(name: str, *, filled: bool) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True)
    if filled:
        written = importlib.import_module("cupral.surfaces.cli.planning").WRITTEN.get(name, {})
        for word, function in written.items():
            group.command(word)(function)
        generated = importlib.import_module("cupral.surfaces.cli.generated")
        generated.add_questions(group, name, besides=set(written))
    return group


def asked_word(arguments: list[str]) -> str:
    """The first word that is no option.

    Examples
    --------
    >>> asked_word(["--ledger", "var/demo", "plan", "status"])
    'plan'
    """
    rest = arguments[2:] if arguments[:1] == ["--ledger"] else arguments
    return next((word for word in rest if not word.startswith("-")), "")


def ledger_first(arguments: list[str]) -> list[str]:
    """Let `--ledger FOLDER` stand anywhere on the line.

    Examples
    --------
    >>> ledger_first(["plan", "status", "--ledger", "x", "--json"])
    ['--ledger', 'x', 'plan', 'status', '--json']
    """
    for place, word in enumerate(arguments):
        if word.startswith("--ledger="):
            rest = arguments[:place] + arguments[place + 1 :]
            return ["--ledger", word.partition("=")[2], *rest]
        if word == "--ledger" and place + 1 < len(arguments):
            rest = arguments[:place] + arguments[place + 2 :]
            return ["--ledger", arguments[place + 1], *rest]
    return arguments
