"""Open an object by URL."""

from __future__ import annotations

import builtins
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from mezzfs.errors import AccessDenied, EmptyObject, NotAFile, NotFound, Unreachable


def is_local(url: str) -> bool:
    """True for a path or a `file://` URL."""
    return "://" not in url or url.startswith("file://")


def local_path(url: str) -> Path:
    """The path of a local URL."""
    return Path(url.removeprefix("file://"))


def open(url: str, *, hints: Sequence[tuple[int, int]] = ()) -> BinaryIO:  # noqa: A001
    """A seekable, read-only binary file over the object; a local file is opened as the file that it is.

    Args:
        url: local path, `file://`, `s3://`, `http(s)://`, `memory://` or any fsspec URL.
        hints: half-open byte ranges that will be read, in order; a help for read-ahead, never a limit.

    Raises:
        NotFound, NotAFile, EmptyObject, AccessDenied, MissingExtra, Unreachable: see `mezzfs.errors`.
    """
    if is_local(url):
        return _open_local(url)
    from mezzfs.core import core
    from mezzfs.file import RemoteFile

    handle = core().open(url)
    if handle.size == 0:
        raise EmptyObject(url)
    file = RemoteFile(handle)
    file.hint(hints)
    return cast("BinaryIO", file)


def _open_local(url: str) -> BinaryIO:
    path = local_path(url)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise NotAFile(url, "" if stat.S_ISDIR(status.st_mode) else NotAFile.stream)
        if status.st_size == 0:
            raise EmptyObject(url)
        return builtins.open(path, "rb")  # noqa: PTH123  the caller closes it
    except FileNotFoundError as error:
        if url == "-":
            raise NotAFile(url, NotAFile.stream) from error
        raise NotFound(url) from error
    except PermissionError as error:
        raise AccessDenied(url) from error
    except OSError as error:
        if isinstance(error, NotAFile):
            raise
        raise Unreachable(url, f"cannot be read: {error}") from error
