"""Actions: forms that change something; each starts a job and leads to its page."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import OWNER
from cupral.surfaces import intake
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.forms import Form, sent_form
from cupral.surfaces.api.pages import answered, asked_by, paged
from cupral.surfaces.api.signed import person_of, seen
from cupral.surfaces.jobs import Job, Step
from cupral.surfaces.plainness import plain
from cupral.surfaces.references import recomputed, visible
from cupral.surfaces.web.asked import Page
from cupral.surfaces.web.views.account import address, judgements
from cupral.surfaces.web.views.networks import draft, editor, read_draft
from cupral.surfaces.web.views.upload import job_page
from cupral.system import demand_orderable, order

KEPT_UPLOADS = 20
KEPT_BYTES = 60_000_000
"""Of the files that were checked but not yet posted, beside the latest."""


@dataclass(slots=True)
class Actions:
    """The forms of a desk, and the files that were checked but not yet posted."""

    desk: Desk
    checked: OrderedDict[str, intake.Brought] = field(default_factory=OrderedDict)

    async def upload(self, request: Request) -> Response:
        """Check a file and, if asked, post it."""
        form, ledger = await sent_form(request), seen(request)
        brought = _brought(form)
        ledger.rights.demand("post")
        if form.text("mode") == "post":
            job = self._posting(ledger, brought)
        else:
            steps = [("check", lambda _: plain(intake.take(ledger, brought, dry_run=True)))]
            job = self._started(ledger, brought.filename, steps)
            self.checked[job.id] = brought
            self._forget_old()
        return _to(job)

    def _forget_old(self) -> None:
        while len(self.checked) > 1 and (
            len(self.checked) > KEPT_UPLOADS
            or sum(len(kept.content) for kept in self.checked.values()) > KEPT_BYTES
        ):
            self.checked.popitem(last=False)

    async def post_checked(self, request: Request) -> Response:
        """Post the file that a job has checked."""
        await sent_form(request)
        ledger, id = seen(request), request.path_params["id"]
        if id not in self.checked:
            raise InputError(f"the file of job {id} is not kept any more; upload it again")
        self.desk.jobs.job(id, owner=ledger.rights.name)
        return _to(self._posting(ledger, self.checked.pop(id)))

    def _posting(self, ledger: Ledger, brought: intake.Brought) -> Job:
        return self._started(ledger, brought.filename, [
            ("check", lambda _: intake.take(ledger, brought, dry_run=True)),
            ("post", lambda _: plain(intake.take(ledger, brought, dry_run=False))),
            ("recompute", lambda done: {**done["post"], **self._recomputed(ledger)}),
        ])  # fmt: skip

    def _recomputed(self, ledger: Ledger) -> dict[str, list[str]]:
        """Recompute what stood on the posted rows, whoever it belongs to; tell what is his."""
        told = recomputed(self.desk.ledger)
        if ledger.rights.over("read", "result") == "all":
            return told
        mine = [key for key in told["recomputed"] if visible(ledger, key)]
        return {"recomputed": mine, "unanswered": []}

    def _started(self, ledger: Ledger, title: str, steps: Sequence[Step]) -> Job:
        return self.desk.jobs.start(title, steps, owner=ledger.rights.name)

    async def reverse(self, request: Request) -> Response:
        """Undo a posting."""
        form, ledger = await sent_form(request), seen(request)
        posting, reason = form.text("posting"), form.text("reason")
        ledger.rights.demand("post")
        return _to(self._started(ledger, posting, [("reverse", lambda _: plain(order(
            ledger, "balance.reverse_posting", author=form.author, posting=posting,
            reason=reason)))]))  # fmt: skip

    async def refresh(self, request: Request) -> Response:
        """Recompute every stale Result as a new version."""
        await sent_form(request)
        ledger = seen(request)
        ledger.guard.rows("read", "result", None)
        return _to(self._started(ledger, "refresh", [("recompute", lambda _: recomputed(ledger))]))

    async def correct_demonstration(self, request: Request) -> Response:
        """Post the corrected late file of the demonstration's story."""
        form, ledger = await sent_form(request), seen(request)
        ledger.rights.demand("post")
        brought = await run_in_threadpool(lambda: intake.late_file(ledger))
        if OWNER not in ledger.rights.roles:
            brought = replace(brought, author=form.author)
        return _to(self._posting(ledger, brought))

    async def late_file(self, request: Request) -> Response:
        """The corrected late file of the demonstration's story, to be looked at first."""
        ledger = seen(request)
        brought = await run_in_threadpool(lambda: intake.late_file(ledger))
        return _download(brought.content, brought.filename)

    async def judge(self, request: Request) -> Response:
        """Judge a doubt of one or more months."""
        form = await sent_form(request)
        orders = [("balance.judge_doubt", given) for given in judgements(form.texts)]
        return _to(self._ordered(request, form.author, form.text("period"), orders))

    async def sign(self, request: Request) -> Response:
        """Sign the account of a site and period."""
        form = await sent_form(request)
        given = {name: form.text(name) for name in ("period", "statement")}
        orders = [("balance.sign_account", given)]
        return _to(self._ordered(request, form.author, form.text("period"), orders))

    def _ordered(
        self, request: Request, author: str, period: str, orders: Sequence[tuple[str, Any]]
    ) -> Job:
        """A job of orders of one site that leads back to its account."""
        site, ledger = request.path_params["site"], seen(request)
        for name, _given in orders:
            demand_orderable(ledger, name)

        def carried_out(_done: Any) -> dict[str, str]:
            for name, given in orders:
                order(ledger, name, author=author, site=site, **given)
            return {"account": address(site, period)}

        return self._started(ledger, site, [("run", carried_out)])

    async def define(self, request: Request) -> Response:
        """Register a network from a file."""
        form, ledger = await sent_form(request), seen(request)
        name, content = form.file()
        ledger.rights.demand("post")
        return _to(self._started(ledger, name, [("define", lambda _: plain(order(
            ledger, "balance.define_network", author=form.author, content=content,
            filename=name)))]))  # fmt: skip

    async def edit(self, request: Request) -> Response:
        """Preview a network form, or save it as a new version."""
        form = await sent_form(request)
        asked = asked_by(request)
        asked.rights.demand("post")

        def made() -> Page:
            rows, content = draft(form.texts)
            built, trouble = read_draft(content)
            saved = ""
            if built and form.text("do") == "save":
                saved = str(order(
                    asked.ledger, "balance.define_network", content=content,
                    author=form.author, filename="form.yaml"))  # fmt: skip
            return editor(asked, rows, built, trouble, saved)

        return await answered(request, asked, made)

    async def job(self, request: Request) -> Response:
        """Progress and report of a job."""
        asked = asked_by(request)
        id = request.path_params["id"]

        def made() -> Page:
            job = self.desk.jobs.job(id, owner=asked.rights.name)
            return job_page(asked, job, can_post=id in self.checked)

        return await answered(request, asked, made)

    async def cancel(self, request: Request) -> Response:
        """Stop a job before its next step."""
        await sent_form(request)
        name = person_of(request).rights.name
        return _to(self.desk.jobs.cancel(request.path_params["id"], owner=name))

    async def template(self, request: Request) -> Response:
        """The empty file of a kind."""
        kind, _, form = request.path_params["name"].partition(".")
        content = await run_in_threadpool(lambda: intake.template(kind, form))
        return _download(content, f"cupral-{kind}.{form}")

    async def released(self, request: Request) -> Response:
        """A release of statistics as a file."""
        year, form = request.path_params["year"], request.path_params["form"]
        ledger = seen(request)
        content = await run_in_threadpool(lambda: intake.release_export(ledger, year, form))
        return _download(content, f"released-{year}.{form}")

    async def export(self, request: Request) -> Response:
        """A network as a file."""
        site, form = request.path_params["site"], request.path_params["form"]
        ledger = seen(request)

        def exported() -> bytes:
            ledger.guard.rows("export", "register:network", [site])
            return intake.network_export(ledger, site, form)

        content = await run_in_threadpool(exported)
        return _download(content, f"network.{form}")


def add_actions(app: FastAPI, desk: Desk) -> None:
    """Add the routes of all forms, of jobs and of downloads."""
    made = Actions(desk)
    posts = {
        "/upload": made.upload, "/jobs/{id}/post": made.post_checked,
        "/jobs/{id}/cancel": made.cancel, "/reverse": made.reverse, "/refresh": made.refresh,
        "/networks": made.define, "/networks/{site}": made.edit,
        "/demonstration/correct": made.correct_demonstration,
        "/sites/{site}/account/judge": made.judge, "/sites/{site}/account/sign": made.sign,
    }  # fmt: skip
    reads = {
        "/jobs/{id}": made.job, "/template/{name}": made.template,
        "/networks/{site}/file.{form}": made.export, "/released/{year}.{form}": made.released,
        f"/demonstration/{intake.LATE_FILE}": made.late_file,
    }  # fmt: skip
    for path, action in posts.items():
        app.router.routes.append(Route(path, paged(action), methods=["POST"]))
    for path, action in reads.items():
        app.router.routes.append(Route(path, paged(action), methods=["GET"]))


def _to(job: Job) -> Response:
    return RedirectResponse(f"/jobs/{job.id}", 303)


def _brought(form: Form) -> intake.Brought:
    name, content = form.file()
    return intake.Brought(
        kind=form.text("kind"), filename=name, content=content, site=form.text("site"),
        author=form.author, correct=form.text("correct") == "yes",
        accept_gaps=form.text("accept_gaps") == "yes",
    )  # fmt: skip


def _download(content: bytes, name: str) -> Response:
    headers: Mapping[str, str] = {"content-disposition": f'attachment; filename="{name}"',
                                  "cache-control": "no-cache"}  # fmt: skip
    return Response(content, headers=dict(headers), media_type="application/octet-stream")
