"""Published series of the real province, beside this ledger's own figures."""

from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.result import Result
from cupral.system import ask, query
from cupral.systems.plan.queries.figures import MISSING


@query
def published(ledger: Ledger, *, year: int = 2026, through: str = "") -> Result:
    """Published series of the real province, beside what this ledger's returns say.

    Parameters
    ----------
    ledger : Ledger
    year : int
        Year of the ledger's own figure that stands beside.
    through : str
        Last month of that figure; empty = the last declared month of the year.

    Returns
    -------
    Result
        value = number of published figures; parts = one row for each with source and status;
        `own` is this ledger's declared figure of the same product, None where it has none.
    """
    series = [
        parameter
        for _, values in sorted(ledger.dated("plan.published_*").items())
        for parameter in values
    ]
    products = dict.fromkeys(parameter.value["product"] for parameter in series)
    own = {product: _own(ledger, product, year, through) for product in products}
    return Result(
        query="plan.published",
        subject="published series of the real province",
        period=str(year),
        value=float(len(series)),
        unit="1",
        badges=tuple(dict.fromkeys(f"unconfirmed: {p.id}" for p in series if not p.confirmed)),
        parts=tuple(_row(parameter, own[parameter.value["product"]]) for parameter in series),
        lineage=(
            *(parameter.reference for parameter in series),
            *(f"result:{result.key}" for result in own.values() if result is not None),
        ),
        demonstration=any(result.demonstration for result in own.values() if result is not None),
    )


def _own(ledger: Ledger, product: str, year: int, through: str) -> Result | None:
    try:
        return ask(ledger, "statistics.output", product=product, year=year, through=through)
    except MISSING:
        return None


def _row(parameter: Parameter, own: Result | None) -> dict[str, Any]:
    stated = parameter.value
    return {
        "parameter": parameter.id, "series_zh": parameter.title_zh,
        "series_en": parameter.title_en, "period": stated["period"],
        "published": stated["amount"], "growth": stated.get("growth"), "unit": parameter.unit,
        "product": stated["product"], "source": parameter.source, "status": parameter.status,
        "note": parameter.note,
        "own": own.value if own else None, "own_period": own.period if own else "",
        "own_unit": own.unit if own else "", "own_demonstration": bool(own and own.demonstration),
    }  # fmt: skip
