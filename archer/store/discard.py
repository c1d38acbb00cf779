"""Give back a work folder when its job is done, and touch nothing in it that is not ours."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from archer.errors import StoreBusy

FILES = ("archer.db", "archer.db-wal", "archer.db-shm", "lock")
FOLDERS = ("objects", "trees", "scratch", "control")


def discard(root: Path, *, job: str = "") -> None:
    """Remove what the store made in a work folder, and the folder itself where nothing else is in it.

    A folder that another process works in is left alone.

    Args:
        root: the work folder; nothing happens where there is none.
        job: the job that it was used for: where another one in it is not done, everything stays. Empty: the folder was
            made for one output, whatever was tried for it.
    """
    from archer.store.lock import FolderLock

    if not (root / "archer.db").is_file() or (job and _others_wait(root, job)):
        return
    try:
        lock = FolderLock(root)
    except StoreBusy:
        return
    try:
        for name in FOLDERS:
            shutil.rmtree(root / name, ignore_errors=True)
        for name in FILES:
            (root / name).unlink(missing_ok=True)
    finally:
        lock.release()
    with suppress(OSError):  # something else is in it
        root.rmdir()


def _others_wait(root: Path, job: str) -> bool:
    from archer.store.history import History

    with History(root) as history:
        return any(row.id != job and row.state != "done" for row in history.jobs())
