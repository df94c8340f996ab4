"""The nouns of the parameter desk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A signed file whose signature holds."""

    content: Mapping[str, Any]
    key: str
    """Public key of who signed, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file of parameters and its signature, as it is written."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a signed file."""

    signed_by: str
    """As the file says."""
    key: str
    trusted_by: str
    """Who trusts the key."""
    proposed: tuple[str, ...]
    already: tuple[str, ...]
    """What the book, or a proposal that waits, says already."""

    def __str__(self) -> str:
        return (
            f"signed by {self.signed_by} with key {self.key[:16]}, which {self.trusted_by} trusts:"
            f" {len(self.proposed)} proposed, {len(self.already)} known already"
        )
