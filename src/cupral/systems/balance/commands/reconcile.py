"""Reconcile months of a site and post the answer as reconciled flows."""

import hashlib

from cupral.ledger.flow import Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.stores.postings import Receipt
from cupral.system import command
from cupral.systems.balance.compute import report
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.model import MonthBalance
from cupral.systems.balance.queries.sheet import site_sheet

ALL = "all"


@command
def reconcile(
    ledger: Ledger, *, author: str, site: str, period: str, treatment: str = "compensate"
) -> Receipt:
    """Reconcile every month of a period that has readings and post the reconciled flows.

    `site` is one site, or 'all' for every site with a network, in one posting. The lineage pins
    the network version, the note the posting number of the readings; earlier reconciled flows
    of the same months are countered.

    Raises
    ------
    CannotDecide
        If the site has no readings in the period.
    """
    sites = ledger.networks() if site == ALL else [site]
    rows = [flow for one in sites for flow in _site_flows(ledger, one, period, treatment)]
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:12]
    return ledger.post(
        f"balance:{site}:{period}:{digest}",
        author=author,
        flows=rows,
        note=f"reconciled from posting number {ledger.head}",
        supersede=True,
    )


def _site_flows(ledger: Ledger, site: str, period: str, treatment: str) -> list[Flow]:
    sheet = site_sheet(ledger, site, period, treatment)
    lineage = f"balance.streams {site} network {sheet.network.version} code {ledger.code}"
    return [flow for balance in sheet.balances for flow in _flows(sheet, balance, lineage)]


def _flows(sheet: Sheet, balance: MonthBalance, lineage: str) -> list[Flow]:
    period = Period.month(balance.month)
    demonstration = any(r.demonstration for r in balance.layout.readings.values())
    return [
        Flow(
            site=sheet.network.site, stream=row["stream"], source=row["source"],
            target=row["target"], material=row["material"], amount=row["reconciled"],
            unit=row["unit"], start=period.start, end=period.end, origin="reconciled",
            sd=row["sd"],
            demonstration=demonstration, lineage=lineage,
        )
        for row in report.streams(balance)
        if row["reconciled"] is not None
    ]  # fmt: skip
