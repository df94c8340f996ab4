"""The returns that stand: filed, and neither reversed nor replaced.

Not a query itself: what the queries and commands of statistics read before they decide.
"""

from cupral.ledger.document import Document
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period


def standing(ledger: Ledger, span: Period) -> list[Document]:
    """Returns of which rows stand, each in the version that these rows belong to, by id.

    Reversing a posting undoes its rows; the documents that it settled stay. A return
    therefore counts as filed only while its rows say so.
    """
    versions = {
        (f"document:return/{document.id}", document.posting): document
        for document in ledger.documents("return", latest=False)
    }
    rows = ledger.flows(origin="declared", meter="return", period=span)
    groups = rows.group_by(["lineage", "posting"]).aggregate([("corrects", "max")]).to_pylist()
    found: dict[str, Document] = {}
    for group in groups:
        key = (group["lineage"], group["posting"])
        if key not in versions:
            key = (group["lineage"], _entered_by(ledger, group["posting"], group["corrects_max"]))
        if key in versions:
            found[versions[key].id] = versions[key]
    return [found[id] for id in sorted(found)]


def _entered_by(ledger: Ledger, posting: str, corrects: str) -> str:
    """The posting that first entered a row: a reversal that restores it enters it anew."""
    while corrects:
        undone = explain(ledger, f"flows:{corrects}").content
        if undone["sign"] > 0:  # a correction names the entry that it replaces
            break
        entry = explain(ledger, f"flows:{undone['corrects']}").content
        posting, corrects = entry["posting"], entry["corrects"]
    return posting
