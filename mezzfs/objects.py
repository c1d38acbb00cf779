"""What is read: objects as a store names them, and files made of pieces of objects."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What a store says of one object.

    Attributes:
        size: bytes.
        etag: as the store writes it, quotes included; None where it gives none. A weak one starts with `W/`.
        modified: its Last-Modified header, or another text that changes with the content; None where there is none.
        mtime_s: time of the last change, seconds since 1970; 0 where it is not known.
    """

    size: int
    etag: str | None = None
    modified: str | None = None
    mtime_s: int = 0

    @property
    def version(self) -> str:
        """Text that differs between two contents of one name, as far as the store tells them apart."""
        return f"{self.etag or ''}|{self.modified or ''}|{self.size}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """How a piece is encrypted.

    Attributes:
        cipher: `aes-ctr` or `aes-gcm`.
        secret: 16, 24 or 32 bytes; not shown.
        iv: 16 bytes for CTR (the first counter block), 12 for GCM.
    """

    cipher: str
    secret: bytes
    iv: bytes

    def __repr__(self) -> str:
        return f"Key(cipher={self.cipher!r}, secret=..., iv={self.iv.hex()!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """A piece of one object.

    Attributes:
        url: the object.
        offset, length: bytes of it; not empty.
        key: how it is encrypted; None where it is not.
        crc32: of the whole piece as stored; None where it is not known. Such a piece is fetched and checked whole.
    """

    url: str
    offset: int
    length: int
    key: Key | None = None
    crc32: int | None = None

    @property
    def whole(self) -> bool:
        """True where the piece can be trusted only once all of it has been read."""
        return self.crc32 is not None or (self.key is not None and self.key.cipher == "aes-gcm")

    @property
    def plain_length(self) -> int:
        """Bytes that a reader sees: GCM pieces end with a tag of 16."""
        return self.length - 16 if self.key is not None and self.key.cipher == "aes-gcm" else self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where some bytes of a file come from: `length` bytes of `extent` from `offset` (in plain bytes of the piece) on."""

    extent: Extent
    start: int
    offset: int
    length: int


@dataclass(frozen=True)
class ObjectMap:
    """A file as a sequence of pieces of objects: one whole object, a byte range of it, or parts joined into one file."""

    extents: tuple[Extent, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each piece begins in the file, and at the end the file's size."""
        return (0, *accumulate(extent.plain_length for extent in self.extents))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.starts[-1]

    def parts(self, offset: int, length: int) -> Iterator[Part]:
        """Where the bytes [offset, offset + length) come from, in order; nothing beyond the end of the file."""
        end = min(offset + length, self.size)
        index = bisect_right(self.starts, offset) - 1
        while offset < end:
            extent, start = self.extents[index], self.starts[index]
            count = min(end, start + extent.plain_length) - offset
            if count:
                yield Part(extent=extent, start=start, offset=offset - start, length=count)
            offset += count
            index += 1


def whole(url: str, size: int) -> ObjectMap:
    """The map of one whole object of `size` bytes."""
    return ObjectMap((Extent(url=url, offset=0, length=size),))
