"""Words that do not belong: odds-and-ends names, promises, prints, paths of one machine."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

from layout.tree import Finding, Source, Tree

ODDS_AND_ENDS = {"utils", "util", "common", "helpers", "helper", "misc"}
PROMISE = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
PLACE = re.compile(r"(?<![\w.:/])/(?:work|root|home|Users)/\w|\b[A-Z]:\\\w")
HOST = re.compile(r"pypi\.\w+/|python[h]osted|--(?:extra-)?index-[u]rl|--find-[l]inks")
PRINTING = "src/cupral/surfaces/"
"""Where print may be called."""


def validate(tree: Tree) -> Iterator[Finding]:
    """Check names, comments, calls of print, and every text for places."""
    for source in tree.sources:
        yield from _name(source)
        yield from _promises(source)
        yield from _prints(source)
    for name, text in tree.texts:
        yield from _places(name, text)


def _name(source: Source) -> Iterator[Finding]:
    for part in PurePosixPath(source.name).parts:
        if PurePosixPath(part).stem in ODDS_AND_ENDS:
            yield Finding(source.name, "name", f"{part!r} says nothing; name the one noun it holds")


def _promises(source: Source) -> Iterator[Finding]:
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and PROMISE.search(token.string):
            where = f"{source.name}:{token.start[0]}"
            yield Finding(where, "promise", "do it, or file an issue and take the comment out")


def _prints(source: Source) -> Iterator[Finding]:
    if not source.name.startswith("src/") or source.name.startswith(PRINTING):
        return
    for node in ast.walk(source.module):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            where = f"{source.name}:{node.lineno}"
            yield Finding(where, "print", "only surfaces print; return what is to be shown")


def _places(name: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := PLACE.search(line):
            cure = f"{found.group()!r} is a place on one machine; name it relative to the root"
            yield Finding(f"{name}:{number}", "place", cure)
        if HOST.search(line):
            yield Finding(f"{name}:{number}", "place", "name no registry; pip knows its own")
