"""Parameters: every dated number with its source and status."""

from cupral.surfaces.web.asked import Asked, Page


def parameters(asked: Asked) -> Page:
    """All parameters by system, unconfirmed ones marked; `?system=` and `?status=` narrow."""
    wanted, status = asked.get("system"), asked.get("status")
    book = asked.ledger.parameters
    groups: dict[str, list[object]] = {}
    for id, dated in sorted(book.values.items()):
        system = id.partition(".")[0]
        shown = [value for value in dated if not status or value.status == status]
        if (not wanted or wanted == system) and (shown or not (dated or status)):
            groups.setdefault(system, []).append({"id": id, "values": shown})
    every = [value for dated in book.values.values() for value in dated]
    content = {
        "groups": groups, "systems": sorted({id.partition(".")[0] for id in book.values}),
        "system": wanted, "status": status, "version": book.version, "count": len(every),
        "unconfirmed": sum(not value.confirmed for value in every),
    }  # fmt: skip
    return Page(template="parameters.html", title=asked.language("nav.parameters"), content=content)
