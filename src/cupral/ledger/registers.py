"""Registers: enterprises, sites and the network of a site (processes, streams, meters).

A network is data that the site's own engineer defines and versions; the outside world is
a process of it, so every stream has two ends and every balance is a sum.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from cupral.ledger.errors import InputError
from cupral.ledger.flow import OUTSIDE

ProcessKind = Literal["unit", "stock", "outside"]
Carrier = Literal["mass", "energy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enterprise:
    """A firm that files returns."""

    id: str
    name_zh: str
    name_en: str
    chain: Literal["copper", "aluminium"]
    demonstration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with processes, meters and an owner."""

    id: str
    name_zh: str
    name_en: str
    enterprise: str
    city: str
    cluster: str = ""
    kind: str = ""
    demonstration: bool = False
    lines: tuple["Line", ...] = ()
    attribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A production line with a registered capacity: a potline series, a smelting route."""

    id: str
    product: str
    capacity: float
    """Registered capacity [t/a]."""
    metal_stream: str
    """Stream that carries the product against which energy is counted."""
    energy_streams: tuple[tuple[str, str], ...]
    """(boundary, stream) pairs, e.g. ("liquid_ac", "AC-1"); a stream written with a leading
    minus is energy given away and is subtracted, e.g. ("comprehensive", "-STEAM-SOLD")."""
    compliant: bool = True
    operating: bool = True

    @property
    def boundaries(self) -> tuple[str, ...]:
        """Boundaries on which the line's energy is counted."""
        return tuple(dict.fromkeys(boundary for boundary, _ in self.energy_streams))

    def energy(self, boundary: str) -> tuple[tuple[float, str], ...]:
        """Streams of a boundary with their sign: +1 for energy taken, -1 for energy given away."""
        return tuple(
            (-1.0, stream[1:]) if stream.startswith("-") else (1.0, stream)
            for name, stream in self.energy_streams
            if name == boundary
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A node of the network."""

    id: str
    name_zh: str
    name_en: str
    kind: ProcessKind = "unit"
    balances: tuple[str, ...] = ("mass",)
    """What is conserved here: 'mass', 'energy', or an element such as 'Cu'."""
    stock_prior: tuple[tuple[str, float], ...] = ()
    """(balance, sd) pairs: how much of it may have been stored here in a month without being
    weighed [canonical unit]; used where there is no stocktake at both ends of the month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A directed edge of the network."""

    id: str
    name_zh: str
    name_en: str
    source: str
    target: str
    material: str
    carrier: Carrier = "mass"
    unit: str = "t"
    composition: tuple[tuple[str, float, float], ...] = ()
    """(element, fraction, sd) known by specification or stoichiometry; sd 0 = exact. A stream
    carries the elements that its composition or its assay meters name, and no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """An instrument on a stream (flow), on its composition (assay) or on a stock (stocktake)."""

    id: str
    stream: str
    """Stream id, or process id for a stocktake."""
    kind: Literal["flow", "assay", "stocktake"] = "flow"
    element: str = ""
    unit: str = "t"
    multiplier: float = 1.0
    """What one count of the register is, in `unit`."""
    rollover: float | None = None
    """Register value at which a cumulative counter starts again at zero; None = readings are
    amounts of the period."""
    sd_relative: float = 0.0
    sd_absolute: float = 0.0
    """In `unit` (mass fraction for an assay)."""
    correlation_group: str = ""
    correlation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Processes, streams and meters of one site, at one version."""

    site: str
    processes: tuple[Process, ...]
    streams: tuple[Stream, ...]
    meters: tuple[Meter, ...]
    version: int = 0
    valid_from: str = "2000-01"
    author: str = ""
    note: str = ""
    demonstration: bool = field(default=False)

    def __post_init__(self) -> None:
        check(self)

    def stream(self, id: str) -> Stream:
        """The stream of that id."""
        for stream in self.streams:
            if stream.id == id:
                return stream
        known = ", ".join(stream.id for stream in self.streams[:8])
        raise InputError(f"network {self.site} has no stream {id!r}; it has {known} ...")


def enterprise_from(body: Mapping[str, Any]) -> Enterprise:
    """An enterprise from its kept body."""
    return Enterprise(**_known(Enterprise, body))


def site_from(body: Mapping[str, Any]) -> Site:
    """A site from its kept body."""
    plain = _frozen(_known(Site, body))
    return Site(**{**plain, "lines": tuple(Line(**line) for line in plain["lines"])})


def network_from(body: Mapping[str, Any]) -> Network:
    """A network from its kept body, with its version and author."""
    plain = _frozen(dict(body))
    nouns = {"processes": Process, "streams": Stream, "meters": Meter}
    made = {name: tuple(noun(**row) for row in plain[name]) for name, noun in nouns.items()}
    return Network(**{**plain, **made})


def _frozen(value: Any) -> Any:
    """Lists, at any depth, become the tuples they were before they were kept as JSON."""
    if isinstance(value, dict):
        return {name: _frozen(item) for name, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _known(noun: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: body[item.name] for item in fields(noun) if item.name in body}


def check(network: Network) -> None:
    """Refuse a network that contradicts itself, naming the first thing that is wrong."""
    _unique("process", [process.id for process in network.processes], network.site)
    _unique("stream", [stream.id for stream in network.streams], network.site)
    _unique("meter", [meter.id for meter in network.meters], network.site)
    processes = {process.id for process in network.processes} | {OUTSIDE}
    for stream in network.streams:
        _known_ends(network.site, stream, processes)
    streams = {stream.id for stream in network.streams}
    for meter in network.meters:
        _known_meter(network.site, meter, streams, processes)


def _unique(noun: str, ids: list[str], site: str) -> None:
    seen: set[str] = set()
    for id in ids:
        if not id:
            raise InputError(f"network {site}: a {noun} has no id; give it a short unique one")
        if id in seen:
            raise InputError(f"network {site}: two {noun} rows are called {id!r}; rename one")
        seen.add(id)


def _known_ends(site: str, stream: Stream, processes: set[str]) -> None:
    for end in (stream.source, stream.target):
        if end not in processes:
            raise InputError(
                f"network {site}: stream {stream.id!r} ends at process {end!r}, which is not"
                f" defined; define it or use one of {sorted(processes)}"
            )
    if stream.source == stream.target:
        raise InputError(f"network {site}: stream {stream.id!r} starts and ends at {stream.source}")


def _known_meter(site: str, meter: Meter, streams: set[str], processes: set[str]) -> None:
    allowed = processes if meter.kind == "stocktake" else streams
    if meter.stream not in allowed:
        noun = "process" if meter.kind == "stocktake" else "stream"
        raise InputError(
            f"network {site}: meter {meter.id!r} stands on {noun} {meter.stream!r},"
            f" which is not defined; define it or use one of {sorted(allowed)[:12]}"
        )
    if meter.kind == "assay" and not meter.element:
        raise InputError(f"network {site}: assay meter {meter.id!r} names no element")
    if meter.sd_relative < 0 or meter.sd_absolute < 0 or not 0 <= meter.correlation <= 1:
        raise InputError(
            f"network {site}: meter {meter.id!r} needs sd >= 0 and correlation within 0..1"
        )
    if meter.sd_relative == 0 and meter.sd_absolute == 0:
        raise InputError(
            f"network {site}: meter {meter.id!r} has no uncertainty; give sd_relative or"
            " sd_absolute (a meter without uncertainty cannot be reconciled)"
        )
