"""The table of the two READMEs: what works today for each clause of the plan."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cupral.system import commands, manifests, queries

DESIGN = Path(__file__).resolve().parents[1] / "systems.toml"
HEADS = {
    "en": ("Plan clause", "Works today", "Designed, not built"),
    "zh": ("方案条目", "现已可用", "已设计，未建"),
}
ALL = {"en": "all", "zh": "全部"}


def design() -> dict[str, Any]:
    """Clauses and systems of the design."""
    return tomllib.loads(DESIGN.read_text("utf-8"))


def table(language: str) -> str:
    """Rows of clauses: systems that work, with how many questions; systems that do not yet.

    A system that is in the tree but not in the design is an error.
    """
    planned, built = design(), set(manifests())
    unknown = built - set(planned["systems"])
    if unknown:
        raise LookupError(f"add {', '.join(sorted(unknown))} to tools/systems.toml")
    lines, told = ["| {} | {} | {} |".format(*HEADS[language]), "|---|---|---|"], set[str]()
    for clause, title in planned["clauses"].items():
        serving = {n: entry for n, entry in planned["systems"].items() if clause in entry["serves"]}
        done = "<br>".join(
            _built(name, entry, language, first=name not in told)
            for name, entry in serving.items()
            if name in built
        )
        told |= set(serving)
        rest = ", ".join(
            _named(n, entry, language) for n, entry in serving.items() if n not in built
        )
        number = f"{clause}. " if clause.isdigit() else ""
        lines.append(f"| {number}{title[language]} | {done or '—'} | {rest or '—'} |")
    return "\n".join([*lines, "", _counts(language, planned["systems"], built)])


def _built(name: str, entry: Mapping[str, Any], language: str, *, first: bool) -> str:
    """A link to a system; where it is named first, also what it answers."""
    link = f"[{_named(name, entry, language)}](docs/systems.md#{name})"
    return f"{link}: {entry[language]}" if first else link


def _named(name: str, entry: Mapping[str, Any], language: str) -> str:
    return str(entry["title_zh"]) if language == "zh" else name


def _counts(language: str, planned: Mapping[str, Any], built: set[str]) -> str:
    numbers = (len(built), len(planned), len(queries()), len(commands()))
    if language == "zh":
        return "{} / {} 个系统已建：{} 个问题，{} 个命令。".format(*numbers)
    return "{} of {} systems are built: {} questions, {} commands.".format(*numbers)
