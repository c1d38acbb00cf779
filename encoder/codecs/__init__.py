"""Codecs by name.

To add one: a file here with a `Codec` named CODEC, a line in `_HOMES`, its test, a changelog fragment.
"""

from __future__ import annotations

from importlib import import_module

from encoder.codecs.base import Codec as Codec
from encoder.errors import BadOption

_HOMES = {name: f"encoder.codecs.{name}" for name in ("aom", "svtav1", "vp9", "x264", "x265")}

__all__ = ["Codec", "codec_named", "codec_names"]


def codec_names() -> tuple[str, ...]:
    """Names of all codecs, sorted."""
    return tuple(sorted(_HOMES))


def codec_named(name: str) -> Codec:
    """The codec of this name.

    Raises:
        BadOption: there is none.
    """
    if name not in _HOMES:
        raise BadOption("--codec", name, f"there is no such codec; wanted one of {', '.join(codec_names())}")
    codec = import_module(_HOMES[name]).CODEC
    if not isinstance(codec, Codec):
        raise TypeError(f"{_HOMES[name]}.CODEC is not a Codec")
    return codec
