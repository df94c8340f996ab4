"""The root command and its groups."""

import os
import pkgutil
import sys
from pathlib import Path
from typing import Annotated

import typer

import cupral.systems
from cupral.ledger.errors import CupralError
from cupral.surfaces.cli import checking, demonstrating, explaining, networks, planning, serving
from cupral.surfaces.cli.generated import add_questions
from cupral.surfaces.cli.importing import importing
from cupral.surfaces.cli.session import DEFAULT_FOLDER, Session
from cupral.surfaces.cli.terminal import show_problem
from cupral.surfaces.problem import problem

ERROR_CODE = 2
"""Exit code after an error that Cupral raised on purpose."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    arguments = _ledger_first(list(sys.argv[1:] if argv is None else argv))
    try:
        build(_asked_system(arguments))(args=arguments, prog_name="cupral")
    except CupralError as error:
        show_problem(problem(error))
        raise SystemExit(ERROR_CODE) from None


def build(system: str = "") -> typer.Typer:
    """The command tree; only the system that is asked is filled in (a quick start)."""
    app = typer.Typer(
        name="cupral", no_args_is_help=True, add_completion=False,
        pretty_exceptions_enable=False, rich_markup_mode=None,
        help="The operating system of a province's copper and aluminium industry.",
    )  # fmt: skip
    app.callback()(_root)
    app.command("demo")(demonstrating.demo)
    app.command("explain")(explaining.explain)
    app.command("check")(checking.check)
    app.command("serve")(serving.serve)
    app.add_typer(importing(), name="import")
    app.add_typer(networks.group(), name="network")
    app.add_typer(explaining.audit_group(), name="audit")
    app.add_typer(explaining.ledger_group(), name="ledger")
    for name in sorted(module.name for module in pkgutil.iter_modules(cupral.systems.__path__)):
        app.add_typer(_system(name, filled=name == system), name=name)
    return app


def _root(
    context: typer.Context,
    ledger: Annotated[
        Path, typer.Option(envvar="CUPRAL_LEDGER", help="Folder of the ledger.", show_default=True)
    ] = DEFAULT_FOLDER,
) -> None:
    context.obj = Session(ledger)


def _system(name: str, *, filled: bool) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help=f"Questions and commands of system {name}.")
    if filled:
        if name == "plan":
            planning.add_commands(group)
        add_questions(group, name)
    return group


def _asked_system(arguments: list[str]) -> str:
    words = [a for a in arguments if not a.startswith("-")]
    skip = 1 if arguments[:1] == ["--ledger"] else 0
    return words[skip] if len(words) > skip else ""


def _ledger_first(arguments: list[str]) -> list[str]:
    """Let `--ledger FOLDER` stand anywhere on the line."""
    for place, word in enumerate(arguments):
        if word.startswith("--ledger="):
            rest = arguments[:place] + arguments[place + 1 :]
            return ["--ledger", word.partition("=")[2], *rest]
        if word == "--ledger" and place + 1 < len(arguments):
            rest = arguments[:place] + arguments[place + 2 :]
            return ["--ledger", arguments[place + 1], *rest]
    return arguments


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUTF8", "1")
    main()
