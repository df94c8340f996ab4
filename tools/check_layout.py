"""The inspector: every folder is checked the same way.

    python tools/check_layout.py [ROOT]      list what breaks a rule; exit 1 if anything does
    python tools/check_layout.py --report    also lines of code and tests by package

When you wish for a rule, add a validator to tools/layout, not a paragraph.
"""

import sys
from pathlib import Path

from layout import (
    anatomy,
    budgets,
    engines,
    judges,
    manifests,
    parameters,
    proof,
    signatures,
    words,
)
from layout.tree import Finding, Tree

RULES = (anatomy, manifests, signatures, judges, parameters, budgets, engines, words, proof)


DEBTS = ("debt",)
"""Rules whose findings are printed at each run but do not fail it: budgets still owed."""


def main(arguments: list[str]) -> int:
    """Inspect a repository; returns the exit code."""
    roots = [argument for argument in arguments if not argument.startswith("--")]
    tree = Tree(Path(roots[0] if roots else Path(__file__).parents[1]).resolve())
    found = findings(tree)
    for finding in found:
        print(finding)
    if "--report" in arguments:
        print(report(tree))
    failing = [finding for finding in found if finding.rule not in DEBTS]
    print(f"check_layout: {len(failing)} findings in {len(tree.sources)} files")
    return 1 if failing else 0


def findings(tree: Tree) -> list[Finding]:
    """Everything that any rule finds."""
    found = [finding for rule in RULES for finding in rule.validate(tree)]
    return [*tree.broken, *found]


def report(tree: Tree) -> str:
    """Lines of code and tests by package."""
    lines = [f"{'package':30s} {'code':>7s} {'tests':>7s}"]
    lines += [f"{name:30s} {code:7d} {tests:7d}" for name, code, tests in proof.packages(tree)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
