"""Objects of web servers, through urllib3: keep-alive connections, verified TLS, redirects, proxies of the environment."""

from __future__ import annotations

import base64
import binascii
import re
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import NoReturn

import urllib3
import urllib3.connection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from mezzfs import hosts
from mezzfs.errors import (
    AccessDenied,
    BadReply,
    ChangedObject,
    MezzError,
    NotFound,
    NotWritable,
    Unreachable,
)
from mezzfs.objects import Stat
from mezzfs.stores.base import CHUNK, Bytes, Entry, Landing, Reply, Upload

CONNECT_S = 10.0
READ_S = 30.0
"""Longest silence on a connection."""
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")
_own = threading.local()
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


class HttpStore:
    """`http://` and `https://`. Names and passwords in a URL are sent as basic authentication, and never shown.

    Args:
        ca_bundle: file of the certificates to trust; the system's where it is None.
        trusted: addresses come from ourselves, so they may be of a private network whatever `mezzfs.hosts` says.
    """

    def __init__(self, ca_bundle: str | None = None, *, trusted: bool = False) -> None:
        options = {
            "ca_certs": ca_bundle,
            "timeout": urllib3.Timeout(connect=CONNECT_S, read=READ_S),
            "retries": urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0, other=0),
            "maxsize": 32,
            "headers": {"Accept-Encoding": "identity", "User-Agent": "cinemill-mezzfs"},
        }
        proxies = urllib.request.getproxies()
        proxy = proxies.get("https") or proxies.get("http")
        self._direct = urllib3.PoolManager(**options)  # type: ignore[arg-type]
        if not trusted:
            self._direct.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        self._proxied = urllib3.ProxyManager(proxy, **options) if proxy else self._direct  # type: ignore[arg-type]
        self._ways: dict[str, urllib3.PoolManager] = {}

    def stat(self, url: str) -> Stat:
        """See `Store.stat`; asks with HEAD, and for the first byte where HEAD is refused."""
        reply = self.ask("HEAD", url, {})
        reply.drain_conn()
        if reply.status not in (403, 405, 501) and "Content-Length" in reply.headers:
            _check(url, reply)
            return _stat(reply, int(reply.headers["Content-Length"]))
        reply = self.ask("GET", url, {"Range": "bytes=0-0"})
        try:
            _check(url, reply)
            found = RANGE.match(reply.headers.get("Content-Range", ""))
            size = int(found[3]) if found else int(reply.headers.get("Content-Length", -1))
        finally:
            reply.close()
        if size < 0:
            raise BadReply(url, "the server does not say how long it is; wanted Content-Length")
        return _stat(reply, size)

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """See `Store.get`."""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
        if stat.etag and not stat.etag.startswith("W/"):
            headers["If-Match"] = stat.etag
        elif stat.modified:
            headers["If-Unmodified-Since"] = stat.modified
        reply = self.ask("GET", url, headers)
        if reply.status not in (200, 206):
            reply.drain_conn()
            _check(url, reply)
        return reply_of(url, reply)

    def list(self, url: str) -> list[Entry]:
        """Web servers do not list; names in a mount are found by asking for them."""
        raise NotWritable(url, "web servers list no folders; ask for a file by its name, or mount a manifest")

    def create(self, url: str) -> Upload:
        """Web servers take no objects."""
        raise NotWritable(url, "web servers are read-only; write to s3:// or to a local path")

    def refresh(self) -> None:
        """There are no credentials that expire."""

    def ask(self, method: str, url: str, headers: dict[str, str]) -> BaseHTTPResponse:
        """Send one request; whatever the status is, it is an answer. Raises: Unreachable."""
        parts = urllib.parse.urlsplit(url)
        pool = self._way(parts.hostname or "")
        if parts.username is not None:
            name = urllib.parse.unquote(parts.username)
            password = urllib.parse.unquote(parts.password or "")
            headers |= urllib3.make_headers(basic_auth=f"{name}:{password}")
            url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        try:
            return pool.request(method, url, headers=dict(pool.headers) | headers, preload_content=False)
        except _NotPublic as error:
            raise AccessDenied(url, str(error)) from error
        except HTTPError as error:
            raise Unreachable(url, f"cannot be reached: {_why(error)}") from error

    def _way(self, host: str) -> urllib3.PoolManager:
        """Through the proxy or past it; looked up once, as that reads the whole environment."""
        found = self._ways.get(host)
        if found is None:
            past = urllib.request.proxy_bypass(host) or _loopback(host)
            found = self._ways[host] = self._direct if past else self._proxied
        return found


class _NotPublic(Exception):
    """A connection led to an address that may not be read."""


def _checked(connection: socket.socket) -> socket.socket:
    """A connection, if its other end is one that may be read; see `mezzfs.hosts`."""
    address = str(connection.getpeername()[0])
    if hosts.public_only() and not hosts.is_public(address):
        connection.close()
        raise _NotPublic(f"its address {address} is not public; this service reads public hosts only")
    return connection


class _HttpConnection(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _HttpsConnection(urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


def reply_of(url: str, reply: BaseHTTPResponse) -> Reply:
    """What a 200 or 206 says. Raises: BadReply."""
    if reply.headers.get("Content-Encoding", "identity") != "identity":
        reply.close()
        raise BadReply(url, "the server compresses its answers, although it was asked not to")
    found = RANGE.match(reply.headers.get("Content-Range", ""))
    digest = DIGEST.search(reply.headers.get("Content-Digest", ""))
    size, landing = reply.headers.get("Content-Length"), Landing()
    return Reply(
        chunks=chunks_of(url, reply, landing),
        landing=landing,
        close=reply.close,
        partial=reply.status == 206,
        first=int(found[1]) if found else None,
        total=int(found[3]) if found else None,
        length=int(size) if size else None,
        etag=reply.headers.get("ETag"),
        sha256=_sha256(url, digest[1]) if digest else None,
    )


def _loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _why(error: HTTPError) -> str:
    cause = getattr(error, "reason", None) or error
    return f"{type(cause).__name__}; check the address and the network"


def _check(url: str, reply: BaseHTTPResponse) -> None:
    if reply.status not in (200, 206):
        refuse(url, reply.status)


def refuse(url: str, status: int, detail: str = "") -> NoReturn:
    """Raise the error that an HTTP status means."""
    said = f"HTTP {status}{' ' + detail if detail else ''}"
    error: MezzError
    if status in (404, 410):
        error = NotFound(url)
    elif status in (401, 403):
        error = AccessDenied(url, f"{AccessDenied.wanted} ({said})")
    elif status in (412, 416):
        error = ChangedObject(url)
    elif status in (408, 425, 429) or status >= 500:
        error = Unreachable(url, f"the server cannot answer now ({said})")
    else:
        error = BadReply(url, f"the server answers {said}; wanted the bytes of an object")
    raise error


def _stat(reply: BaseHTTPResponse, size: int) -> Stat:
    modified = reply.headers.get("Last-Modified")
    try:
        mtime = int(parsedate_to_datetime(modified).timestamp()) if modified else 0
    except (TypeError, ValueError):
        mtime = 0
    return Stat(size=size, etag=reply.headers.get("ETag"), modified=modified, mtime_s=mtime)


def _sha256(url: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadReply(url, "the server sends a Content-Digest that is none") from error


def chunks_of(url: str, reply: BaseHTTPResponse, landing: Landing) -> Iterator[Bytes]:
    """The body, in views of memory that `landing` gives, or of one buffer per thread: each is good until the next is asked for.

    urllib3 makes new bytes of every read; its own source underneath reads into memory that is there already, which halves
    the processor time per byte. Where there is no such source, urllib3's way is used.
    """
    readinto = getattr(getattr(reply, "_fp", None), "readinto", None)
    try:
        if readinto is None:
            while data := reply.read(CHUNK, decode_content=False):
                yield data
            return
        while count := readinto(buffer := landing.room() or _buffer()):
            yield buffer[:count]
        reply.release_conn()
    except (
        HTTPError,
        HTTPException,
        OSError,
        ValueError,
    ) as error:  # ValueError: closed by us, from another thread
        raise Unreachable(url, f"the connection broke: {type(error).__name__}") from error


def _buffer() -> memoryview:
    found: memoryview | None = getattr(_own, "buffer", None)
    if found is None:
        found = _own.buffer = memoryview(bytearray(CHUNK))
    return found
