"""`cupral serve`: pages and HTTP interface."""

from typing import Annotated

import typer

from cupral.surfaces.cli.session import session


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 = any free one.")] = 8600,
    allow_demonstration_logins: Annotated[
        bool, typer.Option(help="Let others sign in with passwords that everybody knows.")
    ] = False,
) -> None:
    """Serve the pages and the HTTP interface of a ledger."""
    # The web stack is imported here only: every other command starts without it.
    from cupral.surfaces.api.serving import run  # noqa: PLC0415

    run(session(context).folder, host=host, port=port, known_logins=allow_demonstration_logins)
