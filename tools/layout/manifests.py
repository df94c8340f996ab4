"""A manifest says what the code does: `asks` its queries, `reads` what it asks of others."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from layout import marked
from layout.tree import Finding, Tree

TEXTS = ("name", "title_zh", "title_en", "question_zh", "question_en")
LISTS = ("asks", "clauses", "reads")
CLAUSE = re.compile(r"T[1-9]|T\d\d(-M\d+)?")


def validate(tree: Tree) -> Iterator[Finding]:
    """Compare every manifest with the code, and prove the graph of reads acyclic."""
    said = {system.name: marked.manifest(tree, system) for system in tree.systems}
    known = {f"{name}.{ask}" for name, entry in said.items() for ask in _list(entry, "asks")}
    for system in tree.systems:
        where, entry = f"{tree.name(system)}/__init__.py", said[system.name]
        if entry is None:
            yield Finding(where, "manifest", "define MANIFEST = Manifest(name=..., asks=(...), ..)")
        else:
            yield from _form(where, system.name, entry)
            yield from _asks(tree, where, system, entry)
            yield from _reads(tree, where, system, entry, known)
    yield from _acyclic(said)


def _list(entry: Mapping[str, Any] | None, name: str) -> tuple[str, ...]:
    value = (entry or {}).get(name, ())
    return tuple(value) if isinstance(value, tuple | list) else ()


def _form(where: str, name: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    for key in TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key]:
            yield Finding(where, "manifest", f"give {key} as a text")
    for key in LISTS:
        if not isinstance(entry.get(key, ()), tuple):
            yield Finding(where, "manifest", f"give {key} as a tuple of literal texts")
    if entry.get("name") != name:
        yield Finding(where, "manifest", f"its name is {entry.get('name')!r}; write {name!r}")
    for clause in _list(entry, "clauses"):
        if not CLAUSE.fullmatch(clause):
            cure = f"{clause!r} is no clause; write T1 .. T8 for a target, T09-M1 for a measure"
            yield Finding(where, "manifest", cure)


def _asks(tree: Tree, where: str, system: Path, entry: Mapping[str, Any]) -> Iterator[Finding]:
    said, done = set(_list(entry, "asks")), set()
    for _, function in marked.functions(tree, system, "query"):
        done.add(function.name)
    for name in sorted(done - said):
        yield Finding(where, "asks", f"query {name} is not in asks; add it")
    for name in sorted(said - done):
        yield Finding(where, "asks", f"asks names {name}, no @query of this system; remove it")


def _reads(
    tree: Tree, where: str, system: Path, entry: Mapping[str, Any], known: set[str]
) -> Iterator[Finding]:
    said = set(_list(entry, "reads"))
    asked, unnamed = _asked(tree, system)
    if unnamed:  # a name that is data: every query named in the folder may be asked
        asked |= _named(tree, system) & known
    asked = {name for name in asked if name.partition(".")[0] != system.name}
    for name in sorted(asked - said):
        yield Finding(where, "reads", f"the code asks {name}; add it to reads")
    for name in sorted(said - asked):
        yield Finding(where, "reads", f"reads names {name}, which nothing here asks; remove it")
    for name in sorted((said | asked) - known):
        yield Finding(where, "reads", f"no system has a query {name}; correct the name")


def _asked(tree: Tree, system: Path) -> tuple[set[str], bool]:
    names, unnamed = set[str](), False
    for source in tree.under(system):
        for node in ast.walk(source.module):
            if isinstance(node, ast.Call) and marked.text(node.func) in ("ask", "call"):
                name = node.args[1] if len(node.args) > 1 else None
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    names.add(name.value)
                else:
                    unnamed = True
    return names, unnamed


def _named(tree: Tree, system: Path) -> set[str]:
    words = {
        node.value
        for source in tree.under(system)
        if source.path != system / "__init__.py"
        for node in ast.walk(source.module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for path in system.rglob("*.toml"):
        words |= set(_texts(tomllib.loads(path.read_text("utf-8"))))
    return words


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _acyclic(said: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    graph = {
        name: {read.partition(".")[0] for read in _list(entry, "reads")}
        for name, entry in said.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring = " reads ".join(reversed(error.args[1]))
        cure = f"{ring}: move what they share down to methods or the ledger"
        yield Finding("src/cupral/systems", "acyclic", cure)
