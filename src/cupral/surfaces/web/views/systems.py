"""Systems: what each answers, which clauses it serves, and what is not built."""

from collections.abc import Mapping
from typing import Any

from cupral.surfaces.signature import signature
from cupral.surfaces.web.asked import Asked, Page
from cupral.system import ask, commands, manifests, queries


def systems(asked: Asked) -> Page:
    """The table of systems, built and not built, and the coverage of the plan's clauses."""
    coverage = ask(asked.ledger, "plan.coverage")
    clauses = ask(asked.ledger, "plan.clauses").parts
    built = [_built(name, clauses) for name in manifests()]
    missing = [
        {**row, "clauses": [c["clause"] for c in clauses if row["system"] in c["systems"]]}
        for row in coverage.tables.get("systems", ())
        if not row["built"]
    ]
    content = {"built": built, "missing": missing, "clauses": clauses,
               "summary": coverage.tables.get("summary", ())}  # fmt: skip
    return Page(template="systems.html", title=asked.language("nav.systems"), content=content)


def _built(name: str, clauses: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    manifest = manifests()[name]
    return {
        "name": name, "manifest": manifest,
        "queries": [signature(n, f) for n, f in queries().items() if n.startswith(f"{name}.")],
        "commands": [signature(n, f) for n, f in commands().items() if n.startswith(f"{name}.")],
        "clauses": [c["clause"] for c in clauses if name in c["systems"]],
        "targets": [c for c in manifest.clauses if "-" not in c],
    }  # fmt: skip
