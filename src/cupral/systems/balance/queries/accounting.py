"""The account that an auditor signs: doubts with their judgements, months, meters, principles."""

from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.result import Result
from cupral.system import query
from cupral.systems.balance.compute import account, judging, persistence, symptoms
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.queries.sheet import site_sheet

SIGNED, CHANGED, READY, OPEN = "signed", "changed since signed", "ready to sign", "open doubts"


@query
def doubts(ledger: Ledger, *, site: str, period: str) -> Result:
    """Every doubt of a site's months: evidence, and who confirmed or dismissed it why.

    Parameters
    ----------
    site : str
    period : str
        Months or a year.

    Returns
    -------
    Result
        value: doubts still open [1]; parts one row a doubt {month, kind, meters, size, size_sd,
        unit, statistic, state, culprits, author, reason}; table persistent: gross errors that
        the months show only together; table symptoms: wrong units, swapped tags, stuck, silent
        or repeated readings, with what to check.

    Raises
    ------
    CannotDecide
        If the site has no readings in the period.
    """
    sheet = site_sheet(ledger, site, period, "compensate")
    rows = judging.register(sheet.balances, sheet.judgements)
    waiting = sum(row["state"] == judging.OPEN for row in rows)
    return Result(
        query="balance.doubts",
        subject=site,
        period=period,
        value=float(waiting),
        unit="1",
        origin="reconciled",
        status=OPEN if waiting else "ok",
        badges=sheet.badges,
        parts=rows,
        tables=_further(ledger, sheet, period),
        lineage=sheet.lineage,
    )


@query
def accounts(ledger: Ledger, *, site: str, period: str) -> Result:
    """A site's metal account over a period, by the principles of AMIRA P754, and who signed it.

    Returns
    -------
    Result
        value: doubts still open [1]; status 'open doubts', 'ready to sign', 'signed' or
        'changed since signed'; parts one row a principle {number, zh, en, served, evidence};
        tables months, doubts, meters, balances (what a signature stands for), inputs, and
        signature, whose `judged_too` tells whether the signer also judged a doubt.

    Raises
    ------
    CannotDecide
        If the site has no readings in the period.
    """
    tables, sheet = account_of(ledger, site, period)
    signatures = ledger.documents("account", id=f"{site}/{Period.parse(period)}", latest=False)
    now = account.fingerprint(tables)
    state = _state(tables, signatures, now)
    shares = ledger.parameter("balance.account_shares", Period.parse(period).start.date())
    signer = signatures[-1].author if signatures else ""
    return Result(
        query="balance.accounts",
        subject=site,
        period=period,
        value=float(len(account.open_doubts(tables))),
        unit="1",
        origin="reconciled",
        status=state,
        badges=(
            *sheet.badges,
            "unconfirmed: principles 5-10 of P754 are from memory",
            *(() if shares.confirmed else (f"unconfirmed: {shares.id}",)),
        ),
        parts=account.principles(tables, sheet, state, signer, shares.value),
        tables={
            **tables,
            **_further(ledger, sheet, period),
            "signature": tuple(_signature(one, tables, now) for one in signatures),
        },
        lineage=(*sheet.lineage, shares.reference),
    )


def doubts_of(ledger: Ledger, site: str, period: str) -> tuple[dict[str, Any], ...]:
    """The register of doubts, as `doubts` lists it."""
    sheet = site_sheet(ledger, site, period, "compensate")
    return judging.register(sheet.balances, sheet.judgements)


def account_of(ledger: Ledger, site: str, period: str) -> tuple[account.Tables, Sheet]:
    """The tables that a signature stands for, and the sheet they are of."""
    sheet = site_sheet(ledger, site, period, "compensate")
    return account.tables(sheet), sheet


def _further(ledger: Ledger, sheet: Sheet, period: str) -> account.Tables:
    """What the months show together, and what kind of fault the readings look like."""
    slips = ledger.parameter("balance.unit_slips", Period.parse(period).start.date())
    return {
        "persistent": persistence.rows(sheet.balances),
        "symptoms": symptoms.rows(sheet.balances, slips.value),
    }


def _state(tables: account.Tables, signatures: list[Document], now: str) -> str:
    if account.open_doubts(tables):
        return OPEN
    if not signatures:
        return READY
    return SIGNED if signatures[-1].body["fingerprint"] == now else CHANGED


def _signature(one: Document, tables: account.Tables, now: str) -> dict[str, Any]:
    return {
        "version": one.version, "author": one.author, "statement": one.body["statement"],
        "posting": one.body["posting"], "network": one.body["network"], "code": one.body["code"],
        "unchanged": one.body["fingerprint"] == now,
        "judged_too": one.author in account.judges(tables),
        "fingerprint": one.body["fingerprint"],
    }  # fmt: skip
