"""Work: jobs over HTTP: state, cancellation, progress as events."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse

from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.live import EVENT_HEADERS
from cupral.surfaces.api.signed import demand_form_word, person_of
from cupral.surfaces.jobs import Job

NOT_KEPT = {"cache-control": "no-store"}
LOOK_EVERY = 0.1
"""Seconds between two looks at a running job."""


async def shown_job(request: Request) -> JSONResponse:
    """The present state of a job."""
    job = _desk(request).jobs.job(request.path_params["id"], owner=_name(request))
    return JSONResponse(job.document(), headers=NOT_KEPT)


async def cancelled_job(request: Request) -> JSONResponse:
    """Ask a job to stop before its next step."""
    demand_form_word(request, request.headers.get("x-form-word", ""))
    job = _desk(request).jobs.cancel(request.path_params["id"], owner=_name(request))
    return JSONResponse(job.document(), 202, NOT_KEPT)


async def job_events(request: Request) -> StreamingResponse:
    """Progress of a job until it ends."""
    desk, id = _desk(request), request.path_params["id"]
    owner = _name(request)
    desk.jobs.job(id, owner=owner)
    return StreamingResponse(
        _progress(desk, id, owner), media_type="text/event-stream", headers=EVENT_HEADERS
    )


async def _progress(desk: Desk, id: str, owner: str) -> AsyncIterator[bytes]:
    told: Job | None = None
    while told is None or not told.finished:
        job = desk.jobs.job(id, owner=owner)
        if told is None or (job.state, job.done) != (told.state, told.done):
            name = "end" if job.finished else "progress"
            yield f"event: {name}\ndata: {json.dumps(job.document(), default=str)}\n\n".encode()
        told = job
        await asyncio.sleep(LOOK_EVERY)


def _name(request: Request) -> str:
    return person_of(request).rights.name


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk
