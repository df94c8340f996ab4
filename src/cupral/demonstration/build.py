"""Build the demonstration province in a folder: registers, meter files, returns, balances."""

from collections.abc import Callable
from pathlib import Path

from cupral import system
from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.faults import FAULTS
from cupral.demonstration.meters import meter_files, readings
from cupral.demonstration.province import SEED, enterprises
from cupral.demonstration.returns import returns
from cupral.demonstration.truth import Truth, save, truth
from cupral.ledger.errors import Conflict
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.database import EMBEDDED

AUTHOR = "demonstration"
THROUGH = "2026-10"
"""Last month of the demonstration."""

Progress = Callable[[str, float], None]
"""Told what is being done and which share of the whole is done [0-1]."""


def build(folder: str | Path, *, progress: Progress | None = None, seed: int = SEED) -> Ledger:
    """Build the demonstration province in an empty folder.

    Parameters
    ----------
    folder : where the ledger will lie; must hold no ledger yet
    progress : told of each step
    seed : of the truth and the meter errors

    Raises
    ------
    Conflict
        If the folder holds a ledger with postings.
    """
    told = progress or _silent
    ledger = system.open_ledger(folder, database=EMBEDDED)
    if ledger.head:
        raise Conflict(f"{folder} holds a ledger with {ledger.head} postings; give an empty folder")
    known = truth(seed)
    read = readings(known)
    save(known, [fault.document() for fault in FAULTS], Path(folder))
    told("registers", 0.0)
    _register(ledger, known)
    told("meter files", 0.05)
    for month, file in meter_files(known, read).items():
        ledger.post(
            f"meters:{month}", author=AUTHOR, flows=file.flows, assays=file.assays,
            stocktakes=file.stocktakes, note="meter readings of all demonstration sites",
        )  # fmt: skip
    told("returns", 0.2)
    for filed in returns(known, read).values():
        system.order(ledger, "statistics.file_returns", author=AUTHOR, returns=filed)
    told("balances of all sites", 0.3)
    _reconcile(ledger)
    told("targets", 0.75)
    system.call(ledger, "plan.status", through=THROUGH)
    told("public figures", 0.95)
    system.order(ledger, "statistics.release", author=AUTHOR, period=THROUGH)
    system.order(ledger, "plan.publish_status", author=AUTHOR, through=THROUGH)
    told("done", 1.0)
    return ledger


def _silent(step: str, share: float) -> None:
    del step, share


def _register(ledger: Ledger, known: Truth) -> None:
    for enterprise in enterprises():
        ledger.register(enterprise, author=AUTHOR)
    for plant in known.plants:
        ledger.register(plant.site, author=AUTHOR)
        ledger.register(plant.network, author=AUTHOR)


def _reconcile(ledger: Ledger) -> None:
    first, last = (f"{month // 100}-{month % 100:02d}" for month in (MONTHS[0], MONTHS[-1]))
    system.order(ledger, "balance.reconcile", author=AUTHOR, site="all", period=f"{first}..{last}")
