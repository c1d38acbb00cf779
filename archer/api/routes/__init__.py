"""One file per noun of the API; each has a `router`, and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["routers"]

NOUNS = (
    "health",
    "problems",
    "jobs",
    "tasks",
    "events",
    "results",
    "usage",
    "stages",
    "templates",
    "queues",
    "webhooks",
    "mediaconvert",
    "recipes",
)


def routers() -> list[Any]:
    """The routers of all nouns, in the order in which OpenAPI shows them."""
    return [import_module(f"{__name__}.{noun}").router for noun in NOUNS]
