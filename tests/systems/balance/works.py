"""A small works with a counter, for files that people bring; and a neighbour with its own meter."""

from pathlib import Path

from cupral.ledger.ledger import Ledger
from cupral.systems.balance.commands import define_network

WORKS = """
site: {id: works, name_zh: 小厂, name_en: small works, enterprise: firm, city: 玉溪}
processes:
  - {id: smelter, name_zh: 冶炼, name_en: smelter, balances: [mass, Cu]}
  - {id: store, name_zh: 库, name_en: store, kind: stock}
streams:
  - {id: feed, source: outside, target: smelter, material: copper_concentrate}
  - {id: product, source: smelter, target: store, material: anode_copper, composition: {Cu: 0.99}}
  - {id: sold, source: store, target: outside, material: anode_copper}
  - {id: slag, source: smelter, target: outside, material: slag}
  - {id: power, source: outside, target: smelter, material: electricity, carrier: energy}
meters:
  - {id: F1, stream: feed, sd_relative: 0.01}
  - {id: P1, stream: product, sd_relative: 0.003, sd_absolute: 0.5}
  - {id: E1, stream: power, unit: kWh, multiplier: 200, rollover: 1000000, sd_relative: 0.005}
  - {id: A1, stream: feed, kind: assay, element: Cu, sd_relative: 0.02}
  - {id: A2, stream: slag, kind: assay, element: Cu, sd_absolute: 0.0005}
  - {id: S1, stream: store, kind: stocktake, sd_absolute: 20}
"""
NEIGHBOUR = """
site: {id: neighbour, name_en: neighbour, enterprise: other}
processes: [{id: mill}]
streams: [{id: ore, source: outside, target: mill}, {id: tail, source: mill, target: outside}]
meters: [{id: N1, stream: ore, sd_relative: 0.01}]
"""
SITE = "works"


def register(ledger: Ledger) -> None:
    """Define both sites."""
    for name, text in (("works.yaml", WORKS), ("neighbour.yaml", NEIGHBOUR)):
        define_network(ledger, author="engineer", content=text.encode(), filename=name)


def folder(name: str) -> Path:
    """A folder of the repository."""
    return Path(__file__).resolve().parents[3] / name
