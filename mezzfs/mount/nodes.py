"""Numbers of files and folders, as the kernel names them, and how often it knows each."""

from __future__ import annotations

import posixpath
import threading

from mezzfs.errors import ChangedObject
from mezzfs.mount.protocol import ROOT


class Nodes:
    """Path to number and back; a number lives as long as the kernel counts references to it. Thread-safe."""

    def __init__(self) -> None:
        self._paths: dict[int, str] = {ROOT: ""}
        self._numbers: dict[str, int] = {"": ROOT}
        self._counts: dict[int, int] = {ROOT: 1}
        self._next = ROOT + 1
        self._lock = threading.Lock()

    def path(self, node: int) -> str:
        """The path of a number that the kernel knows.

        Raises:
            ChangedObject: it does not.
        """
        found = self._paths.get(node)
        if found is None:
            raise ChangedObject(f"node {node}")
        return found

    def child(self, node: int, name: bytes) -> str:
        """The path of a name in a folder."""
        return posixpath.join(self.path(node), name.decode("utf-8", "surrogateescape"))

    def known(self, path: str) -> int:
        """The number of a path, counted once more."""
        with self._lock:
            node = self._numbers.get(path)
            if node is None:
                node, self._next = self._next, self._next + 1
                self._numbers[path], self._paths[node] = node, path
            self._counts[node] = self._counts.get(node, 0) + 1
            return node

    def peek(self, path: str) -> int:
        """The number of a path for a listing, not counted; 0xffffffff where there is none yet, as the kernel wants it."""
        return self._numbers.get(path, 0xFFFFFFFF)

    def forget(self, node: int, count: int) -> None:
        """The kernel drops so many references."""
        with self._lock:
            left = self._counts.get(node, 0) - count
            if left > 0 or node == ROOT:
                self._counts[node] = max(left, 1)
                return
            self._counts.pop(node, None)
            path = self._paths.pop(node, None)
            if path is not None:
                self._numbers.pop(path, None)

    def __len__(self) -> int:
        return len(self._paths)
