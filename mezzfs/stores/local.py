"""Files of this machine as objects, for mounts and manifests; `mezzfs.open` reads local files directly."""

from __future__ import annotations

import contextlib
import os
import stat as mode
from collections.abc import Iterator
from io import FileIO
from itertools import count
from pathlib import Path

from mezzfs.errors import AccessDenied, ChangedObject, MezzError, NotAFile, NotFound, Unreachable
from mezzfs.objects import Stat
from mezzfs.stores.base import CHUNK, Entry, Reply, Upload
from mezzfs.stores.upload import FileUpload

_numbers = count()


class LocalStore:
    """Paths and `file://` URLs. A file that was written to, or replaced, since its `Stat` is a changed object."""

    def stat(self, url: str) -> Stat:
        """See `Store.stat`."""
        with translated(url):
            return _stat(url, _path(url).stat())

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """See `Store.get`."""
        with translated(url):
            file = _path(url).open("rb", buffering=0)
        now = _stat(url, os.fstat(file.fileno()))
        if now != stat:
            file.close()
            raise ChangedObject(url)
        chunks = _chunks(url, file, offset, length, stat)
        return Reply(
            chunks=chunks, close=file.close, first=offset, total=now.size, length=length, etag=now.etag
        )

    def list(self, url: str) -> list[Entry]:
        """See `Store.list`."""
        with translated(url):
            found = []
            for path in sorted(_path(url).iterdir()):
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile, or a dangling link
                    status = path.stat()
                    found.append(Entry(name=path.name, stat=None if path.is_dir() else _stat(url, status)))
            return found

    def create(self, url: str) -> Upload:
        """A file beside its final name, moved there after it is on the disk."""
        path = _path(url)
        part = path.with_name(f".{path.name}.{os.getpid()}.{next(_numbers)}.part")
        with translated(url):
            file = part.open("xb")

        def commit() -> None:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            part.replace(path)

        def abort() -> None:
            file.close()
            part.unlink(missing_ok=True)

        return FileUpload(url, file, translated, commit=commit, abort=abort)

    def refresh(self) -> None:
        """There are no credentials."""


def _chunks(url: str, file: FileIO, offset: int, length: int, stat: Stat) -> Iterator[bytes]:
    with file, translated(url):
        while length > 0:
            data = os.pread(file.fileno(), min(CHUNK, length), offset)
            offset += len(data)
            length -= len(data)
            if (not length or not data) and _stat(url, os.fstat(file.fileno())) != stat:
                raise ChangedObject(url)  # written to while we read
            if not data:
                return
            yield data


def _path(url: str) -> Path:
    return Path(url.removeprefix("file://"))


def _stat(url: str, status: os.stat_result) -> Stat:
    if not mode.S_ISREG(status.st_mode):
        raise NotAFile(url, "" if mode.S_ISDIR(status.st_mode) else NotAFile.stream)
    mark = f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"'
    return Stat(size=status.st_size, etag=mark, mtime_s=status.st_mtime_ns // 10**9)


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn the system's errors about `url` into ours."""
    try:
        yield
    except MezzError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(url) from error
    except IsADirectoryError as error:
        raise NotAFile(url) from error
    except PermissionError as error:
        raise AccessDenied(url) from error
    except OSError as error:
        raise Unreachable(url, f"cannot be read: {error}") from error
