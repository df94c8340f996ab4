"""A reconciled month as small tables: streams, meters, suspects, balances, loadings."""

from typing import Any

import numpy as np

from cupral.ledger.quantity import canonical_unit
from cupral.methods.reconcile import Observability, Reconciliation
from cupral.systems.balance.compute.readings import label
from cupral.systems.balance.compute.solve import Quadratic, detectable
from cupral.systems.balance.model import Doubt, MonthBalance, Noun

Rows = tuple[dict[str, Any], ...]

CLASSES = {
    Observability.REDUNDANT: "redundant",
    Observability.JUST_MEASURED: "just measured",
    Observability.OBSERVABLE: "observable",
    Observability.UNOBSERVABLE: "unobservable",
    Observability.FIXED: "fixed",
}


def streams(balance: MonthBalance) -> Rows:
    """One row a stream: measured, reconciled, adjustment, sd, class, suspect."""
    suspect = {meter for doubt in balance.doubts for meter in doubt.meters}
    rows = []
    for stream in balance.layout.network.streams:
        position = balance.layout.index(Noun.FLOW, stream.id)
        reading = balance.layout.readings.get(position)
        measured = reading.value if reading else None
        reconciled = number(balance.final.value[position])
        both = measured is not None and reconciled is not None
        rows.append(
            {
                "stream": stream.id, "name_zh": stream.name_zh, "name_en": stream.name_en,
                "source": stream.source, "target": stream.target, "material": stream.material,
                "carrier": stream.carrier, "unit": canonical_unit(stream.unit),
                "measured": measured, "reconciled": reconciled,
                "adjustment": reconciled - measured if both else None,  # type: ignore[operator]
                "sd": number(balance.final.sd[position]),
                "class": CLASSES[Observability(balance.final.observability[position])],
                "suspect": bool(reading and reading.meter in suspect),
            }
        )  # fmt: skip
    return tuple(rows)


def meters(balance: MonthBalance) -> Rows:
    """One row a reading: what it said, what is believed, its test and its references."""
    suspect = {meter for doubt in balance.doubts for meter in doubt.meters}
    raw, final, shown = balance.raw, balance.final, detectable(balance)
    rows = []
    for position, reading in sorted(balance.layout.readings.items()):
        reconciled = number(final.value[position])
        rows.append(
            {
                "meter": reading.meter, "label": label(balance.month, reading),
                "stream": reading.where, "kind": reading.kind,
                "element": reading.element, "reading": reading.value, "unit": reading.unit,
                "reading_sd": reading.sd, "reconciled": reconciled,
                "adjustment": None if reconciled is None else reconciled - reading.value,
                "sd": number(final.sd[position]), "z": number(raw.z_max_power[position]),
                "class": CLASSES[Observability(raw.observability[position])],
                "suspect": reading.meter in suspect,
                "set_aside": position in balance.set_aside,
                "smallest_detectable": number(shown[position]),
                "refs": list(reading.references),
            }
        )  # fmt: skip
    return tuple(rows)


def suspects(balance: MonthBalance) -> Rows:
    """One row a doubt."""
    return tuple(_doubt(balance, doubt) for doubt in balance.doubts)


def balances(balance: MonthBalance) -> Rows:
    """One row an equation: how well it closes, relative to the sum of its terms."""
    value = np.nan_to_num(balance.final.value)
    unknown = ~np.isfinite(balance.final.value)
    residual, jacobian = Quadratic(balance.layout)(value)
    scale = abs(jacobian) @ np.abs(value)
    open_ = (abs(jacobian) @ unknown.astype(float)) > 0
    return tuple(
        {
            "process": equation.process, "balance": equation.balance,
            "residual": None if open_[row] else float(residual[row]),
            "scale": float(scale[row]), "closed": bool(not open_[row]),
            "relative": None if open_[row] else float(residual[row] / (scale[row] or 1.0)),
        }
        for row, equation in enumerate(balance.layout.equations)
        if equation.balance != "tie"
    )  # fmt: skip


def summary(balance: MonthBalance) -> dict[str, Any]:
    """Redundancy, J, p-value and verdict, with every meter believed and with doubts aside."""
    raw, final = balance.raw, balance.final
    tested = raw.redundancy > 0
    return {
        "month": balance.month, "redundancy": int(raw.redundancy),
        "objective": float(raw.objective), "p_value": float(raw.p_value) if tested else None,
        "chi2_critical": float(raw.chi2_critical),
        "passed": bool(raw.global_test_pass) if tested else None, "verdict": verdict(raw),
        "equations": len(balance.layout.equations), "variables": len(balance.layout.variables),
        "suspects": len(balance.doubts), "final_redundancy": int(final.redundancy),
        "final_objective": float(final.objective),
        "final_p_value": float(final.p_value) if final.redundancy > 0 else None,
    }  # fmt: skip


def verdict(found: Reconciliation) -> str:
    """'passed', 'not passed', or 'not tested' where no reading is checked by another."""
    if found.redundancy == 0:
        return "not tested"
    return "passed" if found.global_test_pass else "not passed"


def _doubt(balance: MonthBalance, doubt: Doubt) -> dict[str, Any]:
    readings = [label(balance.month, balance.layout.readings[member]) for member in doubt.members]
    return {
        "month": balance.month, "group": list(doubt.meters),
        "readings": readings or list(doubt.meters), "kind": doubt.kind, "size": doubt.size,
        "size_sd": doubt.size_sd, "unit": doubt.unit, "statistic": doubt.statistic,
        "also": list(doubt.also),
    }  # fmt: skip


def number(value: Any) -> float | None:
    """A number, or None where nothing is known."""
    return float(value) if np.isfinite(value) else None
