"""Plug-ins by entry point: listed without import, loaded on first use."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from archer.errors import SpecError
from archer.stage import Stage


@cache
def installed(group: str) -> dict[str, str]:
    """Name -> `module:attribute` of every plug-in of an entry point group."""
    return {point.name: point.value for point in entry_points(group=group)}


def load(group: str, name: str) -> Any:
    """The object behind a plug-in's name, or behind `module:attribute`.

    Raises:
        SpecError: there is no such plug-in.
    """
    target = name if ":" in name else installed(group).get(name, "")
    if not target:
        known = ", ".join(sorted(installed(group))) or "none"
        raise SpecError(group.rpartition(".")[2], f"unknown {name!r}; installed: {known}")
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise SpecError(group.rpartition(".")[2], f"{name!r} cannot be loaded from {target}: {error}") from error


def load_stage(name: str) -> Stage[Any]:
    """The stage of this name, ready to use. Raises: see `load`."""
    stage = load("cinemill.stages", name)()
    if not isinstance(stage, Stage):
        raise SpecError("stages", f"{name!r} is not a Stage")
    return stage
