"""What the ledger asks of a store of rows, so that another engine can take DuckDB's place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are asked for: column name to allowed values, and the months they lie in."""

    equal: Mapping[str, tuple[str | int, ...]]
    first: int | None = None
    last: int | None = None
    """First and last month (YYYYMM), both included; None = open."""
    recorded_until: int | None = None
    """Rows recorded later than this (microseconds UTC) are not seen."""
    within: tuple[datetime, datetime] | None = None
    """Rows whose time (start or instant) lies in [first, second); None = whole months."""


class Scan(Protocol):
    """Reads rows of one table from the files of one snapshot."""

    def current(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """Rows that stand: entered and not undone, by month, site, posting, row."""

    def every(self, table: str, files: Sequence[Path], asked: Filter) -> pa.Table:
        """All rows, counter-entries included, in order of posting and row."""

    def totals(
        self, table: str, files: Sequence[Path], asked: Filter, by: Sequence[str]
    ) -> pa.Table:
        """Signed sums of amount and variance, net count and demonstration flag."""
