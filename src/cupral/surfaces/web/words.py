"""Words: phrases made of a row and a catalogue."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from cupral.demonstration.province import SENTENCE_EN, SENTENCE_ZH
from cupral.ledger.explain import MOMENTS, moment
from cupral.ledger.quantity import factor
from cupral.surfaces.web.drawing.tilemap import city_names
from cupral.surfaces.web.figures import NOTHING, number, percent, places, shown, within
from cupral.surfaces.web.language import Language
from cupral.systems.plan.compute import shipped
from cupral.systems.plan.model import Cluster


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


def cluster(language: Language, name: str) -> str:
    """A cluster's name in the reader's language, if a shipped plan names it.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> cluster(language("en"), "nowhere")
    'nowhere'
    """
    known = next((one for one in _clusters() if name in (one.zh, one.words)), None)
    return language.of({"name_zh": known.zh, "name_en": known.en}) if known else name


@cache
def _clusters() -> tuple[Cluster, ...]:
    plans = shipped.plans().values()
    return tuple(one for plan in plans for task in plan.tasks for one in task.clusters)


PLACES: Mapping[str, Callable[[Language, str], str]] = {"city": city, "cluster": cluster}
"""Column of any table -> how its places are named."""


def chance(value: Any) -> str:
    """A probability in whole per cent; one that is neither 0 nor 1 is not rounded to it.

    Examples
    --------
    >>> chance(0.387), chance(1.9e-13), chance(0.9996), chance(1.0), chance(None)
    ('39 %', '< 1 %', '> 99 %', '100 %', '—')
    """
    if not isinstance(value, int | float):
        return shown(value)
    if 0 < value < 0.005 or 0.995 < value < 1:
        return "< 1 %" if value < 0.5 else "> 99 %"
    return percent(value, 0)


READABLE: Mapping[str, tuple[tuple[float, str, str], ...]] = {
    "CNY": ((1e8, "亿元", "十亿元"), (1e4, "万元", "百万元")),
    "t": ((1e5, "万吨", "千吨"),),
    "1": ((0.0, "%", "%"),),
    "kg/kg": ((1e-3, "%", "%"), (0.0, "g/t", "g/t")),
}
"""Unit -> (from which size on, unit in Chinese, unit in English)."""


FINE = ("1", "kg/kg")
"""Units that are shown as others whatever the size."""
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


def amount(language: Language, value: float | None, unit: str, sd: float | None = None) -> str:
    """A figure with its unit as a metallurgist reads it; with an sd it is a difference.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> amount(language("en"), -2.5992e-06, "kg/kg", 4.44e-08), amount(language("en"), 12.0, "t")
    ('−2.599 ± 0.044 g/t', '12 t')
    """
    scale, shown_unit = (1.0, language.word("unit", unit)) if unit not in FINE else (
        readable(language, [value], unit))  # fmt: skip
    if value is None:
        return NOTHING
    if sd is None:
        return f"{number(value * scale)} {shown_unit}".strip()
    spread = number(sd * scale, places(sd * scale))
    return f"{within(value * scale, sd * scale)} ± {spread} {shown_unit}".strip()


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
    "kind": "value", "by": "value", "state": "value", "figure": "value", "policy_level": "value",
    "unit": "unit", "product": "material", "material": "material", "relation": "relation_word",
}  # fmt: skip
"""Column of any table -> group of the catalogue that names its values."""


_CHANCES = ("probability", "p_level", "p_fails")
"""How columns begin that hold probabilities."""
_MONTHS = ("month", "months", "first", "last", "since", "onset", "onsets")


def _month(value: Any) -> str:
    known = isinstance(value, int) and 190000 < value < 300000
    return f"{value // 100}-{value % 100:02d}" if known else shown(value)


def _time(column: str, value: datetime | int) -> str:
    """A moment of recording with its zone; a time of the plant's calendar as it stands there."""
    if column in MOMENTS or isinstance(value, int):
        return moment(value)
    return value.isoformat(" ", "minutes").removesuffix(" 00:00")


def told(language: Language, column: str, value: Any) -> str:
    """A value of a table in words, where its column is known."""
    if column in _MONTHS:
        months = value if isinstance(value, list | tuple) else [value]
        return ", ".join(_month(month) for month in months)
    if isinstance(value, datetime) or (column in MOMENTS and isinstance(value, int)):
        return _time(column, value)
    if isinstance(value, str):
        return _word(language, column, value)
    return chance(value) if column.startswith(_CHANCES) else shown(value)


def _word(language: Language, column: str, value: str) -> str:
    if column == "unit" and value == "1":
        return ""
    if column == "moved_unit" and value == "1":
        return language("unit.points")
    if column in PLACES:
        return PLACES[column](language, value)
    return language.word(_GROUPS[column], value) if column in _GROUPS else value


def difference_unit(language: Language, unit: str) -> str:
    """What a difference of two figures is counted in: percentages differ by points.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> difference_unit(language("zh"), "%"), difference_unit(language("zh"), "t")
    ('个百分点', 't')
    """
    return language("unit.points") if unit == "%" else language.word("unit", unit)


def demonstration_sentence(language: Language) -> str:
    """What the demonstration data are, in one sentence."""
    return SENTENCE_ZH if language.code == "zh" else SENTENCE_EN


def aim(language: Language, row: Mapping[str, Any]) -> str:
    """A target's test in words, e.g. '170 万吨左右'."""
    unit = language.word("unit", str(row["unit"]))
    value = f"{number(row['threshold'])} {unit}".strip()
    return language.word("relation", str(row["relation"])).format(value=value)
