"""Words: phrases made of a row and a catalogue."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cupral.demonstration.province import SENTENCE_EN, SENTENCE_ZH
from cupral.ledger.quantity import factor
from cupral.surfaces.web.drawing.tilemap import city_names
from cupral.surfaces.web.figures import number, shown
from cupral.surfaces.web.language import Language


def city(language: Language, name: str) -> str:
    """A city's name in the reader's language.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> city(language("en"), "滨州市")
    'Binzhou'
    """
    known = city_names().get(name.removesuffix("市"))
    return language.of(known) if known else language.word("word", name)


READABLE: Mapping[str, tuple[tuple[float, str, str], ...]] = {
    "CNY": ((1e8, "亿元", "十亿元"), (1e4, "万元", "百万元")),
    "t": ((1e5, "万吨", "千吨"),),
    "1": ((0.0, "%", "%"),),
}
"""Unit -> (from which size on, unit in Chinese, unit in English)."""


ENGLISH_UNITS = {"万吨": "千吨", "亿元": "十亿元"}
"""Units of Chinese counting -> what an English reader counts in."""


def counted_in(language: Language, unit: str) -> tuple[float, str]:
    """Factor and name of a plan's unit for a reader.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> counted_in(language("en"), "万吨"), counted_in(language("zh"), "万吨")
    ((10.0, 'kt'), (1.0, '万吨'))
    """
    if language.code == "en" and unit in ENGLISH_UNITS:
        return factor(unit, ENGLISH_UNITS[unit]), language.word("unit", ENGLISH_UNITS[unit])
    return 1.0, language.word("unit", unit)


def two_lines(text: str, most: int) -> list[str]:
    """A name on at most two lines of so many letters.

    Examples
    --------
    >>> two_lines("converter and anode furnace", 16), two_lines("smelting", 16)
    (['converter and', 'anode furnace'], ['smelting'])
    """
    if len(text) <= most or " " not in text:
        return [text if len(text) <= most else text[: most - 1] + "…"]
    words = text.split()
    parts = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
    best = min(parts, key=lambda pair: max(map(len, pair)))
    return [line if len(line) <= most else line[: most - 1] + "…" for line in best]


def readable(language: Language, values: Iterable[float | None], unit: str) -> tuple[float, str]:
    """Factor and unit in which a column of figures is easiest to read.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> readable(language("zh"), [2.5e11, None], "CNY")
    (1e-08, '亿元')
    >>> readable(language("en"), [12.0], "t")
    (1.0, 't')
    """
    size = max((abs(value) for value in values if value is not None), default=0.0)
    for least, zh, en in READABLE.get(unit, ()):
        if size >= least:
            chosen = zh if language.code == "zh" else en
            return (100.0 if chosen == "%" else factor(unit, chosen)), language.word("unit", chosen)
    return 1.0, language.word("unit", unit)


_GROUPS = {
    "basis": "origin", "origin": "origin", "decided_by": "origin", "class": "class",
    "status": "status", "verdict": "status", "met_declared": "status", "met_reconciled": "status",
    "product": "material", "material": "material", "relation": "relation_word",
}  # fmt: skip
"""Column of any table -> group of the catalogue that names its values."""


_MONTHS = ("month", "months", "first", "last")


def _month(value: Any) -> str:
    known = isinstance(value, int) and 190000 < value < 300000
    return f"{value // 100}-{value % 100:02d}" if known else shown(value)


def told(language: Language, column: str, value: Any) -> str:
    """A value of a table in words, where its column is known."""
    if column in _MONTHS:
        months = value if isinstance(value, list | tuple) else [value]
        return ", ".join(_month(month) for month in months)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes").removesuffix(" 00:00")
    if column == "unit" and isinstance(value, str):
        return language.word("unit", value) if value != "1" else ""
    if column == "city" and isinstance(value, str):
        return city(language, value)
    if column in _GROUPS and isinstance(value, str):
        return language.word(_GROUPS[column], value)
    return shown(value)


def demonstration_sentence(language: Language) -> str:
    """What the demonstration data are, in one sentence."""
    return SENTENCE_ZH if language.code == "zh" else SENTENCE_EN


def aim(language: Language, row: Mapping[str, Any]) -> str:
    """A target's test in words, e.g. '170 万吨左右'."""
    unit = language.word("unit", str(row["unit"]))
    value = f"{number(row['threshold'])} {unit}".strip()
    return language.word("relation", str(row["relation"])).format(value=value)
