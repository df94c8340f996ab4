"""A kind of case has one judge (see `cupral check`)."""

import ast
from collections.abc import Iterator

from layout import marked
from layout.tree import Finding, Source, Tree


def validate(tree: Tree) -> Iterator[Finding]:
    """Check that the kinds in the `JUDGES` of all systems are literal and different."""
    owner = dict[str, str]()
    for system in tree.systems:
        for source in tree.under(system):
            if source.path.relative_to(system).parts[0] in ("cases.py", "cases"):
                for kind, line in _kinds(source):
                    where = f"{source.name}:{line}"
                    if not kind:
                        yield Finding(where, "judges", "write each kind as a text")
                    elif kind in owner:
                        cure = f"{owner[kind]} already judges {kind}; name your kind otherwise"
                        yield Finding(where, "judges", cure)
                    owner.setdefault(kind, source.name)


def _kinds(source: Source) -> Iterator[tuple[str, int]]:
    for node in source.module.body:
        named = isinstance(node, ast.Assign | ast.AnnAssign) and marked.assigns(node, "JUDGES")
        value = getattr(node, "value", None)
        if named and isinstance(value, ast.Dict):
            for key in value.keys:
                text = key.value if isinstance(key, ast.Constant) else ""
                yield text if isinstance(text, str) else "", getattr(key, "lineno", node.lineno)
