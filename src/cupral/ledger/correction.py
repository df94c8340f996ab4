"""Correction: which rows counter-rows undo, and what has been made of a posting since."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.errors import Conflict
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.stores import rows
from cupral.ledger.stores.postings import Postings, Receipt
from cupral.ledger.stores.protocol import Filter, Scan

REVERSE = "reverse:"
"""What the id of a reversing entry begins with; the id of what it reverses follows."""


def reversals(manifest: Postings, posting: str) -> list[Receipt]:
    """The posting, its reversal, the reversal of that, and so on: every second one undoes it."""
    chain, receipt = [], manifest.receipt(posting)
    while receipt is not None:
        chain.append(receipt)
        receipt = manifest.receipt(f"{REVERSE}{receipt.id}")
    return chain


def unreversed(manifest: Postings, receipt: Receipt) -> Receipt:
    """The receipt of what was posted before, unless a reversal has left nothing of it."""
    *earlier, last = reversals(manifest, receipt.id)
    if len(earlier) % 2 == 0:
        return receipt
    raise Conflict(
        f"posting {receipt.id!r} was posted (number {receipt.seq}) and reversed by {last.id!r}:"
        f" nothing of it stands; reverse {last.id!r}, or give the content an id of its own"
    )


def standing_rows(manifest: Postings, scan: Scan, posting: Receipt) -> dict[str, pa.Table]:
    """Rows of a posting, counter-rows included, that nothing has undone."""
    standing = {}
    for name in SCHEMAS:
        files = manifest.files(name, posting_seq=posting.seq)
        mine = scan.every(name, files, Filter({"posting": (posting.id,)}))
        if mine.num_rows:
            later = _around(manifest, name, mine, scan.every)
            undone = pc.is_in(rows.references(mine), value_set=later["corrects"])
            standing[name] = mine.filter(pc.invert(undone))
    return {name: table for name, table in standing.items() if table.num_rows}


def superseding(
    manifest: Postings, scan: Scan, name: str, entered: pa.Table, posting: str
) -> pa.Table:
    """Entered rows and the counter-rows of all standing rows that they replace."""
    return rows.superseding(name, entered, _around(manifest, name, entered, scan.current), posting)


def _around(
    manifest: Postings, name: str, table: pa.Table, read: Callable[..., pa.Table]
) -> pa.Table:
    """What is read of the months and sites of these rows."""
    months, sites = pc.min_max(table["month"]).as_py(), pc.unique(table["site"]).to_pylist()
    span = (months["min"], months["max"])
    files = manifest.files(name, months=span, sites=sites)
    return read(name, files, Filter({"site": tuple(sites)}, *span))
