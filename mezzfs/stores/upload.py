"""Two ways for a store to take a new object: through a file beside it, or from memory at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


class FileUpload:
    """A file that becomes the object at the end.

    Args:
        url: the object.
        file: takes the bytes.
        translated: turns the errors of the store about a URL into ours.
        commit: makes the file the object, whole; called once, after the last byte.
        abort: leaves nothing of it.
    """

    def __init__(
        self,
        url: str,
        file: Any,
        translated: Callable[[str], AbstractContextManager[None]],
        *,
        commit: Callable[[], object],
        abort: Callable[[], object],
    ) -> None:
        self._url, self._file, self._translated = url, file, translated
        self._commit, self._abort = commit, abort

    def write(self, data: bytes) -> None:
        """See `Upload.write`."""
        with self._translated(self._url):
            self._file.write(data)

    def commit(self) -> None:
        """See `Upload.commit`."""
        with self._translated(self._url):
            self._commit()

    def abort(self) -> None:
        """See `Upload.abort`."""
        with self._translated(self._url):
            self._abort()


class WaitingUpload:
    """Bytes kept until the end, for stores whose objects are visible from the first byte on.

    Args:
        place: takes them all; raises our errors.
    """

    def __init__(self, place: Callable[[bytes], object]) -> None:
        self._place, self._waiting = place, bytearray()

    def write(self, data: bytes) -> None:
        """See `Upload.write`."""
        self._waiting += data

    def commit(self) -> None:
        """See `Upload.commit`."""
        self._place(bytes(self._waiting))

    def abort(self) -> None:
        """See `Upload.abort`."""
        self._waiting.clear()
