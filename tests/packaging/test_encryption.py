"""Encrypted packages decrypt to what went in, with a key per track, and their keys are nowhere to be read."""

from __future__ import annotations

import logging
import os
import pickle
import re
import subprocess
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import av
import pytest

import pipelines.packaging.packager
from archer.process import run
from pipelines.packaging.check import check_decrypts, joined, packet_digests
from pipelines.packaging.errors import KeyStoreError, PackageWrong
from pipelines.packaging.index import read_index
from pipelines.packaging.keys import ContentKey, KeySet, Protection
from pipelines.packaging.keystore import KeyStore, open_store
from pipelines.packaging.manifests import read_playlist
from pipelines.packaging.tracks import AudioTrack, VideoTrack

Package = Callable[..., Path]
KEYS = KeySet(id="0a", label="title", secret=bytes(range(32)))


def encrypted(ladder: Path, package: Package, scheme: str, lead: str = "1", **options: object) -> Path:
    return package(
        [VideoTrack(name=name, path=ladder / f"{name}.mp4") for name in ("180p", "av1")],
        [AudioTrack(name="audio-en", path=ladder / "aac.mp4", language="eng")],
        segment_s=Decimal(2),
        protection=Protection(scheme=scheme, keys=KEYS, clear_lead_s=Decimal(lead)),  # type: ignore[arg-type]
        **options,
    )


def segments(folder: Path) -> list[str]:
    return list(read_playlist((folder / "media.m3u8").read_text()).segments)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_each_track_decrypts_with_its_own_key_only(scheme: str, ladder: Path, package: Package) -> None:
    out = encrypted(ladder, package, scheme, lead="0")
    sources = {"video-180p": "180p.mp4", "video-av1": "av1.mp4", "audio-en": "aac.mp4"}
    for folder, source in sources.items():
        wanted = packet_digests(ladder / source)
        for other in sources:
            got = packet_digests(joined(out / folder, segments(out / folder)), KEYS.key(other))
            assert (got == wanted) == (other == folder)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_the_lead_is_clear_and_the_rest_is_not(scheme: str, ladder: Path, package: Package) -> None:
    out = encrypted(ladder, package, scheme)
    rows = [row["encrypted"] for row in read_index(out) if row["track"] == "video-180p"]
    assert rows == [False, True, True]
    text = (out / "video-180p/media.m3u8").read_text()
    method = {"cenc": "SAMPLE-AES-CTR", "cbcs": "SAMPLE-AES"}[scheme]
    key_id = KEYS.key("video-180p").key_id.hex()
    found = re.findall(r"(\d\.m4s)\n#EXT-X-KEY:METHOD=([\w-]+),.*KEYID=0x(\w+),", text)
    assert found == [("1.m4s", method, key_id)]
    assert text.count("EXT-X-KEY") == 1


def test_all_is_encrypted_without_a_lead(ladder: Path, package: Package) -> None:
    out = encrypted(ladder, package, "cenc", lead="0")
    assert {row["encrypted"] for row in read_index(out)} == {True}
    assert re.search(r"#EXT-X-KEY:.*\n#EXTINF:2.000,\n1.m4s", (out / "video-180p/media.m3u8").read_text())


def test_the_same_tracks_give_the_same_bytes_and_others_another_beginning(
    ladder: Path, package: Package
) -> None:
    """Counting must never begin at the same place for other content under one key."""
    one, again = (encrypted(ladder, package, "cenc", lead="0") / "video-180p/2.m4s" for _ in range(2))
    assert one.read_bytes() == again.read_bytes()
    other = encrypted(ladder, package, "cenc", lead="1") / "video-180p/2.m4s"
    at = one.read_bytes().index(b"senc")
    assert one.read_bytes()[at : at + 20] != other.read_bytes()[at : at + 20]


def test_a_lead_as_long_as_the_title_is_told(ladder: Path, package: Package) -> None:
    said: list[str] = []
    encrypted(ladder, package, "cenc", lead="60", log=said.append)
    assert said == ["the clear lead is as long as the title: nothing is encrypted"]


def test_keys_are_nowhere(
    ladder: Path, package: Package, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in arguments, files, logs, nor in the text of objects."""
    seen: list[str] = []
    monkeypatch.setattr(
        pipelines.packaging.packager,
        "run",
        lambda argv, **more: (seen.extend(map(str, argv)), run(argv, **more))[1],
    )
    caplog.set_level(logging.DEBUG)
    out = encrypted(ladder, package, "cbcs")
    keys = [KEYS.key(folder).key for folder in ("video-180p", "video-av1", "audio-en")]
    protection = Protection(scheme="cenc", keys=KEYS)
    texts = [*seen, caplog.text, repr(KEYS), repr(protection), repr(KEYS.key("video-180p")), str(KEYS)]
    blobs = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert any("--flagfile" in word for word in seen)
    for key in (*keys, KEYS.secret):
        assert not any(key.hex() in text for text in texts)
        assert not any(key in blob or key.hex().encode() in blob for blob in blobs)


def test_what_does_not_decrypt_is_found_out(ladder: Path, package: Package) -> None:
    out = encrypted(ladder, package, "cenc", lead="0")
    track = VideoTrack(name="180p", path=ladder / "180p.mp4")
    wrong = ContentKey(key_id=bytes(16), key=bytes(16))
    with pytest.raises(PackageWrong, match="packet 0 does not decrypt"):
        check_decrypts(track, out / "video-180p", segments(out / "video-180p"), wrong)


def test_encrypted_video_does_not_decode_without_its_key(ladder: Path, package: Package) -> None:
    out = encrypted(ladder, package, "cenc", lead="0") / "video-180p"
    with (
        pytest.raises((av.error.FFmpegError, StopIteration)),
        av.open(joined(out, segments(out))) as container,
    ):
        container.streams[0].codec_context.options = {"err_detect": "explode"}
        next(container.decode(video=0))


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys", bytes(range(32)))


def test_a_store_keeps_its_secrets(store: KeyStore, tmp_path: Path) -> None:
    """The file is ours alone, its content is sealed, and the same label gives the same keys."""
    made = store.obtain("Sintel")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    content = (tmp_path / "keys").read_bytes()
    assert made.secret not in content
    assert made.secret.hex().encode() not in content
    assert b"Sintel" not in content
    again = KeyStore(tmp_path / "keys", bytes(range(32)))
    assert again.obtain("Sintel") == made == again.get(made.id)
    assert again.obtain("other").secret != made.secret
    assert len(again.all()) == 2
    assert (tmp_path / "keys").read_bytes()[:28] != content[:28]  # a fresh nonce


def test_a_store_says_what_is_wrong_with_it(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    made = store.obtain("Sintel")
    with pytest.raises(KeyStoreError, match="another key, or it was changed"):
        KeyStore(path, bytes(32)).get(made.id)
    with pytest.raises(KeyStoreError, match="it has no key set ff"):
        store.get("ff")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(KeyStoreError, match="it was changed") as failure:
        store.get(made.id)
    assert str(pickle.loads(pickle.dumps(failure.value))) == str(failure.value)  # noqa: S301  our own
    path.chmod(0o644)
    with pytest.raises(KeyStoreError, match="others may read it"):
        store.get(made.id)


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CINEMILL_KEY_STORE", "CINEMILL_KEY_STORE_KEY", "CINEMILL_KEY_STORE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyStoreError, match="none is named; give --key-store"):
        open_store()
    monkeypatch.setenv("CINEMILL_KEY_STORE", str(tmp_path / "keys"))
    with pytest.raises(KeyStoreError, match="its key is missing"):
        open_store()
    monkeypatch.setenv("CINEMILL_KEY_STORE_KEY", "short")
    with pytest.raises(KeyStoreError, match="not 32 bytes; make one with: openssl rand -hex 32"):
        open_store()
    monkeypatch.delenv("CINEMILL_KEY_STORE_KEY")
    key = tmp_path / "key"
    key.write_text("00" * 32 + "\n")
    key.chmod(0o644)
    monkeypatch.setenv("CINEMILL_KEY_STORE_KEY_FILE", str(key))
    with pytest.raises(KeyStoreError, match="others may read this key"):
        open_store()
    key.chmod(0o600)
    assert open_store().obtain("x") == open_store().obtain("x")


def test_the_command_packages_and_encrypts(
    ladder: Path,
    cinemill: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From files and a store that it makes; what is wrong with its options is told in one line."""
    key = tmp_path / "key"
    key.write_text("11" * 32)
    key.chmod(0o600)
    keys = ["--key-store", tmp_path / "keys", "--key-store-key", key]
    tracks = ["--video", ladder / "180p.mp4", "--audio", f"{ladder / 'aac.mp4'},lang=en,default"]

    for name in [name for name in os.environ if name.startswith("CINEMILL_KEY")]:
        monkeypatch.delenv(name)
    command = partial(cinemill, "package")
    done = command("-o", tmp_path / "out", *tracks, "--drm", "cbcs", *keys)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/master.m3u8").is_file()
    assert not list(tmp_path.glob(".out.*"))
    assert command("-o", tmp_path / "out", *tracks).returncode == 1
    assert "add --drm" in command("-o", tmp_path / "new", *tracks, *keys).stderr
    assert "hum is no field" in command("-o", tmp_path / "new", "--audio", f"{key},hum=x").stderr
    assert "role singer is unknown" in command("-o", tmp_path / "new", "--audio", f"{key},role=singer").stderr
