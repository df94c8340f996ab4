"""Bring the repository's own virtual environment up to date; nothing to do, nothing done.

    python3 tools/set_up.py run     what `make run` needs
    python3 tools/set_up.py test    what `make test` needs as well

Only the standard library. What was installed is remembered by content (lock files,
pyproject.toml, place of the repository), so a second run makes no call to pip and needs no
network. Two runs at once wait for each other.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"run": ("requirements.lock",), "test": ("requirements.lock", "requirements-test.lock")}
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "-qq")


def main(arguments: list[str]) -> int:
    """Set up for one purpose; returns the exit code."""
    purpose = arguments[0] if arguments else "run"
    if purpose not in LOCKS:
        print(f"set_up: {purpose!r} is no purpose; choose one of {', '.join(LOCKS)}")
        return 2
    venv = ROOT / ".venv"
    with alone(ROOT / ".venv.lock"):
        if up_to_date(venv, purpose):
            return 0
        try:
            install(venv, purpose)
        except subprocess.CalledProcessError as error:
            print(f"set_up: `{' '.join(map(str, error.cmd))}` failed; see the lines above")
            return 1
    return 0


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock on a file while inside."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def fingerprint(purpose: str) -> str:
    """Hash of all that decides what has to be installed."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (*LOCKS[purpose], "pyproject.toml"):
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return digest.hexdigest()


def up_to_date(venv: Path, purpose: str) -> bool:
    """Whether the environment works and holds what the purpose asks for.

    An environment set up for tests also serves a run.
    """
    if not works(venv):
        return False
    wanted = {name: fingerprint(name) for name in {purpose, "test"}}
    return any(
        (venv / f"{name}.stamp").is_file() and (venv / f"{name}.stamp").read_text() == stamp
        for name, stamp in wanted.items()
    )


def works(venv: Path) -> bool:
    """Whether the environment has a Python that runs, of a version that Cupral supports."""
    test = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    try:
        return subprocess.run([venv / "bin" / "python", "-c", test], check=False).returncode == 0
    except OSError:
        return False


def install(venv: Path, purpose: str) -> None:
    """Create the environment if there is none, and install the locked packages and Cupral."""
    began = time.monotonic()
    print(f"set_up: installing for `{purpose}` into {venv.name} (once) ...", flush=True)
    if not works(venv):
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    python = venv / "bin" / "python"
    files = [part for name in LOCKS[purpose] for part in ("-r", ROOT / name)]
    call(python, *PIP, "install", "--no-deps", *files)
    call(python, *PIP, "install", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    (venv / f"{purpose}.stamp").write_text(fingerprint(purpose))
    print(f"set_up: done in {time.monotonic() - began:.0f} s", flush=True)


def call(*command: str | Path) -> None:
    """Run a command in the repository, with no other Python path in its way."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
