"""Heavy engines stay in their corner; imports are absolute."""

import ast
from collections.abc import Iterator

from layout.tree import Finding, Source, Tree

CORNERS = {
    "duckdb": "src/cupral/ledger/stores/duckdb.py",
    "ibis": "src/cupral/ledger/stores/ibis.py",
}
"""Engine to the one file under src that may import it."""


def validate(tree: Tree) -> Iterator[Finding]:
    """Check every import."""
    for source in tree.sources:
        for node in ast.walk(source.module):
            if isinstance(node, ast.ImportFrom) and node.level:
                where = f"{source.name}:{node.lineno}"
                yield Finding(where, "import", "relative; write the absolute name")
            if source.name.startswith("src/"):
                yield from _engine(source, node)


def _engine(source: Source, node: ast.AST) -> Iterator[Finding]:
    for name in _imported(node):
        engine = name.partition(".")[0]
        corner = CORNERS.get(engine)
        if corner is not None and source.name != corner:
            where = f"{source.name}:{node.lineno}"  # type: ignore[attr-defined]
            yield Finding(where, "engine", f"{engine} is imported only in {corner}; go through it")


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module or ""]
    return []
