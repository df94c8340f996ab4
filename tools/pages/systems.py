"""docs/systems.md: every system, its questions and commands, from the code and its README."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cupral.systems
from cupral.system import Manifest, commands, manifests, queries
from pages.clauses import design

HEAD = """# Systems

A system is a folder under `src/cupral/systems` that answers one family of questions by
reading the ledger. None imports another: one asks another by the name of a query. Every
question below is a Python function, `cupral SYSTEM QUERY --option`, `POST` or `GET` on the
HTTP interface, by one signature.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, _overview()]
    parts += [_system(manifest) for manifest in manifests().values()]
    return "\n".join([*parts, _planned()])


def _overview() -> str:
    lines = ["| System | 系统 | Clauses | Reads |", "|---|---|---|---|"]
    for entry in manifests().values():
        reads = ", ".join(f"`{name}`" for name in entry.reads) or "—"
        clauses = ", ".join(entry.clauses) or "—"
        title = f"[{entry.name}](#{entry.name})"
        lines.append(f"| {title} | {entry.title_zh} | {clauses} | {reads} |")
    return "\n".join(lines) + "\n"


def _system(entry: Manifest) -> str:
    parts = [
        f"## {entry.name}\n",
        f"**{entry.question_en}** {entry.question_zh}\n",
        _opening(Path(cupral.systems.__path__[0]) / entry.name / "README.md"),
        _functions("Question", queries(), entry.name),
        _functions("Command", commands(), entry.name),
    ]
    return "\n".join(part for part in parts if part)


def _opening(readme: Path) -> str:
    """The first paragraph of a README, and where the rest is."""
    if not readme.is_file():  # the inspector names it
        return ""
    paragraphs = [part.strip() for part in readme.read_text("utf-8").split("\n\n")]
    opening = next((part for part in paragraphs if part and not part.startswith("#")), "")
    link = f"[Method, oracle and limits](../src/cupral/systems/{readme.parent.name}/README.md)"
    return f"{opening}\n\n{link}\n"


def _functions(head: str, known: Mapping[str, Callable[..., Any]], system: str) -> str:
    mine = {name: f for name, f in known.items() if name.partition(".")[0] == system}
    if not mine:
        return ""
    lines = [f"| {head} | Answers | Arguments |", "|---|---|---|"]
    for name, function in sorted(mine.items()):
        first = (inspect.getdoc(function) or "").partition("\n")[0]
        lines.append(f"| `{name}` | {_cell(first)} | {_arguments(function)} |")
    return "\n".join(lines) + "\n"


def _arguments(function: Callable[..., Any]) -> str:
    shown = []
    for name, argument in inspect.signature(function).parameters.items():
        if argument.kind is inspect.Parameter.KEYWORD_ONLY:
            default = argument.default
            optional = default is not inspect.Parameter.empty
            shown.append(f"`{name}={default!r}`" if optional and default else f"`{name}`")
            shown[-1] += " (optional)" if optional and not default else ""
    return _cell(", ".join(shown)) or "—"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _planned() -> str:
    lines = ["## Designed, not built\n", "| System | Asks | 问题 |", "|---|---|---|"]
    for name, entry in design()["systems"].items():
        if name not in manifests():
            lines.append(f"| {name} | {entry['en']} | {entry['zh']} |")
    return "\n".join(lines) + "\n"
