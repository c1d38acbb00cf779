"""Plug-ins by entry point: listed without import, loaded on first use."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from archer.errors import SpecError
from archer.stage import Stage

STAGES = "cinemill.stages"
EXECUTORS = "cinemill.executors"
SPLITTERS = "cinemill.splitters"
STORES = "cinemill.stores"
JOBS = "cinemill.jobs"
DIALECTS = "cinemill.dialects"
GROUPS = (JOBS, DIALECTS, STAGES, SPLITTERS, EXECUTORS, STORES)


@cache
def installed(group: str) -> dict[str, str]:
    """Name -> `module:attribute` of every plug-in of an entry point group; imports none of them."""
    from importlib.metadata import entry_points  # workers of stages that come as classes do without

    return {point.name: point.value for point in entry_points(group=group)}


@cache
def distribution_of(group: str, name: str) -> str:
    """The distribution that installed a plug-in, with its version: `cinemill-histogram 0.1.0`."""
    from importlib.metadata import entry_points

    point = next(point for point in entry_points(group=group) if point.name == name)
    return f"{point.dist.name} {point.dist.version}" if point.dist else ""


def load(group: str, name: str, field: str = "") -> Any:
    """The object behind a plug-in's name, or behind `module:attribute`.

    Args:
        group: one of `GROUPS`.
        name: an installed name, or where to find the object.
        field: what the name was given for, shown in errors; the group's last word by default.

    Raises:
        SpecError: there is no such plug-in, or it cannot be imported.
    """
    field = field or group.rpartition(".")[2]
    target = name if ":" in name else installed(group).get(name, "")
    if not target:
        known = ", ".join(sorted(installed(group))) or "none"
        raise SpecError(field, f"unknown {name!r}; installed: {known}")
    module, _, attributes = target.partition(":")
    try:
        found = importlib.import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError) as error:
        raise SpecError(field, f"{name!r} cannot be loaded from {target}: {error}") from error
    return found


def load_stage(stage: str | type[Stage[Any]], field: str = "stages") -> Stage[Any]:
    """A stage ready to use, by name, by `module:Class` or by its class.

    Raises:
        SpecError: there is none, or it does not declare what a stage must.
    """
    made = (load(STAGES, stage, field) if isinstance(stage, str) else stage)()
    if not isinstance(made, Stage):
        raise SpecError(field, f"{stage!r} is not a Stage; subclass archer.Stage")
    missing = [name for name in ("name", "version", "params") if not hasattr(made, name)]
    if missing:
        raise SpecError(field, f"{type(made).__name__} does not declare {', '.join(missing)}")
    return made
