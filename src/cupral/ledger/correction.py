"""Correction: which rows counter-rows undo, and what has been made of a posting since."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.errors import Conflict, InputError
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.guard import Guard
from cupral.ledger.stores import rows
from cupral.ledger.stores.postings import Batch, Postings, Receipt, combined, parts_of
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


def undoing(
    manifest: Postings, scan: Scan, guard: Guard, posting: str, author: str, reason: str
) -> Batch | Receipt:
    """The batch that undoes what stands of a posting; the receipt of what undid it before."""
    head, (*earlier, last) = manifest.head, reversals(manifest, posting)
    if len(earlier) % 2:
        return last
    standing = standing_rows(manifest, scan, last)
    if not standing:
        raise InputError(f"nothing of posting {posting!r} stands any more")
    guard.post(standing)
    id = f"{REVERSE}{last.id}"
    undone = {name: rows.counter(name, table, id, 0) for name, table in standing.items()}
    parts = parts_of(undone)
    return Batch(id, author, reason, combined(parts), parts, head)


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
