"""Tile map: the 16 cities on a grid, shaded by a figure. Not a geographic map."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 96, 74
SHADES = 5
DARK_FROM = 3
"""From this shade on the text is white."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One city's tile."""

    code: str
    zh: str
    en: str
    x: int
    y: int
    value: float | None
    shade: int
    """0 = no figure, 1 (least) to 5 (most)."""

    @property
    def dark(self) -> bool:
        """Whether the tile is too dark for dark text."""
        return self.shade >= DARK_FROM


@dataclass(frozen=True, slots=True)
class TileMap:
    """All tiles, the size of the drawing and the source of the layout."""

    tiles: tuple[Tile, ...]
    width: int
    height: int
    source: str
    steps: tuple[tuple[float, float], ...]
    """Value range of each shade from 1."""


def tile_map(values: Mapping[str, float]) -> TileMap:
    """Shade each city by its value; cities are named in Chinese, with or without 市.

    Examples
    --------
    >>> made = tile_map({"滨州": 10.0, "烟台市": 1.5})
    >>> {tile.en: tile.shade for tile in made.tiles if tile.shade}
    {'Binzhou': 5, 'Yantai': 1}
    """
    layout, known = _layout(), {name.removesuffix("市"): v for name, v in values.items()}
    top = max((abs(value) for value in known.values()), default=0.0)
    tiles = tuple(
        Tile(
            city["code"], city["zh"], city["en"], city["column"] * WIDTH, city["row"] * HEIGHT,
            known.get(city["zh"]), _shade(known.get(city["zh"]), top),
        )
        for city in layout["cities"]
    )  # fmt: skip
    steps = tuple((top * n / SHADES, top * (n + 1) / SHADES) for n in range(SHADES)) if top else ()
    size = (layout["columns"] * WIDTH, layout["rows"] * HEIGHT)
    return TileMap(tiles, *size, layout["source"], steps)


def city_names() -> dict[str, dict[str, str]]:
    """Names of each city in both languages, by its Chinese name."""
    return {c["zh"]: {"name_zh": c["zh"], "name_en": c["en"]} for c in _layout()["cities"]}


@lru_cache(maxsize=1)
def _layout() -> dict[str, Any]:
    path = Path(__file__).parent.parent / "tiles.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _shade(value: float | None, top: float) -> int:
    if value is None or top == 0:
        return 0
    return min(SHADES, int(SHADES * abs(value) / top) + 1)
