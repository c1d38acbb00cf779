"""What a job reads: a URL and the identity of the bytes behind it; several files may be one title."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

JOIN = "join:"
"""Begins the URL of several files: a JSON array of theirs follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A media object by URL.

    Attributes:
        url: local path or fsspec URL, as the user named it; see `joined` for several. Never part of an identity.
        identity: `sha256:<hex>` of the content for a local file, `etag:<hex>` of (url, etag or version, size)
            for a remote object, `join:<hex>` of the identities of several. This is what memo keys and manifests hold.
        size: bytes.
    """

    url: str
    identity: str
    size: int

    @property
    def urls(self) -> tuple[str, ...]:
        """Where its files are, in order; mostly one."""
        return urls_of(self.url)


def joined(assets: Sequence[Asset]) -> Asset:
    """Several files that are shown one after the other as one asset; the only one as it is.

    Args:
        assets: at least one.
    """
    if len(assets) == 1:
        return assets[0]
    names = "\0".join(asset.identity for asset in assets)
    return Asset(
        url=joined_url([asset.url for asset in assets]),
        identity=JOIN + hashlib.sha256(names.encode()).hexdigest(),
        size=sum(asset.size for asset in assets),
    )


def joined_url(urls: Sequence[str]) -> str:
    """The URL that stands for several; the only one as it is."""
    return urls[0] if len(urls) == 1 else JOIN + json.dumps(list(urls), ensure_ascii=False)


def urls_of(url: str) -> tuple[str, ...]:
    """The URLs that one stands for: itself, or those that `joined_url` took."""
    return tuple(json.loads(url[len(JOIN) :])) if url.startswith(f"{JOIN}[") else (url,)
