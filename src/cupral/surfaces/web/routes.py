"""Routes: every page's address and the view that answers it."""

from cupral.surfaces.web.asked import View
from cupral.surfaces.web.views.account import account
from cupral.surfaces.web.views.documents import document, documents, inbox
from cupral.surfaces.web.views.networks import network, networks
from cupral.surfaces.web.views.overview import overview
from cupral.surfaces.web.views.parameters import parameter, parameters
from cupral.surfaces.web.views.postings import postings
from cupral.surfaces.web.views.questions import question
from cupral.surfaces.web.views.released import released
from cupral.surfaces.web.views.sites import site, sites
from cupral.surfaces.web.views.systems import systems
from cupral.surfaces.web.views.upload import upload
from cupral.surfaces.web.views.why import why

VIEWS: tuple[tuple[str, View], ...] = (
    ("/", overview),
    ("/sites", sites),
    ("/sites/{site}", site),
    ("/sites/{site}/account", account),
    ("/why", why),
    ("/upload", upload),
    ("/networks", networks),
    ("/networks/{site}", network),
    ("/documents", documents),
    ("/documents/{kind}/{id:path}", document),
    ("/inbox", inbox),
    ("/released", released),
    ("/systems", systems),
    ("/parameters", parameters),
    ("/parameters/{id}", parameter),
    ("/postings", postings),
    ("/query/{system}/{query}", question),
)
