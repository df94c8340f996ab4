"""The application: guard, static files, pages, questions, records, jobs and the live stream."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cupral import __version__
from cupral.access.provider import Provider, configured
from cupral.ledger.errors import CupralError
from cupral.ledger.ledger import Ledger
from cupral.surfaces import demonstration_logins
from cupral.surfaces.api.accounts import add_offices
from cupral.surfaces.api.actions import add_actions
from cupral.surfaces.api.amending import add_amending
from cupral.surfaces.api.answers import problem_answer
from cupral.surfaces.api.assets import asset
from cupral.surfaces.api.described import answers, describe, in_path, in_query
from cupral.surfaces.api.desk import Desk
from cupral.surfaces.api.documents import add_documents
from cupral.surfaces.api.entrance import Entrance, add_entrance
from cupral.surfaces.api.guard import Application, guarded
from cupral.surfaces.api.live import Clock, live
from cupral.surfaces.api.pages import add_pages
from cupral.surfaces.api.questions import add_questions
from cupral.surfaces.api.records import ROUTES, reading
from cupral.surfaces.api.signed import Limits, People, Signed
from cupral.surfaces.api.work import cancelled_job, job_events, shown_job

EVENTS = "text/event-stream"
_ABOUT = "Every query and command of every system, made from its signature. Errors are \
application/problem+json with what, where, allowed and next. Commands answer 202 with a job."


def create_app(
    ledger: Ledger, limits: Limits | None = None, provider: Provider | None = None
) -> FastAPI:
    """The application on a ledger; the identity provider as told, else as the environment says."""
    desk = Desk.of(ledger)
    clock, people = Clock(desk), People(desk, limits or Limits())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await clock.stop()
        people.flush()
        desk.pulse.close()

    app = FastAPI(
        title="Cupral", version=__version__, description=_ABOUT, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", lifespan=lifespan,
    )  # fmt: skip
    app.state.desk, app.state.people = desk, people
    app.add_middleware(Signed, people=people)
    app.add_exception_handler(CupralError, problem_answer)
    app.router.routes.append(Route("/static/{hash}/{name:path}", asset))
    app.router.routes.append(Route("/healthz", _healthy))
    app.router.routes.append(Route("/docs", _described))
    add_questions(app, desk)
    _add_records(app)
    _add_work(app)
    app.add_api_route("/api/live", live(clock), methods=["GET"], tags=["live"],
                      response_model=None, responses=answers("", media=EVENTS))  # fmt: skip
    add_actions(app, desk)
    logins = demonstration_logins.read(ledger.folder)
    add_entrance(app, Entrance(people, configured() if provider is None else provider, logins))
    add_offices(app, people)
    add_amending(app, desk)
    add_documents(app)
    add_pages(app, desk)
    describe(app)
    return app


def application(ledger: Ledger, hosts: Collection[str] = ()) -> Application:
    """The application behind the guard: what a server runs."""
    return guarded(create_app(ledger), hosts)


async def _described(_request: object) -> Response:
    """Where people who know FastAPI look for the description."""
    return RedirectResponse("/api/openapi.json")


async def _healthy(_request: object) -> Response:
    return Response("ok", media_type="text/plain")


def _add_records(app: FastAPI) -> None:
    for path, read, names in ROUTES:
        named = in_path("site")["parameters"] if "{site}" in path else []
        schema = "Records" if path == "/api/sites" else "Record"
        app.add_api_route(
            path, reading(read), methods=["GET"], tags=["ledger"], summary=read.__doc__,
            openapi_extra={"parameters": [*named, *in_query(names)]}, response_model=None,
            responses=answers(schema),
        )  # fmt: skip


def _add_work(app: FastAPI) -> None:
    routes = (("GET", "", shown_job, answers("Job")),
              ("DELETE", "", cancelled_job, answers("Job", 202)),
              ("GET", "/events", job_events, answers("", media=EVENTS)))  # fmt: skip
    for method, end, endpoint, told in routes:
        app.add_api_route(
            f"/api/jobs/{{id}}{end}", endpoint, methods=[method], tags=["jobs"], responses=told,
            response_model=None, openapi_extra=in_path("id"),
            status_code=202 if method == "DELETE" else 200,
        )  # fmt: skip
