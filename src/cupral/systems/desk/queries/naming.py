"""Naming: which files of the systems and the ledger name a parameter, read from their text."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cupral.systems

_QUOTED = re.compile(r"""["']([\w.]+)["']""")
_BEGUN = re.compile(r"""["']([a-z_]+\.[a-z0-9_]+)\{""")
"""The fixed beginning of an id that is put together, as plan.near_{figure}."""
_KEY = re.compile(r"^\s*([\w.]+)\s*=", re.MULTILINE)


def named_in(id: str) -> tuple[str, ...]:
    """Files (SYSTEM/FILE, ledger/FILE) that name a parameter, in its own system without its system.

    Examples
    --------
    >>> named_in("plan.relations")
    ('plan/commands.py', 'plan/queries/status.py')
    """
    system, _, name = id.partition(".")
    return tuple(
        file
        for file, words, begun in _files()
        if id in words
        or any(id.startswith(one) for one in begun)
        or (file.startswith(f"{system}/") and name in words)
    )


@lru_cache(maxsize=1)
def _files() -> tuple[tuple[str, frozenset[str], tuple[str, ...]], ...]:
    systems = Path(cupral.systems.__path__[0])
    ledger = systems.with_name("ledger")
    found = [(path.relative_to(systems), path) for path in _sources(systems)]
    found += [(path.relative_to(systems.parent), path) for path in _sources(ledger)]
    return tuple(
        (name.as_posix(), *_words(path)) for name, path in sorted(found) if name.parts[0] != "desk"
    )


def _sources(root: Path) -> Iterator[Path]:
    for pattern in ("*.py", "*.toml"):
        yield from (path for path in root.rglob(pattern) if path.name != "parameters.toml")


def _words(path: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    text = path.read_text("utf-8")
    keys = _KEY.findall(text) if path.suffix == ".toml" else []
    return frozenset([*_QUOTED.findall(text), *keys]), tuple(_BEGUN.findall(text))
