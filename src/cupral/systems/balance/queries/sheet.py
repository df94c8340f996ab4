"""The reconciled months that every question of a site starts from."""

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.systems.balance.compute import judging
from cupral.systems.balance.compute.month import Sheet, sheets
from cupral.systems.balance.model import Judgement

TREATMENTS = ("compensate", "keep")


def site_sheet(ledger: Ledger, site: str, period: str, treatment: str) -> Sheet:
    if treatment not in TREATMENTS:
        raise InputError(f"treatment {treatment!r} is not one of {TREATMENTS}")
    span = Period.parse(period)
    network = ledger.network(site)
    around = Period.run(_shift(span.months[0], -1), _shift(span.months[-1], 1))
    level = ledger.parameter("balance.significance_level", span.start.date())
    return sheets(
        network,
        ledger.site(site),
        span,
        flows=ledger.flows(site=site, origin=["measured", "modelled"], period=span).to_pylist(),
        assays=ledger.assays(site=site, origin=["measured", "modelled"], period=span).to_pylist(),
        stocktakes=ledger.stocktakes(site=site, origin="measured", period=around).to_pylist(),
        treatment=treatment,
        level=level.value,
        judgements=_judgements(ledger, site),
        references=(f"network:{site}@{network.version}", level.reference),
    )


def _judgements(ledger: Ledger, site: str) -> tuple[Judgement, ...]:
    """What people decided about the doubts of a site."""
    documents = ledger.documents("doubt", party=site)
    return tuple(judging.judgement(one.body, one.author) for one in documents)


def _shift(month: int, by: int) -> int:
    index = month // 100 * 12 + month % 100 - 1 + by
    return index // 12 * 100 + index % 12 + 1
