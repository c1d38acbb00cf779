"""What a job reads stays what it was when the job was named after it, or nothing of the job is kept."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Self

import mezzfs
from archer.media import identify
from archer.media.asset import Asset

Mark = tuple[int, int, int] | None


class Sources:
    """The assets of a job, as they are at its beginning.

    Tasks read local files by their paths, each for itself; so a file that is written to meanwhile would be encoded
    in parts of two versions, and the result would be remembered as that of the first.

    Args:
        assets: identified.
    """

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._marks = {asset: _marks(asset) for asset in assets}

    @classmethod
    def of(cls, *assets: Asset | None) -> Self:
        """Of those that there are."""
        return cls(asset for asset in assets if asset is not None)

    @property
    def urls(self) -> list[str]:
        """Where all of it is."""
        return [url for asset in self._marks for url in asset.urls]

    def changed(self) -> mezzfs.ChangedObject | None:
        """An error where an asset has other bytes now; None also where it is gone: what was read was read.

        Local files are read again only where their times or sizes differ, remote ones are asked for their version.
        """
        for asset, before in self._marks.items():
            if before != _marks(asset) or not all(map(mezzfs.is_local, asset.urls)):
                with suppress(mezzfs.MezzError, OSError):
                    if identify(asset.url).identity != asset.identity:
                        return _error(asset)
        return None


def _marks(asset: Asset) -> list[Mark]:
    return [_mark(url) for url in asset.urls if mezzfs.is_local(url)]


def _mark(url: str) -> Mark:
    try:
        status = mezzfs.local_path(url).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _error(asset: Asset) -> mezzfs.ChangedObject:
    reason = "changed while it was encoded, so nothing of that is kept; run the same command again"
    return mezzfs.ChangedObject(", ".join(asset.urls), reason)
