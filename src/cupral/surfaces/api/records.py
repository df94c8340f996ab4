"""Records: what the ledger keeps beside answers: postings, audit, explanations, registers."""

import dataclasses
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cupral.ledger.audit import verify
from cupral.ledger.ledger import Ledger
from cupral.surfaces.api.answers import answered
from cupral.surfaces.api.signed import seen
from cupral.surfaces.plainness import plain
from cupral.surfaces.references import explained as explain_reference
from cupral.system import manifests

Read = Callable[[Ledger, Request], Any]


def explained(ledger: Ledger, request: Request) -> Any:
    """What a reference is and what it stands on."""
    return plain(explain_reference(ledger, request.query_params.get("reference", "")))


def postings(ledger: Ledger, _request: Request) -> Any:
    """Every posting in order, with its place in the chain."""
    ledger.guard.rows("read", "posting", ())
    return {"head": ledger.head, "postings": ledger.postings()}


def audit(ledger: Ledger, request: Request) -> Any:
    """Verify the chain and the files (level 1) or also every row's content (level 2)."""
    verdict = verify(ledger, 2 if request.query_params.get("level") == "2" else 1)
    trail = ledger.records.audit(200) if ledger.rights.may("audit") else []
    return {**dataclasses.asdict(verdict), "intact": verdict.intact, "trail": trail}


def sites(ledger: Ledger, _request: Request) -> Any:
    """All registered sites and the version of their networks."""
    return [plain(site) for site in ledger.sites()]


def network(ledger: Ledger, request: Request) -> Any:
    """The latest network of a site."""
    return plain(ledger.network(request.path_params["site"]))


def parameters(ledger: Ledger, _request: Request) -> Any:
    """All dated values of all parameters."""
    book = ledger.parameters
    return {"version": book.version, "parameters": plain(dict(book.values))}


def systems(_ledger: Ledger, _request: Request) -> Any:
    """What each system says of itself."""
    return plain(dict(manifests()))


def reading(read: Read) -> Callable[[Request], Any]:
    """A route that answers with what `read` finds."""

    async def route(request: Request) -> Response:
        ledger = seen(request)
        content = await run_in_threadpool(lambda: read(ledger, request))
        return answered(request, content)

    route.__doc__ = read.__doc__
    route.__name__ = read.__name__
    return route


ROUTES: tuple[tuple[str, Read, tuple[str, ...]], ...] = (
    ("/api/explain", explained, ("reference",)),
    ("/api/postings", postings, ()),
    ("/api/audit", audit, ("level",)),
    ("/api/sites", sites, ()),
    ("/api/network/{site}", network, ()),
    ("/api/parameters", parameters, ()),
    ("/api/systems", systems, ()),
)
