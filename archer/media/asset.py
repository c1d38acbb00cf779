"""What a job reads: a URL and the identity of the bytes behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A media object by URL.

    Attributes:
        url: local path or fsspec URL, as the user named it. Never part of an identity.
        identity: `sha256:<hex>` of the content for a local file, `etag:<hex>` of (url, etag or version, size)
            for a remote object. This is what memo keys and manifests hold.
        size: bytes.
    """

    url: str
    identity: str
    size: int
