"""Name the content of an object, without reading a remote one whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from mezzfs._open import is_local, local_path, open  # noqa: A004
from mezzfs.errors import EmptyObject

if TYPE_CHECKING:
    from io import BufferedReader


def identify(url: str) -> tuple[str, int]:
    """Identity and size in bytes of the object behind `url`.

    Returns:
        `sha256:<hex>` of the content for a local file; for a remote object `etag:<hex>` of its URL, etag, version or
        modification time, and size: a mezzanine of hundreds of GB is never read whole to be named.

    Raises:
        See `mezzfs.open`.
    """
    if is_local(url):
        with open(url) as file:
            digest = hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()
        return f"sha256:{digest}", local_path(url).stat().st_size
    from mezzfs.core import core
    from mezzfs.stores import store_for

    found = core().patiently(lambda: store_for(url).stat(url))
    if not found.size:
        raise EmptyObject(url)
    name = "\0".join([url, found.etag or found.modified or "", str(found.size)])
    return "etag:" + hashlib.sha256(name.encode()).hexdigest(), found.size
