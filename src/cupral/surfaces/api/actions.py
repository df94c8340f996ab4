"""Actions: forms that change something; each starts a job and leads to its page."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral.ledger.errors import CupralError, InputError
from cupral.surfaces import intake
from cupral.surfaces.api.assets import sent
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.pages import asked_by, error_page, finished
from cupral.surfaces.jobs import Job
from cupral.surfaces.plainness import plain
from cupral.surfaces.references import recomputed
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.views.account import address, judgements
from cupral.surfaces.web.views.networks import draft, editor, read_draft
from cupral.surfaces.web.views.upload import job_page
from cupral.system import order

KEPT_UPLOADS = 20
KEPT_BYTES = 60_000_000
"""Of the files that were checked but not yet posted, beside the latest."""
NOT_KEPT = "no-store"


@dataclass(slots=True)
class Actions:
    """The forms of a desk, and the files that were checked but not yet posted."""

    desk: Desk
    checked: OrderedDict[str, intake.Brought] = field(default_factory=OrderedDict)

    async def upload(self, request: Request) -> Response:
        """Check a file and, if asked, post it."""
        form = await sent_form(request)
        brought = _brought(form)
        if form.text("mode") == "post":
            job = self._posting(brought)
        else:
            job = self.desk.jobs.start(
                brought.filename,
                [("check", lambda _: plain(intake.take(self.desk.ledger, brought, dry_run=True)))],
            )
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
        id = request.path_params["id"]
        if id not in self.checked:
            raise InputError(f"the file of job {id} is not kept any more; upload it again")
        return _to(self._posting(self.checked.pop(id)))

    def _posting(self, brought: intake.Brought) -> Job:
        ledger = self.desk.ledger
        return self.desk.jobs.start(
            brought.filename,
            [
                ("check", lambda _: intake.take(ledger, brought, dry_run=True)),
                ("post", lambda _: plain(intake.take(ledger, brought, dry_run=False))),
                ("recompute", lambda done: {**done["post"], **recomputed(ledger)}),
            ],
        )

    async def reverse(self, request: Request) -> Response:
        """Undo a posting."""
        form = await sent_form(request)
        posting, reason = form.text("posting"), form.text("reason")
        return _to(self.desk.jobs.start(posting, [("reverse", lambda _: plain(order(
            self.desk.ledger, "balance.reverse_posting", author=form.author, posting=posting,
            reason=reason)))]))  # fmt: skip

    async def refresh(self, _request: Request) -> Response:
        """Recompute every stale Result as a new version."""
        ledger = self.desk.ledger
        steps = [("recompute", lambda _: recomputed(ledger))]
        return _to(self.desk.jobs.start("refresh", steps))

    async def correct_demonstration(self, _request: Request) -> Response:
        """Post the corrected late file of the demonstration's story."""
        brought = await run_in_threadpool(lambda: intake.late_file(self.desk.ledger))
        return _to(self._posting(brought))

    async def late_file(self, _request: Request) -> Response:
        """The corrected late file of the demonstration's story, to be looked at first."""
        brought = await run_in_threadpool(lambda: intake.late_file(self.desk.ledger))
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
        site = request.path_params["site"]

        def carried_out(_done: Any) -> dict[str, str]:
            for name, given in orders:
                order(self.desk.ledger, name, author=author, site=site, **given)
            return {"account": address(site, period)}

        return self.desk.jobs.start(site, [("run", carried_out)])

    async def define(self, request: Request) -> Response:
        """Register a network from a file."""
        form = await sent_form(request)
        name, content = form.file()
        return _to(self.desk.jobs.start(name, [("define", lambda _: plain(order(
            self.desk.ledger, "balance.define_network", author=form.author, content=content,
            filename=name)))]))  # fmt: skip

    async def edit(self, request: Request) -> Response:
        """Preview a network form, or save it as a new version."""
        form = await sent_form(request)
        asked = asked_by(request, self.desk)

        def made() -> Page:
            rows, content = draft(form.texts)
            built, trouble = read_draft(content)
            saved = ""
            if built and form.text("do") == "save":
                saved = str(order(
                    self.desk.ledger, "balance.define_network", content=content,
                    author=form.author, filename="form.yaml"))  # fmt: skip
            return editor(asked, rows, built, trouble, saved)

        return await _answered(request, asked, made)

    async def job(self, request: Request) -> Response:
        """Progress and report of a job."""
        asked = asked_by(request, self.desk)
        id = request.path_params["id"]

        def made() -> Page:
            return job_page(asked, self.desk.jobs.job(id), can_post=id in self.checked)

        return await _answered(request, asked, made)

    async def cancel(self, request: Request) -> Response:
        """Stop a job before its next step."""
        return _to(self.desk.jobs.cancel(request.path_params["id"]))

    async def template(self, request: Request) -> Response:
        """The empty file of a kind."""
        kind, _, form = request.path_params["name"].partition(".")
        content = await run_in_threadpool(lambda: intake.template(kind, form))
        return _download(content, f"cupral-{kind}.{form}")

    async def released(self, request: Request) -> Response:
        """A release of statistics as a file."""
        year, form = request.path_params["year"], request.path_params["form"]
        ledger = self.desk.ledger
        content = await run_in_threadpool(lambda: intake.release_export(ledger, year, form))
        return _download(content, f"released-{year}.{form}")

    async def export(self, request: Request) -> Response:
        """A network as a file."""
        site, form = request.path_params["site"], request.path_params["form"]
        ledger = self.desk.ledger
        content = await run_in_threadpool(lambda: intake.network_export(ledger, site, form))
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
        app.router.routes.append(Route(path, _told(desk, action), methods=["POST"]))
    for path, action in reads.items():
        app.router.routes.append(Route(path, _told(desk, action), methods=["GET"]))


def _told(desk: Desk, action: Any) -> Any:
    """The action; an error of ours becomes a page."""

    async def route(request: Request) -> Response:
        try:
            answer: Response = await action(request)
        except CupralError as error:
            asked = asked_by(request, desk)
            caught = error
            answer = await _answered(request, asked, lambda: error_page(asked, caught))
        return answer

    return route


async def _answered(request: Request, asked: Asked, made: Any) -> Response:
    kept = await run_in_threadpool(lambda: finished(asked, made()))
    return sent(request, kept, cache=NOT_KEPT)


def _to(job: Job) -> Response:
    return RedirectResponse(f"/jobs/{job.id}", 303)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form sent: its texts, and its file if it has one."""

    texts: Mapping[str, str]
    filename: str = ""
    content: bytes = b""

    def text(self, name: str) -> str:
        """A text without blanks around it, empty if it was not sent."""
        return self.texts.get(name, "").strip()

    @property
    def author(self) -> str:
        """Who sent it."""
        return self.text("author") or "web"

    def file(self) -> tuple[str, bytes]:
        """Name and content of the file.

        Raises
        ------
        InputError
            If none was sent.
        """
        if not self.filename:
            raise InputError("no file was sent; choose one")
        return self.filename, self.content


async def sent_form(request: Request) -> Form:
    """Read a form; the file must be in the field `file`."""
    async with request.form(max_files=1, max_fields=20_000) as form:
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return Form(texts)
        return Form(texts, file.filename, await file.read())


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
