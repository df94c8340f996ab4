"""A query's signature makes its option, its HTTP parameter and its help line."""

import ast
from collections.abc import Iterator

from layout import marked
from layout.tree import Finding, Tree

PLAIN = {"str", "int", "float", "bool", "list", "dict", "Any", "object", "Literal", "bytes"}
"""Types that every surface can carry."""


def validate(tree: Tree) -> Iterator[Finding]:
    """Check the queries and commands of every system."""
    for system in tree.systems:
        for mark in ("query", "command"):
            for source, function in marked.functions(tree, system, mark):
                where = f"{source.name}:{function.lineno}"
                for cure in _cures(function, mark):
                    yield Finding(where, mark, f"{function.name}: {cure}")


def _cures(function: ast.FunctionDef, mark: str) -> Iterator[str]:
    first = (ast.get_docstring(function) or "").partition("\n")[0]
    if not first.endswith("."):
        yield "its docstring begins with one sentence, ended by a full stop, on one line"
    given = function.args
    ledger = given.args[0] if given.args else None
    if ledger is None or ledger.arg != "ledger" or _shown(ledger.annotation) != "Ledger":
        yield "its first argument is `ledger: Ledger`"
    if len(given.args) > 1 or given.posonlyargs or given.vararg or given.kwarg:
        yield "the other arguments are keyword-only: write `*` after the ledger"
    for argument in given.kwonlyargs:
        if not _plain(argument.annotation):
            yield f"type {argument.arg} as {', '.join(sorted(PLAIN))} (or None)"
    if mark == "query" and _shown(function.returns) != "Result":
        yield "a query returns a Result"
    if mark == "command" and "author" not in {a.arg for a in given.kwonlyargs}:
        yield "a command takes `author: str`"


def _shown(annotation: ast.expr | None) -> str:
    return "" if annotation is None else ast.unparse(annotation)


def _plain(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    return names <= PLAIN
