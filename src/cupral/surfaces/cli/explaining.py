"""`cupral explain`, `cupral audit` and `cupral reverse`: where a number comes from, and trust."""

from typing import Annotated

import typer

from cupral.ledger.audit import verify as verify_ledger
from cupral.ledger.explain import MOST
from cupral.surfaces.cli.generated import show_outcome
from cupral.surfaces.cli.session import author, reading
from cupral.surfaces.cli.terminal import show_json, show_rows
from cupral.surfaces.plainness import plain, shortened
from cupral.surfaces.references import explained
from cupral.system import order

Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
DAMAGED = 1
"""Exit code of an audit that found damage."""


def explain(
    context: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            help="flows:POSTING/ROW, parameter:ID@DATE, result:KEY, posting:ID or network:SITE"
        ),
    ],
    everything: Annotated[bool, typer.Option("--all", help="Print every source and row.")] = False,
    json_output: Json = False,
) -> None:
    """Follow a number to what it stands on."""
    found = explained(reading(context), reference)
    text = found.text(None if everything else MOST)
    show_json(plain(found)) if json_output else typer.echo(text)


def audit_group() -> typer.Typer:
    """The group of audit commands."""
    made = typer.Typer(no_args_is_help=True, help="Prove that nothing has changed.")
    made.command("verify")(verify)
    made.command("postings")(postings)
    made.command("trail")(trail)
    return made


def verify(
    context: typer.Context,
    level: Annotated[int, typer.Option(min=1, max=2, help="1 chain and files, 2 every row.")] = 1,
    json_output: Json = False,
) -> None:
    """Verify the chain of postings and the files; exit code 1 if anything is damaged."""
    verdict = verify_ledger(reading(context), level)
    show_json(plain(verdict)) if json_output else typer.echo(str(verdict))
    if not verdict.intact:
        raise typer.Exit(DAMAGED)


def postings(context: typer.Context, json_output: Json = False) -> None:
    """List every posting in order."""
    rows = reading(context).postings()
    if json_output:
        show_json(rows)
    else:
        names = ("seq", "id", "author", "rows", "chain_sha", "note")
        shown = [{name: row[name] for name in names} for row in rows]
        show_rows("postings", [{**row, "chain_sha": row["chain_sha"][:12]} for row in shown], 1000)


def trail(context: typer.Context, json_output: Json = False) -> None:
    """List the latest orders: who did what, and what came of it."""
    rows = reading(context).records.audit(200)
    if json_output:
        show_json(rows)
    else:
        show_rows(
            "orders", [{**row, "arguments": shortened(row["arguments"])} for row in rows], 200
        )


def reverse(
    context: typer.Context,
    posting: Annotated[str, typer.Argument(help="Id of the posting.")],
    reason: Annotated[str, typer.Option(help="Why it was wrong.")],
    json_output: Json = False,
) -> None:
    """Undo a posting by a reversing entry."""
    outcome = order(
        reading(context), "balance.reverse_posting", author=author(), posting=posting, reason=reason
    )
    show_outcome(outcome, json_output=json_output)
