"""`cupral desk key` and `cupral desk effects`: keys that sign, and a preview with progress."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import track

from cupral.ledger.errors import InputError
from cupral.surfaces.cli.session import reading, session
from cupral.surfaces.cli.terminal import show_json, show_result
from cupral.systems.desk.commands import KEY_FILE, refuse_inside
from cupral.systems.desk.compute.signing import pem_of, private_from, public_of
from cupral.systems.desk.queries.effects import affected, answer, compared, proposed


def effects(
    context: typer.Context,
    proposal: Annotated[str, typer.Option(help="Id of a proposal.")] = "",
    parameter: Annotated[str, typer.Option(help="Or, instead, id of a parameter.")] = "",
    value: Annotated[str, typer.Option(help="Number, table or list (JSON).")] = "",
    valid_from: Annotated[str, typer.Option(help="First day, e.g. 2026-01-31.")] = "",
    valid_to: Annotated[str, typer.Option(help="First day after; empty = none.")] = "",
    unit: Annotated[str, typer.Option(help="Empty = that of the parameter.")] = "",
    json_output: Annotated[bool, typer.Option("--json", help="Print all as JSON.")] = False,
) -> None:
    """Which kept Results a value would change, and from what to what."""
    ledger = reading(context)
    new = proposed(ledger, proposal, parameter, value, valid_from, valid_to, unit)
    rows = track(
        affected(ledger, new), "recomputing, without keeping", transient=True,
        console=Console(stderr=True), disable=not sys.stderr.isatty(),
    )  # fmt: skip
    found = answer(new, [effect for row in rows for effect in compared(ledger, new, [row])])
    show_json(found.document()) if json_output else show_result(found)


def key(context: typer.Context) -> None:
    """Make the private key where CUPRAL_DESK_KEY says (or read it), and print the public one."""
    place = os.environ.get(KEY_FILE, "")
    if not place:
        raise InputError(
            f"{KEY_FILE} names no file; set it to a place outside of the ledger's folder that"
            " only you can read, e.g. ~/.cupral/desk.pem"
        )
    path = Path(place).expanduser()
    refuse_inside(path, session(context).folder)
    if not path.exists():
        _write(path, pem_of(Ed25519PrivateKey.generate()))
        typer.echo(f"private key written to {path}; nobody else may have it")
    public = public_of(private_from(path.read_bytes(), place))
    typer.echo(f"public key {public}")
    typer.echo("read it to those who shall trust it: cupral desk trust-key --key KEY --owner NAME")


def _write(path: Path, pem: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        raise InputError(
            f"key {path} cannot be written ({error.strerror}); choose another place by {KEY_FILE}"
        ) from None
