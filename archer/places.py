"""Where a service may read and write for others: prefixes of URLs and of folders, and public hosts only.

places = Places(["https://", "s3://masters/2026/", "/srv/media"])
places.checked("s3://masters/2026/title.mov")     # as it is
places.checked("title.mov")                       # /srv/media/title.mov, links resolved
places.checked("https://169.254.169.254/")        # PlaceRefused
"""

from __future__ import annotations

import re
import socket
import urllib.parse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from archer.errors import PlaceRefused
from mezzfs import hosts

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
WEB = {"http": 80, "https": 443}
LONGEST = 4096


class Places:
    """Prefixes that may be read from, or written to.

    A prefix is a whole scheme (`https://`), a part of a store (`s3://bucket/prefix/`), or a folder of this machine.

    Args:
        prefixes: of what is allowed; nothing else is.
        private: hosts may be on private networks too, as in a test.
        resolve: finds addresses of a host; the system's resolver.
    """

    def __init__(
        self,
        prefixes: Sequence[str],
        *,
        private: bool = False,
        resolve: hosts.Resolve = socket.getaddrinfo,
    ) -> None:
        local = [prefix for prefix in prefixes if not SCHEME.match(prefix) or prefix.startswith("file://")]
        self._urls = tuple(prefix for prefix in prefixes if prefix not in local)
        self._roots = tuple(Path(prefix.removeprefix("file://")).resolve() for prefix in local)
        self._private, self._resolve = private, resolve

    def checked(self, url: str, *, exists: bool = True) -> str:
        """The URL as it is to be used: local paths absolute, without links; others unchanged.

        Args:
            url: a URL or a path; a relative one starts at each allowed folder in turn.
            exists: a local one must be there; False for what is to be written.

        Raises:
            PlaceRefused: it may not be used; says why, and never whether something outside of the folders is there.
        """
        if not url or len(url) > LONGEST or UNPRINTABLE.search(url.replace(" ", "_")):
            raise PlaceRefused(url[:80], "wanted a URL or a path without control characters and backslashes")
        found = SCHEME.match(url)
        if found is None or found[1].lower() == "file":
            return self._path(url, url[len(found[0]) :] if found else url, exists=exists)
        self._url(url, found[1])
        return url

    def address(self, url: str) -> str:
        """A numeric address of the host of a web URL that may be used. Raises: as `checked`."""
        found = self._url(url, url.partition("://")[0])
        if not found:
            raise PlaceRefused(url, "wanted an http or https URL")
        return found[0]

    def _path(self, url: str, path: str, *, exists: bool) -> str:
        if not self._roots:
            raise PlaceRefused(url, "files of the server may not be used; no folder is allowed")
        if path.startswith("~") or ".." in Path(path).parts:
            raise PlaceRefused(url, "wanted a path without ~ and ..")
        with suppress(OSError, ValueError):  # a name that no file can have
            for root in self._roots:
                place = (root / path).resolve()
                if place.is_relative_to(root) and (place.is_file() if exists else place != root):
                    return str(place)
        raise PlaceRefused(url, "no such file in the folders that are allowed")

    def _url(self, url: str, scheme: str) -> list[str]:
        """Check a URL; returns the addresses of its host, where it has one."""
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise PlaceRefused(url, f"not a URL: {error}") from error
        if scheme != scheme.lower() or " " in url or parts.fragment:
            raise PlaceRefused(url, "wanted a URL with a lower-case scheme, without spaces and fragment")
        if parts.username is not None or parts.password is not None:
            raise PlaceRefused(shown(url), "names and passwords do not belong into a URL that is kept")
        if {".", ".."} & set(urllib.parse.unquote(parts.path).replace("\\", "/").split("/")):
            raise PlaceRefused(url, "wanted a URL without . and .. in its path")
        if not any(_below(url, prefix) for prefix in self._urls):
            allowed = ", ".join(self._urls) or "none"
            raise PlaceRefused(url, f"not below anything that is allowed ({allowed})")
        return self._host(url, parts.hostname or "", port or WEB[scheme]) if scheme in WEB else []

    def _host(self, url: str, host: str, port: int) -> list[str]:
        if not host:
            raise PlaceRefused(url, "wanted a host")
        try:
            addresses = hosts.resolved(host, port, self._resolve)
        except (OSError, UnicodeError) as error:
            raise PlaceRefused(url, f"host {host}: no address is known for it") from error
        if not self._private and not all(map(hosts.is_public, addresses)):
            raise PlaceRefused(url, f"host {host} is not on the public internet")
        return addresses


def shown(url: str) -> str:
    """A URL without what may be secret in it: name, password, query."""
    try:
        parts = urllib.parse.urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return "(not a URL)"


def _below(url: str, prefix: str) -> bool:
    """True where a URL is at a prefix or below it: `s3://a/b` holds `s3://a/b/c`, not `s3://a/bc`."""
    return url == prefix or url.startswith(prefix if prefix.endswith("/") else f"{prefix}/")
