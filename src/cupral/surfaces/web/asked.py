"""Asked and Page: what a reader asks for, and what a view gives back to be rendered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import OWNER, PUBLIC, Rights
from cupral.surfaces.web.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A page that a reader asks for."""

    ledger: Ledger
    language: Language
    path: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    """Values from the path, such as the id of a site."""
    part: bool = False
    """Only the inner part is wanted (a drawer), not the whole page."""

    @property
    def rights(self) -> Rights:
        """What the reader may do."""
        return self.ledger.rights

    @property
    def personal(self) -> bool:
        """Whether the ledger has no accounts and is its reader's own."""
        return OWNER in self.rights.roles

    @property
    def signed_in(self) -> str:
        """Name of the account that is signed in; empty for the public and a ledger's owner."""
        return "" if self.personal or self.rights == PUBLIC else self.rights.name

    def get(self, name: str, usual: str = "") -> str:
        """An argument of the address, or the usual value."""
        return self.arguments.get(name) or usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A template with its content."""

    template: str
    title: str
    content: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    demonstration: bool = False


View = Callable[[Asked], Page]
