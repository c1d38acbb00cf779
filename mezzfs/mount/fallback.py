"""The other face: mfusepy over libfuse, where the native loop cannot run. Every byte passes through Python."""

from __future__ import annotations

import ctypes.util
import errno
import functools
import importlib.util
import logging
import os
import posixpath
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from mezzfs.core import Core
from mezzfs.errors import CannotMount
from mezzfs.mount.catalog import Catalog
from mezzfs.mount.files import Files, number_of
from mezzfs.mount.protocol import Owner
from mezzfs.objects import Stat

log = logging.getLogger(__name__)
MOST_READ = 1 << 20
P = ParamSpec("P")
R = TypeVar("R")


def missing() -> str:
    """What is missing for this face, in words; empty where nothing is."""
    if importlib.util.find_spec("mfusepy") is None:
        return "mfusepy is not installed; pip install 'cinemill[mfusepy]'"
    if not (ctypes.util.find_library("fuse3") or ctypes.util.find_library("fuse")):
        return "libfuse is not installed; apt-get install libfuse3-3, or macFUSE on a Mac"
    return ""


def _answered(act: Callable[P, R]) -> Callable[P, R]:
    """Our errors become errnos of the system, which is what mfusepy hands on."""

    @functools.wraps(act)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  logged there; one request fails, the mount goes on
            number = number_of(error, act.__name__)
            raise OSError(number, os.strerror(number)) from None

    return answer


def _refused(name: str) -> Callable[..., int]:
    def refuse(*_: object) -> int:
        log.warning("%s: objects cannot do that; the file system says it is read-only", name)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    return refuse


class Operations:
    """Answers to libfuse; paths begin with `/`, which our catalogs do not want."""

    use_ns = True
    mkdir, rmdir, unlink = _refused("mkdir"), _refused("rmdir"), _refused("unlink")
    rename, link, symlink = _refused("rename"), _refused("link"), _refused("symlink")
    mknod, readlink = _refused("mknod"), _refused("readlink")

    def __init__(self, files: Files) -> None:
        self._files = files
        self.reads = 0

    def init_with_config(self, connection: Any, _: object) -> None:
        """Libfuse 3 wants the greatest read here too, libfuse 2 as an option only."""
        if hasattr(connection, "max_read"):
            connection.max_read = MOST_READ

    @_answered
    def getattr(self, path: str, _: int | None = None) -> dict[str, Any]:
        """Size, times, owner and mode."""
        return self._facts(self._files.stat(path[1:]))

    def _facts(self, stat: Stat | None) -> dict[str, Any]:
        owner, size = self._files.owner, stat.size if stat else 4096
        time_ns = stat.mtime_s * 10**9 if stat else 0
        return {
            "st_mode": owner.mode(folder=stat is None),
            "st_size": size,
            "st_blocks": -(-size // 512),
            "st_nlink": 1,
            "st_uid": owner.uid,
            "st_gid": owner.gid,
            **dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), time_ns),
        }

    @_answered
    def readdir(self, path: str, _: int) -> list[tuple[str, dict[str, Any], int]]:
        """Names, with what they are."""
        entries = self._files.catalog.list(path[1:])
        return [(entry.name, self._facts(entry.stat), 0) for entry in entries]

    @_answered
    def open(self, path: str, flags: int) -> int:
        """A handle for reading, or for a file that replaces the object."""
        if flags & 3:
            return self._files.writing.begin(path[1:], replaces=True, flags=flags)
        return self._files.open(path[1:]).number

    @_answered
    def read(self, _: str, size: int, offset: int, number: int) -> bytes:
        """Bytes; fewer than asked only at the end of the file."""
        self.reads += 1
        return self._files.handles[number].read(offset, size)

    @_answered
    def create(self, path: str, _: int, flags: int) -> int:
        """A handle for a new file."""
        return self._files.writing.begin(path[1:], replaces=False, flags=flags)

    @_answered
    def write(self, _: str, data: bytes, offset: int, number: int) -> int:
        """Append to a new file."""
        self._files.writing.write(number, offset, data)
        return len(data)

    @_answered
    def flush(self, _: str, number: int) -> int:
        """A file that was written is closed: it becomes visible."""
        self._files.writing.commit(number)
        return 0

    @_answered
    def release(self, _: str, number: int) -> int:
        """Nobody uses the handle any more."""
        self._files.release(number)
        return 0

    @_answered
    def truncate(self, path: str, _: int, __: int | None = None) -> int:
        """See `Files.cut`."""
        self._files.cut(path[1:])
        return 0

    @_answered
    def getxattr(self, path: str, name: str, *_: object) -> bytes:
        """See `Files.attribute`."""
        return self._files.attribute(path[1:], name)

    def statfs(self, _: str) -> dict[str, int]:
        """Objects have no free space; names up to 255 bytes."""
        return {"f_bsize": 1 << 20, "f_frsize": 1 << 20, "f_blocks": 1 << 40, "f_namemax": 255}

    def chmod(self, *_: object) -> int:
        """Modes, owners and times are not kept, and said to be."""
        return 0

    chown = utimens = fsync = chmod


class FallbackServer:
    """Mounts, and answers until the mount ends; the same to a `Mount` as the native `Server`."""

    def __init__(self, folder: Path, catalog: Catalog, core: Core, owner: Owner) -> None:
        self.files = Files(catalog, core, owner, lambda: {"reads": self._operations.reads})
        self._folder, self._operations = folder, Operations(self.files)
        self._ended = threading.Event()
        self._failure = ""
        core.on_stale = lambda shared: self.files.forget(shared.name)

    def run(self, name: str, *, allow_other: bool) -> None:
        """Serve until the mount ends; call from a thread of its own."""
        if ctypes.util.find_library("fuse3"):  # before the import: libfuse 2 reads at most 128 KiB at once
            os.environ.setdefault("FUSE_LIBRARY_NAME", "fuse3")
        import mfusepy

        owner = self.files.owner
        more = {"allow_other": True} if allow_other else {}
        try:
            mfusepy.FUSE(
                self._operations,
                str(self._folder),
                foreground=True,
                fsname=name.replace(",", "_"),
                subtype="cinemill",
                default_permissions=True,
                max_read=MOST_READ,
                direct_io=True,
                attr_timeout=owner.valid_s,
                entry_timeout=owner.valid_s,
                **more,
                **({} if owner.writable else {"ro": True}),
            )
        except RuntimeError as error:
            self._failure = f"libfuse refuses to mount (exit code {error})"
        finally:
            self.files.close()
            self._ended.set()

    def mounted(self, seconds: float) -> None:
        """Wait until the mount is there. Raises: CannotMount."""
        before = self._folder.parent.stat().st_dev
        for _ in range(int(seconds / 0.02)):
            if self._ended.wait(0.02):
                raise CannotMount(str(self._folder), self._failure or "the mount ended at once")
            if _device(self._folder) != before:
                return
        raise CannotMount(str(self._folder), "libfuse does not mount in time")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the mount has ended; True if it has."""
        return self._ended.wait(seconds)

    def stats(self) -> dict[str, Any]:
        """See `Files.stats`."""
        return self.files.stats()


def _device(folder: Path) -> int:
    """From the list of mounts, not by stat: that would ask the mount, which may not answer yet."""
    wanted = posixpath.normpath(folder.absolute())
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[4].replace("\\040", " ") == wanted:
            major, minor = fields[2].split(":")
            return os.makedev(int(major), int(minor))
    return folder.parent.stat().st_dev
