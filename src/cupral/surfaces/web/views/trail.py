"""Trail: the audit records; operation: what the system administrator can do."""

from cupral.ledger.audit import verify
from cupral.ledger.explain import moment
from cupral.ledger.stores.trail import KEPT_MONTHS
from cupral.surfaces.plainness import shortened
from cupral.surfaces.web.asked import Asked, Page

A_PAGE = 100


def trail_page(asked: Asked) -> Page:
    """The latest records, newest first; `?before=` goes further back, `?verify=1` audits."""
    wanted = asked.get("before", "0")
    before = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 16 else 0
    rows = asked.ledger.records.trail.latest(A_PAGE, before=before)
    content = {
        "rows": [
            {**row, "at": moment(row["at"]),
             **{name: shortened(str(row[name])) for name in ("arguments", "outcome")}}
            for row in rows
        ],
        "next": rows[-1]["id"] if len(rows) == A_PAGE and rows[-1]["id"] > 1 else 0,
        "verdict": verify(asked.ledger) if asked.get("verify") else None,
        "months": KEPT_MONTHS,
    }  # fmt: skip
    return Page(template="audit.html", title=asked.language("nav.audit"), content=content)


def operation_page(asked: Asked) -> Page:
    """Merge, sweep, back up."""
    return Page(template="operation.html", title=asked.language("nav.operation"))
