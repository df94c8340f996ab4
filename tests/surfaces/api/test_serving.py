"""`cupral serve`: one address, told when it is taken."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
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


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cupral.surfaces.cli",
        "--ledger",
        str(tmp_path / "l"),
        "serve",
    ]
    process = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    try:
        address = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert address is not None
        with urllib.request.urlopen(f"{address[0]}healthz", timeout=20) as answer:  # noqa: S310
            assert answer.read() == b"ok"
            assert answer.headers["content-security-policy"]
            assert "server" not in {name.lower() for name in answer.headers}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


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
