"""`cupral network`: define, show and export the network of a site."""

from pathlib import Path
from typing import Annotated

import typer

from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Network
from cupral.surfaces.cli.generated import show_outcome
from cupral.surfaces.cli.session import author, content_of, reading, session, write
from cupral.surfaces.cli.terminal import show_json, show_rows
from cupral.surfaces.intake import network_export
from cupral.surfaces.plainness import plain
from cupral.system import order

Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
SiteArgument = Annotated[str, typer.Argument(help="Id of the site.")]
AnySite = Annotated[str, typer.Argument(help="Id of the site; empty = list the sites.")]


def group() -> typer.Typer:
    """The group of network commands."""
    made = typer.Typer(no_args_is_help=True, help="Processes, streams and meters of a site.")
    made.command("define")(define)
    made.command("show")(show)
    made.command("export")(export)
    return made


def define(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="YAML or XLSX file of a site and its network.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only.")] = False,
    json_output: Json = False,
) -> None:
    """Register a site and its network from a file."""
    outcome = order(
        session(context).ledger, "balance.define_network", author=author(),
        content=content_of(file), filename=file.name, dry_run=dry_run,
    )  # fmt: skip
    show_outcome(outcome, json_output=json_output)


def show(context: typer.Context, site: AnySite = "", json_output: Json = False) -> None:
    """Show the network of a site; without a site, list the sites."""
    if not site:
        _list(reading(context), json_output)
        return
    network = reading(context).network(site)
    if json_output:
        show_json(plain(network))
        return
    typer.echo(f"network of {site}, version {network.version}, valid from {network.valid_from}")
    for title in ("processes", "streams", "meters"):
        show_rows(title, _rows(network, title), most=200)


def _list(ledger: Ledger, json_output: bool) -> None:
    """All sites, and which version of a network each has."""
    versions = {id: ledger.network(id).version for id in ledger.networks()}
    rows = [
        {"site": site.id, "name_zh": site.name_zh, "name_en": site.name_en, "kind": site.kind,
         "city": site.city, "enterprise": site.enterprise, "network": versions.get(site.id)}
        for site in ledger.sites()
    ]  # fmt: skip
    show_json(rows) if json_output else show_rows("sites", rows, most=1000)


def export(
    context: typer.Context,
    site: SiteArgument,
    out: Annotated[Path, typer.Option("--out", help="File to write: .yaml or .xlsx.")],
) -> None:
    """Write the network of a site to a file that `define` reads back."""
    form = "yaml" if out.suffix in (".yaml", ".yml") else out.suffix.removeprefix(".")
    write(out, network_export(reading(context), site, form))


def _rows(network: Network, title: str) -> list[dict[str, object]]:
    rows = [plain(noun) for noun in getattr(network, title)]
    return [{n: v for n, v in row.items() if v not in (None, "", [], 0.0)} for row in rows]
