"""Pieces that are stored encrypted, or whose checksum is known, turned into the bytes that a reader sees."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from mezzfs.errors import BadReply, MissingExtra
from mezzfs.objects import Extent
from mezzfs.stores.base import Bytes, Sealed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

Sink = Callable[[int, Bytes], bool]
Ask = Callable[[int, int, Sink], int]
"""(offset in the object, length, sink) -> bytes that the sink took."""
BLOCK = 16


def opened(extent: Extent, offset: int, length: int, ask: Ask, sink: Sink) -> int:
    """Hand the plain bytes [offset, offset + length) of a piece to `sink`; returns how many it took.

    AES-CTR is decrypted as it comes. AES-GCM and pieces with a checksum are fetched whole and checked before a byte is shown.

    Raises:
        BadReply: tag or checksum do not fit: the stored bytes are damaged, or the key is wrong.
        MissingExtra: `cryptography` is not installed.
        MezzError: as the fetch.
    """
    if extent.whole:
        return _whole(extent, offset, length, ask, sink)

    def shift(at: int, data: Bytes) -> bool:
        return sink(at - extent.offset, data)

    if extent.key is None:
        return ask(extent.offset + offset, length, shift)
    decryptor = _counter(extent, offset)

    def decrypted(at: int, data: Bytes) -> bool:
        plain = decryptor.update(data)
        return shift(at, Sealed(plain) if isinstance(data, Sealed) else plain)

    return ask(extent.offset + offset, length, decrypted)


def _whole(extent: Extent, offset: int, length: int, ask: Ask, sink: Sink) -> int:
    stored = bytearray()

    def gather(_: int, data: Bytes) -> bool:
        stored.extend(data)
        return True

    if ask(extent.offset, extent.length, gather) < extent.length:
        return 0
    if extent.crc32 is not None and zlib.crc32(stored) != extent.crc32:
        raise Damaged(
            extent.url, f"the stored bytes from {extent.offset} on are damaged: their CRC-32 differs"
        )
    plain = _plain(extent, bytes(stored))[offset : offset + length]
    return len(plain) if sink(offset, Sealed(plain)) else 0


class Damaged(BadReply):
    """What is stored is wrong; asking again does not help."""

    retryable = False


def _plain(extent: Extent, stored: bytes) -> bytes:
    if extent.key is None:
        return stored
    if extent.key.cipher == "aes-ctr":
        return _counter(extent, 0).update(stored)
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise _missing(extent) from error
    try:
        return AESGCM(extent.key.secret).decrypt(extent.key.iv, stored, None)
    except InvalidTag as error:
        raise Damaged(
            extent.url, f"the piece at {extent.offset} does not fit its key: wrong key, or damaged bytes"
        ) from error


def _counter(extent: Extent, offset: int) -> CipherContext:
    """A CTR decryptor that stands at plain byte `offset`: the counter is the iv plus the number of 16-byte blocks before it."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError as error:
        raise _missing(extent) from error
    if extent.key is None:
        raise ValueError("a piece without a key has no counter")
    counter = (int.from_bytes(extent.key.iv, "big") + offset // BLOCK) % (1 << 128)
    cipher = Cipher(algorithms.AES(extent.key.secret), modes.CTR(counter.to_bytes(16, "big")))
    decryptor = cipher.decryptor()
    decryptor.update(bytes(offset % BLOCK))
    return decryptor


def _missing(extent: Extent) -> MissingExtra:
    return MissingExtra(extent.url, "encrypted pieces need a package; pip install 'cinemill[crypt]'")
