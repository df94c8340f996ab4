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
    lines = ["| {} | {} | {} |".format(*HEADS[language]), "|---|---|---|"]
    for clause, title in planned["clauses"].items():
        serving = [n for n, entry in planned["systems"].items() if clause in entry["serves"]]
        done = ", ".join(_link(name) for name in serving if name in built)
        rest = ", ".join(name for name in serving if name not in built)
        number = f"{clause}. " if clause.isdigit() else ""
        lines.append(f"| {number}{title[language]} | {done or '—'} | {rest or '—'} |")
    return "\n".join([*lines, "", _counts(language, planned["systems"], built)])


def _link(name: str) -> str:
    return f"[{name}](docs/systems.md#{name})"


def _counts(language: str, planned: Mapping[str, Any], built: set[str]) -> str:
    numbers = (len(built), len(planned), len(queries()), len(commands()))
    if language == "zh":
        return "{} / {} 个系统已建：{} 个问题，{} 个命令。".format(*numbers)
    return "{} of {} systems are built: {} questions, {} commands.".format(*numbers)
