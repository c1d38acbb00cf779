"""One scheduler per work folder: a lock that the kernel drops with its holder, however that one ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from archer.errors import StoreBusy


class FolderLock:
    """An exclusive lock on a work folder; the file `lock` in it names the holder.

    Raises:
        StoreBusy: a living process holds it. One that was killed does not: its lock is taken over.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StoreBusy(str(folder), int(holder) if holder.isdigit() else 0) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
