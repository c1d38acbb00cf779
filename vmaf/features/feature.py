"""What a feature is, and how its options end up in the names of its columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from cinemill_native.frames import Plane

Planes = Sequence[Plane]
"""Of one picture, luma first."""
Columns = dict[str, float]


class Feature(Protocol):
    """Measures one pair of pictures; immutable, so that threads can share it."""

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """Columns of one frame.

        Raises:
            ShapeMismatch: planes differ in size or bit depth.
            TooSmall: a plane is too small for the feature.
            MissingChroma: the feature needs chroma and there is none.
        """

    def joined(self, other: Feature) -> Feature | None:
        """One feature that measures what both do, sharing their work; None where they have nothing in common."""


class Options(Protocol):
    """Options of a feature: a frozen dataclass whose fields are `option`s with libvmaf's names."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Chosen = TypeVar("Chosen", bound=Options)


def option(alias: str, default: Any) -> Any:
    """A field of a feature's options: libvmaf's short name for it, and its default."""
    return dataclasses.field(default=default, metadata={"alias": alias})


def suffix(options: Options) -> str:
    """What libvmaf appends to a column for options that are not at their defaults: `_egl_1`, `_mffw` ..."""
    text = ""
    for field in sorted(dataclasses.fields(options), key=lambda field: field.name):
        value, alias = getattr(options, field.name), field.metadata["alias"]
        if value != field.default:
            text += f"_{alias}" if isinstance(value, bool) else f"_{alias}_{_short(value)}"
    return text


def chosen(kind: type[Chosen], values: Mapping[str, Any]) -> Chosen:
    """Options from a model's file.

    Raises:
        ValueError: one of them is unknown here, or of another type.
    """
    fields: dict[str, type] = {field.name: type(field.default) for field in dataclasses.fields(kind)}
    for name, value in values.items():
        fits = name in fields and isinstance(value, (int, float) if fields[name] is float else fields[name])
        if not fits:
            known = ", ".join(f"{name}: {kind.__name__}" for name, kind in fields.items())
            raise ValueError(f"option {name} = {value!r} is unknown or of another type; wanted {known}")
    return kind(**{name: fields[name](value) for name, value in values.items()})


def chroma(planes: Planes, place: int) -> Plane:
    """A chroma plane without the last column and row that it has for odd luma: libvmaf halves sizes downwards."""
    luma, plane = planes[0], planes[place]
    width = luma.width // 2 if plane.width < luma.width else plane.width
    height = luma.height // 2 if plane.height < luma.height else plane.height
    if (width, height) == (plane.width, plane.height) or min(width, height) < 1:
        return plane
    return Plane(plane.samples[:height, :width], plane.bit_depth)


def merged(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The same features, those that can share work joined."""
    found: list[Feature] = []
    for feature in features:
        for place, other in enumerate(found):
            both = other.joined(feature)
            if both is not None:
                found[place] = both
                break
        else:
            found.append(feature)
    return tuple(found)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
