"""The kernel's FUSE protocol (linux/fuse.h, 7.31) as far as Python answers it: numbers, and layouts of its structs."""

from __future__ import annotations

import enum
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mezzfs.objects import Stat


class Op(enum.IntEnum):
    """Requests; reads, interrupts and the greeting never leave the native loop."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    OPEN = 14
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    FLUSH = 25
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    ACCESS = 34
    CREATE = 35
    DESTROY = 38
    BATCH_FORGET = 42
    READDIRPLUS = 44
    LSEEK = 46


CHANGES = {
    5: "readlink",
    6: "symlink",
    8: "mknod",
    9: "mkdir",
    10: "unlink",
    11: "rmdir",
    12: "rename",
    13: "link",
    43: "fallocate",
    45: "rename",
}
"""Requests that objects have no answer for."""
DIRECT_IO, NO_FLUSH = 1, 32
ROOT = 1

_ATTR = struct.Struct("=6Q10I")
_ENTRY = struct.Struct("=4Q2I")
_ATTR_OUT = struct.Struct("=Q2I")
_OPEN = struct.Struct("=Q2I")
_DIRENT = struct.Struct("=2Q2I")
_STATFS = struct.Struct("=5Q10I")
READ_IN = struct.Struct("=2Q2IQ2I")
WRITE_IN = READ_IN
PAIR = struct.Struct("=2I")
LONGS = struct.Struct("=2Q")
LONG = struct.Struct("=Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose the files are, and what may be done with them.

    Attributes:
        uid, gid: of every file.
        umask: bits taken from 0666 and 0777.
        writable: whether new files may be made.
        valid_s: how long the kernel may remember names and sizes, seconds.
    """

    uid: int
    gid: int
    umask: int = 0o022
    writable: bool = False
    valid_s: int = 5

    def mode(self, *, folder: bool) -> int:
        """Type and permissions of a file or folder."""
        bits = (0o777 if folder else 0o666) & ~self.umask
        if not self.writable:
            bits &= ~0o222
        return (stat.S_IFDIR if folder else stat.S_IFREG) | bits


def attr(node: int, found: Stat | None, owner: Owner) -> bytes:
    """`struct fuse_attr` of a file, or of a folder for None."""
    size, time = (found.size, found.mtime_s) if found else (4096, 0)
    mode = owner.mode(folder=found is None)
    blocks = -(-size // 512)
    return _ATTR.pack(
        node, size, blocks, time, time, time, 0, 0, 0, mode, 1, owner.uid, owner.gid, 0, 1 << 20, 0
    )


def attr_out(node: int, found: Stat | None, owner: Owner) -> bytes:
    """Answer to GETATTR."""
    return _ATTR_OUT.pack(owner.valid_s, 0, 0) + attr(node, found, owner)


def entry_out(node: int, found: Stat | None, owner: Owner) -> bytes:
    """Answer to LOOKUP."""
    return _ENTRY.pack(node, 0, owner.valid_s, owner.valid_s, 0, 0) + attr(node, found, owner)


def open_out(handle: int, flags: int) -> bytes:
    """Answer to OPEN."""
    return _OPEN.pack(handle, flags, 0)


def dirent(node: int, number: int, name: bytes, *, folder: bool) -> bytes:
    """One name of READDIR; `number` is where the next call goes on."""
    kind = (stat.S_IFDIR if folder else stat.S_IFREG) >> 12
    return _DIRENT.pack(node, number, len(name), kind) + name + bytes(-len(name) % 8)


def statfs_out() -> bytes:
    """Answer to STATFS: objects have no free space; names up to 255 bytes."""
    return _STATFS.pack(1 << 40, 0, 0, 0, 0, 1 << 20, 255, 1 << 20, *([0] * 7))


def forgets(op: int, node: int, payload: bytes) -> Iterator[tuple[int, int]]:
    """(node, count) pairs of FORGET and BATCH_FORGET."""
    if op == Op.FORGET:
        yield node, LONG.unpack_from(payload)[0]
        return
    count, _ = PAIR.unpack_from(payload)
    yield from LONGS.iter_unpack(payload[8 : 8 + 16 * count])
