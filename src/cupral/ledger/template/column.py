"""Column and Template: the intention of a table that people fill in."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from cupral.ledger.errors import InputError

Kind = Literal["text", "number", "censored", "date", "period", "unit", "choice", "flag"]
"""What a cell holds; 'censored' is a number or '<limit', 'date' may carry a time of day."""

_BRACKET = re.compile(r"^(.*?)\s*[\[(](.*?)[\])]\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its names, what a cell may hold, and how it is explained."""

    name: str
    """Key of the value in a row that was read."""
    aliases: tuple[str, ...] = ()
    """Further headers under which it is recognised; the first one is Chinese."""
    kind: Kind = "text"
    required: bool = False
    allowed: tuple[str, ...] = ()
    """For 'choice': the words; for 'unit': further units beside those of the registry."""
    minimum: float | None = None
    maximum: float | None = None
    description_zh: str = ""
    description_en: str = ""
    example: str = ""

    @property
    def header(self) -> str:
        """The header in Chinese, by which messages call it."""
        return self.aliases[0] if self.aliases else self.name

    @property
    def title(self) -> str:
        """The header in both languages, as a template shows it.

        Examples
        --------
        >>> Column(name="meter", aliases=("计量点",)).title, Column(name="note").title
        ('计量点 meter', 'note')
        """
        same = plain(self.header) == plain(self.name)
        return self.header if same else f"{self.header} {self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every header under which it is recognised."""
        return (self.name, *self.aliases, self.title)


@dataclass(frozen=True, slots=True)
class Template:
    """A table with a name, a title and its columns in order."""

    name: str
    title: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for column in self.columns:
            for alias in column.names:
                owner = seen.setdefault(plain(alias), column.name)
                if owner != column.name:
                    raise InputError(
                        f"template {self.name}: header {alias!r} means {owner} and"
                        f" {column.name}; give each column its own aliases"
                    )

    def match(self, header: str) -> tuple[Column, str] | None:
        """The column a header names, with the unit in brackets behind it (or '').

        Examples
        --------
        >>> power = Column(name="amount", aliases=("电量",), kind="number")
        >>> column, unit = Template("meters", "", (power,)).match("电量（kWh）")
        >>> column.name, unit
        ('amount', 'kWh')
        """
        text = unicodedata.normalize("NFKC", header).strip()
        bracket = _BRACKET.match(text)
        for name, unit in ((text, ""), *((bracket.groups(),) if bracket else ())):
            for column in self.columns:
                if plain(name) in {plain(alias) for alias in column.names}:
                    return column, unit.strip()
        return None


def plain(header: str) -> str:
    """A header without case, width, blanks, underscores and the mark of a required column."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\s_*\-]+", "", text)
