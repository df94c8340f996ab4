"""Budgets of length; one is broken only with `# budget: reason` in the file."""

import ast
import re
import statistics
from collections.abc import Iterator

from layout.tree import Finding, Source, Tree

FILE = 400
FUNCTION = 40
MEDIAN = 8
REASON = re.compile(r"# budget: \S+")


def validate(tree: Tree) -> Iterator[Finding]:
    """Check files and functions, and the middle length of the functions under src."""
    for source in tree.sources:
        if not REASON.search(source.text):
            yield from _file(source)
    lengths = [body(node) for source in tree.under("src") for node in functions(source)]
    if lengths and statistics.median(lengths) > MEDIAN:
        cure = f"the median body is {statistics.median(lengths)} lines, not <= {MEDIAN}: split"
        yield Finding("src", "budget", cure)


def _file(source: Source) -> Iterator[Finding]:
    if source.lines > FILE:
        cure = f"{source.lines} lines, not <= {FILE}; split it, or say why: # budget: reason"
        yield Finding(source.name, "budget", cure)
    for node in functions(source):
        if body(node) > FUNCTION:
            cure = f"{node.name} has {body(node)} body lines, not <= {FUNCTION}; split it"
            yield Finding(f"{source.name}:{node.lineno}", "budget", cure)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, also those inside others."""
    for node in ast.walk(source.module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, its docstring left out."""
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not statements:
        return 0
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1
