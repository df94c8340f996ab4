"""A small fictional workshop: a network, its meter file of three months, and what is wrong in it.

Concentrate is smelted to matte and slag, matte is refined to anodes, dross goes back. In March
the belt scale of the concentrate reads 10 % high.
"""

from pathlib import Path

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger, order

SITE = "ws-1"
NETWORK = """\
site:
  id: ws-1
  name_zh: 东营小厂
  name_en: Dongying Workshop
  enterprise: e-ws
  city: 东营市
  kind: smelter
processes:
  - {id: smelting, name_zh: 熔炼, name_en: smelting, balances: mass}
  - {id: refining, name_zh: 精炼, name_en: refining, balances: mass}
streams:
  - {id: CONC, name_zh: 精矿, name_en: concentrate, source: outside, target: smelting, material: copper_concentrate}
  - {id: SLAG, name_zh: 炉渣, name_en: slag, source: smelting, target: outside, material: slag}
  - {id: MATTE, name_zh: 冰铜, name_en: matte, source: smelting, target: refining, material: matte}
  - {id: DROSS, name_zh: 浮渣, name_en: dross, source: refining, target: smelting, material: dross}
  - {id: ANODE, name_zh: 阳极, name_en: anodes, source: refining, target: outside, material: anode_copper}
  - {id: POWER, name_zh: 用电, name_en: power, source: outside, target: smelting, material: electricity, carrier: energy}
meters:
  - {id: CONC.belt, stream: CONC, sd_relative: 0.01}
  - {id: CONC.bridge, stream: CONC, sd_relative: 0.01}
  - {id: SLAG.belt, stream: SLAG, sd_relative: 0.01}
  - {id: MATTE.crane, stream: MATTE, sd_relative: 0.01}
  - {id: DROSS.scale, stream: DROSS, sd_relative: 0.01}
  - {id: ANODE.scale, stream: ANODE, sd_relative: 0.01}
  - {id: POWER.feeder, stream: POWER, sd_relative: 0.005, unit: MWh}
lines:
  - {id: line-1, product: copper_semis, capacity: 8000, metal_stream: ANODE, energy_streams: comprehensive=POWER}
"""  # noqa: E501
TRUE = {
    "CONC.belt": 1000.0, "CONC.bridge": 1000.0, "SLAG.belt": 400.0, "MATTE.crane": 620.0,
    "DROSS.scale": 20.0, "ANODE.scale": 600.0, "POWER.feeder": 500.0,
}  # fmt: skip
"""What each meter should read in a month [t, MWh]."""
MONTHS = ("2026-01", "2026-02", "2026-03")
SUSPECT = "CONC.belt"
BIAS = 1.1
SUSPECT_MONTH = "2026-03"


def meter_file(months: tuple[str, ...] = MONTHS, **changed: float) -> bytes:
    """The meter file of some months as CSV; the suspect meter is wrong in its month."""
    lines = ["meter,period,amount,unit"]
    for month in months:
        for meter, amount in {**TRUE, **changed}.items():
            wrong = meter == SUSPECT and month == SUSPECT_MONTH and meter not in changed
            unit = "MWh" if meter == "POWER.feeder" else "t"
            lines.append(f"{meter},{month},{amount * (BIAS if wrong else 1.0)},{unit}")
    return ("\n".join(lines) + "\n").encode()


def set_up(folder: Path) -> Ledger:
    """A ledger that holds the workshop and its three months."""
    ledger = open_ledger(folder)
    order(
        ledger, "balance.define_network", author="engineer", content=NETWORK.encode(),
        filename="workshop.yaml",
    )  # fmt: skip
    order(
        ledger, "balance.import_meters", author="engineer", site=SITE, content=meter_file(),
        filename="quarter.csv",
    )  # fmt: skip
    return ledger
