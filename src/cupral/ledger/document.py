"""Document: an act of a named party; the sub-ledger whose settled amounts are posted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A return, ticket, contract, application or certificate, at one version."""

    kind: str
    id: str
    party: str
    body: Mapping[str, Any] = field(default_factory=dict)
    state: str = "draft"
    version: int = 0
    """0 = not stored yet; the ledger numbers versions from 1."""
    posting: str = ""
    """Posting in which its amounts were settled."""
    author: str = ""
    demonstration: bool = False
