"""Who exists in the demonstration province: fictional enterprises and sites, none a real firm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cupral.demonstration.calendar import run
from cupral.demonstration.parameters import value
from cupral.demonstration.potline import potline
from cupral.demonstration.refinery import refinery
from cupral.demonstration.secondary import secondary
from cupral.demonstration.semis import semis
from cupral.demonstration.sketch import Plant, Sketch
from cupral.demonstration.smelter import smelter
from cupral.ledger.registers import Enterprise, Site

SEED = 20260107
"""Default seed: the day the plan was published."""

SENTENCE_ZH = (
    "示范数据：所有企业与厂址均为虚构，不代表任何真实单位；总量按方案2025年基数"
    "（阴极铜165.0万吨、铜加工材57.7万吨）缩放。"
)
SENTENCE_EN = (
    "Demonstration data: every enterprise and site is fictional and stands for no real firm;"
    " totals are scaled to the plan's 2025 base (cathode copper 1.650 Mt, copper semis 0.577 Mt)."
)

CLUSTERS = {
    "滨州": "滨州轻量化铝新材料", "聊城": "聊城—临沂铝产业绿色循环",
    "临沂": "聊城—临沂铝产业绿色循环", "烟台": "烟台高端交通铝材", "潍坊": "潍坊高端铝创新应用",
}  # fmt: skip
"""Aluminium clusters of the plan by city."""
COPPER_CLUSTERS = {
    "东营": "东营“协同冶炼+铜基新材料”", "聊城": "聊城“矿铜冶炼+高端带箔材深加工”",
    "烟台": "烟台“伴生铜冶炼+特种棒线材深加工”", "临沂": "临沂“再生铜冶炼+城市矿产”",
}  # fmt: skip
"""Copper clusters of the plan by city."""


@dataclass(frozen=True, slots=True)
class Place:
    """One fictional site: where it is, whose it is, what it makes and how much of the total."""

    id: str
    enterprise: str
    zh: str
    en: str
    city: str
    kind: str
    product: str
    share: float = 0.0


NUMERALS = dict(zip("一二三四五六七八九", range(1, 10), strict=True))

PLACES = (
    Place("al-bz-1", "e-al-1", "示范铝电一厂", "Demo Potlines 1", "滨州", "potline",
          "primary_aluminium"),
    Place("al-bz-2", "e-al-1", "示范铝电二厂", "Demo Potlines 2", "滨州", "potline",
          "primary_aluminium"),
    Place("al-bz-3", "e-al-2", "示范铝电三厂", "Demo Potlines 3", "滨州", "potline",
          "primary_aluminium"),
    Place("al-lc-1", "e-al-3", "示范铝电四厂", "Demo Potlines 4", "聊城", "potline",
          "primary_aluminium"),
    Place("al-yt-1", "e-al-4", "示范铝电五厂", "Demo Potlines 5", "烟台", "potline",
          "primary_aluminium"),
    Place("al-ly-1", "e-al-5", "示范铝电六厂", "Demo Potlines 6", "临沂", "potline",
          "primary_aluminium"),
    Place("al-wf-1", "e-al-6", "示范铝电七厂", "Demo Potlines 7", "潍坊", "potline",
          "primary_aluminium"),
    Place("cu-dy-1", "e-cu-1", "示范铜冶一厂", "Demo Smelter 1", "东营", "copper_smelter",
          "cathode_copper"),
    Place("cu-lc-1", "e-cu-2", "示范铜冶二厂", "Demo Smelter 2", "聊城", "copper_smelter",
          "cathode_copper"),
    Place("cu-yt-1", "e-cu-3", "示范铜冶三厂", "Demo Smelter 3", "烟台", "copper_smelter",
          "cathode_copper"),
    Place("cu-ly-1", "e-cu-4", "示范再生铜厂", "Demo Secondary Smelter", "临沂",
          "secondary_copper_smelter", "cathode_copper"),
    Place("cs-dy-1", "e-cs-1", "示范铜材一厂", "Demo Copper Works 1", "东营", "works",
          "copper_semis", 0.30),
    Place("cs-lc-1", "e-cs-2", "示范铜材二厂", "Demo Copper Works 2", "聊城", "works",
          "copper_semis", 0.26),
    Place("cs-yt-1", "e-cs-3", "示范铜材三厂", "Demo Copper Works 3", "烟台", "works",
          "copper_semis", 0.18),
    Place("cs-ly-1", "e-cs-4", "示范铜材四厂", "Demo Copper Works 4", "临沂", "works",
          "copper_semis", 0.16),
    Place("cs-dy-2", "e-cs-5", "示范铜箔五厂", "Demo Copper Foil 5", "东营", "works",
          "copper_semis", 0.10),
    Place("as-bz-1", "e-as-1", "示范铝材一厂", "Demo Aluminium Works 1", "滨州", "works",
          "aluminium_semis", 0.38),
    Place("as-lc-1", "e-as-2", "示范铝材二厂", "Demo Aluminium Works 2", "聊城", "works",
          "aluminium_semis", 0.24),
    Place("as-yt-1", "e-as-3", "示范铝材三厂", "Demo Aluminium Works 3", "烟台", "works",
          "aluminium_semis", 0.20),
    Place("as-wf-1", "e-as-4", "示范铝材四厂", "Demo Aluminium Works 4", "潍坊", "works",
          "aluminium_semis", 0.175),
    Place("as-ly-1", "e-as-5", "示范铝材五厂", "Demo Aluminium Works 5", "临沂", "works",
          "aluminium_semis", 0.005),
    Place("ao-bz-1", "e-ao-1", "示范氧化铝一厂", "Demo Alumina 1", "滨州", "alumina_refinery",
          "alumina", 0.62),
    Place("ao-lc-1", "e-ao-2", "示范氧化铝二厂", "Demo Alumina 2", "聊城", "alumina_refinery",
          "alumina", 0.38),
    Place("ra-bz-1", "e-ra-1", "示范再生铝一厂", "Demo Recycled Aluminium 1", "滨州", "works",
          "recycled_aluminium", 0.60),
    Place("ra-yt-1", "e-ra-2", "示范再生铝二厂", "Demo Recycled Aluminium 2", "烟台", "works",
          "recycled_aluminium", 0.40),
)  # fmt: skip
"""All sites."""

ENTRANT = "e-as-5"
"""The enterprise that enters the above-designated-size list in 2026."""

_FIRMS = {
    "al": ("示范铝电{}公司", "Demo Aluminium Company {}"),
    "cu": ("示范铜业{}公司", "Demo Copper Company {}"),
    "cs": ("示范铜材{}公司", "Demo Copper Products Company {}"),
    "as": ("示范铝材{}公司", "Demo Aluminium Products Company {}"),
    "ao": ("示范氧化铝{}公司", "Demo Alumina Company {}"),
    "ra": ("示范再生铝{}公司", "Demo Recycling Company {}"),
}


def enterprises() -> tuple[Enterprise, ...]:
    """The fictional enterprises.

    Examples
    --------
    >>> enterprises()[0].name_zh
    '示范铝电一公司'
    """
    ids = dict.fromkeys(place.enterprise for place in PLACES)
    return tuple(_enterprise(id) for id in ids)


def _enterprise(id: str) -> Enterprise:
    _, kind, number = id.split("-")
    zh, en = _FIRMS[kind]
    numeral = next(sign for sign, digit in NUMERALS.items() if digit == int(number))
    return Enterprise(
        id=id, name_zh=zh.format(numeral), name_en=en.format(number),
        chain="copper" if kind in ("cu", "cs") else "aluminium", demonstration=True,
    )  # fmt: skip


def plants(seed: int = SEED) -> tuple[Plant, ...]:
    """Sketch every site with its network and truth.

    Examples
    --------
    >>> len(plants())
    25
    """
    return tuple(_plant(place, seed, number) for number, place in enumerate(PLACES))


def _plant(place: Place, seed: int, number: int) -> Plant:
    sketch = Sketch(place.id, np.random.default_rng([seed, number]))
    BUILDERS[place.kind](sketch, place)
    copper = place.product in ("cathode_copper", "copper_semis")
    clusters: Mapping[str, str] = COPPER_CLUSTERS if copper else CLUSTERS
    return sketch.finish(
        Site(
            id=place.id, name_zh=place.zh, name_en=place.en, enterprise=place.enterprise,
            city=f"{place.city}市", cluster=clusters[place.city], kind=place.kind,
            demonstration=True, lines=tuple(sketch.lines),
        )
    )  # fmt: skip


def _output(sketch: Sketch, place: Place, share: float) -> np.ndarray:
    total = value("totals")[place.product]
    return run(sketch.rng, share * total, value("growth")[place.product])


def _potline(sketch: Sketch, place: Place) -> None:
    potline(sketch, [(float(c), str(k)) for c, k in value("series_capacity")[place.id]])


def _smelter(sketch: Sketch, place: Place) -> None:
    site = value("smelter_share")[place.id]
    build = smelter if place.kind == "copper_smelter" else secondary
    build(sketch, _output(sketch, place, site["share"]), site)


def _refinery(sketch: Sketch, place: Place) -> None:
    refinery(sketch, _output(sketch, place, place.share))


def _works(sketch: Sketch, place: Place) -> None:
    semis(sketch, place.product, _output(sketch, place, place.share))


BUILDERS: Mapping[str, Callable[[Sketch, Place], None]] = {
    "potline": _potline,
    "copper_smelter": _smelter,
    "secondary_copper_smelter": _smelter,
    "alumina_refinery": _refinery,
    "works": _works,
}
"""How each kind of site is built."""
