"""What the inspector sees of the repository, and how it reports."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CODE = ("src", "tests", "tools", "benchmarks", "examples")
"""Folders that hold Python."""
TEXT = (*CODE, "docs", ".ci")
"""Folders whose text is read."""
SUFFIXES = (
    ".py", ".toml", ".md", ".sh", ".yaml", ".yml", ".json", ".csv", ".html", ".js", ".css",
    ".txt", ".lock", "",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that breaks a rule: where, which rule, what to do."""

    where: str
    rule: str
    cure: str

    def __str__(self) -> str:
        return f"{self.where}  [{self.rule}]  {self.cure}"


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path
    name: str
    """Path from the root of the repository."""
    text: str
    module: ast.Module

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @cached_property
    def docstrings(self) -> set[int]:
        """Identities of the constants that are docstrings."""
        return {id(node.value) for node in ast.walk(self.module) if isinstance(node, ast.Expr)}


@dataclass(frozen=True)
class Tree:
    """The files under one root; read once."""

    root: Path
    broken: list[Finding] = field(default_factory=list)

    @property
    def systems(self) -> list[Path]:
        """Folders of the systems."""
        folder = self.root / "src" / "cupral" / "systems"
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] not in "._")

    @cached_property
    def sources(self) -> list[Source]:
        """Every Python file that can be parsed; the others are findings."""
        found = []
        for path in sorted(self._files(CODE)):
            if path.suffix != ".py":
                continue
            text = path.read_text("utf-8")
            try:
                found.append(Source(path, self.name(path), text, ast.parse(text)))
            except SyntaxError as error:
                where = f"{self.name(path)}:{error.lineno}"
                self.broken.append(Finding(where, "syntax", f"{error.msg}; correct the file"))
        return found

    def under(self, folder: Path | str) -> list[Source]:
        """Python files in a folder (a path, or its name from the root)."""
        base = self.root / folder
        return [source for source in self.sources if base in source.path.parents]

    @cached_property
    def texts(self) -> list[tuple[str, str]]:
        """Name and content of every text file that we wrote ourselves."""
        paths = [*self._files(TEXT), *(p for p in self.root.iterdir() if p.is_file())]
        return [
            (self.name(path), path.read_text("utf-8", errors="replace"))
            for path in sorted(paths)
            if path.suffix in SUFFIXES and path.name not in ("LICENSE", ".venv.lock")
        ]

    def name(self, path: Path) -> str:
        """Path from the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def _files(self, folders: tuple[str, ...]) -> Iterator[Path]:
        for folder in folders:
            for path in (self.root / folder).rglob("*"):
                if path.is_file() and not _foreign(path.relative_to(self.root)):
                    yield path


def _foreign(path: Path) -> bool:
    parts = path.parts
    return any(
        part in ("vendor", "__pycache__") or part.endswith(".egg-info") for part in parts
    ) or any(part.startswith(".") and part != ".ci" for part in parts)
