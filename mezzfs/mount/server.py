"""The Python half of a mount: names, opening and closing, writing. Bytes are read by the native loop."""

from __future__ import annotations

import errno
import logging
import posixpath
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mezzfs.core import Core
from mezzfs.handle import TIMEOUT_S, Shared
from mezzfs.mount import protocol
from mezzfs.mount.catalog import Catalog
from mezzfs.mount.files import Failed, Files, number_of
from mezzfs.mount.nodes import Nodes
from mezzfs.mount.protocol import Op, Owner
from mezzfs.objects import Stat

if TYPE_CHECKING:
    from cinemill_native._mount import FuseServer

log = logging.getLogger(__name__)
QUICK = {Op.FORGET, Op.BATCH_FORGET, Op.RELEASE, Op.RELEASEDIR, Op.STATFS, Op.ACCESS, Op.OPENDIR, Op.FSYNCDIR}
"""Requests that never wait for a store; the others run on threads."""


class Server:
    """Answers the kernel until the mount ends.

    Args:
        device: descriptor of /dev/fuse; taken over.
        catalog: what is shown.
        core: the engine that fetches.
        owner: whose the files are.
    """

    def __init__(self, device: int, catalog: Catalog, core: Core, owner: Owner) -> None:
        from cinemill_native._mount import FuseServer

        self.native: FuseServer = FuseServer(device, core.cache, TIMEOUT_S)
        self._core, self._owner = core, owner
        self.files, self.nodes = Files(catalog, core, owner, lambda: dict(self.native.stats())), Nodes()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="mezzfs-names")
        self._ended = threading.Event()
        core.on_stale = self._stale
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            Op.LOOKUP: self._lookup,
            Op.GETATTR: self._getattr,
            Op.SETATTR: self._setattr,
            Op.OPEN: self._open,
            Op.RELEASE: self._release,
            Op.OPENDIR: lambda *_: protocol.open_out(0, 0),
            Op.READDIR: lambda node, payload: self._readdir(node, payload, plus=False),
            Op.READDIRPLUS: lambda node, payload: self._readdir(node, payload, plus=True),
            Op.RELEASEDIR: lambda *_: b"",
            Op.STATFS: lambda *_: protocol.statfs_out(),
            Op.ACCESS: lambda *_: b"",
            Op.FLUSH: self._flush,
            Op.FSYNC: lambda *_: b"",
            Op.FSYNCDIR: lambda *_: b"",
            Op.CREATE: self._create,
            Op.WRITE: self._write,
            Op.GETXATTR: self._getxattr,
            Op.DESTROY: lambda *_: b"",
        }

    def run(self) -> None:
        """Serve until the mount ends; call from a thread of its own."""
        self.native.start()
        ended = False
        while not ended:
            for event in self.native.next_events(0.25):
                if event[0] == 0:
                    self._noticed(
                        event[1], event[2], event[3], missed=bool(event[4]), thought_s=float(event[5])
                    )
                elif event[0] == 2:
                    ended = True
                elif len(event) == 7:
                    self._take(*event[1:5])
        self.native.stop()
        self.files.close()
        self._pool.shutdown(wait=False)
        self._ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the mount has ended; True if it has."""
        return self._ended.wait(seconds)

    def _noticed(self, number: int, offset: int, length: int, *, missed: bool, thought_s: float) -> None:
        handle = self.files.handles.get(number)
        if handle is None:
            return
        try:
            handle.noticed(offset, length, missed=missed, thought_s=thought_s)
        except Exception:  # one reader gets an error; the others go on
            log.exception("%s: a read could not be begun", handle.shared.name)
            self._core.cache.fail(handle.shared.number, offset, length, errno.EIO)
            self.native.break_handle(number, errno.EIO)

    def _take(self, op: int, unique: int, node: int, payload: bytes) -> None:
        if op in (Op.FORGET, Op.BATCH_FORGET):  # the only ones that want no answer
            for forgotten, count in protocol.forgets(op, node, payload):
                self.nodes.forget(forgotten, count)
        elif op in QUICK:
            self._answer(op, unique, node, payload)
        else:
            self._pool.submit(self._answer, op, unique, node, payload)

    def _answer(self, op: int, unique: int, node: int, payload: bytes) -> None:
        number, data = 0, b""
        try:
            if op in protocol.CHANGES:
                log.warning(
                    "%s: objects cannot do that; the file system says it is read-only", protocol.CHANGES[op]
                )
                number = errno.EROFS
            elif op not in self._answers:
                number = errno.ENOSYS
            else:
                data = self._answers[op](node, payload)
        except Exception as error:  # noqa: BLE001  logged there; one request fails, the mount goes on
            number = number_of(error, f"a request of kind {op}")
        self.native.reply(unique, number, data)

    def _lookup(self, node: int, payload: bytes) -> bytes:
        path = self.nodes.child(node, payload.rstrip(b"\0"))
        stat = self.files.stat(path)
        return protocol.entry_out(self.nodes.known(path), stat, self._owner)

    def _getattr(self, node: int, payload: bytes) -> bytes:
        return protocol.attr_out(node, self.files.stat(self.nodes.path(node)), self._owner)

    def _setattr(self, node: int, payload: bytes) -> bytes:
        """Times, owners and modes are not kept, and said to be; a length is only that of a file being written."""
        path = self.nodes.path(node)
        if int.from_bytes(payload[:4], "little") & 8:
            self.files.cut(path)
        return protocol.attr_out(node, self.files.stat(path), self._owner)

    def _open(self, node: int, payload: bytes) -> bytes:
        path, flags = self.nodes.path(node), protocol.PAIR.unpack_from(payload)[0]
        if flags & 3:
            number = self.files.writing.begin(path, replaces=True, flags=flags)
            return protocol.open_out(number, protocol.DIRECT_IO)
        handle = self.files.open(path)
        self.native.open(handle.number, handle.shared.number, handle.size)
        return protocol.open_out(handle.number, protocol.DIRECT_IO | protocol.NO_FLUSH)

    def _release(self, node: int, payload: bytes) -> bytes:
        number = protocol.LONG.unpack_from(payload)[0]
        if self.files.release(number) is not None:
            self.native.close(number)
        return b""

    def _readdir(self, node: int, payload: bytes, *, plus: bool) -> bytes:
        _, start, size, *_ = protocol.READ_IN.unpack_from(payload)
        path, out = self.nodes.path(node), bytearray()
        entries = self.files.catalog.list(path)
        for number, entry in enumerate(entries[start:], start + 1):
            name = entry.name.encode("utf-8", "surrogateescape")
            room = len(out) + (128 if plus else 0) + 24 + len(name) + 8
            if room > size:
                break
            below, folder = posixpath.join(path, entry.name), entry.stat is None
            if plus:
                known = self.nodes.known(below)
                out += protocol.entry_out(known, entry.stat, self._owner)
            else:
                known = self.nodes.peek(below)
            out += protocol.dirent(known, number, name, folder=folder)
        return bytes(out)

    def _create(self, node: int, payload: bytes) -> bytes:
        path = self.nodes.child(node, payload[16:].rstrip(b"\0"))
        number = self.files.writing.begin(path, replaces=False, flags=protocol.PAIR.unpack_from(payload)[0])
        entry = protocol.entry_out(self.nodes.known(path), Stat(size=0), self._owner)
        return entry + protocol.open_out(number, protocol.DIRECT_IO)

    def _write(self, node: int, payload: bytes) -> bytes:
        number, offset, size, *_ = protocol.WRITE_IN.unpack_from(payload)
        self.files.writing.write(number, offset, payload[protocol.WRITE_IN.size :][:size])
        return protocol.PAIR.pack(size, 0)

    def _flush(self, node: int, payload: bytes) -> bytes:
        self.files.writing.commit(protocol.LONG.unpack_from(payload)[0])
        return b""

    def _getxattr(self, node: int, payload: bytes) -> bytes:
        size, _ = protocol.PAIR.unpack_from(payload)
        name, path = payload[8:].rstrip(b"\0"), self.nodes.path(node)
        value = self.files.attribute(path, name.decode("utf-8", "surrogateescape"))
        if not size:
            return protocol.PAIR.pack(len(value), 0)
        if size < len(value):
            raise Failed(errno.ERANGE)
        return value

    def stats(self) -> dict[str, Any]:
        """See `Files.stats`."""
        return self.files.stats()

    def _stale(self, shared: Shared) -> None:
        """Every later read of a file that has changed fails, although some of its blocks are there."""
        for number, handle in list(self.files.handles.items()):
            if handle.shared is shared:
                self.native.break_handle(number, errno.ESTALE)
        self.files.forget(shared.name)
