"""The Python half of a mount: names, opening and closing, writing. Bytes are read by the native loop."""

from __future__ import annotations

import errno
import json
import logging
import posixpath
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING

from mezzfs.core import TIMEOUT_S, Core, Handle, Shared
from mezzfs.errors import MezzError, errno_of
from mezzfs.mount import protocol
from mezzfs.mount.catalog import Catalog
from mezzfs.mount.nodes import Nodes
from mezzfs.mount.protocol import Op, Owner
from mezzfs.mount.writing import Writing
from mezzfs.objects import Stat
from mezzfs.stores.base import Entry

if TYPE_CHECKING:
    from cinemill_native._mount import FuseServer

log = logging.getLogger(__name__)
HINTS, STATS = b"user.mezzfs.hints.", b"user.mezzfs.stats"
"""Ask a file for the attribute `user.mezzfs.hints.0-1048576,5000000-6000000` to say what will be read of it (asking is
allowed on a read-only mount, setting is not), and for `user.mezzfs.stats` to hear what was fetched."""
QUICK = {Op.FORGET, Op.BATCH_FORGET, Op.RELEASE, Op.RELEASEDIR, Op.STATFS, Op.ACCESS, Op.OPENDIR, Op.FSYNCDIR}
"""Requests that never wait for a store; the others run on threads."""


class Failed(Exception):
    """An answer that is an errno."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


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
        self._catalog, self._core, self._owner = catalog, core, owner
        self.nodes, self.handles = Nodes(), dict[int, Handle]()
        self._writing = Writing(catalog, owner)
        self._folders: dict[int, tuple[str, list[Entry]]] = {}
        self._next_folder = 1
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
                    self._noticed(event[1], event[2], event[3], missed=bool(event[4]))
                elif event[0] == 2:
                    ended = True
                elif len(event) == 7:
                    self._take(*event[1:5])
        self.native.stop()
        for handle in list(self.handles.values()):
            handle.close()
        self._writing.abandon()
        self._pool.shutdown(wait=False)
        self._ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the mount has ended; True if it has."""
        return self._ended.wait(seconds)

    def _noticed(self, number: int, offset: int, length: int, *, missed: bool) -> None:
        handle = self.handles.get(number)
        if handle is None:
            return
        try:
            handle.noticed(offset, length, missed=missed)
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
        except Failed as failed:
            number = failed.number
        except MezzError as error:
            number = errno_of(error)
            if number not in (errno.ENOENT, errno.EISDIR):
                log.warning("%s", error)
        except Exception:
            log.exception("a request of kind %d failed", op)
            number = errno.EIO
        self.native.reply(unique, number, data)

    def _lookup(self, node: int, payload: bytes) -> bytes:
        path = self.nodes.child(node, payload.rstrip(b"\0"))
        stat = self._stat(path)
        return protocol.entry_out(self.nodes.known(path), stat, self._owner)

    def _getattr(self, node: int, payload: bytes) -> bytes:
        return protocol.attr_out(node, self._stat(self.nodes.path(node)), self._owner)

    def _setattr(self, node: int, payload: bytes) -> bytes:
        """Times, owners and modes are not kept, and said to be; a length is only that of a file being written."""
        path = self.nodes.path(node)
        if int.from_bytes(payload[:4], "little") & 8 and self._writing.size(path) != 0:
            log.warning("%s: objects cannot be cut or grown; write a new one", path)
            raise Failed(errno.EROFS)
        return protocol.attr_out(node, self._stat(path), self._owner)

    def _stat(self, path: str) -> Stat | None:
        size = self._writing.size(path)
        if size is not None:
            return Stat(size=size)
        found = self._catalog.find(path)
        return found.stat if found else None

    def _open(self, node: int, payload: bytes) -> bytes:
        path, flags = self.nodes.path(node), protocol.PAIR.unpack_from(payload)[0]
        if flags & 3:
            return protocol.open_out(
                self._writing.begin(path, replaces=True, flags=flags), protocol.DIRECT_IO
            )
        found = self._catalog.find(path)
        if found is None:
            raise Failed(errno.EISDIR)
        handle = self._core.open_map(found.layout, name=path, stats=found.stats)
        self.handles[handle.number] = handle
        self.native.open(handle.number, handle.shared.number, handle.size)
        return protocol.open_out(handle.number, protocol.DIRECT_IO | protocol.NO_FLUSH)

    def _release(self, node: int, payload: bytes) -> bytes:
        number = protocol.LONG.unpack_from(payload)[0]
        handle = self.handles.pop(number, None)
        if handle is not None:
            self.native.close(number)
            handle.close()
        else:
            self._writing.release(number)
        return b""

    def _readdir(self, node: int, payload: bytes, *, plus: bool) -> bytes:
        _, start, size, *_ = protocol.READ_IN.unpack_from(payload)
        path, out = self.nodes.path(node), bytearray()
        entries = self._catalog.list(path)
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
        number = self._writing.begin(path, replaces=False, flags=protocol.PAIR.unpack_from(payload)[0])
        entry = protocol.entry_out(self.nodes.known(path), Stat(size=0), self._owner)
        return entry + protocol.open_out(number, protocol.DIRECT_IO)

    def _write(self, node: int, payload: bytes) -> bytes:
        number, offset, size, *_ = protocol.WRITE_IN.unpack_from(payload)
        self._writing.write(number, offset, payload[protocol.WRITE_IN.size :][:size])
        return protocol.PAIR.pack(size, 0)

    def _flush(self, node: int, payload: bytes) -> bytes:
        self._writing.commit(protocol.LONG.unpack_from(payload)[0])
        return b""

    def _getxattr(self, node: int, payload: bytes) -> bytes:
        size, _ = protocol.PAIR.unpack_from(payload)
        name, path = payload[8:].rstrip(b"\0"), self.nodes.path(node)
        if name.startswith(HINTS):
            self._hint(path, name.removeprefix(HINTS).decode())
            value = b"taken"
        elif name == STATS:
            value = json.dumps(self.stats()).encode()
        else:
            raise Failed(errno.ENODATA)
        if not size:
            return protocol.PAIR.pack(len(value), 0)
        if size < len(value):
            raise Failed(errno.ERANGE)
        return value

    def _hint(self, path: str, text: str) -> None:
        try:
            pairs = [word.partition("-") for word in text.split(",")]
            ranges = [(int(first), int(end)) for first, _, end in pairs]
        except ValueError:
            raise Failed(errno.EINVAL) from None
        for handle in list(self.handles.values()):
            if handle.shared.name == path:
                handle.hint(ranges)

    def stats(self) -> dict[str, object]:
        """What happened so far: the engine's counters, the cache's, and those of the native loop."""
        return {
            "engine": asdict(self._core.counters),
            "cache": self._core.cache.stats(),
            "mount": self.native.stats(),
            "open_files": len(self.handles),
        }

    def _stale(self, shared: Shared) -> None:
        """Every later read of a file that has changed fails, although some of its blocks are there."""
        for number, handle in list(self.handles.items()):
            if handle.shared is shared:
                self.native.break_handle(number, errno.ESTALE)
        forget = getattr(self._catalog, "forget", None)
        if forget is not None:
            forget(shared.name)
