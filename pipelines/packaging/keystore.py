"""A small store of content keys: one file, AES-256-GCM, readable by its owner only."""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.packaging.errors import KeyStoreError
from pipelines.packaging.keys import SECRET_BYTES, KeySet

STORE_VARIABLE = "CINEMILL_KEY_STORE"
KEY_VARIABLE, KEY_FILE_VARIABLE = "CINEMILL_KEY_STORE_KEY", "CINEMILL_KEY_STORE_KEY_FILE"
_MAGIC = b"cinemill-keys@1\n"
_NONCE = 12


class KeyStore:
    """Key sets in an encrypted file.

    The file is a line that names the format, 12 bytes of nonce, and the AES-GCM ciphertext of a JSON object, with the
    first line authenticated too. Every write takes a fresh nonce, goes to a file beside it and is renamed over it;
    writers wait for each other. Nothing of it is ever logged.

    Args:
        path: the file; made by the first `obtain`, with mode 0600.
        key: 32 bytes that encrypt it.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key

    def __repr__(self) -> str:
        return f"KeyStore({str(self._path)!r})"

    def obtain(self, label: str) -> KeySet:
        """The key set of a label, made now if there is none.

        Raises:
            KeyStoreError: the file cannot be read, is not ours, or its key is another one.
        """
        with self._locked():
            sets = self._read()
            known = next((name for name, entry in sets.items() if entry["label"] == label), None)
            if known is None:
                known = secrets.token_hex(16)
                sets[known] = {"label": label, "secret": secrets.token_hex(SECRET_BYTES)}
                self._write(sets)
        return _key_set(known, sets[known])

    def get(self, id: str) -> KeySet:  # noqa: A002  the field's own word
        """The key set with this id.

        Raises:
            KeyStoreError: there is none, or the store cannot be read.
        """
        sets = self._read()
        if id not in sets:
            raise KeyStoreError(
                str(self._path), f"it has no key set {id}; name the store that the package was made with"
            )
        return _key_set(id, sets[id])

    def labelled(self, label: str) -> KeySet:
        """The key set of a label.

        Raises:
            KeyStoreError: there is none, or the store cannot be read.
        """
        found = next((one for one in self.all() if one.label == label), None)
        if found is None:
            raise KeyStoreError(
                str(self._path), f"it has no key set named {label}; name another store or set"
            )
        return found

    def all(self) -> list[KeySet]:
        """Every key set."""
        return [_key_set(id, entry) for id, entry in self._read().items()]  # noqa: A001

    def _read(self) -> dict[str, dict[str, str]]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self._path.exists():
            return {}
        if self._path.stat().st_mode & 0o077:
            raise KeyStoreError(str(self._path), "others may read it; chmod 600 it")
        data = self._path.read_bytes()
        if not data.startswith(_MAGIC):
            raise KeyStoreError(str(self._path), "it is no key store; name another file")
        nonce, sealed = data[len(_MAGIC) :][:_NONCE], data[len(_MAGIC) + _NONCE :]
        try:
            content: Any = json.loads(AESGCM(self._key).decrypt(nonce, sealed, _MAGIC))
        except (InvalidTag, ValueError) as error:
            reason = (
                "it cannot be decrypted: another key, or it was changed; give the key that it was made with"
            )
            raise KeyStoreError(str(self._path), reason) from error
        return dict(content["sets"])

    def _write(self, sets: dict[str, dict[str, str]]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self._key).encrypt(nonce, json.dumps({"sets": sets}, sort_keys=True).encode(), _MAGIC)
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + nonce + sealed)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._path.with_name(f".{self._path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeyStoreError(str(self._path), f"it cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def open_store(path: Path | None = None) -> KeyStore:
    """The store that the environment names.

    It is `$CINEMILL_KEY_STORE`; its key is `$CINEMILL_KEY_STORE_KEY`, or in the file `$CINEMILL_KEY_STORE_KEY_FILE`.

    Args:
        path: the store, where it is not the environment's.

    Raises:
        KeyStoreError: no store or no key is named, or the key is no key.
    """
    try:
        import cryptography  # noqa: F401  only asked whether it is there
    except ImportError as error:
        raise KeyStoreError("key store", "it needs a package: pip install 'cinemill[crypt]'") from error
    named = str(path or os.environ.get(STORE_VARIABLE, ""))
    if not named:
        raise KeyStoreError("key store", f"none is named; give --key-store or set {STORE_VARIABLE}")
    return KeyStore(Path(named), _store_key(named))


def _store_key(store: str) -> bytes:
    text, place = os.environ.get(KEY_VARIABLE, ""), os.environ.get(KEY_FILE_VARIABLE, "")
    if place and not text:
        text = _key_file(Path(place))
    if not text:
        raise KeyStoreError(store, f"its key is missing; set {KEY_VARIABLE} or {KEY_FILE_VARIABLE}")
    try:
        key = (
            bytes.fromhex(text.strip()) if len(text.strip()) == 64 else base64.b64decode(text, validate=False)
        )
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != 32:
        raise KeyStoreError(store, "its key is not 32 bytes; make one with: openssl rand -hex 32")
    return key


def _key_file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise KeyStoreError(str(path), "others may read this key; chmod 600 it")
        return path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise KeyStoreError(str(path), "it holds no key; wanted 64 hexadecimal digits") from error
    except OSError as error:
        raise KeyStoreError(str(path), f"the key cannot be read: {error.strerror}") from error


def _key_set(id: str, entry: dict[str, str]) -> KeySet:  # noqa: A002
    return KeySet(id=id, label=entry["label"], secret=bytes.fromhex(entry["secret"]))
