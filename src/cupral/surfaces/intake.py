"""Intake: the kinds of files that a person can bring, and what each is read by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cupral.demonstration.faults import KEY
from cupral.demonstration.story import corrected_file
from cupral.ledger.errors import Conflict, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.release import release_file, released
from cupral.ledger.template import Template, template_file
from cupral.system import order
from cupral.systems.balance.commands.assays import ASSAYS
from cupral.systems.balance.commands.meters import METERS
from cupral.systems.balance.commands.network import network_file
from cupral.systems.balance.commands.stocktakes import STOCKTAKES
from cupral.systems.statistics.commands import import_file
from cupral.systems.statistics.compute.sheet import TEMPLATE as RETURNS

LATE_FILE = "corrected-ct-ratio.csv"
"""The file that ends the demonstration's story."""
SITE_KINDS: Mapping[str, Template] = {"meters": METERS, "assays": ASSAYS, "stocktakes": STOCKTAKES}
"""Kinds that belong to one site and are imported by system balance."""
KINDS: Mapping[str, Template] = {**SITE_KINDS, "returns": RETURNS}
"""All kinds of files with rows."""
Form = Literal["csv", "xlsx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file that somebody brought, and what shall be done with it."""

    kind: str
    filename: str
    content: bytes
    author: str
    site: str = ""
    correct: bool = False
    accept_gaps: bool = False
    """Take meter rows with unmeasured time between them."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind {self.kind!r} is not known; there are {', '.join(KINDS)}")
        if self.kind in SITE_KINDS and not self.site:
            raise InputError(f"a file of {self.kind} belongs to a site; name the site")
        if not self.content:
            raise InputError(f"file {self.filename!r} is empty; choose a file with rows")


def take(ledger: Ledger, brought: Brought, *, dry_run: bool) -> Any:
    """Check a file and, unless it is a dry run, post its new rows.

    Raises
    ------
    RowFaults
        If the file is faulty; nothing is posted.
    """
    if brought.kind in SITE_KINDS:
        gaps = {"accept_gaps": True} if brought.kind == "meters" and brought.accept_gaps else {}
        return order(
            ledger, f"balance.import_{brought.kind}", author=brought.author, site=brought.site,
            content=brought.content, filename=brought.filename, dry_run=dry_run,
            correct=brought.correct, **gaps,
        )  # fmt: skip
    noted = {"filename": brought.filename, "content": brought.content, "dry_run": dry_run}
    with ledger.audited(author=brought.author, action="statistics.import_file", arguments=noted):
        return import_file(
            ledger, author=brought.author, content=brought.content, filename=brought.filename,
            dry_run=dry_run, supersede=brought.correct,
        )  # fmt: skip


def late_file(ledger: Ledger) -> Brought:
    """The corrected meter file of the demonstration's story.

    Raises
    ------
    NotFound
        If the ledger holds no demonstration.
    Conflict
        If it was posted before.
    """
    rows = ledger.flows(site=KEY.site, meter=KEY.meter, origin="measured").to_pylist()
    if not rows:
        raise NotFound("this ledger holds no demonstration; run `cupral demo` for one")
    if any(LATE_FILE in row["lineage"] for row in rows):
        raise Conflict(f"{LATE_FILE} was posted before; reverse that posting to see it again")
    return Brought(
        kind="meters", filename=LATE_FILE, content=corrected_file(ledger), site=KEY.site,
        author="demonstration", correct=True,
    )  # fmt: skip


def template(kind: str, form: str) -> bytes:
    """The empty file of a kind, to be filled in."""
    if kind not in KINDS or form not in ("csv", "xlsx"):
        raise NotFound(f"no template {kind}.{form}; there are {', '.join(KINDS)} as csv and xlsx")
    return template_file(KINDS[kind], "csv" if form == "csv" else "xlsx")


def network_export(ledger: Ledger, site: str, form: str) -> bytes:
    """A site's network as a file that can be read back."""
    if form not in ("yaml", "xlsx"):
        raise NotFound(f"no form {form!r} of a network; there are yaml and xlsx")
    chosen: Literal["yaml", "xlsx"] = "yaml" if form == "yaml" else "xlsx"
    return network_file(ledger.network(site), ledger.site(site), chosen)


def release_export(ledger: Ledger, year: str, form: str) -> bytes:
    """The published figures of a year as a file."""
    if form not in ("csv", "xlsx"):
        raise NotFound(f"no form {form!r} of a release; there are csv and xlsx")
    chosen: Form = "csv" if form == "csv" else "xlsx"
    return release_file(released(ledger, f"statistics:{year}"), chosen)
