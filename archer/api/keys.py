"""Keys of the API: made once, shown once, kept as a hash; each has scopes and may expire.

`cmk_<id>_<secret>`: the id finds the row, the secret (256 random bits) is compared by its SHA-256 in constant time. A slow hash
would add nothing: there is nothing to guess in 256 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

PREFIX = "cmk"
SHAPE = re.compile(r"cmk_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
ALL_JOBS = "jobs:all"
"""Of keys that reach jobs of everybody, and limits of queues; others reach their own."""
SCOPES = ("jobs:read", "jobs:write", ALL_JOBS, "results:read", "webhooks:write", "metrics:read")
"""What keys may be allowed; `*` is all of it."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key. Times in milliseconds since 1970; 0 for never."""

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    made_ms: int
    expires_ms: int = 0
    revoked_ms: int = 0

    def valid_at(self, now_ms: int) -> bool:
        """False once it has expired or was revoked."""
        return not self.revoked_ms and (not self.expires_ms or now_ms < self.expires_ms)


def mint(name: str, scopes: Sequence[str], *, now_ms: int, expires_ms: int = 0) -> tuple[str, ApiKey]:
    """A new key: the text that its user gets, and what is kept of it.

    Raises:
        ValueError: a scope that does not exist.
    """
    unknown = [scope for scope in scopes if scope not in (*SCOPES, "*")]
    if unknown or not scopes:
        wanted = f"wanted some of {', '.join(SCOPES)}, or *"
        raise ValueError(f"scopes: {', '.join(unknown) or 'none given'}; {wanted}")
    identity = "".join(secrets.choice(ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    key = ApiKey(
        id=identity,
        name=name,
        hash=hash_of(secret),
        scopes=tuple(dict.fromkeys(scopes)),
        made_ms=now_ms,
        expires_ms=expires_ms,
    )
    return f"{PREFIX}_{identity}_{secret}", key


def taken_apart(text: str) -> tuple[str, str] | None:
    """Id and secret of a key as its user sends it; None where it is none."""
    found = SHAPE.fullmatch(text)
    return (found[1], found[2]) if found else None


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(key: ApiKey, secret: str) -> bool:
    """True where the secret is the key's; takes as long where it is not."""
    return hmac.compare_digest(key.hash, hash_of(secret))
