"""What may never be lost: artifacts by content, and the state of jobs.

    from pathlib import Path
    from archer.store import ArtifactStore

    store = ArtifactStore(Path("work"))
    artifact = store.put_file(Path("chunk.mp4"), kind="coded-chunk@1", suffix=".mp4")
    print(artifact.hash, store.path(artifact))

Workers write artifacts; only the scheduler's process writes the job state, and makes a result visible by it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archer.store.artifacts import ArtifactStore as ArtifactStore
    from archer.store.batch import Batch as Batch
    from archer.store.history import History as History
    from archer.store.jobs import JobStore as JobStore
    from archer.store.queue import JobQueue as JobQueue

_HOMES = {
    "ArtifactStore": "artifacts",
    "Batch": "batch",
    "History": "history",
    "JobQueue": "queue",
    "JobStore": "jobs",
}

__all__ = ["ArtifactStore", "Batch", "History", "JobQueue", "JobStore"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: SQLAlchemy is heavy, and workers do not need it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
