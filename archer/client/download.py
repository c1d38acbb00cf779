"""One file from a server: resumed where a connection broke, verified, and there only when it is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from archer.client.flows import Reply, checked
from archer.errors import ServerRefused, ServerUnreachable

PATIENCE = 10


class Download:
    """Takes the bytes of a file over as many connections as it takes.

    Args:
        place: where the file is to be; written beside first. digest: `sha256:<hex>` of it. size: bytes.

    Attributes:
        done: it is there.
    """

    def __init__(self, place: Path, digest: str, size: int) -> None:
        self._place, self._digest, self._size = place, digest, size
        self._beside = place.with_name(f".{place.name}.partial")
        self._failed, self.done = 0, False
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_file() and place.stat().st_size == size and _digest_of(place) == digest:
            self.done = True

    @property
    def headers(self) -> dict[str, str]:
        """Of the next connection: only what is missing is asked for."""
        have = self._beside.stat().st_size if self._beside.is_file() else 0
        if have >= self._size:
            self._beside.unlink(missing_ok=True)
            have = 0
        etag = f'"{self._digest.removeprefix("sha256:")}"'
        return {"Range": f"bytes={have}-", "If-Range": etag} if have else {}

    def opened(self, status: int) -> None:
        """A connection is answered. Raises ServerRefused."""
        if status != 206:
            self._beside.unlink(missing_ok=True)
        if status >= 400 and status not in (408, 429, 502, 503, 504):
            checked(Reply(status=status, value=None))

    def write(self, data: bytes) -> None:
        """Bytes came."""
        with self._beside.open("ab") as file:
            file.write(data)

    def finished(self) -> None:
        """A connection ended well: the file is whole, or bytes are missing. Raises ServerRefused where they are others."""
        have = self._beside.stat().st_size if self._beside.is_file() else 0
        if have < self._size:
            self.lost("", f"{self._place.name}: ended after {have} of {self._size} bytes")
            return
        self._beside.touch()
        if _digest_of(self._beside) != self._digest:
            self._beside.unlink()
            raise ServerRefused(200, "damaged", f"{self._place.name}: other bytes than the server lists")
        self._beside.replace(self._place)
        self.done = True

    def lost(self, url: str, reason: str) -> None:
        """A connection broke. Raises ServerUnreachable where that happened too often."""
        self._failed += 1
        if self._failed > PATIENCE:
            raise ServerUnreachable(url, reason)

    @property
    def wait_s(self) -> float:
        """Seconds until the next connection."""
        return float(min(0.2 * 2 ** min(self._failed, 5), 5.0))


def inside(folder: Path, name: str) -> Path:
    """Where a file of a listing goes in a folder. Raises ServerRefused for a name that leads out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
        raise ServerRefused(200, "bad-name", f"{name!r}: a server's file name that leads out of the folder")
    return folder.joinpath(*path.parts)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
