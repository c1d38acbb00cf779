"""Settings of a stage from plain values (YAML, JSON), checked against the types of its dataclass."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from archer.errors import SpecError


def build(kind: type, given: Any, where: str) -> Any:
    """An instance of the dataclass `kind` from a mapping of its fields; an instance is taken as it is.

    Decimal, Fraction and enum fields are given as text or int, tuples as lists, dataclasses as mappings.

    Raises:
        SpecError: names the field: unknown, missing, or of another type.
    """
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise SpecError(
            where, f"wanted {kind.__name__} or a mapping of its fields, got {type(given).__name__}"
        )
    known = {field.name: field for field in fields(kind) if field.init}
    for name in given:
        if name not in known:
            raise SpecError(f"{where}.{name}", f"no such setting; known: {', '.join(known) or 'none'}")
    for name, field in known.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise SpecError(f"{where}.{name}", "missing, and it has no default")
    hints = get_type_hints(kind)
    try:
        return kind(**{name: convert(value, hints[name], f"{where}.{name}") for name, value in given.items()})
    except SpecError:
        raise
    except (TypeError, ValueError) as error:  # raised by the dataclass itself: its message is for people
        raise SpecError(where, str(error)) from error


def convert(value: Any, hint: Any, where: str) -> Any:
    """`value` as the type `hint`. Raises SpecError where it is something else."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _first_fit(value, args, where)
    if origin is Literal:
        if value not in args:
            raise _unwanted(where, "one of " + ", ".join(map(repr, args)), value)
        return value
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return _sequence(value, args, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise _unwanted(where, "a mapping", value)
        return {key: convert(entry, args[1], f"{where}.{key}") for key, entry in value.items()}
    return _scalar(value, hint, where)


def _scalar(value: Any, hint: Any, where: str) -> Any:
    if hint in (Decimal, Fraction):
        if isinstance(value, hint):
            return value
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _unwanted(where, f"{hint.__name__} as text or int", value)
        try:
            return hint(value)
        except (ValueError, ZeroDivisionError, InvalidOperation) as error:
            raise _unwanted(where, f"{hint.__name__} as text", value) from error
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError as error:
            raise _unwanted(where, "one of " + ", ".join(repr(each.value) for each in hint), value) from error
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    if hint is None:
        hint = type(None)
    if not isinstance(hint, type) or (
        isinstance(value, hint) and not (hint is int and isinstance(value, bool))
    ):
        return value
    raise _unwanted(where, hint.__name__, value)


def _sequence(value: Any, args: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise _unwanted(where, "a list", value)
    hints = (
        args
        if args and args[-1] is not Ellipsis
        else (args[0],) * len(value)
        if args
        else (Any,) * len(value)
    )
    if len(args) == 1:  # Sequence[X]
        hints = (args[0],) * len(value)
    if len(hints) != len(value):
        raise _unwanted(where, f"{len(hints)} entries", value)
    return tuple(
        convert(entry, hint, f"{where}[{place}]")
        for place, (entry, hint) in enumerate(zip(value, hints, strict=True))
    )


def _first_fit(value: Any, hints: Sequence[Any], where: str) -> Any:
    errors = []
    for hint in hints:
        try:
            return convert(value, hint, where)
        except SpecError as error:
            errors.append(error)
    raise errors[0]


def _unwanted(where: str, wanted: str, value: Any) -> SpecError:
    return SpecError(where, f"wanted {wanted}, got {type(value).__name__} {value!r}")
