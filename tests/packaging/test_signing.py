"""A signature holds for what was signed, by who signed it, and for nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from archer.errors import SpecError
from pipelines.encode.cost import cost_script
from pipelines.packaging.errors import CannotSign
from pipelines.packaging.keys import KeySet
from pipelines.packaging.signing import Ed25519Signer, read_proof, sign_package, signer_named, verify_package

KEYS = KeySet(id="0a", label="signing", secret=bytes(range(32)))
OTHER = KeySet(id="0b", label="other", secret=bytes(range(1, 33)))


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.m4s").write_bytes(b"segment")
    entry = {"sha256": hashlib.sha256(b"segment").hexdigest(), "bytes": 7}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"a/1.m4s": entry}}))
    sign_package(tmp_path, "ed25519", Ed25519Signer(KEYS))
    return tmp_path


def test_it_holds_by_the_store_and_by_the_public_key(signed: Path) -> None:
    assert verify_package(signed, signer_named("ed25519", KEYS)).faults == ()
    assert verify_package(signed, public_key=read_proof(signed)["public_key"]).faults == ()
    (signed / "run.json").write_text("x")
    assert verify_package(signed, Ed25519Signer(KEYS)).unlisted == ("run.json",)
    assert KEYS.secret.hex() not in (signed / "signature.json").read_text()


def test_the_same_manifest_gives_the_same_signature(signed: Path) -> None:
    before = (signed / "signature.json").read_bytes()
    sign_package(signed, "ed25519", Ed25519Signer(KEYS))
    assert (signed / "signature.json").read_bytes() == before


def test_another_key_does_not_do(signed: Path) -> None:
    """Also where who forged it put his own key into the file."""
    assert verify_package(signed, Ed25519Signer(OTHER)).faults == ("it was signed with another key",)
    right = read_proof(signed)["public_key"]
    sign_package(signed, "ed25519", Ed25519Signer(OTHER))
    assert verify_package(signed, Ed25519Signer(KEYS)).faults == ("it was signed with another key",)
    assert "does not hold" in verify_package(signed, public_key=right).faults[0]


def test_what_was_changed_is_named(signed: Path) -> None:
    (signed / "a/1.m4s").write_bytes(b"Segment")
    assert verify_package(signed, Ed25519Signer(KEYS)).faults == ("a/1.m4s was changed",)
    (signed / "a/1.m4s").unlink()
    assert verify_package(signed, Ed25519Signer(KEYS)).faults == ("a/1.m4s is missing",)
    (signed / "manifest.json").write_text('{"files": {}}')
    assert "does not hold" in verify_package(signed, Ed25519Signer(KEYS)).faults[0]


def test_nothing_to_sign_or_to_verify(signed: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown 'c2pa'; installed: ed25519"):
        signer_named("c2pa", KEYS)
    (signed / "signature.json").write_text("{}")
    with pytest.raises(CannotSign, match="it is no signature"):
        verify_package(signed, Ed25519Signer(KEYS))
    (signed / "manifest.json").unlink()
    with pytest.raises(CannotSign, match="cannot be read"):
        sign_package(signed, "ed25519", Ed25519Signer(KEYS))


def test_what_a_browser_would_run_may_not_be_added(signed: Path) -> None:
    (signed / "cost.js").write_bytes(cost_script({"cpu_s": 1.5}))
    (signed / "run.json").write_text("{}")
    assert verify_package(signed, Ed25519Signer(KEYS)).faults == ()
    (signed / "cost.js").write_bytes(cost_script({"cpu_s": 1.5}) + b"alert(1);\n")
    (signed / "more.html").write_text("<p>")
    assert verify_package(signed, Ed25519Signer(KEYS)).faults == ("cost.js was added", "more.html was added")
