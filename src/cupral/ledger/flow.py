"""The rows of the general ledger: flows, assays and stocktakes, as nouns and as Arrow schemas.

A column's description lives here once; documentation and templates read it.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

import pyarrow as pa

OUTSIDE = "outside"
"""The process that is the rest of the world (market, nature, grid)."""


class Origin(StrEnum):
    """Where a number comes from; origins are never mixed silently."""

    MEASURED = "measured"
    DECLARED = "declared"
    RECONCILED = "reconciled"
    MODELLED = "modelled"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """An amount of material, energy or money that moved between two processes in a period."""

    site: str
    stream: str
    source: str
    target: str
    material: str
    amount: float
    unit: str
    start: datetime
    end: datetime
    origin: str
    sd: float = 0.0
    meter: str = ""
    correlation_group: str = ""
    correlation: float = 0.0
    demonstration: bool = False
    lineage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """The mass fraction of one element or species in a stream's material in a period."""

    site: str
    stream: str
    material: str
    element: str
    fraction: float
    start: datetime
    end: datetime
    origin: str
    sd: float = 0.0
    basis: str = "dry"
    detection_limit: float | None = None
    meter: str = ""
    correlation_group: str = ""
    correlation: float = 0.0
    demonstration: bool = False
    lineage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocktake:
    """How much of a material lay in a process at an instant."""

    site: str
    process: str
    material: str
    amount: float
    unit: str
    instant: datetime
    origin: str
    sd: float = 0.0
    meter: str = ""
    correlation_group: str = ""
    correlation: float = 0.0
    demonstration: bool = False
    lineage: str = ""


_TEXT, _NUMBER = pa.string(), pa.float64()
_TIME, _UTC = pa.timestamp("us"), pa.timestamp("us")

DESCRIPTIONS = {
    "month": "calendar month of the start (YYYYMM); files are divided by it",
    "posting": "id of the posting that wrote the row",
    "row": "number of the row within its posting, from 0",
    "sign": "+1 for an entry, -1 for the counter-entry that undoes one",
    "corrects": "posting/row that this row undoes or replaces; empty otherwise",
    "recorded_at": "when the ledger learnt of it (UTC)",
    "site": "site or enterprise the row belongs to",
    "stream": "stream of the site's network",
    "source": "process the amount left",
    "target": "process the amount entered",
    "process": "process that holds the stock",
    "material": "material, energy carrier or kind of money",
    "element": "element or species",
    "fraction": "mass fraction [kg/kg]",
    "amount": "amount in the unit beside it",
    "unit": "canonical unit: t, MWh, m3, CNY, kA*h",
    "start": "start of the period, plant time (UTC+8)",
    "end": "end of the period, excluded",
    "instant": "time of the stocktake, plant time (UTC+8)",
    "origin": "measured, declared, reconciled, modelled or planned",
    "sd": "standard uncertainty, same unit",
    "basis": "dry or wet",
    "detection_limit": "limit of detection; the value is below it when fraction is lower [kg/kg]",
    "meter": "meter, laboratory or form the value was read from",
    "correlation_group": "measurements in one group share part of their error; empty = the meter",
    "correlation": "share of the variance that is common to the group [0-1]",
    "demonstration": "true if the row describes the fictional demonstration province",
    "lineage": "where it came from: file, line, parameter or run",
}
"""What each column means, once."""

_TYPES = {
    "month": pa.int32(), "row": pa.int32(), "sign": pa.int8(), "recorded_at": _UTC,
    "fraction": _NUMBER, "amount": _NUMBER, "sd": _NUMBER, "correlation": _NUMBER,
    "detection_limit": _NUMBER, "start": _TIME, "end": _TIME, "instant": _TIME,
    "demonstration": pa.bool_(),
}  # fmt: skip

HEADER = ("month", "posting", "row", "sign", "corrects", "recorded_at")
"""Columns that the ledger itself writes before those of the noun."""


def _schema(noun: type) -> pa.Schema:
    names = HEADER + tuple(field.name for field in fields(noun))
    return pa.schema([pa.field(name, _TYPES.get(name, _TEXT)) for name in names])


NOUNS: dict[str, type] = {"flows": Flow, "assays": Assay, "stocktakes": Stocktake}
SCHEMAS = {table: _schema(noun) for table, noun in NOUNS.items()}
"""Arrow schema of each table, header included."""
TIME_COLUMN = {"flows": "start", "assays": "start", "stocktakes": "instant"}
"""The column whose month places a row in a file."""
