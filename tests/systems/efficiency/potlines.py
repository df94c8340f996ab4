"""A small aluminium province for the tests: three potline series of two firms."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from cupral.ledger.flow import OUTSIDE, Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.registers import Enterprise, Line, Meter, Network, Process, Site, Stream

TWELVE = "2025-11..2026-10"
MONTHS = Period.parse(TWELVE).months
OUTPUT = {"L1": 30000.0, "L2": 20000.0, "L3": 10000.0}
"""True output of each series in a month [t]."""
AC = {"L1": 12900.0, "L2": 13000.0, "L3": 13200.0}
"""True liquid AC consumption [kWh/t]."""
CAPACITY = {"L1": 400_000.0, "L2": 250_000.0, "L3": 350_000.0}
SERIES = {"north": ("L1", "L2"), "south": ("L3",)}
FIRM = {"north": "firm-n", "south": "firm-s"}


def register(ledger: Ledger, *, networks: bool = True, **changes: object) -> None:
    """Two firms, their sites with lines, and if wanted their networks.

    `changes` are attributes of the line L3 (say operating=False).
    """
    for site, firm in FIRM.items():
        ledger.register(Enterprise(id=firm, name_zh=firm, name_en=firm, chain="aluminium"),
                        author="t")  # fmt: skip
        lines = tuple(line(name, **(changes if name == "L3" else {})) for name in SERIES[site])
        ledger.register(
            Site(id=site, name_zh=site, name_en=site, enterprise=firm, city=f"city-{site}",
                 lines=lines),
            author="t",
        )  # fmt: skip
        if networks:
            ledger.register(network(site), author="t")


def line(name: str, **changes: object) -> Line:
    """A potline series with its liquid AC and DC boundaries."""
    given = {
        "id": name, "product": "primary_aluminium", "capacity": CAPACITY[name],
        "metal_stream": f"metal-{name}",
        "energy_streams": (("liquid_ac", f"ac-{name}"), ("dc", f"dc-{name}")),
    }  # fmt: skip
    return Line(**{**given, **changes})  # type: ignore[arg-type]


def network(site: str) -> Network:
    """A substation that feeds the rectifiers, rectifiers that feed the pots, two metal scales."""
    series = SERIES[site]
    return Network(
        site=site,
        processes=(
            Process(id="bus", name_zh="母线", name_en="bus", balances=("energy",)),
            *(Process(id=f"pots-{s}", name_zh=s, name_en=s, balances=()) for s in series),
        ),
        streams=(
            _edge("feed", OUTSIDE, "bus", "electricity"),
            *(_edge(f"ac-{s}", "bus", f"pots-{s}", "electricity") for s in series),
            *(_edge(f"dc-{s}", f"pots-{s}", OUTSIDE, "electricity") for s in series),
            *(_edge(f"metal-{s}", f"pots-{s}", OUTSIDE, "primary_aluminium") for s in series),
        ),
        meters=(
            Meter(id=f"{site}-feed", stream="feed", unit="MWh", sd_relative=0.002),
            *(
                Meter(id=f"{site}-ac-{s}", stream=f"ac-{s}", unit="MWh", sd_relative=0.005,
                      correlation_group="province-ct", correlation=0.6)
                for s in series
            ),
            *(Meter(id=f"{site}-dc-{s}", stream=f"dc-{s}", unit="MWh", sd_relative=0.005)
              for s in series),
            *(Meter(id=f"{site}-{k}-{s}", stream=f"metal-{s}", sd_relative=0.003)
              for s in series for k in ("crucible", "casthouse")),
        ),
    )  # fmt: skip


def _edge(id: str, source: str, target: str, material: str) -> Stream:
    power = material == "electricity"
    return Stream(
        id=id, name_zh=id, name_en=id, source=source, target=target, material=material,
        carrier="energy" if power else "mass", unit="MWh" if power else "t",
    )  # fmt: skip


def declare(
    ledger: Ledger, months: Sequence[int] = MONTHS, *, lines: Sequence[str] = ("L1", "L2", "L3"),
    factor: float = 1.0, boundary: str = "liquid_ac", id: str = "declared",
) -> None:  # fmt: skip
    """Post what the firms declare; `factor` multiplies the energy of L2."""
    rows = []
    for site, series in SERIES.items():
        for name in (s for s in series if s in lines):
            energy = OUTPUT[name] * AC[name] / 1000.0 * (factor if name == "L2" else 1.0)
            for month in months:
                rows.append(_declared(site, name, "output", OUTPUT[name], month))
                rows.append(_declared(site, name, boundary, energy, month))
    ledger.post(id, author="t", flows=rows)


def declared_rows(
    site: str, name: str, what: str, months: Sequence[int], *, intensity: float = 12.9
) -> list[Flow]:
    """Declared rows of one figure of a line, without an sd; energy at `intensity` [MWh/t]."""
    amount = OUTPUT[name] * (1.0 if what == "output" else intensity)
    return [replace(_declared(site, name, what, amount, month), sd=0.0) for month in months]


def _declared(site: str, name: str, what: str, amount: float, month: int) -> Flow:
    period = Period.month(month)
    output = what == "output"
    ends = (site, OUTSIDE) if output else (OUTSIDE, site)
    return Flow(
        site=site, stream=f"return:line:{name}:{what}", source=ends[0], target=ends[1],
        material="primary_aluminium" if output else "electricity", amount=amount,
        unit="t" if output else "MWh", start=period.start, end=period.end, origin="declared",
        sd=0.005 * amount, meter="return", correlation_group=f"returns:{FIRM[site]}",
        correlation=1.0,
    )  # fmt: skip


def measure(
    ledger: Ledger, months: Sequence[int] = MONTHS, *, seed: int | None = None,
    fault: dict[str, float] | None = None, id: str = "meters", sites: Sequence[str] = tuple(SERIES),
) -> None:  # fmt: skip
    """Post a reading of every meter: the truth, with noise if a seed is given."""
    generator = None if seed is None else np.random.default_rng(seed)
    rows = []
    for site in sites:
        edges = {stream.id: stream for stream in network(site).streams}
        for month in months:
            for meter in network(site).meters:
                noise = 1.0 if generator is None else 1 + meter.sd_relative * generator.normal()
                amount = true_amount(site, meter.stream) * noise * (fault or {}).get(meter.id, 1.0)
                rows.append(_measured(site, meter, edges[meter.stream], amount, month))
    ledger.post(id, author="t", flows=rows)


def true_amount(site: str, stream: str) -> float:
    """What truly flows on a stream in a month."""
    if stream == "feed":
        return sum(OUTPUT[s] * AC[s] / 1000.0 for s in SERIES[site])
    kind, name = stream.split("-")
    if kind == "metal":
        return OUTPUT[name]
    return OUTPUT[name] * AC[name] / 1000.0 * (0.98 if kind == "dc" else 1.0)


def _measured(site: str, meter: Meter, stream: Stream, amount: float, month: int) -> Flow:
    period = Period.month(month)
    return Flow(
        site=site, stream=stream.id, source=stream.source, target=stream.target,
        material=stream.material, amount=amount, unit=stream.unit, start=period.start,
        end=period.end, origin="measured", sd=meter.sd_relative * amount, meter=meter.id,
        correlation_group=meter.correlation_group, correlation=meter.correlation,
    )  # fmt: skip


def merged(month_text: str) -> tuple[datetime, datetime]:
    """Start and end of a period by its name."""
    period = Period.parse(month_text)
    return period.start, period.end
