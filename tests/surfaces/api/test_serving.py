"""`cupral serve`: one address, told when it is taken."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cupral.ledger.errors import InputError
from cupral.surfaces.api.serving import bound


def test_any_free_port_is_found() -> None:
    with bound("127.0.0.1", 0) as listening:
        assert listening.getsockname()[1] > 0


def test_a_taken_port_is_told_with_a_cure() -> None:
    with bound("127.0.0.1", 0) as listening, pytest.raises(InputError, match="choose another"):
        bound("127.0.0.1", listening.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99_999), ("no.such.host.invalid", 0)])
def test_an_address_that_is_none_is_told(host: str, port: int) -> None:
    with pytest.raises(InputError, match="cannot listen"):
        bound(host, port)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Address of a server of its own, which is interrupted at the end."""
    ledger = str(tmp_path / "l")
    command = [sys.executable, "-m", "cupral.surfaces.cli", "--ledger", ledger, "serve"]
    process = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    try:
        found = re.match(r"http://(127\.0\.0\.1:\d+)/", process.stdout.readline())
        assert found is not None
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def said(address: str, request: bytes) -> bytes:
    """What the server says to these bytes until it closes or falls silent."""
    host, port = address.split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(1)
            while part := connection.recv(65_536):
                answer += part
        except (TimeoutError, ConnectionError):
            pass
    return answer


def test_it_serves_until_it_is_interrupted(address: str) -> None:
    with urllib.request.urlopen(f"http://{address}/healthz", timeout=20) as answer:
        assert answer.read() == b"ok"
        assert answer.headers["content-security-policy"]
        assert "server" not in {name.lower() for name in answer.headers}


def test_malformed_requests_are_refused_and_the_server_goes_on(address: str) -> None:
    """Endless headers, line breaks in them, two lengths, a length beside chunks, a socket."""
    to = f"Host: {address}\r\n".encode()
    hidden = b"GET /api/postings HTTP/1.1\r\n" + to + b"\r\n"
    refused = (
        b"GET / HTTP/1.1\r\n" + to + b"x: " + b"y" * 300_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + to + b"x: a\x00b\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\n" + to + b"\r\n",
        b"POST /refresh HTTP/1.1\r\n" + to + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /refresh HTTP/1.1\r\n" + to + b"Content-Length: -1\r\n\r\n",
        b"POST /refresh HTTP/1.1\r\n" + to + b"Transfer-Encoding: gzip\r\n\r\n" + hidden,
    )
    for request in refused:
        answer = said(address, request)
        assert answer.count(b"HTTP/1.1 ") <= 1, request[:80]
        assert not answer or re.match(rb"HTTP/1\.1 (4\d\d|501) ", answer), (request[:80], answer)
    smuggled = said(
        address,
        b"POST /nowhere HTTP/1.1\r\n" + to + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        b"\r\n0\r\n\r\n",
    )
    assert smuggled.count(b"HTTP/1.1 ") == 1, "the chunks alone end the body"
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    assert b"101" not in said(address, b"GET / HTTP/1.1\r\n" + to + upgrade + key)[:20]
    assert b"ok" in said(address, b"GET /healthz HTTP/1.1\r\n" + to + b"Connection: close\r\n\r\n")


def test_a_second_server_on_the_port_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "cupral.surfaces.cli", "--ledger", str(tmp_path / "l"), "serve",
             "--port", port], capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "choose another with --port" in done.stderr
    assert "Traceback" not in done.stderr
