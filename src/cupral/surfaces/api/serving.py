"""Serving: run the application with uvicorn on one address."""

from pathlib import Path

import uvicorn

from cupral.surfaces.api.app import application
from cupral.system import open_ledger


def run(folder: Path, *, host: str, port: int) -> None:
    """Serve the ledger in a folder until interrupted."""
    app = application(open_ledger(folder))
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=2, backlog=2048, lifespan="on",
    )  # fmt: skip
    print(f"http://{host}:{port}/  (ledger {folder}; Ctrl-C ends)", flush=True)
    uvicorn.Server(config).run()
