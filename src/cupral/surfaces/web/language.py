"""Language: every string of the pages from a catalogue, and names in the reader's language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
"""Chinese first."""
_FOLDER = Path(__file__).parent / "catalogues"


@dataclass(frozen=True, slots=True)
class Language:
    """One language's catalogue."""

    code: str
    texts: Mapping[str, str]

    @property
    def tag(self) -> str:
        """The value of the HTML attribute lang."""
        return "zh-CN" if self.code == "zh" else "en"

    @property
    def other(self) -> str:
        """The other language's code."""
        return "en" if self.code == "zh" else "zh"

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, with its {values} filled in; a missing key is a defect.

        Examples
        --------
        >>> language("en")("nav.overview")
        'Overview'
        """
        text = self.texts[key]
        return text.format(**values) if values else text

    def word(self, group: str, name: str) -> str:
        """The text of a name that comes from data, or the name itself if it is not listed."""
        return self.texts.get(f"{group}.{name}", name)

    def of(self, thing: Any, field: str = "name") -> str:
        """A noun's (or row's) name in this language, in the other one if that is empty."""
        for code in (self.code, self.other):
            key = f"{field}_{code}"
            found = thing.get(key) if isinstance(thing, Mapping) else getattr(thing, key, "")
            if found:
                return str(found)
        return ""

    def beside(self, thing: Any, field: str = "name") -> str:
        """The same name in the other language, for the small line below it."""
        other = language(self.other).of(thing, field)
        return "" if other == self.of(thing, field) else other


@cache
def language(code: str) -> Language:
    """The catalogue of a language; an unknown code gets Chinese."""
    chosen = code if code in LANGUAGES else LANGUAGES[0]
    content = tomllib.loads((_FOLDER / f"{chosen}.toml").read_text(encoding="utf-8"))
    return Language(chosen, dict(_flat(content)))


def _flat(content: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        key = f"{before}{name}"
        found += _flat(value, f"{key}.") if isinstance(value, Mapping) else [(key, value)]
    return found
