"""Stores by the scheme of a URL; each is imported when a URL first needs it.

from mezzfs.stores import store_for

store_for("s3://bucket/title.mov").stat("s3://bucket/title.mov")
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import threading

from mezzfs.errors import MissingExtra
from mezzfs.stores.base import Store as Store

__all__ = ["Store", "register", "scheme_of", "store_for"]

HOMES = {
    "file": "mezzfs.stores.local:LocalStore",
    "http": "mezzfs.stores.http:HttpStore",
    "https": "mezzfs.stores.http:HttpStore",
    "s3": "mezzfs.stores.s3:S3Store",
    "s3a": "mezzfs.stores.s3:S3Store",
}
"""Scheme -> where its store lives; everything else goes through fsspec."""
GENERAL = "mezzfs.stores.general:GeneralStore"
PEERS = {"s3": "s3fs", "s3a": "s3fs"}
"""Scheme -> the package of fsspec that serves it where the library of its own store is not installed."""
EXTRAS = {"s3": "s3", "s3a": "s3", "http": "http", "https": "http"}
"""Scheme -> the extra of our distribution that brings its library."""

log = logging.getLogger(__name__)
_made: dict[str, Store] = {}
_lock = threading.Lock()


def scheme_of(url: str) -> str:
    """The scheme of a URL; `file` for a path."""
    return url.partition("://")[0] if "://" in url else "file"


def store_for(url: str) -> Store:
    """The store of a URL, one per scheme and process.

    Raises:
        MissingExtra: the package that it needs is not installed.
    """
    scheme = scheme_of(url)
    with _lock:
        if scheme not in _made:
            _made[scheme] = _make(url, scheme)
        return _made[scheme]


def register(scheme: str, store: Store | None) -> None:
    """Use `store` for a scheme in this process (a store with faults, other credentials); None undoes it."""
    with _lock:
        if store is None:
            _made.pop(scheme, None)
        else:
            _made[scheme] = store


def _make(url: str, scheme: str) -> Store:
    try:
        return _at(HOMES.get(scheme, GENERAL))
    except ImportError as error:
        if scheme in PEERS and importlib.util.find_spec(PEERS[scheme]):
            log.warning(
                "%s:// is read through %s, which is slower; %s is not installed",
                scheme,
                PEERS[scheme],
                error.name,
            )
            return _at(GENERAL)
        remedy = f"pip install 'cinemill[{EXTRAS[scheme]}]'" if scheme in EXTRAS else str(error)
        raise MissingExtra(
            url, f"this kind of URL needs a package that is not installed; {remedy}"
        ) from error


def _at(home: str) -> Store:
    module, _, name = home.partition(":")
    made: Store = getattr(importlib.import_module(module), name)()
    return made
