"""Signed packages: `signature.json` beside the manifest says who made it, and the manifest says what every file is.

What signs is a plug-in of the entry point group `cinemill.signers`, a callable that takes a `KeySet` and gives a `Signer`; C2PA
and others join there. Ours, `ed25519`, has a key that follows from a key set of the key store.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from archer.registry import load
from pipelines.packaging.errors import CannotSign
from pipelines.packaging.index import file_hash
from pipelines.packaging.keys import SECRET_BYTES, KeySet

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GROUP = "cinemill.signers"
SIGNED, FILE, SCHEMA = "manifest.json", "signature.json", "signature@1"
ACTIVE = frozenset({".css", ".htm", ".html", ".js", ".m3u8", ".mjs", ".mpd", ".svg"})
"""Suffixes of what browsers and players run or follow."""


class Signer(Protocol):
    """Signs bytes, and tells whether a signature holds."""

    def sign(self, content: bytes) -> Mapping[str, str]:
        """What proves the content, as text fields; never a secret."""

    def fault(self, content: bytes, proof: Mapping[str, str]) -> str:
        """Why `proof` does not prove the content; empty where it does."""


class Ed25519Signer:
    """RFC 8032 with a key derived from the secret of a key set, or, to verify only, with a public key.

    Args:
        keys: whose key.
    """

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def sign(self, content: bytes) -> Mapping[str, str]:
        """The signature and the public key, both in base64."""
        key = self._private()
        return {"public_key": _text(_raw(key)), "signature": _text(key.sign(content))}

    def fault(self, content: bytes, proof: Mapping[str, str]) -> str:
        """See `Signer`; the key in the proof must be ours, since anybody can put another one there."""
        if proof.get("public_key") != _text(_raw(self._private())):
            return "it was signed with another key"
        return public_fault(content, proof, proof["public_key"])

    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._keys.derived("sign", "ed25519", SECRET_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a verification found.

    Attributes:
        faults: what is wrong, in words; empty where the package is what was signed.
        files: number of files whose hashes were compared.
        unlisted: files of which the manifest says nothing, as what a run cost.
    """

    faults: tuple[str, ...]
    files: int
    unlisted: tuple[str, ...]


def signer_named(scheme: str, keys: KeySet) -> Signer:
    """The signer of an installed scheme. Raises: SpecError: there is none of that name."""
    found: Signer = load(GROUP, scheme, "scheme")(keys)
    return found


def sign_package(out: Path, scheme: str, signer: Signer) -> Path:
    """Write `signature.json` for the manifest of a package; returns its path. The same manifest gives the same bytes.

    Raises:
        CannotSign: there is no manifest.
    """
    content = _read(out / SIGNED)
    proof = {
        "schema": SCHEMA,
        "scheme": scheme,
        "file": SIGNED,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    path = out / FILE
    path.write_text(json.dumps({**proof, **signer.sign(content)}, indent=2, sort_keys=True) + "\n")
    return path


def read_proof(out: Path) -> dict[str, str]:
    """The content of `signature.json`.

    Raises:
        CannotSign: there is none.
    """
    try:
        found = json.loads(_read(out / FILE))
    except ValueError:
        found = {}
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise CannotSign(str(out / FILE), f"it is no signature; wanted one of schema {SCHEMA}")
    return {str(name): str(value) for name, value in found.items()}


def verify_package(out: Path, signer: Signer | None = None, *, public_key: str = "") -> Verified:
    """Does the signature hold for the manifest, and the manifest for every file?

    Args:
        out: folder of the package.
        signer: whose signature it must be; None for any with `public_key`.
        public_key: base64, of ed25519.

    Raises:
        CannotSign: there is no signature or no manifest.
    """
    content, proof = _read(out / SIGNED), read_proof(out)
    fault = signer.fault(content, proof) if signer else public_fault(content, proof, public_key)
    files: Mapping[str, Any] = {}
    faults = [fault] if fault else []
    try:
        files = json.loads(content)["files"]
        faults += _changed(out, files)
    except (ValueError, KeyError, TypeError, AttributeError):
        faults.append(f"{SIGNED} lists no files")
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    unlisted = sorted(there - set(files) - {SIGNED, FILE})
    faults += [f"{name} was added" for name in unlisted if _runs(out, name)]
    return Verified(faults=tuple(faults), files=len(files), unlisted=tuple(unlisted))


def public_fault(content: bytes, proof: Mapping[str, str], public_key: str) -> str:
    """Why an ed25519 signature does not hold; empty where it does.

    Args:
        content: what was signed.
        proof: fields of `signature.json`.
        public_key: base64; whose signature it must be.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(base64.b64decode(proof.get("signature", "")), content)
    except InvalidSignature:
        return f"the signature does not hold: {SIGNED} was changed, or another key signed it"
    except ValueError as error:
        return f"the signature cannot be read: {error}"
    return ""


def _runs(out: Path, name: str) -> bool:
    """A browser or a player would run it or follow it; what a run cost is data, in its one form."""
    from pipelines.encode.cost import FILE as COST
    from pipelines.encode.cost import cost_script, read_cost

    if name == COST:
        return (out / name).read_bytes() != cost_script(read_cost(out))
    return Path(name).suffix.lower() in ACTIVE


def _changed(out: Path, files: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in files.items():
        path = out / name
        if not path.is_file():
            yield f"{name} is missing"
        elif path.stat().st_size != entry["bytes"] or file_hash(path) != entry["sha256"]:
            yield f"{name} was changed"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotSign(str(path), f"it cannot be read: {error.strerror}") from error


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
