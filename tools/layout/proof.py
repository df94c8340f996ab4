"""There is at least as much test as code, and each system has its three files of tests."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from layout.tree import Finding, Source, Tree

FILES = ("test_oracle.py", "test_properties.py", "test_queries.py")
"""A published case; laws; the questions end to end with their errors."""


def validate(tree: Tree) -> Iterator[Finding]:
    """Look for the tests of each system; compare all lines of tests with those of code."""
    for system in tree.systems:
        for name in FILES:
            path = tree.root / "tests" / "systems" / system.name / name
            if not path.is_file():
                yield Finding(tree.name(path), "proof", "is missing; write it (STYLE section 10)")
    code, tests = (sum(s.lines for s in tree.under(folder)) for folder in ("src", "tests"))
    if tests < code:
        thin = [f"{name} {t}/{c}" for name, c, t in packages(tree) if t < c]
        cure = f"{tests} lines of tests to {code} of code; write more for {', '.join(thin)}"
        yield Finding("tests", "debt", cure)


def packages(tree: Tree) -> list[tuple[str, int, int]]:
    """Name, lines of code, lines of tests, of each package and each system."""
    code, tests = dict[str, int](), dict[str, int]()
    for folder, base, counted in (("src", "src/cupral", code), ("tests", "tests", tests)):
        for source in tree.under(folder):
            name = _package(source, base)
            counted[name] = counted.get(name, 0) + source.lines
    return [(name, code.get(name, 0), tests.get(name, 0)) for name in sorted({*code, *tests})]


def _package(source: Source, base: str) -> str:
    parts = PurePosixPath(source.name).relative_to(base).parts[:-1]
    depth = 2 if parts[:1] == ("systems",) else 1
    return "/".join(parts[:depth]) or "."
