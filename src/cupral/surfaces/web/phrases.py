"""Phrases: sentences that the systems write in English, told in the reader's language."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from cupral.surfaces.web.language import Language

_FILE = Path(__file__).parent / "phrases.toml"
_SLOT = re.compile(r"\{(\w+)\}")
_TOLD = 5000
"""Sentences that are remembered."""
LONGEST = 1000
"""Letters of a sentence that is looked up."""


def said(language: Language, text: str) -> str:
    """A sentence in the reader's language; one that is not listed stays as it is.

    What fills a sentence is looked up too, so a need that names a basis is told whole.

    Examples
    --------
    >>> from cupral.surfaces.web.language import language
    >>> said(language("zh"), "declared: returns 2026-01..2026-12")
    '申报：2026-01..2026-12 的报表'
    >>> said(language("zh"), "something new"), said(language("en"), "the cell is empty")
    ('something new', 'the cell is empty')
    """
    return _in_chinese(text) if language.code == "zh" and len(text) <= LONGEST else text


@lru_cache(maxsize=_TOLD)
def _in_chinese(text: str) -> str:
    """The first listed sentence that fits; the more of it is fixed, the earlier it stands."""
    for pattern, chinese in _patterns():
        if match := pattern.fullmatch(text):
            return chinese.format_map(
                {name: _in_chinese(part) for name, part in match.groupdict().items()}
            )
    return text


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    ordered = sorted(phrases().items(), key=lambda pair: -len(_SLOT.sub("", pair[0])))
    return tuple((re.compile(_expression(english), re.DOTALL), zh) for english, zh in ordered)


def _expression(english: str) -> str:
    """A slot takes whatever stands there, a `hint` or `sheet` also nothing."""
    parts = _SLOT.split(english)
    slots = [f"(?P<{n}>.{'*' if n in ('hint', 'sheet') else '+'}?)" for n in parts[1::2]]
    fixed = [re.escape(part) for part in parts[::2]]
    return fixed[0] + "".join(slot + text for slot, text in zip(slots, fixed[1:], strict=True))


@cache
def phrases() -> Mapping[str, str]:
    """English sentence -> Chinese one."""
    groups = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {english: zh for group in groups.values() for english, zh in group.items()}
