"""Write an object by URL."""

from __future__ import annotations

import contextlib
from typing import BinaryIO

from mezzfs.errors import MezzError
from mezzfs.stores import store_for
from mezzfs.stores.base import Asking, Upload

PIECE = 1 << 20


def put(url: str, source: BinaryIO) -> None:
    """Make or replace the object at `url`, whole or not at all, with the bytes of `source` from its position on.

    Raises:
        NotWritable, AccessDenied, MissingExtra, Unreachable: see `mezzfs.errors`; nothing is left behind.
    """
    upload = store_for(url).create(url)
    try:
        while data := source.read(PIECE):
            upload.write(data)
        upload.commit()
    except BaseException:
        _give_up(upload)
        raise


def check_put(url: str) -> None:
    """Begin to write at `url`, and give that up: what can be known before there are bytes to write.

    Raises:
        NotFound, NotWritable, AccessDenied, MissingExtra, Unreachable: see `mezzfs.errors`.
    """
    upload = store_for(url).create(url)
    try:
        if isinstance(upload, Asking):
            upload.begin()
    finally:
        _give_up(upload)


def _give_up(upload: Upload) -> None:
    with contextlib.suppress(MezzError, OSError):
        upload.abort()
