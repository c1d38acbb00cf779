"""Content keys: what encrypts a track, and how the keys of a title follow from one secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Scheme = Literal["cenc", "cbcs"]
SCHEMES: tuple[Scheme, ...] = ("cenc", "cbcs")
IV_BYTES: Mapping[str, int] = {"cenc": 8, "cbcs": 16}
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentKey:
    """The key of a track.

    Attributes:
        key_id: 16 bytes; public, it stands in the segments and manifests.
        key: 16 bytes; secret, so that it is no part of the text of this object.
    """

    key_id: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """All keys of a title: one secret, from which each track's key and key id are derived.

    Attributes:
        id: names the set, hexadecimal; public.
        label: for people, as the title's name.
        secret: 32 bytes; secret, no part of the text of this object.
    """

    id: str
    label: str
    secret: bytes = field(repr=False)

    def key(self, track: str) -> ContentKey:
        """The key of a track, by its folder in the package; the same track has the same key every time."""
        return ContentKey(key_id=self._derived("id", track), key=self._derived("key", track))

    def derived_iv(self, subject: str, size: int) -> bytes:
        """Where counting begins for all of `subject`, which names content and settings: never the same for two."""
        return self._derived("iv", subject, size)

    def derived(self, purpose: str, subject: str, size: int) -> bytes:
        """A secret for another purpose than `id`, `key` and `iv`; the same every time."""
        return self._derived(purpose, subject, size)

    def _derived(self, purpose: str, track: str, size: int = 16) -> bytes:
        """HKDF-Expand with SHA-256 (RFC 5869 section 2.3), one block; the secret is random, so it needs no extract."""
        info = f"cinemill {purpose} {track}".encode()
        return hmac.digest(self.secret, info + b"\x01", hashlib.sha256)[:size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """How a package is encrypted.

    Attributes:
        scheme: `cenc` (AES-CTR) or `cbcs` (AES-CBC, one of ten blocks).
        keys: of the title.
        clear_lead_s: seconds at the beginning that stay clear, so that play starts before the licence is there;
            whole segments are clear, so it is rounded up, and 0 encrypts everything.
    """

    scheme: Scheme
    keys: KeySet
    clear_lead_s: Decimal = Decimal(0)
