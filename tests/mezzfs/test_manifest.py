"""A manifest makes files of pieces, opens encrypted ones, and says what is wrong with itself."""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path
from typing import Any

import pytest

import mezzfs
from mezzfs.core import Core
from mezzfs.file import RemoteFile
from mezzfs.manifest import parse_range, read_manifest
from mezzfs.stores.memory import MemoryStore

SECRET, CTR_IV, GCM_IV = bytes(range(32)), bytes(range(100, 115)) + b"\xff", bytes(12)
URL = "mem://set/manifest.json"


def files(store: MemoryStore, text: Any) -> dict[str, RemoteFile]:
    store.put(URL, (text if isinstance(text, str) else json.dumps({"files": text})).encode())
    core = Core(budget=4 << 20)
    return {
        name: RemoteFile(core.open_map(layout, name=name, stats=stats))
        for name, (layout, stats) in read_manifest(URL).items()
    }


def test_parts_ranges_and_folders(store: MemoryStore, noise: bytes) -> None:
    store.put("mem://set/a", noise[:100_001])
    store.put("mem://other/b", noise)
    found = files(
        store,
        {
            "joined.mov": [{"url": "a"}, {"url": "mem://other/b", "offset": 5, "length": 70_000}],
            "frames/0001": [{"url": "mem://other/b", "offset": 1 << 20, "length": 12}],
        },
    )
    assert found["joined.mov"].read() == noise[:100_001] + noise[5:70_005]
    assert found["frames/0001"].read() == noise[1 << 20 : (1 << 20) + 12]


def key(cipher: str, iv: bytes, **changes: str) -> dict[str, str]:
    return {"cipher": cipher, "iv": iv.hex(), "secret": SECRET.hex()} | changes


def test_aes_ctr_is_opened_at_any_place(store: MemoryStore, noise: bytes) -> None:
    ciphers = pytest.importorskip("cryptography.hazmat.primitives.ciphers", reason="needs the extra crypt")
    plain = noise[:300_007]
    sealed = (
        ciphers.Cipher(ciphers.algorithms.AES(SECRET), ciphers.modes.CTR(CTR_IV)).encryptor().update(plain)
    )
    store.put("mem://set/sealed", b"head" + sealed)
    file = files(store, {"x": [{"url": "sealed", "offset": 4, "key": key("aes-ctr", CTR_IV)}]})["x"]
    draw = random.Random(1)
    for _ in range(100):
        offset, length = draw.randrange(len(plain)), draw.randrange(1, 70_000)
        assert file.pread(length, offset) == plain[offset : offset + length]


def test_aes_gcm_is_checked_whole(store: MemoryStore, noise: bytes) -> None:
    aead = pytest.importorskip("cryptography.hazmat.primitives.ciphers.aead", reason="needs the extra crypt")
    sealed = aead.AESGCM(SECRET).encrypt(GCM_IV, noise[:200_000], None)
    store.put("mem://set/sealed", sealed)
    pieces = [{"url": "sealed", "key": key("aes-gcm", GCM_IV)}]
    assert files(store, {"x": pieces})["x"].pread(1000, 150_000) == noise[150_000:151_000]
    store.put("mem://set/sealed", sealed[:50] + bytes([sealed[50] ^ 1]) + sealed[51:])
    with pytest.raises(mezzfs.BadReply, match="wrong key, or damaged"):
        files(store, {"x": pieces})["x"].pread(10, 199_000)


def test_a_checksum_in_the_manifest_is_held_to(store: MemoryStore, noise: bytes) -> None:
    store.put("mem://set/a", noise[:200_000])
    piece = {"url": "a", "offset": 100, "length": 150_000}
    crc = f"{zlib.crc32(noise[100:150_100]):08x}"
    good = files(store, {"x": [piece | {"crc32": crc}]})["x"]
    assert good.read() == noise[100:150_100]
    with pytest.raises(mezzfs.BadReply, match="CRC-32 differs") as raised:
        files(store, {"x": [piece | {"crc32": "00000000"}]})["x"].read(1)
    assert not raised.value.retryable


def test_secrets_come_from_outside_and_are_not_shown(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store.put("mem://set/a", bytes(100))
    monkeypatch.setenv("TITLE_KEY", SECRET.hex())
    (tmp_path / "key").write_text(SECRET.hex() + "\n")
    for secret in ("env:TITLE_KEY", f"file:{tmp_path / 'key'}"):
        (file,) = files(store, {"x": [{"url": "a", "key": key("aes-ctr", CTR_IV, secret=secret)}]}).values()
        (extent,) = file._handle.shared.layout.extents
        assert extent.key is not None
        assert extent.key.secret == SECRET
        assert SECRET.hex() not in repr(extent)
        assert repr(SECRET) not in repr(extent)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "wanted JSON"),
        ("[]", "wanted JSON"),
        ({"../x": [{"url": "a"}]}, "without .."),
        ({"/x": [{"url": "a"}]}, "relative path"),
        ({"x": []}, "list of pieces"),
        ({"x": [{"offset": 1}]}, "piece 0"),
        ({"x": [{"url": "a"}, {"url": "a", "ofset": 1}]}, "piece 1"),
        ({"x": [{"url": "a", "offset": 200}]}, "no bytes"),
        ({"x": [{"url": "a", "offset": -1, "length": 5}]}, "no bytes"),
        ({"x": [{"url": "a", "offset": "1", "length": 5}]}, "whole numbers"),
        ({"x": [{"url": "a", "crc32": "xyz"}]}, "8 hex digits"),
        (
            {"x": [{"url": "a", "key": {"cipher": "aes-ctr", "iv": "00", "secret": "nonsense"}}]},
            "secret in hex",
        ),
        ({"x": [{"url": "a", "key": key("rot13", CTR_IV)}]}, "aes-ctr with iv of 16"),
        ({"x": [{"url": "a", "length": 1 << 30, "crc32": "00000000"}]}, "checked whole"),
    ],
)
def test_what_is_wrong_is_said(text: Any, words: str, store: MemoryStore) -> None:
    store.put("mem://set/a", bytes(100))
    with pytest.raises(mezzfs.BadManifest, match=words) as raised:
        files(store, text)
    assert "nonsense" not in str(raised.value)


def test_ranges_of_the_command_line() -> None:
    assert parse_range("a.mov=s3://b/t.mov:5-10") == ("a.mov", "s3://b/t.mov", 5, 10)
    for text in ("a.mov", "a=b", "a=b:5-5", "a=b:x-y", "=b:1-2"):
        with pytest.raises(mezzfs.BadManifest, match="NAME=URL"):
            parse_range(text)
