"""Every number has a unit, a date, a source and a status."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from layout.tree import Finding, Tree

FORCES = ("law", "standard", "proposal", "demonstration", "fact")
STATUSES = ("confirmed", "unconfirmed")
ENTRY = {"title_zh": str, "title_en": str, "unit": str, "force": str, "values": list}
VALUE = {"valid_from": date, "source": str, "status": str, "value": object}
EXTRA = {"note"}
NAME = re.compile(r"[a-z][a-z0-9_]*")


def validate(tree: Tree) -> Iterator[Finding]:
    """Check every parameters.toml."""
    for path in sorted((tree.root / "src").rglob("parameters.toml")):
        where = tree.name(path)
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            yield Finding(where, "parameters", f"no TOML: {error}")
            continue
        for name, entry in content.items():
            for cure in _entry(name, entry):
                yield Finding(where, "parameters", f"{name}: {cure}")


def _entry(name: str, entry: Any) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield "name it in small letters, digits and underscores"
    if not isinstance(entry, dict):
        yield "write it as a table, see cupral/ledger/parameter.py"
        return
    yield from _keys(entry, ENTRY, {*EXTRA, "example"})
    if entry.get("force", "law") not in FORCES:
        yield f"force {entry['force']!r} is not one of {', '.join(FORCES)}"
    values = [value for value in entry.get("values", []) if isinstance(value, dict)]
    for value in values:
        yield from _value(value)
    days = [v["valid_from"] for v in values if isinstance(v.get("valid_from"), date)]
    if days != sorted(set(days)):
        yield "put its values in order of valid_from, one a day"


def _value(value: dict[str, Any]) -> Iterator[str]:
    yield from _keys(value, VALUE, {*EXTRA, "valid_to"})
    if value.get("status", "confirmed") not in STATUSES:
        yield f"status {value['status']!r} is not one of {', '.join(STATUSES)}"
    first, last = value.get("valid_from"), value.get("valid_to")
    if isinstance(first, date) and isinstance(last, date) and last <= first:
        yield f"valid_to {last} is not after valid_from {first}"


def _keys(given: dict[str, Any], needed: Mapping[str, type], extra: set[str]) -> Iterator[str]:
    for key, kind in needed.items():
        if key not in given:
            yield f"lacks {key}"
        elif not isinstance(given[key], kind) or (given[key] == "" and key != "unit"):
            yield f"{key} must be a {kind.__name__}, not {given[key]!r}"
    for key in sorted(set(given) - set(needed) - extra):
        yield f"{key!r} is no known key; known: {', '.join([*needed, *sorted(extra)])}"
