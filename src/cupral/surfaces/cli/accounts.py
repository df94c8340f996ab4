"""`cupral accounts`: who may sign in; for whoever holds the ledger's folder."""

from collections.abc import Callable
from typing import Annotated

import typer

from cupral.access import administration, store, token
from cupral.surfaces.cli.session import author, reading
from cupral.surfaces.cli.terminal import show_json

Name = Annotated[str, typer.Argument(help="Name of the account.")]
Roles = Annotated[list[str], typer.Option("--role", help="Once for each role.")]
Enterprises = Annotated[
    list[str] | None, typer.Option("--enterprise", help="Once for each enterprise.")
]
ONCE = "one-time password, shown only now; it opens nothing but the page to change it"


def group() -> typer.Typer:
    """The group of commands on accounts."""
    made = typer.Typer(no_args_is_help=True, help="Who may sign in.")
    commands: dict[str, Callable[..., None]] = {
        "init": init, "add": add, "list": listed, "grant": grant, "lock": lock,
        "unlock": unlock, "disable": disable, "reset": reset, "token": make_token,
    }  # fmt: skip
    for word, function in commands.items():
        made.command(word)(function)
    return made


def init(context: typer.Context) -> None:
    """Make the three administrators: of the system, of security, of the audit."""
    made = administration.begin(reading(context), author=author())
    for name, password in made.items():
        typer.echo(f"{name:24} {password}")
    typer.echo(f"({ONCE}. From now on everybody has to sign in.)")


def add(
    context: typer.Context, name: Name, role: Roles, enterprise: Enterprises = None,
    subject: Annotated[str, typer.Option(help="`sub` at the identity provider.")] = "",
) -> None:  # fmt: skip
    """Make an account."""
    given = administration.add(reading(context), author=author(), name=name, roles=role,
                               enterprises=enterprise or (), subject=subject)  # fmt: skip
    typer.echo(f"{name} {given}\n({ONCE})")


def listed(
    context: typer.Context,
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List all accounts."""
    rows = store.accounts(reading(context))
    if json_output:
        shown = [
            {"name": one.name, "roles": sorted(one.roles), "state": one.state,
             "enterprises": sorted(one.enterprises), "one_time": one.one_time,
             "second_factor": one.second_factor, "created_by": one.created_by}
            for one in rows
        ]  # fmt: skip
        show_json(shown)
        return
    for one in rows:
        state = one.state + (", one-time password" if one.one_time else "")
        belongs = ", ".join(sorted(one.enterprises))
        typer.echo(f"{one.name:24} {', '.join(sorted(one.roles)):24} {state:10} {belongs}")


def grant(context: typer.Context, name: Name, role: Roles, enterprise: Enterprises = None) -> None:
    """Give an account these roles and enterprises instead of those it had."""
    administration.grant(reading(context), author=author(), name=name, roles=role,
                         enterprises=enterprise or ())  # fmt: skip
    typer.echo(f"{name}: {', '.join(sorted(role))}")


def lock(context: typer.Context, name: Name) -> None:
    """Lock an account until it is unlocked."""
    _set(context, name, "locked")


def unlock(context: typer.Context, name: Name) -> None:
    """Let a locked account sign in again."""
    _set(context, name, "active")


def disable(context: typer.Context, name: Name) -> None:
    """Close an account for good."""
    _set(context, name, "disabled")


def reset(context: typer.Context, name: Name) -> None:
    """Give an account a one-time password; its sessions, tokens and second factor end."""
    typer.echo(f"{name} {administration.reset(reading(context), author=author(), name=name)}")
    typer.echo(f"({ONCE})")


def make_token(
    context: typer.Context, name: Name,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Some of its roles; none = all.")
    ] = None,
    days: Annotated[int, typer.Option(help="Days until it expires.")] = token.DAYS,
    title: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:  # fmt: skip
    """Make a token for a program that acts for an account."""
    word = token.make(reading(context), author=author(), account=name, roles=role or (),
                      days=days, title=title)  # fmt: skip
    typer.echo(f"{word}\n(shown only now; send it as Authorization: Bearer)")


def _set(context: typer.Context, name: str, state: str) -> None:
    administration.set_state(reading(context), author=author(), name=name, state=state)
    typer.echo(f"{name}: {state}")
