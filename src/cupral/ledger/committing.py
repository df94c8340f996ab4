"""Committing: a batch and what it settles in one transaction, prepared anew if need be."""

from collections.abc import Callable, Sequence
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict
from cupral.ledger.stores.postings import Batch, Postings, Receipt
from cupral.ledger.stores.records import Records

_PATIENCE = 20
"""How often rows to be undone are read again when other writers change them."""


def committed(
    manifest: Postings, records: Records, prepared: Callable[[], Batch | Receipt],
    documents: Sequence[Document],
) -> Receipt:  # fmt: skip
    """Commit a batch; prepare it again if rows that it undoes have changed meanwhile.

    What has been done before prepares to its receipt.
    """

    def within(connection: Any, batch: Batch, seq: int, scopes: Any) -> None:
        for document in documents:
            records.put_document(connection, document, batch.author, batch.id)
        records.mark_stale(connection, seq, scopes)

    for _ in range(_PATIENCE):
        batch = prepared()
        receipt = batch if isinstance(batch, Receipt) else manifest.commit(batch, within)
        if receipt is not None:
            return receipt
    raise Conflict("other writers keep changing the same rows; try again when they are done")
