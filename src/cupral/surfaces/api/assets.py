"""Assets: the static files, read once, compressed once, kept by browsers for ever."""

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from cupral.surfaces.api.desk import Kept
from cupral.surfaces.web.rendering import asset_hash

_ROOT = (Path(__file__).parent.parent / "web" / "static").resolve()
FOREVER = "public, max-age=31536000, immutable"


async def asset(request: Request) -> Response:
    """A static file under the hash of its content."""
    kept = _kept(request.path_params["name"])
    if kept is None or request.path_params["hash"] != kept.etag:
        return Response("no such file; reload the page", 404, media_type="text/plain")
    return sent(request, kept, cache=FOREVER)


def sent(request: Request, kept: Kept, *, cache: str) -> Response:
    """A kept body as the reader's browser can take it; nothing if it has it already."""
    headers = {"cache-control": cache, "etag": f'"{kept.etag}"', "vary": "accept-encoding, cookie"}
    if kept.etag and kept.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if kept.squeezed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(kept.squeezed, kept.status, headers, kept.media)
    return Response(kept.body, kept.status, headers, kept.media)


@lru_cache(maxsize=64)
def _kept(name: str) -> Kept | None:
    if "\x00" in name:  # no file has such a name, and to ask for it is an error
        return None
    path = (_ROOT / name).resolve()
    if not path.is_relative_to(_ROOT) or not path.is_file():
        return None
    body = path.read_bytes()
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Kept(body, gzip.compress(body, 9, mtime=0), asset_hash(name), 200, media)
