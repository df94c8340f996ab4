"""Rows of a small fictional plant, from which the tests of the ledger are made."""

from datetime import datetime
from typing import Any

from cupral.ledger.flow import Assay, Flow, Stocktake
from cupral.ledger.period import Period


def flow(stream: str = "S1", amount: float = 10.0, month: int = 202601, **changed: Any) -> Flow:
    """A measured flow of one month."""
    span = Period.month(month)
    values = {
        "site": "A", "stream": stream, "source": "outside", "target": "smelting",
        "material": "concentrate", "amount": amount, "unit": "t", "start": span.start,
        "end": span.end, "origin": "measured", "sd": 0.5, "meter": f"M-{stream}",
    }  # fmt: skip
    return Flow(**{**values, **changed})


def assay(stream: str = "S1", fraction: float = 0.25, month: int = 202601, **changed: Any) -> Assay:
    """A measured copper assay of one month."""
    span = Period.month(month)
    values = {
        "site": "A", "stream": stream, "material": "concentrate", "element": "Cu",
        "fraction": fraction, "start": span.start, "end": span.end, "origin": "measured",
        "sd": 0.001, "meter": f"LAB-{stream}",
    }  # fmt: skip
    return Assay(**{**values, **changed})


def stocktake(process: str = "yard", amount: float = 500.0, **changed: Any) -> Stocktake:
    """A measured stocktake at the end of January 2026."""
    values = {
        "site": "A", "process": process, "material": "concentrate", "amount": amount,
        "unit": "t", "instant": datetime(2026, 1, 31, 23), "origin": "measured", "sd": 5.0,
    }  # fmt: skip
    return Stocktake(**{**values, **changed})
