"""docs/security.md: OWASP ASVS 5.0.0, level 2, requirement by requirement, from docs/security/."""

import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cupral.ledger.rights import ACTIONS, GRADES, MATRIX

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "security"
WORDS = ("yes", "partly", "no", "not applicable")
"""How far a requirement is met."""

HEAD = """# Security

What the OWASP Application Security Verification Standard 5.0.0 asks for at levels 1 and 2, and
how Cupral stands to it. Each row says in our own words what is asked, whether it is met, by
what, and which test would fail if it were not. Rows without a test give a reason; rows that are
not met say what is missing.

Source of the requirements and their numbers: [OWASP ASVS 5.0.0](https://github.com/OWASP/ASVS),
The OWASP Foundation, CC BY-SA 4.0; the sentences here are ours, the wording that binds is theirs.
The rows are data: [one file a chapter](security/). What the rows refer to as practice (rules of
input, grades of data, keys, logs, updates) is [on a page of its own](security/practice.md); what
Cupral is made of that others wrote is an inventory in
[CycloneDX](security/components.cdx.json).
"""
RIGHTS = """## Roles and rights

From `src/cupral/ledger/rights.py`, the one place that decides: whose data a role may treat so.
*own* = of the enterprises that the person belongs to or is assigned to. What is not named is
allowed to nobody. The grades are 一般 general, 重要 important, 核心 core.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement, and how Cupral stands to it."""

    id: str
    level: int
    asks: str
    applicable: bool
    met: str
    how: str = ""
    reason: str = ""
    """Why it does not apply, why there is no test, or what is missing."""
    tests: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """Its number without the version of the standard.

        Examples
        --------
        >>> row = Requirement(id="v5.0.0-1.2.3", level=1, asks="", applicable=True, met="no")
        >>> row.number
        '1.2.3'
        """
        return self.id.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the standard."""

    number: int
    title: str
    rows: tuple[Requirement, ...]


def chapters(folder: Path = FOLDER) -> list[Chapter]:
    """Every chapter, in order."""
    contents = [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("v*.toml"))]
    return [Chapter(c["chapter"], c["title"], tuple(map(_row, c["requirement"]))) for c in contents]


def _row(entry: dict[str, Any]) -> Requirement:
    return Requirement(**{**entry, "tests": tuple(entry.get("tests", ()))})


def page() -> str:
    """The whole page."""
    found = chapters()
    parts = [HEAD, _summary(found), _rights(), *map(_chapter, found)]
    return "\n".join(parts)


def _summary(found: Iterable[Chapter]) -> str:
    lines = [
        "## Where we stand\n",
        f"| Chapter | Requirements | {' | '.join(word.capitalize() for word in WORDS)} |",
        f"|---|---|{'---|' * len(WORDS)}",
    ]
    total = Counter[str]()
    for chapter in found:
        counted = Counter(row.met for row in chapter.rows)
        total += counted
        head = f"V{chapter.number} {chapter.title}"
        link = f"[{head}](#{head.lower().replace(' ', '-')})"
        lines.append(_counted(link, counted))
    return "\n".join([*lines, _counted("**All**", total)]) + "\n"


def _counted(head: str, counted: Counter[str]) -> str:
    cells = [str(counted[word]) for word in WORDS]
    return f"| {head} | {counted.total()} | {' | '.join(cells)} |"


def _rights() -> str:
    lines = [
        RIGHTS,
        f"| Role | Grade | {' | '.join(ACTIONS)} |",
        f"|---|---|{'---|' * len(ACTIONS)}",
    ]
    for role, granted in MATRIX.items():
        for grade in GRADES:
            cells = [granted.get((action, grade), "") or "—" for action in ACTIONS]
            lines.append(f"| {role} | {grade} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _chapter(chapter: Chapter) -> str:
    lines = [
        f"## V{chapter.number} {chapter.title}\n",
        "| Number | Level | Asks | Met | How, or why not | Tests |",
        "|---|---|---|---|---|---|",
    ]
    for row in chapter.rows:
        told = " ".join(part for part in (row.how, row.reason) if part)
        tests = "<br>".join(map(_test, row.tests)) or "—"
        cells = (row.number, str(row.level), row.asks, row.met, told, tests)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _test(node: str) -> str:
    """A test's name, which leads to its file."""
    path, _, name = node.partition("::")
    return f"[{name.rpartition('::')[2].removeprefix('test_').replace('_', ' ')}](../{path})"
