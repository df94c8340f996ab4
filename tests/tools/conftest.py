"""A small sound repository, in which each test makes one fault."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import check_layout
from layout.tree import Finding, Tree

MANIFEST = '''"""Asks what flowed."""

from cupral.system import Manifest

MANIFEST = Manifest(
    name="{name}",
    title_zh="名",
    title_en="name",
    question_zh="问",
    question_en="what flowed?",
    asks=("{ask}",),
    clauses=("T1", "T09-M1"),
    reads=({reads}),
)
'''
QUERIES = '''"""Questions."""


@query
def {ask}(ledger: Ledger, *, site: str, month: str | None = None) -> Result:
    """What flowed in a month.

    Parameters
    ----------
    site : str
        Its id.
    """
    return {body}
'''
PARAMETERS = """
[limit]
title_zh = "限"
title_en = "limit"
unit = "kWh/t"
force = "standard"
[[limit.values]]
valid_from = 2023-01-01
value = 1.0
source = "GB 1, table 1"
status = "confirmed"
"""


@dataclass(frozen=True)
class Trial:
    """A repository under trial."""

    root: Path

    @property
    def tree(self) -> Tree:
        """Its files, read again."""
        return Tree(self.root)

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a text, which must be there, in a file of a system."""
        text = (self.root / "src/cupral/systems" / name).read_text("utf-8")
        assert old in text
        self.write(f"src/cupral/systems/{name}", text.replace(old, new))

    def system(self, name: str, *, ask: str, body: str, reads: str = "") -> None:
        """Write a whole system."""
        folder = f"src/cupral/systems/{name}"
        self.write(f"{folder}/__init__.py", MANIFEST.format(name=name, ask=ask, reads=reads))
        self.write(f"{folder}/queries.py", QUERIES.format(ask=ask, body=body))
        self.write(f"{folder}/model.py", '"""Nouns."""\n')
        self.write(f"{folder}/compute.py", '"""Pure functions."""\n')
        self.write(f"{folder}/parameters.toml", PARAMETERS)
        self.write(f"{folder}/README.md", "# The question\n")
        for part in ("oracle", "properties", "queries"):
            self.write(f"tests/systems/{name}/test_{part}.py", '"""Tests."""\n')

    def found(self) -> list[Finding]:
        """Everything that the inspector finds."""
        return check_layout.findings(self.tree)

    def the_one(self, rule: str) -> Finding:
        """The only finding, which is of this rule."""
        (finding,) = self.found()
        assert finding.rule == rule
        return finding


@pytest.fixture
def sound(tmp_path: Path) -> Trial:
    """Two systems in which nothing is wrong: upper reads lower."""
    trial = Trial(tmp_path)
    trial.system("lower", ask="flows", body="Result()")
    trial.system("upper", ask="share", body='ask(ledger, "lower.flows")', reads='"lower.flows",')
    trial.write("tests/test_all.py", '"""Tests."""\n' + "assert True\n" * 200)
    return trial
