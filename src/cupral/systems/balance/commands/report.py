"""ImportReport: what became of a file."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cupral.ledger.errors import Fault

Status = Literal["posted", "already", "dry run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What was read from a file, what was posted, and what a person should look at."""

    name: str
    """Kind of rows and the file, e.g. 'meters: march.csv'."""
    site: str
    status: Status
    rows_read: int
    rows_new: int
    """Rows that say something the ledger does not say yet."""
    rows_posted: int
    faults: tuple[Fault, ...] = ()
    """Rows that were left out (only if good rows were accepted)."""
    warnings: tuple[Fault, ...] = ()
    posting: str = ""
    """Id of the posting, to explain or to reverse it."""
    preview: tuple[dict[str, Any], ...] = ()
    """First new rows as they are (or would be) posted."""

    def document(self) -> dict[str, Any]:
        """Plain JSON-able content."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.name} ({self.site}): {self.status}, {self.rows_read} rows read,"
            f" {self.rows_new} new, {self.rows_posted} posted"
            + (f" as {self.posting}" if self.posting else "")
        ]
        lines += _table(self.preview)
        lines += [f"  warning  {warning}" for warning in self.warnings]
        lines += [f"  left out  {fault}" for fault in self.faults]
        return "\n".join(lines)


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    texts = [list(rows[0])] + [[_shown(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in texts
    ]


def _shown(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
