"""Manifests: files made of pieces of objects, as JSON.

    {"files": {"title.mov": [{"url": "s3://bucket/part1", "offset": 0, "length": 1000}, {"url": "part2"}],
               "frames/0001": [{"url": "title.mxf", "offset": 81920, "length": 40960, "crc32": "9ae0daaf"}]}}

`offset` is 0 and `length` reaches to the end of the object where they are left out. A URL without a scheme is relative to the
manifest. `crc32` is that of the piece as stored. An encrypted piece has `"key": {"cipher": "aes-ctr" | "aes-gcm", "iv": hex,
"secret": hex | "env:NAME" | "file:PATH"}`; a GCM piece ends with its tag.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mezzfs.errors import BadManifest
from mezzfs.objects import Extent, Key, ObjectMap, Stat
from mezzfs.stores import store_for

MOST_WHOLE = 256 << 20
"""Bytes of a piece that must be checked whole, in memory, before it is shown."""
FIELDS = {"url", "offset", "length", "crc32", "key"}


def read_manifest(url: str) -> dict[str, tuple[ObjectMap, dict[str, Stat]]]:
    """The files of a manifest, and the versions of the objects that had to be asked about.

    Raises:
        BadManifest: what is wrong, and where.
        MezzError: the manifest, or an object whose length it leaves out, cannot be read.
    """
    from mezzfs._open import open  # noqa: A004

    with open(url) as file:
        text = file.read()
    try:
        files = json.loads(text)["files"]
        items = dict(files).items()
    except (ValueError, KeyError, TypeError) as error:
        raise BadManifest(url, 'wanted JSON such as {"files": {"name": [{"url": ...}]}}') from error
    return {_name(url, name): _layout(url, name, pieces) for name, pieces in items}


def parse_range(text: str) -> tuple[str, str, int, int]:
    """`NAME=URL:FIRST-END` (half-open) of the command line as (name, url, first, end).

    Raises:
        BadManifest: it is not of that form.
    """
    name, _, rest = text.partition("=")
    url, _, span = rest.rpartition(":")
    first, _, end = span.partition("-")
    if not (name and url and first.isdecimal() and end.isdecimal() and int(first) < int(end)):
        raise BadManifest(text, "wanted NAME=URL:FIRST-END, such as clip.mov=s3://bucket/title.mov:0-1000000")
    return name, url, int(first), int(end)


def _name(url: str, name: str) -> str:
    clean = posixpath.normpath(name)
    if not name or clean.startswith(("/", "..")) or clean == "." or "\0" in name:
        raise BadManifest(url, f"{name!r}: wanted a relative path without ..")
    return clean


def _layout(url: str, name: str, pieces: Any) -> tuple[ObjectMap, dict[str, Stat]]:
    if not isinstance(pieces, list) or not pieces:
        raise BadManifest(url, f"{name}: wanted a list of pieces")
    stats: dict[str, Stat] = {}
    extents = tuple(
        _extent(url, f"{name}, piece {number}", piece, stats) for number, piece in enumerate(pieces)
    )
    return ObjectMap(extents), stats


def _extent(url: str, where: str, piece: Any, stats: dict[str, Stat]) -> Extent:
    if not isinstance(piece, Mapping) or not isinstance(piece.get("url"), str) or set(piece) - FIELDS:
        raise BadManifest(url, f"{where}: wanted an object with url, and any of offset, length, crc32, key")
    source = piece["url"] if "://" in piece["url"] else _beside(url, piece["url"])
    offset, length = piece.get("offset", 0), piece.get("length")
    if length is None:
        stats[source] = store_for(source).stat(source)
        length = stats[source].size - offset if isinstance(offset, int) else 0
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in (offset, length)):
        raise BadManifest(url, f"{where}: offset and length are whole numbers")
    extent = Extent(
        url=source,
        offset=offset,
        length=length,
        key=_key(url, where, piece.get("key")),
        crc32=_crc(url, where, piece),
    )
    if offset < 0 or extent.plain_length <= 0:
        raise BadManifest(url, f"{where}: no bytes between {offset} and {offset + length}")
    if extent.whole and length > MOST_WHOLE:
        raise BadManifest(
            url, f"{where}: pieces with crc32 or aes-gcm are checked whole; wanted at most {MOST_WHOLE} bytes"
        )
    return extent


def _beside(url: str, name: str) -> str:
    if name.startswith("/"):
        return name
    return posixpath.join(posixpath.dirname(url), name)


def _crc(url: str, where: str, piece: Mapping[str, Any]) -> int | None:
    text = piece.get("crc32")
    if text is None:
        return None
    try:
        return int(str(text), 16)
    except ValueError as error:
        raise BadManifest(url, f"{where}: crc32 is 8 hex digits") from error


def _key(url: str, where: str, key: Any) -> Key | None:
    if key is None:
        return None
    try:
        made = Key(cipher=key["cipher"], secret=_secret(str(key["secret"])), iv=bytes.fromhex(key["iv"]))
    except (KeyError, TypeError, ValueError, OSError):  # without the cause: it may show the secret
        raise BadManifest(
            url, f"{where}: key wants cipher, iv in hex, secret in hex, env:NAME or file:PATH"
        ) from None
    wanted = {"aes-ctr": 16, "aes-gcm": 12}.get(made.cipher)
    if wanted is None or len(made.iv) != wanted or len(made.secret) not in (16, 24, 32):
        raise BadManifest(
            url, f"{where}: wanted aes-ctr with iv of 16 bytes or aes-gcm with 12, and a key of 16, 24 or 32"
        )
    return made


def _secret(text: str) -> bytes:
    if text.startswith("env:"):
        text = os.environ[text[4:]]
    elif text.startswith("file:"):
        text = Path(text[5:]).read_text().strip()
    return bytes.fromhex(text)
