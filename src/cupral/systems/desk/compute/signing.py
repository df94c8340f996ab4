"""Signing: a file of parameters that shows who wrote it and that no byte has changed.

The file is canonical JSON: one object of `schema`, `content`, `key` and `signature`, keys in
order, no blanks, UTF-8. The signature (Ed25519, RFC 8032) is over the canonical bytes of schema,
content and key. A file that does not read back to its own bytes is refused, so that there is
one form of each content and no byte that means nothing.
"""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cupral.ledger.errors import InputError
from cupral.systems.desk.model import Opened, SignedFile

SCHEMA = "cupral.parameters/1"
_CHANGED = "the file is not what its key has signed; ask for it again"


def signed(content: Mapping[str, Any], private: Ed25519PrivateKey) -> SignedFile:
    """The file of a content, signed."""
    said = {"schema": SCHEMA, "content": content, "key": public_of(private)}
    signature = private.sign(_canonical(said)).hex()
    return SignedFile(_canonical({**said, "signature": signature}).decode())


def opened(file: bytes) -> Opened:
    """The content of a file, if its signature holds.

    Raises
    ------
    InputError
        If it is no such file, or one of its bytes has changed.
    """
    try:
        found = json.loads(file.decode())
        schema, key, signature = found["schema"], found["key"], found.pop("signature")
        mine = _canonical({**found, "signature": signature}) == file.removesuffix(b"\n")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"this is no signed file of parameters; give one of schema {SCHEMA}"
        ) from None
    if not mine or schema != SCHEMA or set(found) != {"schema", "content", "key"}:
        raise InputError(_CHANGED)
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(raw := bytes.fromhex(signature), _canonical(found))
    except (InvalidSignature, ValueError, TypeError):
        raise InputError(_CHANGED) from None
    if raw.hex() != signature:  # large letters say the same number
        raise InputError(_CHANGED)
    return Opened(content=found["content"], key=key)


def public_of(private: Ed25519PrivateKey) -> str:
    """The public key in hexadecimal."""
    return private.public_key().public_bytes_raw().hex()


def private_from(pem: bytes, where: str) -> Ed25519PrivateKey:
    """The private key of a PEM file.

    Raises
    ------
    InputError
        If it holds none.
    """
    try:
        found = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise InputError(f"{where} holds no Ed25519 key; make one with `cupral desk key`")
    return found


def pem_of(private: Ed25519PrivateKey) -> bytes:
    """What the file of a private key holds."""
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()
