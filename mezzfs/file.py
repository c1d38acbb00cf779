"""The in-process face: a remote object as a seekable binary file."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mezzfs.handle import Handle

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class RemoteFile(io.RawIOBase):
    """Read-only; `read(n)` and `readinto` return fewer bytes than asked only at the end of the file.

    Not for use by two threads at once, as any file with a position; open the object twice instead.
    """

    def __init__(self, handle: Handle) -> None:
        super().__init__()
        self._handle, self._position = handle, 0
        self.name = handle.shared.name
        self.size = handle.size

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def readinto(self, into: WriteableBuffer, /) -> int:
        """Fill a buffer from the present position on."""
        self._check()
        count = self._handle.read_into(self._position, memoryview(into).cast("B"))
        self._position += count
        return count

    def read(self, size: int = -1, /) -> bytes:
        """Bytes from the present position on; all that are left for a negative size."""
        left = max(0, self.size - self._position)
        self._check()
        data = self._handle.read(self._position, left if size is None or size < 0 else min(size, left))
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        """All bytes from the present position on."""
        return self.read(-1)

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes from `offset` on, whatever the position; safe from several threads."""
        self._check()
        return self._handle.read(offset, size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move the position; beyond the end is allowed."""
        self._check()
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError(f"cannot seek to {offset} from {whence}: wanted a place at or after the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The present position."""
        self._check()
        return self._position

    def hint(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Say which half-open byte ranges will be read, in order; a help for read-ahead, never a limit."""
        self._check()
        self._handle.hint(ranges)

    def close(self) -> None:
        """Stop reading ahead."""
        if not self.closed:
            self._handle.close()
        super().close()

    def _check(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on a closed file")
