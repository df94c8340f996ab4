"""Undo a posting by a reversing entry (冲销)."""

from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.postings import Receipt
from cupral.system import command


@command
def reverse_posting(ledger: Ledger, *, author: str, posting: str, reason: str) -> Receipt:
    """Undo what still stands of a posting by counter-rows; nothing is erased.

    Parameters
    ----------
    author : str
        Who reverses.
    posting : str
        Id of the posting, as the import reported it.
    reason : str
        Why it was wrong; kept with the reversing entry.

    Raises
    ------
    NotFound
        If there is no such posting.
    InputError
        If no reason is given, or nothing of the posting stands any more.
    """
    return ledger.reverse(posting, author=author, reason=reason)
