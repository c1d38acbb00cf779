"""What may never be lost: artifacts by content, and the state of jobs.

    from pathlib import Path
    from archer.store import ArtifactStore

    store = ArtifactStore(Path("work"))
    artifact = store.put_file(Path("chunk.mp4"), kind="coded-chunk@1", suffix=".mp4")
    print(artifact.hash, store.path(artifact))

Workers write artifacts; only the scheduler's process writes the job state, and makes a result visible by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinemill_native.lazy import lazily

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

__getattr__ = lazily(__name__, _HOMES)  # SQLAlchemy is heavy, and workers do not need it
