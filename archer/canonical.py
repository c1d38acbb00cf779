"""One text for one value: what memo keys and job identities are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from archer.artifact import Artifact
from archer.errors import NotCanonical
from archer.media.asset import Asset
from archer.stage import Input, Item


def plain(value: Any, where: str = "value") -> Any:
    """`value` as JSON types: dataclasses as objects, Decimal and Fraction as text, inputs by identity.

    Raises:
        NotCanonical: it holds a float (they differ by how they were computed) or something without one text.
    """
    match value:
        case None | bool() | int() | str():
            return value.value if isinstance(value, Enum) else value
        case Artifact():
            return value.hash
        case Asset():
            return value.identity
        case Decimal():
            return format(value.normalize(), "f")
        case Fraction():
            return str(value)
        case Enum():
            return plain(value.value, where)
        case Mapping():
            return {str(key): plain(entry, f"{where}.{key}") for key, entry in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name), f"{where}.{each.name}") for each in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(entry, f"{where}[{place}]") for place, entry in enumerate(value)]
    raise NotCanonical(where, type(value).__name__)


def canonical(value: Any, where: str = "value") -> str:
    """Canonical JSON: sorted keys, no spaces. Raises: see `plain`."""
    return json.dumps(plain(value, where), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any, where: str = "value") -> str:
    """SHA-256 of the canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical(value, where).encode()).hexdigest()


def memo_key(
    stage: str,
    phase: str,
    item: Item,
    inputs: Mapping[str, Input | Sequence[Input]],
    parts: Artifact | None = None,
) -> str:
    """Names the result of one task: equal keys mean equal outputs, across jobs and titles.

    Args:
        stage: identity of the stage as it was asked for: name, version, params, fingerprint.
        phase: `split`, `map` or `collect`.
        item: chunk, variant and values count; label, weight and cost do not.
        inputs: what the task reads; assets count by identity, artifacts by hash.
        parts: for a collect, the `parts@1` artifact it joins.
    """
    return digest(
        {
            "stage": stage,
            "phase": phase,
            "chunk": item.chunk,
            "variant": item.variant,
            "values": item.values,
            "inputs": inputs,
            "parts": parts,
        },
        "item",
    )
