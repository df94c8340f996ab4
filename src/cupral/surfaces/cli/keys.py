"""`cupral desk key`: the pair of keys with which a desk signs its files."""

import os
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cupral.ledger.errors import InputError
from cupral.surfaces.cli.session import session
from cupral.systems.desk.commands import KEY_FILE, refuse_inside
from cupral.systems.desk.compute.signing import pem_of, private_from, public_of


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
