"""Who owns what a plan names, and which systems serve its clauses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from cupral.systems.plan.model import Clause, Named, Plan

KINDS = ("products", "technologies", "clusters", "regions", "policies")
"""What a task names, beside its clauses."""

Owners = Mapping[str, Mapping[str, Any]]


def named(plan: Plan) -> Iterable[tuple[str, int, Named]]:
    """Everything a plan names: kind, number of the task (0 = safeguards), and its names."""
    for task in plan.tasks:
        for kind in KINDS:
            for item in getattr(task, kind):
                yield kind, task.no, item
    for item in plan.instruments:
        yield "instruments", 0, item


def rows(plan: Plan, owners: Owners, built: Collection[str]) -> tuple[dict[str, Any], ...]:
    """One row for everything the plan names, with its owner system ('' = nobody).

    Parameters
    ----------
    plan : Plan
    owners : mapping
        Kind -> name -> system, and 'systems' -> system -> its titles.
    built : collection of str
        Systems that are in the tree.
    """
    return tuple(_row(kind, task, item, owners, built) for kind, task, item in named(plan))


def _row(
    kind: str, task: int, item: Named, owners: Owners, built: Collection[str]
) -> dict[str, Any]:
    owner = str(owners.get(kind, {}).get(item.zh, ""))
    title = owners.get("systems", {}).get(owner, {})
    return {
        "kind": kind, "task": task, "name_zh": item.zh, "name_en": item.en, "quote": item.words,
        "owner": owner, "owner_zh": title.get("zh", ""), "owner_en": title.get("en", ""),
        "built": owner in built,
    }  # fmt: skip


def counted(found: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Per kind: how many are named, how many have an owner, how many have one that is built."""
    kinds = dict.fromkeys(row["kind"] for row in found)
    return tuple(
        {
            "kind": kind,
            "named": sum(row["kind"] == kind for row in found),
            "owned": sum(row["kind"] == kind and bool(row["owner"]) for row in found),
            "built": sum(row["kind"] == kind and row["built"] for row in found),
        }
        for kind in kinds
    )


def serving(
    clause: Clause, served: Mapping[str, Collection[str]], owners: Owners
) -> tuple[str, ...]:
    """Systems that serve a clause: those that say so themselves, then those it asks for.

    Parameters
    ----------
    clause : Clause
    served : mapping
        Built system -> clauses that its manifest names.
    owners : mapping
        As for `rows`; its 'clauses' are the systems that a clause asks for.
    """
    own = sorted(name for name, clauses in served.items() if clause.id in clauses)
    asked = [name for name in owners.get("clauses", {}).get(clause.id, ()) if name not in own]
    return (*own, *asked)
