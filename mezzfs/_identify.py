"""Name the content of an object, without reading a remote one whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from mezzfs._open import is_local, local_path, open, translated  # noqa: A004

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
    with open(url):  # says clearly what is wrong
        pass
    with translated(url):
        import fsspec

        store, path = fsspec.core.url_to_fs(url)
        info = store.info(path)
    size = int(info.get("size") or 0)
    marks = [
        str(info.get(key, "")) for key in ("ETag", "etag", "VersionId", "LastModified", "mtime", "created")
    ]
    if not any(marks):
        marks = [store.ukey(path)]
    return "etag:" + hashlib.sha256("\0".join([url, *marks, str(size)]).encode()).hexdigest(), size
