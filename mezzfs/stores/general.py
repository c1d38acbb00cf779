"""Any other kind of URL, through fsspec (memory://, gs://, az://, sftp:// ...)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mezzfs.errors import (
    AccessDenied,
    ChangedObject,
    MezzError,
    MissingExtra,
    NotAFile,
    NotFound,
    Unreachable,
)
from mezzfs.objects import Stat
from mezzfs.stores.base import Entry, Reply, Upload
from mezzfs.stores.upload import FileUpload, WaitingUpload

MARKS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "VersionId",
    "generation",
    "LastModified",
    "last_modified",
    "mtime",
    "created",
)


class GeneralStore:
    """fsspec has no conditional reads: the version is asked for after the bytes, and compared."""

    def stat(self, url: str) -> Stat:
        """See `Store.stat`."""
        with translated(url):
            store, path = _find(url)
            info = store.info(path)
        if info.get("type") == "directory":
            raise NotAFile(url)
        return _stat(store, path, info)

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """See `Store.get`."""
        with translated(url):
            store, path = _find(url)
            data = store.cat_file(path, start=offset, end=offset + length)
            store.invalidate_cache()
            now = _stat(store, path, store.info(path))
        if now.version != stat.version:
            raise ChangedObject(url)
        return Reply(
            chunks=iter([data]), close=_nothing, first=offset, total=now.size, length=len(data), etag=now.etag
        )

    def list(self, url: str) -> list[Entry]:
        """See `Store.list`."""
        with translated(url):
            store, path = _find(url)
            found = store.ls(path, detail=True)
        entries = []
        for info in found:
            name = str(info["name"]).rstrip("/").rpartition("/")[2]
            folder = info.get("type") == "directory"
            entries.append(Entry(name=name, stat=None if folder else _stat(store, str(info["name"]), info)))
        return sorted(entries, key=lambda entry: entry.name)

    def create(self, url: str) -> Upload:
        """See `Store.create`."""
        with translated(url):
            store, path = _find(url)
            store.makedirs(path.rpartition("/")[0], exist_ok=True)
            if "memory" in store.protocol:  # whose files are visible from the first byte on
                return WaitingUpload(lambda data: store.pipe_file(path, data))
            file = store.open(path, "wb", autocommit=False)

        def commit() -> None:
            file.close()
            file.commit()

        return FileUpload(url, file, translated, commit=commit, abort=file.discard)

    def refresh(self) -> None:
        """See `Store.refresh`."""
        import fsspec

        fsspec.AbstractFileSystem.clear_instance_cache()


def _nothing() -> None:
    pass


def _find(url: str) -> tuple[Any, str]:
    import fsspec

    store, path = fsspec.core.url_to_fs(url)
    return store, str(path)


def _stat(store: Any, path: str, info: dict[str, Any]) -> Stat:
    marks = [str(info[key]) for key in MARKS if info.get(key)] or [str(store.ukey(path))]
    mark = hashlib.sha256("\0".join(marks).encode()).hexdigest()[:32]
    when = next(
        (info[key] for key in ("LastModified", "last_modified", "mtime", "created") if info.get(key)), 0
    )
    seconds = when.timestamp() if hasattr(when, "timestamp") else when
    mtime = int(seconds) if isinstance(seconds, int | float) else 0
    return Stat(size=int(info.get("size") or 0), etag=f'"{mark}"', mtime_s=mtime)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn whatever fsspec, its clients and the system raise about `url` into our errors."""
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
        raise MissingExtra(url, f"this kind of URL needs a package that is not installed; {error}") from error
    except ValueError as error:  # fsspec: protocol not known
        raise NotFound(url, f"cannot open this kind of URL: {error}") from error
    except Exception as error:  # clients raise their own trees
        foreign = type(error).__module__.partition(".")[0] in (
            "aiohttp",
            "botocore",
            "google",
            "azure",
            "gcsfs",
        )
        if isinstance(error, OSError) or foreign:
            raise Unreachable(
                url, f"cannot be reached: {error}; check the address and the network"
            ) from error
        raise
