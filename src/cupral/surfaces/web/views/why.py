"""Why this number: what a reference says and what it stands on, down to meter rows."""

from collections.abc import Mapping
from typing import Any

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.explain import Explanation, explain
from cupral.ledger.flow import DESCRIPTIONS, SCHEMAS
from cupral.ledger.result import Result
from cupral.surfaces.references import answer, sorted_lineage
from cupral.surfaces.web.asked import Asked, Page


def why(asked: Asked) -> Page:
    """The explanation of `?reference=`."""
    reference = asked.get("reference")
    if not reference:
        raise InputError(
            "no reference is given; follow a figure's link, or write ?reference=flows:POSTING/ROW"
        )
    kind, _, name = reference.partition(":")
    if kind == "result" and "#" not in name:
        return _result(asked, name)
    found = explain(asked.ledger, reference)
    if found.kind == "result":
        return _kept(asked, found)
    return _thing(asked, found)


def _result(asked: Asked, key: str) -> Page:
    result = answer(asked.ledger, key)
    try:
        history = explain(asked.ledger, f"result:{result.key}").history
    except NotFound:
        history = ()
    return _answered(asked, result, history)


def _kept(asked: Asked, found: Explanation) -> Page:
    return _answered(asked, Result.from_document(found.content), found.history)


def _answered(asked: Asked, result: Result, history: tuple[Mapping[str, Any], ...]) -> Page:
    t = asked.language
    lineage = sorted_lineage(asked.ledger, result.lineage)
    content = {"result": result, "lineage": lineage, "history": history,
               "reference": f"result:{result.key}"}  # fmt: skip
    return Page(template="why_result.html", title=t("why.title"), content=content,
                demonstration=result.demonstration)  # fmt: skip


def _thing(asked: Asked, found: Explanation) -> Page:
    fields = {name: value for name, value in found.content.items() if _tells(value)}
    tables = {name: fields.pop(name) for name in list(fields) if _is_table(fields[name])}
    described = DESCRIPTIONS if found.kind in SCHEMAS else {}
    content = {"found": found, "fields": fields, "tables": tables, "described": described}
    return Page(template="why_thing.html", title=asked.language("why.title"), content=content,
                demonstration=bool(found.content.get("demonstration")))  # fmt: skip


def _tells(value: Any) -> bool:
    return value not in (None, "", (), [], {})


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)
