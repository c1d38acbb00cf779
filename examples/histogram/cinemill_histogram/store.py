"""Store `zip://PATH`: artifacts in one zip archive, which is easy to hand on; for jobs of one machine."""

from __future__ import annotations

import fcntl
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ZipStore:
    """Objects as members of an archive; a lock beside it lets processes take turns.

    Args:
        url: `zip:///folder/artifacts.zip`.
    """

    def __init__(self, url: str) -> None:
        self._path = Path(url.removeprefix("zip://"))
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""
        return dict(self.names("")).get(name)

    def put(self, path: Path, name: str) -> None:
        """Add a member; the latest of a name counts."""
        with self._open("a") as archive:
            archive.write(path, name)

    def get(self, name: str, path: Path) -> None:
        """Extract a member."""
        with self._open("r") as archive, self._member(archive, name) as member, path.open("wb") as file:
            shutil.copyfileobj(member, file)

    def read(self, name: str) -> bytes:
        """Its bytes."""
        with self._open("r") as archive, self._member(archive, name) as member:
            return member.read()

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Name and size of every member below a prefix."""
        if not self._path.exists():
            return
        with self._open("r") as archive:
            found = {info.filename: info.file_size for info in archive.infolist()}
        yield from ((name, size) for name, size in found.items() if name.startswith(prefix))

    def remove(self, name: str) -> None:
        """Write the archive anew without it."""
        beside = self._path.with_suffix(".new")
        with self._open("r") as archive, zipfile.ZipFile(beside, "w") as other:
            for info in archive.infolist():
                if info.filename != name:
                    other.writestr(info, archive.read(info))
            beside.replace(self._path)

    @contextmanager
    def _open(self, mode: str) -> Iterator[zipfile.ZipFile]:
        if mode == "r" and not self._path.exists():
            raise FileNotFoundError(self._path)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with zipfile.ZipFile(self._path, mode) as archive:  # type: ignore[call-overload]
                yield archive

    @contextmanager
    def _member(self, archive: zipfile.ZipFile, name: str) -> Iterator[zipfile.ZipExtFile]:
        try:
            opened = archive.open(name)
        except KeyError as error:
            raise FileNotFoundError(name) from error
        with opened:
            yield opened  # type: ignore[misc]
