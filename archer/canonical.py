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
from archer.media.asset import Asset
from archer.stage import Item, Stage


def plain(value: Any, where: str = "value") -> Any:
    """`value` as JSON types: dataclasses as objects, Decimal and Fraction as text.

    Raises:
        TypeError: it holds a float or something without one text (floats differ by how they were computed).
    """
    match value:
        case None | bool() | int() | str():
            return value
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
        return {field.name: plain(getattr(value, field.name), f"{where}.{field.name}") for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(entry, f"{where}[{place}]") for place, entry in enumerate(value)]
    raise TypeError(f"{where}: {type(value).__name__} has no canonical text; wanted text, int, bool, Decimal or Fraction")


def canonical(value: Any, where: str = "value") -> str:
    """Canonical JSON: sorted keys, no spaces. Raises: see `plain`."""
    return json.dumps(plain(value, where), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any, where: str = "value") -> str:
    """SHA-256 of the canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical(value, where).encode()).hexdigest()


def memo_key(stage: Stage[Any], params: Any, phase: str, fingerprint: str, detail: Mapping[str, Any]) -> str:
    """Names the result of one task: equal keys mean equal outputs, across jobs and titles.

    Args:
        stage: name and version count, its code does not.
        params: the stage's settings.
        phase: `split`, `map` or `collect`.
        fingerprint: what computes it (encoder build, model hash).
        detail: the item and the identities of the inputs it reads.
    """
    return digest(
        {
            "stage": stage.name,
            "version": stage.version,
            "params": plain(params, "params"),
            "phase": phase,
            "fingerprint": fingerprint,
            "detail": detail,
        }
    )


def item_detail(item: Item, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What of an item and of the stage's inputs decides its output."""
    return {
        "chunk": plain(item.chunk),
        "variant": item.variant,
        "values": plain(item.values),
        "uses": plain(inputs if item.uses is None else item.uses),
    }
