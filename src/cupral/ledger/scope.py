"""Scope: which files and rows a question about the ledger is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cupral.ledger.period import Period
from cupral.ledger.reading import EVER, note
from cupral.ledger.stores.postings import Postings
from cupral.ledger.stores.protocol import Filter

Wanted = str | Sequence[str] | None
"""A filter: one value, several, or all."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Values that columns may have, in a period, as the ledger stood at a posting."""

    equal: Mapping[str, tuple[str, ...]]
    period: Period | None
    as_of: int | None

    @staticmethod
    def of(asked: Mapping[str, Wanted], period: str | Period | None, as_of: int | None) -> "Scope":
        """The scope of a question's filters; None filters nothing."""
        equal = {
            name: (wanted,) if isinstance(wanted, str) else tuple(wanted)
            for name, wanted in asked.items()
            if wanted is not None
        }
        return Scope(equal, None if period is None else Period.parse(period), as_of)

    def read(self, manifest: Postings, table: str) -> tuple[list[Path], Filter]:
        """Files and filter of a table; notes that they are read."""
        months = EVER if self.period is None else self.period.months
        span, equal = (months[0], months[-1]), self.equal
        note(table, equal.get("site", ("*",)), equal.get("origin", ("*",)), span)
        until = None if self.as_of is None else manifest.recorded_at(self.as_of)
        if any(not values for values in equal.values()):
            return [], Filter({}, *span)
        files = manifest.files(table, seq=self.as_of, months=span, sites=equal.get("site"))
        within = None
        if self.period is not None and self.period.kind in ("hour", "day"):
            within = (self.period.start, self.period.end)
        return files, Filter(equal, *span, recorded_until=until, within=within)
