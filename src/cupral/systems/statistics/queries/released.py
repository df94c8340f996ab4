"""What has been published: read from release documents and from nothing else."""

from typing import Any

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.release import KIND, PUBLIC, SECRET
from cupral.ledger.result import Result
from cupral.system import query


@query
def released(ledger: Ledger, *, period: str = "", item: str = "", city: str = "") -> Result:
    """Published figures of a year: output by product and city, sums of money by chain.

    Parameters
    ----------
    period : a year, or one of its periods (2026-JF, 2026-03); empty = the latest year
    item : product or sum of money; empty = all
    city : empty = all

    Returns
    -------
    Result
        value = number of published figures; parts = one row for each figure, without value and
        marked 'x' where it is withheld. Table `summary`: year, last month, version.
    """
    document = _latest(ledger, period[:4])
    body, whole_year = document.body, len(period) <= 4
    rows = [
        row
        for row in body["cells"]
        if (whole_year or row["period"] == period) and item in ("", row["item"])
        and city in ("", row["city"])
    ]  # fmt: skip
    if not rows:
        raise InputError(
            f"nothing is published of {period} {item} {city}; periods are"
            f" {', '.join(body['periods'])}, items {', '.join(_items(body))}"
        )
    summary = {"year": body["year"], "through": body["through"], "version": document.version,
               "note_zh": body["note_zh"], "note_en": body["note_en"]}  # fmt: skip
    return Result(
        query="statistics.released", subject=f"release {document.id}", period=body["through"],
        value=float(sum(row["mark"] != SECRET for row in rows)), unit="1", parts=tuple(rows),
        tables={"summary": (summary,), "held": tuple({"held": text} for text in body["held"])},
        badges=tuple(body["badges"]), lineage=(f"document:{KIND}/{document.id}",),
        demonstration=document.demonstration,
    )  # fmt: skip


def _latest(ledger: Ledger, year: str) -> Any:
    found = [
        document
        for document in ledger.documents(KIND, party=PUBLIC)
        if document.id.startswith("statistics:") and document.id.endswith(year)
    ]
    if not found:
        raise CannotDecide("no figures have been published", needs=[f"a release {year}".strip()])
    return max(found, key=lambda document: document.id)


def _items(body: Any) -> list[str]:
    return sorted({row["item"] for row in body["cells"]})
