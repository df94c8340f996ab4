"""The faults planted in the demonstration's meters; a reconciliation is judged by finding them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cupral.demonstration.calendar import MONTHS, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with one meter over a run of months."""

    id: str
    site: str
    meter: str
    kind: str
    """A name of `EFFECTS`."""
    size: float
    """Relative bias, relative drift a month, factor, or amount, by kind."""
    first: int
    last: int
    zh: str
    en: str

    def document(self) -> dict[str, Any]:
        """Plain content, as the truth file keeps it."""
        return asdict(self)

    def active(self, month: int) -> bool:
        """Whether the meter is wrong in a month (YYYYMM)."""
        return self.first <= month <= self.last


FAULTS = (
    Fault(id="ct-ratio", site="al-yt-1", meter="al-yt-1.AC-2.rectifier", kind="bias", size=-0.018,
          first=202511, last=202610, zh="整流交流电表互感器变比设置错误，少计1.8%",
          en="rectifier AC meter with a wrong CT ratio, reads 1.8 % low"),
    Fault(id="belt-drift", site="cu-lc-1", meter="cu-lc-1.CONC.belt", kind="drift", size=0.012,
          first=202603, last=202610, zh="入炉精矿皮带秤漂移，每月增加1.2%",
          en="concentrate belt scale drifts, 1.2 % more each month"),
    Fault(id="unit-slip", site="cu-dy-1", meter="cu-dy-1.CONC.Au", kind="factor", size=0.1,
          first=202605, last=202605, zh="精矿含金化验小数点错位，只有十分之一",
          en="gold assay of the concentrate with its decimal point slipped, a tenth of it"),
    Fault(id="scale-bias", site="al-bz-2", meter="al-bz-2.INGOT.weighbridge", kind="bias",
          size=0.015, first=202601, last=202606, zh="铝锭秤偏重1.5%",
          en="ingot scale of the casthouse reads 1.5 % high"),
    Fault(id="stuck-meter", site="al-lc-1", meter="al-lc-1.DC-1.direct_current", kind="stuck",
          size=0.0, first=202602, last=202602, zh="直流电能表卡滞，重复上月读数",
          en="DC meter stuck, repeats the month before"),
    Fault(id="stock-slip", site="cu-yt-1", meter="cu-yt-1.concentrate-yard.stocktake",
          kind="amount", size=-20000.0, first=202604, last=202604,
          zh="精矿盘点漏计一堆（2万吨）", en="stocktake of concentrate misses one heap (20,000 t)"),
)  # fmt: skip
"""What is planted; the first one flips target T8."""

KEY = FAULTS[0]
"""The fault that flips the benchmark-share target."""


def _bias(readings: Vector, window: slice, size: float) -> Vector:
    return readings[window] * (1.0 + size)


def _drift(readings: Vector, window: slice, size: float) -> Vector:
    return readings[window] * (1.0 + size * np.arange(1, window.stop - window.start + 1))


def _factor(readings: Vector, window: slice, size: float) -> Vector:
    return readings[window] * size


def _stuck(readings: Vector, window: slice, size: float) -> Vector:
    return np.full(window.stop - window.start, readings[window.start - 1] + size)


def _amount(readings: Vector, window: slice, size: float) -> Vector:
    return readings[window] + size


EFFECTS: Mapping[str, Callable[[Vector, slice, float], Vector]] = {
    "bias": _bias,
    "drift": _drift,
    "factor": _factor,
    "stuck": _stuck,
    "amount": _amount,
}
"""What each kind of fault does to the readings of its months."""


def distorted(fault: Fault, readings: Vector) -> Vector:
    """The readings of a faulty meter.

    Parameters
    ----------
    readings : (months,) or (months + 1,) for a stocktake, whose closing instants count
        What a sound meter would have read.

    Examples
    --------
    >>> distorted(KEY, np.ones(22))[-2:].round(3).tolist()
    [0.982, 0.982]
    """
    offset = len(readings) - len(MONTHS)
    window = slice(MONTHS.index(fault.first) + offset, MONTHS.index(fault.last) + 1 + offset)
    wrong = readings.copy()
    wrong[window] = EFFECTS[fault.kind](readings, window, fault.size)
    return wrong
