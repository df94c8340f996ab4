"""docs/security/components.cdx.json: what Cupral is made of that others wrote (CycloneDX 1.6).

Made from the lock, not from an environment, so that it says the same on every machine.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

VENDORED = Path("src", "cupral", "surfaces", "web", "static", "vendor")
_PIN = re.compile(r"([a-z0-9.-]+)==([^ ;]+)(?: ; (.+))?")
_VERSION = re.compile(r"version[\"':=\s]+[\"'](\d+\.\d+\.\d+)[\"']", re.I)


def document(root: Path) -> str:
    """The inventory as CycloneDX."""
    components = [*_packages(root / "requirements.lock"), *_scripts(root)]
    content = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "cupral", "bom-ref": "cupral"}},
        "components": components,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _packages(lock: Path) -> list[dict[str, Any]]:
    """Python packages by their pins."""
    found = []
    for line in lock.read_text("utf-8").splitlines():
        if pin := _PIN.fullmatch(line):
            name, version, marker = pin.groups()
            purl = f"pkg:pypi/{name}@{version}"
            entry = {"type": "library", "bom-ref": purl, "name": name, "version": version,
                     "purl": purl}  # fmt: skip
            found.append({**entry, "description": f"only if {marker}"} if marker else entry)
    return found


def _scripts(root: Path) -> list[dict[str, Any]]:
    """Scripts that are served to browsers, with the hash of each file."""
    found = []
    for path in sorted((root / VENDORED).rglob("*.js")):
        content = path.read_bytes()
        version = _VERSION.search(content.decode("utf-8", "replace"))
        name = path.name.removesuffix(".js").removesuffix(".min")
        told = version[1] if version else "unknown"
        found.append({
            "type": "library", "bom-ref": path.relative_to(root).as_posix(), "name": name,
            "version": told, "purl": f"pkg:npm/{name}@{told}",
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        })  # fmt: skip
    return found
