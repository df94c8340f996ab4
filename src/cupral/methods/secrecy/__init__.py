"""Secrecy of aggregates: which cells of a table may be published, and proof that none leaks."""

from cupral.methods.secrecy.audit import Audit, audit, intervals, total
from cupral.methods.secrecy.errors import RuleError, SecrecyError, TableError, UnprotectedError
from cupral.methods.secrecy.panel import (
    Axis,
    Column,
    Lattice,
    Panel,
    axis,
    column,
    entries,
    lattice,
)  # fmt: skip
from cupral.methods.secrecy.pattern import Pattern, protect
from cupral.methods.secrecy.proof import Exposure
from cupral.methods.secrecy.reader import NOBODY
from cupral.methods.secrecy.revision import Singled, difference, singled
from cupral.methods.secrecy.rule import Rule, Sensitivity, sensitivity

__all__ = [
    "NOBODY", "Audit", "Axis", "Column", "Exposure", "Lattice", "Panel", "Pattern", "Rule",
    "RuleError", "SecrecyError", "Sensitivity", "Singled", "TableError", "UnprotectedError",
    "audit", "axis", "column", "difference", "entries", "intervals", "lattice", "protect",
    "sensitivity", "singled", "total",
]  # fmt: skip
