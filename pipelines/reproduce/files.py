"""Which files came out the same, from the tables of two manifests; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["same", "differs", "missing", "new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """One output.

    Attributes:
        name: path in the output folder.
        state: `missing`: it did not come out again; `new`: the manifest does not know it.
        recorded_bytes, bytes: size then and now; None where it was not there.
        detail: where it begins to differ, in words; empty where it is the same or the first file is not here.
    """

    name: str
    state: State
    recorded_bytes: int | None
    bytes: int | None
    detail: str = ""


CAUSES = ("shots.json", "ladder.json", "renditions/", "features.parquet", "scores/")
"""Beginnings of the names of outputs that others are made from, first causes first."""


def compared(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[FileResult]:
    """Every file of either table: those that others are made from come first, else by name."""
    return [_result(name, then.get(name), now.get(name)) for name in sorted({*then, *now}, key=_place)]


def _place(name: str) -> tuple[int, str]:
    found = (place for place, cause in enumerate(CAUSES) if name.startswith(cause))
    return next(found, len(CAUSES)), name


def _result(name: str, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> FileResult:
    state: State
    if then is None:
        state = "new"
    elif now is None:
        state = "missing"
    else:
        state = "same" if then["sha256"] == now["sha256"] else "differs"
    return FileResult(
        name=name,
        state=state,
        recorded_bytes=then["bytes"] if then else None,
        bytes=now["bytes"] if now else None,
    )
