"""One scheduler per work folder: a lock that the kernel drops with its holder, however that one ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from archer.errors import StoreBusy


class FolderLock:
    """A lock on a work folder; the file `lock` in it names the holder.

    Args:
        folder: the work folder.
        shared: let others share it who want it shared too: schedulers of a database elsewhere.

    Attributes:
        alone: nobody else had it when it was taken.

    Raises:
        StoreBusy: a living process holds it. One that was killed does not: its lock is taken over.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.alone = self._taken(fcntl.LOCK_EX)
        try:
            if not self.alone:
                fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StoreBusy(str(folder), int(holder) if holder.isdigit() else 0) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def share(self) -> None:
        """Let others in who want it shared; what only one may do is done."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def _taken(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
