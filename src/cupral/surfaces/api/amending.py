"""Amending: the forms of the parameter desk; signed files that come and go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Row
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.forms import Form, sent_form
from cupral.surfaces.api.pages import paged
from cupral.surfaces.api.signed import seen
from cupral.surfaces.jobs import Step
from cupral.surfaces.plainness import plain
from cupral.system import demand_orderable, order
from cupral.systems.desk.compute.change import by_size
from cupral.systems.desk.queries.effects import affected, compared, proposed

DECISIONS = ("confirm", "refuse", "withdraw")
MOST_STEPS = 20
"""Of a preview; each recomputes a part of the Results, and can be the last."""
_TEXTS = ("value", "unit", "valid_from", "valid_to", "source", "note", "status", "force")


@dataclass(frozen=True, slots=True)
class Amending:
    """The forms of the parameter desk."""

    desk: Desk

    async def propose(self, request: Request) -> Response:
        """Propose a value, with the file that is its source."""
        form, id = await sent_form(request), request.path_params["id"]
        given: dict[str, Any] = {name: form.text(name) for name in _TEXTS if form.text(name)}
        missing = [name for name in ("value", "valid_from", "source") if name not in given]
        if missing:
            raise InputError(f"the form lacks {', '.join(missing)}; fill it in and send it again")
        if form.filename:
            given |= {"content": form.content, "filename": form.filename}
        return self._ordered(seen(request), id, "propose", form, {"parameter": id, **given})

    async def decide(self, request: Request) -> Response:
        """Confirm, refuse or withdraw a proposal."""
        form, do = await sent_form(request), ""
        do, version = form.text("do"), form.text("version")
        if do not in DECISIONS:
            raise InputError(f"decision {do!r} is not one of {', '.join(DECISIONS)}")
        given: dict[str, Any] = {"proposal": form.text("proposal"), "reason": form.text("reason")}
        if do != "withdraw":
            given["version"] = int(version) if version.isascii() and version.isdigit() else 0
        return self._ordered(seen(request), request.path_params["id"], do, form, given)

    def _ordered(
        self, ledger: Ledger, id: str, do: str, form: Form, given: Mapping[str, Any]
    ) -> Response:
        demand_orderable(ledger, f"desk.{do}")

        def ordered(_done: Any) -> dict[str, Any]:
            order(ledger, f"desk.{do}", author=form.author, **given)
            return {"parameter": id, "stale": ledger.records.stale_count()}

        return self._started(ledger, id, [("run", ordered)])

    def _started(self, ledger: Ledger, title: str, steps: Sequence[Step]) -> Response:
        job = self.desk.jobs.start(title, steps, owner=ledger.rights.name)
        return RedirectResponse(f"/jobs/{job.id}", 303)

    async def effects(self, request: Request) -> Response:
        """Work out what a proposal would change, with progress."""
        form, ledger = await sent_form(request), seen(request)
        proposal = form.text("proposal")
        steps = await run_in_threadpool(lambda: _previewing(ledger, proposal))
        return self._started(ledger, proposal, steps)

    async def export(self, request: Request) -> Response:
        """A signed file of what was confirmed here."""
        form, ledger = await sent_form(request), seen(request)
        made = await run_in_threadpool(
            lambda: order(ledger, "desk.export_parameters", author=form.author)
        )
        headers = {"content-disposition": 'attachment; filename="cupral-parameters.json"',
                   "cache-control": "no-store"}  # fmt: skip
        return Response(str(made).encode(), headers=headers, media_type="application/json")

    async def take_in(self, request: Request) -> Response:
        """Enter the values of a signed file as proposals."""
        form, ledger = await sent_form(request), seen(request)
        name, content = form.file()
        demand_orderable(ledger, "desk.import_parameters")
        return self._started(ledger, name, [("run", lambda _: plain(order(
            ledger, "desk.import_parameters", author=form.author, content=content)))])  # fmt: skip


def _previewing(ledger: Ledger, proposal: str) -> list[Step]:
    """Steps that recompute what a proposal would change."""
    document = ledger.document("parameter", proposal)
    new = proposed(ledger, proposal, "", "", "", "", "")
    rows, found = affected(ledger, new), list[Row]()
    size = -(-len(rows) // MOST_STEPS) or 1

    def comparing(part: list[Mapping[str, Any]]) -> Callable[[Any], None]:
        return lambda _: found.extend(compared(ledger, new, part))

    def told(_done: Any) -> dict[str, Any]:
        return {"parameter": new.id, "proposal": proposal, "version": document.version,
                "effects": plain(by_size(found))}  # fmt: skip

    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [*(("compare", comparing(part)) for part in parts), ("effects", told)]


def add_amending(app: FastAPI, desk: Desk) -> None:
    """Add the routes of the parameter desk's forms."""
    made = Amending(desk)
    routes = {
        "/parameters/export": made.export, "/parameters/import": made.take_in,
        "/parameters/{id}/propose": made.propose, "/parameters/{id}/decide": made.decide,
        "/parameters/{id}/effects": made.effects,
    }  # fmt: skip
    for path, action in routes.items():
        app.router.routes.append(Route(path, paged(action), methods=["POST"]))
