"""Open an object by URL."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from mezzfs.errors import AccessDenied, EmptyObject, MezzError, MissingExtra, NotAFile, NotFound, Unreachable

EXTRAS = {"s3": "s3", "s3a": "s3", "http": "http", "https": "http"}
"""Protocol -> the extra of our distribution that brings it."""


def is_local(url: str) -> bool:
    """True for a path or a `file://` URL."""
    return "://" not in url or url.startswith("file://")


def local_path(url: str) -> Path:
    """The path of a local URL."""
    return Path(url.removeprefix("file://"))


def open(url: str, *, hints: Sequence[tuple[int, int]] = ()) -> BinaryIO:  # noqa: A001, ARG001
    """A seekable, read-only binary file over the object.

    Args:
        url: local path, `file://`, `s3://`, `http(s)://`, `memory://` or any fsspec URL.
        hints: half-open byte ranges that will be read, in order; a help for read-ahead, never a limit.

    Raises:
        NotFound, NotAFile, EmptyObject, AccessDenied, MissingExtra, Unreachable: see `mezzfs.errors`.
    """
    with translated(url):
        if is_local(url):
            path = local_path(url)
            if path.is_dir():
                raise NotAFile(url)
            if path.stat().st_size == 0:
                raise EmptyObject(url)
            return builtins.open(path, "rb")  # noqa: PTH123  the caller closes it
        import fsspec

        file = cast("BinaryIO", fsspec.open(url, "rb").open())
        if getattr(file, "size", None) == 0:
            raise EmptyObject(url)
        return file


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn whatever fsspec and the system raise about `url` into our errors."""
    try:
        yield
    except MezzError:
        raise
    except FileNotFoundError as error:
        raise NotFound(url) from error
    except IsADirectoryError as error:
        raise NotAFile(url) from error
    except PermissionError as error:
        raise AccessDenied(url) from error
    except ImportError as error:
        extra = EXTRAS.get(url.partition("://")[0])
        remedy = f"pip install 'cinemill[{extra}]'" if extra else str(error)
        raise MissingExtra(
            url, f"this kind of URL needs a package that is not installed; {remedy}"
        ) from error
    except ValueError as error:  # fsspec: protocol not known
        raise NotFound(url, f"cannot open this kind of URL: {error}") from error
    except Exception as error:  # clients raise their own trees: aiohttp.ClientError, botocore's
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in ("aiohttp", "botocore"):
            raise Unreachable(
                url, f"cannot be reached: {error}; check the address and the network"
            ) from error
        raise
