"""What may never be lost: artifacts by content, and the state of jobs.

    from archer.store import ArtifactStore, JobStore

    store = ArtifactStore(Path("work"))
    artifact = store.put_file(Path("chunk.mp4"), kind="coded-chunk@1", suffix=".mp4")
    print(store.path(artifact))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archer.store.artifacts import ArtifactStore as ArtifactStore
    from archer.store.jobs import JobStore as JobStore

_HOMES = {"ArtifactStore": "artifacts", "JobStore": "jobs"}

__all__ = ["ArtifactStore", "JobStore"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: SQLAlchemy is heavy, and workers do not need it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
