"""Reading queries, commands and manifests from the syntax tree, without importing them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layout.tree import Source, Tree


def functions(tree: Tree, system: Path, mark: str) -> Iterator[tuple[Source, ast.FunctionDef]]:
    """Functions decorated with @query or @command in the file (or folder) of that kind."""
    stem = {"query": "queries", "command": "commands"}[mark]
    for source in tree.under(system):
        inside = source.path.relative_to(system).parts[0]
        if inside in (stem, f"{stem}.py"):
            for node in source.module.body:
                if isinstance(node, ast.FunctionDef) and _decorated(node, mark):
                    yield source, node


def manifest(tree: Tree, system: Path) -> dict[str, Any] | None:
    """Literal arguments of `MANIFEST = Manifest(...)`; None if there is none.

    An argument that is no literal has the value `...`.
    """
    for source in tree.under(system):
        if source.path == system / "__init__.py":
            for node in source.module.body:
                if isinstance(node, ast.Assign | ast.AnnAssign) and assigns(node, "MANIFEST"):
                    return _arguments(node.value)
    return None


def text(node: ast.expr) -> str:
    """Last name of a dotted expression: `query` of `system.query`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _decorated(node: ast.FunctionDef, mark: str) -> bool:
    return any(text(decorator) == mark for decorator in node.decorator_list)


def assigns(node: ast.Assign | ast.AnnAssign, name: str) -> bool:
    """Whether a statement assigns this name."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(text(target) == name for target in targets)


def _arguments(node: ast.expr | None) -> dict[str, Any] | None:
    if not isinstance(node, ast.Call) or text(node.func) != "Manifest":
        return None
    return {word.arg: _literal(word.value) for word in node.keywords if word.arg}


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...
