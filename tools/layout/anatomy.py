"""A system has the file names of the anatomy and no others (DESIGN section 3)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from layout.tree import Finding, Source, Tree

REQUIRED = ("__init__.py", "model.py", "parameters.toml", "compute.py", "queries.py", "README.md")
OPTIONAL = ("commands.py", "options.py", "cases.py")
DATA = "tables"
"""Any system may keep dated reference tables in a folder of this name, data files only."""
OWN_DATA = {"plan": ("plans",)}
"""Data folders with another name: the plan documents are what users replace."""
INIT_LINES = 40
_PLAIN = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)


def validate(tree: Tree) -> Iterator[Finding]:
    """Check the files of every system, and that no `__init__` works."""
    for system in tree.systems:
        yield from _files(tree, system)
    for source in tree.under("src"):
        if source.path.name == "__init__.py":
            yield from _init(source)


def _files(tree: Tree, system: Path) -> Iterator[Finding]:
    where = tree.name(system)
    present = {path.name for path in system.iterdir() if path.name[0] not in "._"}
    present |= {path.name for path in system.iterdir() if path.name == "__init__.py"}
    present.discard("__pycache__")
    for name in REQUIRED:
        if name not in present and not _folder_form(system, name):
            yield Finding(where, "anatomy", f"{name} is missing; write it (DESIGN section 3)")
    for name in sorted(present - {*REQUIRED, *OPTIONAL}):
        path = system / name
        data = name == DATA or name in OWN_DATA.get(system.name, ())
        if path.is_dir() and data:
            yield from _data(tree, path)
        elif not (path.is_dir() and f"{name}.py" in (*REQUIRED, *OPTIONAL)):
            cure = f"no part of the anatomy; move it into one of {_all()}"
            yield Finding(f"{where}/{name}", "anatomy", cure)


def _folder_form(system: Path, name: str) -> bool:
    stem, dot, suffix = name.partition(".")
    return dot + suffix == ".py" and (system / stem).is_dir()


def _data(tree: Tree, folder: Path) -> Iterator[Finding]:
    for path in folder.rglob("*.py"):
        yield Finding(tree.name(path), "anatomy", "a data folder holds no code; move it out")


def _all() -> str:
    return ", ".join((*REQUIRED, *OPTIONAL))


def _init(source: Source) -> Iterator[Finding]:
    if source.lines > INIT_LINES:
        cure = f"{source.lines} lines; an __init__ has at most {INIT_LINES}: names only"
        yield Finding(source.name, "init", cure)
    for node in source.module.body:
        if not isinstance(node, _PLAIN):
            where = f"{source.name}:{node.lineno}"
            yield Finding(where, "init", "an __init__ does no work; move this to a file of its own")
