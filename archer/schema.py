"""JSON schema of a stage's settings, generated from its dataclass: for forms, editors and other languages."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from archer.canonical import plain

PLAIN: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    type(None): {"type": "null"},
    Decimal: {"type": ["string", "integer"], "format": "decimal"},
    Fraction: {"type": ["string", "integer"], "format": "fraction"},
}


def json_schema(kind: type) -> dict[str, Any]:
    """JSON schema (2020-12) of a settings dataclass; what `archer.params.build` takes fits it.

    Raises:
        TypeError: a field has a type that settings cannot have, as floats are.
    """
    hints = get_type_hints(kind)
    known = [field for field in fields(kind) if field.init]
    properties = {field.name: _of(hints[field.name], f"{kind.__name__}.{field.name}") for field in known}
    for field in known:
        if field.default is not MISSING:
            properties[field.name]["default"] = plain(field.default, field.name)
    needed = [field.name for field in known if field.default is MISSING and field.default_factory is MISSING]
    found: dict[str, Any] = {"type": "object", "title": kind.__name__, "properties": properties}
    return {**found, "required": needed, "additionalProperties": False}


def _of(hint: Any, where: str) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return dict(PLAIN[hint])
    if hint is None:
        return {"type": "null"}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(each, where) for each in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [each.value for each in hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        return json_schema(hint)
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return _array(args, where, fixed=origin is tuple and Ellipsis not in args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(args[1], where)}
    raise TypeError(
        f"{where}: {hint} cannot be a setting; wanted text, int, bool, Decimal, Fraction, enums or these nested"
    )


def _array(args: tuple[Any, ...], where: str, *, fixed: bool) -> dict[str, Any]:
    if fixed:
        return {"type": "array", "prefixItems": [_of(each, where) for each in args], "items": False}
    return {"type": "array", "items": _of(args[0], where)} if args else {"type": "array"}
