"""A site under construction: processes, streams with their true amounts, and instruments.

A network says what shall exist, the truth says what really flowed; both are written down
together while a site is sketched, so that they cannot contradict each other, and part when the
sketch is finished.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cupral.demonstration.calendar import MONTHS, Vector
from cupral.demonstration.parameters import value
from cupral.ledger.registers import Carrier, Line, Meter, Network, Process, Site, Stream

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Plant:
    """A finished site: its registers and what really happened there."""

    site: Site
    network: Network
    amounts: Mapping[str, Vector]
    """By stream, (months,) [unit of the stream]."""
    fractions: Mapping[Key, Vector]
    """By stream and element, (months,) [mass fraction]."""
    stocks: Mapping[str, Vector]
    """By process, (months + 1,) [t] at the months' boundaries."""
    materials: Mapping[str, str]
    """Material that lies in each stock."""


@dataclass(slots=True)
class Sketch:
    """Collects the parts of one site."""

    site: str
    rng: np.random.Generator
    processes: list[Process] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    amounts: dict[str, Vector] = field(default_factory=dict)
    fractions: dict[Key, Vector] = field(default_factory=dict)
    stocks: dict[str, Vector] = field(default_factory=dict)
    materials: dict[str, str] = field(default_factory=dict)

    def unit(self, id: str, title: str, *balances: str) -> None:
        """Add a process that conserves the named quantities; title is '中文|English'."""
        zh, en = title.split("|")
        self.processes.append(
            Process(id=id, name_zh=zh, name_en=en, kind="unit", balances=balances)
        )

    def store(self, id: str, title: str, material: str, level: float) -> Vector:
        """Add a stock with a monthly stocktake; returns its change in each month (months,) [t]."""
        zh, en = title.split("|")
        self.processes.append(Process(id=id, name_zh=zh, name_en=en, kind="stock"))
        self.meters.append(
            Meter(
                id=f"{self.site}.{id}.stocktake", stream=id, kind="stocktake",
                sd_absolute=float(value("meter_classes")["stocktake"] * level),
            )
        )  # fmt: skip
        self.materials[id] = material
        self.stocks[id] = level * (1.0 + 0.12 * self.rng.uniform(-1, 1, len(MONTHS) + 1))
        return np.diff(self.stocks[id])

    def flow(
        self,
        id: str,
        title: str,
        ends: str,
        material: str,
        amount: Vector,
        *,
        meter: str = "",
        group: str = "",
        carrier: Carrier = "mass",
        unit: str = "t",
        known: Mapping[str, tuple[float, float]] | None = None,
        assays: Mapping[str, Vector] | None = None,
    ) -> None:
        """Add a stream 'source>target' with its true amount, meter class and composition.

        Parameters
        ----------
        amount : (months,) [unit]
        meter : class of its flow meter, empty = deliberately unmeasured
        group : calibration campaign that the meter shares with others
        known : element -> (fraction, sd) by stoichiometry or specification
        assays : element -> true fraction (months,), each with an assay
        """
        zh, en = title.split("|")
        source, target = ends.split(">")
        self.streams.append(
            Stream(
                id=id, name_zh=zh, name_en=en, source=source, target=target, material=material,
                carrier=carrier, unit=unit,
                composition=tuple((e, float(f), sd) for e, (f, sd) in (known or {}).items()),
            )
        )  # fmt: skip
        self.amounts[id] = amount
        if meter:
            self._instrument(id, meter, group, unit)
        for element, (fraction, sd) in (known or {}).items():
            self.fractions[id, element] = np.full(len(MONTHS), fraction + sd * self._offset(sd))
        for element, fractions in (assays or {}).items():
            self.fractions[id, element] = fractions
            self._assay(id, element, fractions)

    def _offset(self, sd: float) -> float:
        """How many sd the truth lies from a specification."""
        return float(self.rng.standard_normal()) if sd else 0.0

    def _instrument(self, id: str, kind: str, group: str, unit: str) -> None:
        classes = value("meter_classes")
        self.meters.append(
            Meter(
                id=f"{self.site}.{id}.{kind}", stream=id, unit=unit,
                sd_relative=float(classes[kind]), correlation_group=group,
                correlation=float(value("meter_systematic_share")),
            )
        )  # fmt: skip

    def _assay(self, id: str, element: str, fractions: Vector) -> None:
        self.meters.append(
            Meter(
                id=f"{self.site}.{id}.{element}", stream=id, kind="assay", element=element,
                unit="1", sd_relative=_assay_sd(float(fractions.mean())),
                correlation=float(value("meter_systematic_share")),
            )
        )  # fmt: skip

    def line(self, id: str, product: str, capacity: float, metal: str, **energy: str) -> None:
        """Add a production line; energy = boundary -> streams joined by '+'."""
        pairs = [(name, one) for name, many in energy.items() for one in many.split("+")]
        self.lines.append(
            Line(
                id=id, product=product, capacity=capacity, metal_stream=metal,
                energy_streams=tuple(pairs),
            )
        )  # fmt: skip

    def finish(self, site: Site) -> Plant:
        """The finished plant; the network is checked by its own register."""
        network = Network(
            site=self.site, processes=tuple(self.processes), streams=tuple(self.streams),
            meters=tuple(self.meters), valid_from="2025-01", author="demonstration",
            demonstration=True,
        )  # fmt: skip
        return Plant(site, network, self.amounts, self.fractions, self.stocks, self.materials)


def _assay_sd(mean: float) -> float:
    """Relative standard uncertainty of an assay by the size of what it measures."""
    classes = value("meter_classes")
    kind = "purity_assay" if mean > 0.9 else "major_assay" if mean > 0.02 else "minor_assay"
    return float(classes[kind])


def zero(*elements: str) -> dict[str, tuple[float, float]]:
    """Elements that a stream holds none of.

    Examples
    --------
    >>> zero("Au")
    {'Au': (0.0, 0.0)}
    """
    return dict.fromkeys(elements, (0.0, 0.0))
