"""Commands made from the signatures of a system's queries and commands."""

import inspect
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cupral.ledger.result import Result
from cupral.surfaces.cli.session import author, content_of, reading, session
from cupral.surfaces.cli.terminal import show_json, show_result
from cupral.surfaces.plainness import plain
from cupral.surfaces.signature import Argument, Signature, signature
from cupral.system import ask, commands, order, queries

_PLAIN = {"bool": bool, "int": int, "float": float, "bytes": Path, "json": str, "text": str}


def add_questions(app: typer.Typer, system: str, *, besides: Collection[str] = ()) -> None:
    """Add every query and command of a system to its command group, `besides` those written."""
    for found, make in _signatures(system):
        if _word(found) not in besides:
            _add(app, found, make)


def _signatures(system: str) -> Iterator[tuple[Signature, Callable[[Signature], Any]]]:
    for name, function in queries().items():
        if name.partition(".")[0] == system:
            yield signature(name, function), _asking
    for name, function in commands().items():
        if name.partition(".")[0] == system:
            yield signature(name, function), _ordering


def _word(found: Signature) -> str:
    return found.short.replace("_", "-")


def _add(app: typer.Typer, found: Signature, make: Callable[[Signature], Any]) -> None:
    function = make(found)
    function.__name__ = found.short
    function.__doc__ = found.headline
    function.__signature__ = _parameters(found)
    function.__annotations__ = {
        p.name: p.annotation for p in function.__signature__.parameters.values()
    }
    app.command(_word(found))(function)


def _parameters(found: Signature) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    context = inspect.Parameter("context", keyword, annotation=typer.Context)
    shown = inspect.Parameter(
        "json_output", keyword, default=False,
        annotation=Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")],
    )  # fmt: skip
    own = [_parameter(argument) for argument in found.arguments]
    return inspect.Signature([context, *own, shown])


def _parameter(argument: Argument) -> inspect.Parameter:
    option = typer.Option(
        f"--{argument.name.replace('_', '-')}",
        help=argument.help + (" (JSON)" if argument.kind == "json" else ""),
        show_default=argument.shown_default or False,
    )
    plain = _PLAIN[argument.kind]
    default = ... if argument.required else None
    annotation = plain if argument.required else plain | None
    return inspect.Parameter(
        argument.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[annotation, option],
        **({} if default is ... else {"default": default}),
    )  # fmt: skip


def given(found: Signature, options: dict[str, Any]) -> dict[str, Any]:
    """Arguments from options: what was not given keeps its default."""
    texts = {name: str(value) for name, value in options.items() if value is not None}
    files = {a.name for a in found.arguments if a.kind == "bytes"} & set(texts)
    paths = {name: Path(texts.pop(name)) for name in sorted(files)}
    if paths and any(a.name == "filename" for a in found.arguments):
        texts.setdefault("filename", next(iter(paths.values())).name)
    contents = {name: content_of(path) for name, path in paths.items()}
    return found.read(texts, contents)


def _asking(found: Signature) -> Callable[..., None]:
    def asking(context: typer.Context, json_output: bool, **options: Any) -> None:
        result = ask(reading(context), found.name, **given(found, options))
        show_json(result.document()) if json_output else show_result(result)

    return asking


def _ordering(found: Signature) -> Callable[..., None]:
    def ordering(context: typer.Context, json_output: bool, **options: Any) -> None:
        arguments = given(found, options)
        outcome = order(session(context).ledger, found.name, author=author(), **arguments)
        show_outcome(outcome, json_output=json_output)

    return ordering


def show_outcome(outcome: Any, *, json_output: bool) -> None:
    """Print what a command returned."""
    if isinstance(outcome, Result):
        show_json(outcome.document()) if json_output else show_result(outcome)
    elif json_output:
        show_json(plain(outcome))
    else:
        typer.echo(str(outcome))
