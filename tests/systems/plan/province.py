"""A small province for the tests: two smelters, a copper works, two potline series, one year.

Truth is constant from month to month except that 2026 makes more; every stream is metered
twice or closed by a balance. Numbers are round so that a person can check them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cupral.ledger.flow import OUTSIDE, Assay, Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.registers import Enterprise, Line, Meter, Network, Process, Site, Stream
from cupral.system import order

THROUGH = "2026-04"
MONTHS = Period.parse("2025-01..2026-04").months
GROWTH = {"cathode_copper": 1.03, "copper_semis": 1.10, "primary_aluminium": 1.0}
"""Output of a month of 2026 over that of 2025."""
PRICE = {"cathode_copper": 70_000.0, "copper_semis": 75_000.0, "primary_aluminium": 18_000.0}
ASSAY = {
    "smelter-a": {("ANODE", "Au"): 30e-6, ("SLIME", "Au"): 3030e-6, ("SPENT", "Au"): 30e-6},
    "smelter-b": {("ANODE", "Au"): 30e-6, ("SLIME", "Au"): 2700e-6, ("SPENT", "Au"): 9e-6 / 0.19},
}
"""Gold [t/t]; in = out: 1.2 t anode brings 36 g into slime (0.01 t) and spent anode (0.19 t)."""
RECOVERY = {"smelter-a": 30.3 / 36.0, "smelter-b": 27.0 / 36.0}
FAULT = 0.96
"""What the faulty AC meter of potline P2 shows of the truth."""


@dataclass(frozen=True)
class Works:
    """A site with one line, made by hand."""

    site: str
    firm: str
    chain: str
    city: str
    cluster: str
    product: str
    output: float
    """[t/month] in 2025."""
    energy: float
    """[MWh/t] on the line's boundary."""
    boundary: str
    capacity: float


WORKS = (
    Works("smelter-a", "copper-1", "copper", "东营", "东营“协同冶炼+铜基新材料”",
          "cathode_copper", 90_000.0, 1.6, "comprehensive", 1_200_000.0),
    Works("smelter-b", "copper-2", "copper", "烟台", "烟台“伴生铜冶炼+特种棒线材深加工”",
          "cathode_copper", 50_000.0, 2.0, "comprehensive", 700_000.0),
    Works("semis-c", "copper-3", "copper", "聊城", "聊城“矿铜冶炼+高端带箔材深加工”",
          "copper_semis", 48_000.0, 0.5, "comprehensive", 700_000.0),
    Works("pots-p1", "aluminium-1", "aluminium", "滨州", "滨州轻量化铝新材料",
          "primary_aluminium", 40_000.0, 12.9, "liquid_ac", 350_000.0),
    Works("pots-p2", "aluminium-2", "aluminium", "烟台", "烟台高端交通铝材",
          "primary_aluminium", 50_000.0, 13.2, "liquid_ac", 650_000.0),
)  # fmt: skip


def build(ledger: Ledger, *, faulty: bool = True) -> Ledger:
    """Register, meter and declare the whole province."""
    for works in WORKS:
        register(ledger, works)
    measure(ledger, WORKS, MONTHS, faulty=faulty)
    for period in ("2025-JF", *months_of(2025, 3, 12), "2026-JF", *months_of(2026, 3, 4)):
        order(ledger, "statistics.file_returns", author="t",
              returns=[filed(works, period, faulty=faulty) for works in WORKS])  # fmt: skip
    return ledger


def months_of(year: int, first: int, last: int) -> list[str]:
    """Names of months."""
    return [f"{year}-{month:02d}" for month in range(first, last + 1)]


def register(ledger: Ledger, works: Works) -> None:
    """A firm with its only site, and the site's network."""
    ledger.register(
        Enterprise(id=works.firm, name_zh=works.firm, name_en=works.firm, chain=works.chain,  # type: ignore[arg-type]
                   demonstration=True), author="t")  # fmt: skip
    line = Line(
        id="L1", product=works.product, capacity=works.capacity, metal_stream="PRODUCT",
        energy_streams=((works.boundary, "POWER"),),
    )  # fmt: skip
    ledger.register(
        Site(id=works.site, name_zh=works.site, name_en=works.site, enterprise=works.firm,
             city=works.city, cluster=works.cluster, demonstration=True, lines=(line,),
             kind="copper_smelter" if works.site.startswith("smelter") else ""),
        author="t",
    )  # fmt: skip
    ledger.register(network(works), author="t")


def network(works: Works) -> Network:
    """A substation that feeds the plant, and a plant whose product is weighed twice."""
    smelter = works.product == "cathode_copper"
    balances = ("mass", "Au") if smelter else ()
    streams = [
        _stream("GRID", OUTSIDE, "bus", "electricity"),
        _stream("POWER", "bus", "plant", "electricity"),
        _stream("PRODUCT", "plant", OUTSIDE, works.product),
    ]  # fmt: skip
    if smelter:
        streams += [_stream("ANODE", OUTSIDE, "plant", "anode_copper"),
                    _stream("SLIME", "plant", OUTSIDE, "anode_slimes"),
                    _stream("SPENT", "plant", OUTSIDE, "spent_anode")]  # fmt: skip
    meters = [
        Meter(id=f"{works.site}.{stream.id}.{copy}", stream=stream.id, unit=stream.unit,
              sd_relative=0.002)
        for stream in streams for copy in ("a", "b")
    ]  # fmt: skip
    meters += [
        Meter(id=f"{works.site}.{stream}.{element}", stream=stream, kind="assay",
              element=element, unit="1", sd_relative=0.01)
        for stream, element in ASSAY.get(works.site, ())
    ]  # fmt: skip
    return Network(
        site=works.site, demonstration=True, streams=tuple(streams), meters=tuple(meters),
        processes=(
            Process(id="bus", name_zh="母线", name_en="bus", balances=("energy",)),
            Process(id="plant", name_zh="车间", name_en="plant", balances=balances),
        ),
    )  # fmt: skip


def _stream(id: str, source: str, target: str, material: str) -> Stream:
    power = material == "electricity"
    gold_free = (("Au", 0.0, 0.0),) if material == "cathode_copper" else ()
    return Stream(
        id=id, name_zh=id, name_en=id, source=source, target=target, material=material,
        carrier="energy" if power else "mass", unit="MWh" if power else "t",
        composition=gold_free,
    )  # fmt: skip


def true_output(works: Works, month: int) -> float:
    """What a works truly made in a month [t]."""
    return works.output * (GROWTH[works.product] if month >= 202601 else 1.0)


def true_amount(works: Works, stream: str, month: int) -> float:
    """What truly flowed on a stream in a month [t or MWh]."""
    output = true_output(works, month)
    shares = {"PRODUCT": 1.0, "SLIME": 0.01, "SPENT": 0.19, "ANODE": 1.2}
    return output * works.energy if stream in ("GRID", "POWER") else output * shares[stream]


def measure(
    ledger: Ledger, province: Iterable[Works], months: Iterable[int], *, faulty: bool
) -> None:
    """Post a true reading of every meter, save the faulty one."""
    for month in months:
        period = Period.month(month)
        flows: list[Flow] = []
        assays: list[Assay] = []
        for works in province:
            made = network(works)
            for meter in made.meters:
                stream = made.stream(meter.stream)
                if meter.kind == "assay":
                    assays.append(_assay(works, meter, stream, period))
                else:
                    amount = true_amount(works, stream.id, month)
                    bad = faulty and meter.id == "pots-p2.POWER.a"
                    flows.append(
                        _flow(works, meter, stream, period, amount * (FAULT if bad else 1))
                    )
        ledger.post(f"meters:{month}", author="t", flows=flows, assays=assays)


def _flow(works: Works, meter: Meter, stream: Stream, period: Period, amount: float) -> Flow:
    return Flow(
        site=works.site, stream=stream.id, source=stream.source, target=stream.target,
        material=stream.material, amount=amount, unit=stream.unit, start=period.start,
        end=period.end, origin="measured", sd=meter.sd_relative * amount, meter=meter.id,
        demonstration=True,
    )  # fmt: skip


def _assay(works: Works, meter: Meter, stream: Stream, period: Period) -> Assay:
    fraction = ASSAY[works.site][stream.id, meter.element]
    return Assay(
        site=works.site, stream=stream.id, material=stream.material, element=meter.element,
        fraction=fraction, start=period.start, end=period.end, origin="measured",
        sd=meter.sd_relative * fraction, meter=meter.id, demonstration=True,
    )  # fmt: skip


def filed(works: Works, period: str, *, faulty: bool = True) -> dict[str, Any]:
    """The return of a works for a period; its power figure is what meter a shows."""
    months = Period.parse(period).months
    output = sum(true_output(works, month) for month in months)
    bad = faulty and works.site == "pots-p2"
    power = output * works.energy * (FAULT if bad else 1.0)
    gross = output * PRICE[works.product]
    items: list[Mapping[str, Any]] = [
        {"item": "output", "product": works.product, "amount": output, "unit": "t"},
        {"item": "revenue", "amount": gross, "unit": "CNY"},
        {"item": "gross_output_value", "amount": gross, "unit": "CNY"},
        {"item": "line_output", "site": works.site, "line": "L1", "product": works.product,
         "amount": output, "unit": "t"},
        {"item": "line_energy", "site": works.site, "line": "L1", "boundary": works.boundary,
         "amount": power, "unit": "MWh"},
    ]  # fmt: skip
    return {
        "enterprise": works.firm, "period": period, "above_designated_size": True,
        "value_added_rate": 0.2, "price_index": 100.0, "items": items,
    }  # fmt: skip
