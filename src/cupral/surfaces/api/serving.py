"""Serving: run the application with uvicorn on one address."""

import socket
from pathlib import Path

import uvicorn

from cupral.access import store
from cupral.ledger.compaction import sweep
from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.surfaces import demonstration_logins
from cupral.surfaces.api.app import application
from cupral.surfaces.api.guard import LOCAL
from cupral.surfaces.api.log import CONFIG
from cupral.system import open_ledger

BACKLOG = 2048
MOST_HEADERS = 32_768
"""Bytes of a request's line and headers; whoever sends more is refused."""


def run(folder: Path, *, host: str, port: int, known_logins: bool = False) -> None:
    """Serve the ledger in a folder until interrupted; first delete files that nothing names.

    Raises
    ------
    InputError
        If the address cannot be listened on, or others could do there what only the owner may.
    """
    ledger = open_ledger(folder)
    if host not in LOCAL:
        demand_closed(ledger, host, known_logins=known_logins)
    listening = bound(host, port)
    sweep(ledger)
    app = application(ledger, LOCAL if host in LOCAL else ())
    config = uvicorn.Config(
        app, log_level="warning", log_config=CONFIG, access_log=False, server_header=False,
        lifespan="on", timeout_graceful_shutdown=2, backlog=BACKLOG, http="h11", ws="none",
        h11_max_incomplete_event_size=MOST_HEADERS,
    )  # fmt: skip
    shown = f"[{host}]" if ":" in host else host
    print(
        f"http://{shown}:{listening.getsockname()[1]}/  (ledger {folder}; Ctrl-C ends)", flush=True
    )
    for login in demonstration_logins.read(folder):
        print(f"demonstration login: {login.name:18} {login.password}  ({', '.join(login.roles)})",
              flush=True)  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])


def demand_closed(ledger: Ledger, host: str, *, known_logins: bool) -> None:
    """Refuse to let other computers at a ledger without accounts, or with known passwords.

    Raises
    ------
    InputError
        If it is so.
    """
    if not store.any_account(ledger):
        raise InputError(
            f"the ledger has no accounts, so whoever reaches {host} could do everything;"
            f" allowed: {', '.join(sorted(LOCAL))}; make accounts by `cupral accounts init` first"
        )
    known = any(one.demonstration and one.state == "active" for one in store.accounts(ledger))
    if known and not known_logins:
        raise InputError(
            f"the passwords of the demonstration's accounts are known to all, and {host} can be"
            " reached by others; serve on 127.0.0.1, disable these accounts, or say"
            " --allow-demonstration-logins"
        )


def bound(host: str, port: int) -> socket.socket:
    """A socket on the address, so that a taken port is told before anything else happens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise InputError(
            f"cannot listen on {host} port {port} ({error}); choose another with --port, 0 = any"
        ) from None
    listening.listen(BACKLOG)
    return listening
