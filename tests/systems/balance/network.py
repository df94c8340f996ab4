"""A small works for the tests: two furnaces, a store, energy, and copper assays."""

from datetime import datetime

from cupral.ledger.flow import Assay, Flow, Stocktake
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.registers import Enterprise, Line, Meter, Network, Process, Site, Stream

SITE = "works"


def works() -> Network:
    """Concentrate to matte and slag, matte to blister, blister through a store to sales."""
    return Network(
        site=SITE,
        processes=(
            Process(id="smelt", name_zh="熔炼", name_en="smelting", balances=("Cu",)),
            Process(id="convert", name_zh="吹炼", name_en="converting", balances=("Cu",)),
            Process(id="store", name_zh="库", name_en="store", kind="stock"),
            Process(id="bus", name_zh="母线", name_en="bus", balances=("energy",)),
        ),
        streams=(
            _mass("concentrate", "outside", "smelt", "copper_concentrate"),
            _mass("matte", "smelt", "convert", "matte"),
            _mass("slag", "smelt", "outside", "slag"),
            _mass("blister", "convert", "store", "blister_copper", (("Cu", 0.99, 0.0),)),
            _mass("converter-slag", "convert", "smelt", "converter_slag"),
            _mass("sales", "store", "outside", "blister_copper", (("Cu", 0.99, 0.0),)),
            _power("grid", "outside", "bus"),
            _power("furnace-power", "bus", "outside"),
            _power("other-power", "bus", "outside"),
        ),
        meters=(
            *(
                Meter(id=f"W-{stream}", stream=stream, sd_relative=0.01)
                for stream in ("concentrate", "slag", "blister", "sales", "converter-slag")
            ),
            Meter(id="W-sales-2", stream="sales", sd_relative=0.01),
            *(
                Meter(
                    id=f"A-{stream}", stream=stream, kind="assay", element="Cu",
                    unit="kg/kg", sd_relative=0.01,
                )
                for stream in ("concentrate", "matte", "slag", "converter-slag")
            ),
            Meter(id="S-store", stream="store", kind="stocktake", sd_absolute=2.0),
            *(
                Meter(id=f"E-{s}", stream=s, unit="MWh", sd_relative=0.005, correlation=0.5)
                for s in ("grid", "furnace-power", "other-power")
            ),
        ),
        demonstration=True,
    )  # fmt: skip


def _mass(
    id: str, source: str, target: str, material: str,
    composition: tuple[tuple[str, float, float], ...] = (),
) -> Stream:  # fmt: skip
    return Stream(
        id=id, name_zh=id, name_en=id, source=source, target=target, material=material,
        composition=composition,
    )  # fmt: skip


def _power(id: str, source: str, target: str) -> Stream:
    return Stream(
        id=id, name_zh=id, name_en=id, source=source, target=target, material="electricity",
        carrier="energy", unit="MWh",
    )  # fmt: skip


TRUE_FLOWS = {
    "concentrate": 1000.0, "slag": 700.0, "blister": 278.0 / 0.99, "sales": 275.0 / 0.99,
    "converter-slag": 150.0, "grid": 5000.0, "furnace-power": 3000.0, "other-power": 2000.0,
}  # fmt: skip
"""Cu: 285 in, 7 out with slag, 278 to blister; 3 of it to stock."""
TRUE_FRACTIONS = {
    "concentrate": 0.285, "matte": 0.6, "slag": 0.01, "converter-slag": 0.05,
}  # fmt: skip


STORED = 3.0 / 0.99
"""What goes to stock each month [t]."""


def register(ledger: Ledger) -> None:
    """Enterprise, site and network."""
    ledger.register(
        Enterprise(id="firm", name_zh="厂", name_en="firm", chain="copper", demonstration=True),
        author="test",
    )
    ledger.register(
        Site(
            id=SITE, name_zh="厂", name_en="works", enterprise="firm", city="东营市",
            demonstration=True,
            lines=(
                Line(
                    id="L1", product="blister_copper", capacity=4000.0, metal_stream="sales",
                    energy_streams=(("comprehensive", "grid"), ("furnace", "furnace-power")),
                ),
            ),
        ),
        author="test",
    )  # fmt: skip
    ledger.register(works(), author="test")


def post(
    ledger: Ledger, month: int, *, scale: dict[str, float] | None = None,
    leave_out: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """One month of exact readings, some of them scaled to be wrong, some left out."""
    period, wrong, network = Period.month(month), scale or {}, works()
    flows, assays = [], []
    for meter in (one for one in network.meters if one.id not in leave_out):
        factor = wrong.get(meter.id, 1.0)
        if meter.kind == "flow":
            stream = network.stream(meter.stream)
            amount = TRUE_FLOWS[meter.stream]
            flows.append(
                Flow(
                    site=SITE, stream=meter.stream, source=stream.source, target=stream.target,
                    material=stream.material, amount=amount * factor, unit=meter.unit,
                    start=period.start, end=period.end, origin="measured",
                    sd=amount * meter.sd_relative, meter=meter.id,
                    correlation=meter.correlation, demonstration=True,
                )
            )  # fmt: skip
        elif meter.kind == "assay":
            fraction = TRUE_FRACTIONS[meter.stream]
            assays.append(
                Assay(
                    site=SITE, stream=meter.stream, material="x", element="Cu",
                    fraction=fraction * factor, sd=fraction * meter.sd_relative,
                    start=period.start, end=period.end, origin="measured", meter=meter.id,
                    demonstration=True,
                )
            )  # fmt: skip
    before = 100.0 + (month - 202601) * STORED
    stocks = [_stock(period.start, before, wrong), _stock(period.end, before + STORED, wrong)]
    ledger.post(f"m:{month}", author="test", flows=flows, assays=assays, stocktakes=stocks)


def _stock(instant: datetime, amount: float, wrong: dict[str, float]) -> Stocktake:
    return Stocktake(
        site=SITE, process="store", material="blister_copper", instant=instant, unit="t",
        amount=amount * wrong.get("S-store", 1.0), sd=2.0, origin="measured", meter="S-store",
        demonstration=True,
    )  # fmt: skip
