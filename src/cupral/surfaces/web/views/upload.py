"""Upload: choose a site and a kind, download the template, bring the file."""

from collections.abc import Mapping
from typing import Any

from cupral.surfaces.intake import KINDS, SITE_KINDS
from cupral.surfaces.jobs import Job
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.views.sites import own_sites


def upload(asked: Asked) -> Page:
    """The upload form."""
    ledger = asked.ledger
    asked.rights.demand("post")
    networks = ledger.networks()
    content = {
        "kinds": KINDS, "site_kinds": SITE_KINDS, "site": asked.get("site"),
        "kind": asked.get("kind", "meters"),
        "sites": [site for site in own_sites(asked) if site.id in networks],
    }  # fmt: skip
    return Page(template="upload.html", title=asked.language("nav.upload"), content=content)


def job_page(asked: Asked, job: Job, *, can_post: bool) -> Page:
    """Progress of a job, and its report when it is done."""
    result: Mapping[str, Any] = job.result if isinstance(job.result, Mapping) else {}
    faults = (job.problem or {}).get("faults", ())
    content = {
        "job": job, "result": result, "problem": job.problem, "faults": faults,
        "posted": "post" in job.steps[:job.done],
        "can_post": can_post and job.state == "done", "plain": job.result,
    }  # fmt: skip
    return Page(template="job.html", title=asked.language("job.title"), content=content)
