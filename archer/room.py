"""Is there room to begin: a job that fills the disk takes down what runs beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from archer.errors import DiskFull

LEAST = 256 << 20
"""Bytes that must be free in a work folder before a submitted job is taken or begun."""


def check_room(root: Path, least: int = LEAST) -> None:
    """Raises DiskFull where less than `least` bytes are free in a work folder."""
    if shutil.disk_usage(root).free < least:
        raise DiskFull(str(root))
